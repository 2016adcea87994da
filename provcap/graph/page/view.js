/* Which part of the picture is seen, and how large. */
"use strict";

function look() {
  scene.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
}

function zoom(factor, at) {
  const frame = picture.getBoundingClientRect();
  const [x, y] = at || [frame.width / 2, frame.height / 2];
  const scale = Math.min(8, Math.max(0.02, view.scale * factor));
  view.x = x - (x - view.x) * (scale / view.scale);
  view.y = y - (y - view.y) * (scale / view.scale);
  view.scale = scale;
  look();
}

function fit() {
  const frame = picture.getBoundingClientRect();
  const all = scene.getBBox();
  if (!all.width || !frame.width) return;
  const scale = Math.min(
    (frame.width - 2 * MARGIN) / all.width,
    (frame.height - 2 * MARGIN) / all.height,
    1.4,
  );
  view.scale = scale;
  view.x = (frame.width - all.width * scale) / 2 - all.x * scale;
  view.y = (frame.height - all.height * scale) / 2 - all.y * scale;
  look();
}

/* The whole picture, or if that were too small to read, its target or its beginning. */
function begin() {
  fit();
  if (view.scale >= 0.3) return;
  const target = data.nodes.findIndex((node) => node.target);
  centre(Math.max(target, 0));
  byId("legend").open = false;
}

/* Move a box that is partly out of the view into it, no farther than it takes. */
function bringIn(box) {
  const frame = picture.getBoundingClientRect();
  for (const [axis, size] of [
    ["x", "width"],
    ["y", "height"],
  ]) {
    const start = view[axis] + box[axis] * view.scale,
      length = box[size] * view.scale;
    const over = start + length - (frame[size] - MARGIN);
    if (over > 0) view[axis] -= over;
    if (start - Math.max(over, 0) < MARGIN) view[axis] += MARGIN - (start - Math.max(over, 0));
  }
  look();
}

function centre(number) {
  const frame = picture.getBoundingClientRect();
  const box = nodeElements[number].getBBox();
  view.scale = Math.max(view.scale, 0.9);
  view.x = frame.width / 2 - (box.x + box.width / 2) * view.scale;
  view.y = frame.height / 2 - (box.y + box.height / 2) * view.scale;
  look();
}

/* Unfold the versions of nodes and fold them again. */
"use strict";

function toggle(number) {
  const before = nodeElements[number].getBBox();
  const place = open.indexOf(number);
  if (place >= 0) open.splice(place, 1);
  else if (data.nodes[number].versions.length) open.push(number);
  else return;
  if (!open.length) wide = false;
  const box = draw()[number]; // what was opened stays where it was on the screen
  view.x += (before.x - box.x) * view.scale;
  view.y += (before.y - box.y) * view.scale;
  if (chosen) showPanel();
  bringIn(box);
  nodeElements[number].focus({ preventScroll: true });
  sayUnfold();
}

const canOpen = () =>
  data.nodes.flatMap((node, number) => (node.versions.length && !node.fold ? [number] : []));

function toggleAll() {
  const all = open.length ? [] : canOpen();
  wide = all.length > 0;
  open.splice(0, open.length, ...all);
  draw();
  fit();
  if (chosen) showPanel();
  sayUnfold();
}

const sayUnfold = () => {
  byId("unfold").textContent = open.length ? "Fold all" : "Unfold all";
};

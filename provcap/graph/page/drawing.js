/* From data and places to SVG. */
"use strict";

function draw() {
  const { boxes, curves, words } = arrange();
  for (const id of ["edges", "nodes", "links"]) byId(id).replaceChildren();
  edgeElements = data.edges.map((edge, number) =>
    drawEdge(edge, number, boxes, curves[number], words[number]),
  );
  nodeElements = data.nodes.map((node, number) => drawNode(node, number, boxes[number]));
  mark();
  return boxes;
}

function outline(shape, box) {
  const { x, y, width, height } = box;
  if (shape === "agent") {
    const roof = Math.min(10, height / 3);
    const points = [
      [x, y + height],
      [x, y + roof],
      [x + width / 2, y],
      [x + width, y + roof],
      [x + width, y + height],
    ];
    return ["polygon", { points: points.map((point) => point.join(",")).join(" ") }];
  }
  const rx = shape === "entity" ? Math.min(height / 2, 22) : 1;
  return ["rect", { x, y, width, height, rx }];
}

function drawNode(node, number, box) {
  const [stroke, fill] = data.colours[node.fold ? "fold" : node.kind];
  const isOpen = open.includes(number);
  const group = svg(
    "g",
    {
      class: `node ${node.fold ? "fold" : ""} ${node.target ? "target" : ""}`,
      tabindex: 0,
      role: "button",
      "aria-label": node.lines.join(", "),
      "data-node": number,
    },
    byId("nodes"),
  );
  svg("title", {}, group, node.tip);
  const [name, attributes] = outline(
    isOpen && node.shape === "entity" ? "activity" : node.shape,
    box,
  );
  svg(name, { ...attributes, class: "box", stroke, fill }, group);
  node.lines.forEach((line, place) => {
    const y = box.y + (node.shape === "agent" ? 6 : 0) + 6 + 11 + place * 14;
    const text = svg(
      "text",
      { x: box.x + box.width / 2, y, class: place ? "small" : "name" },
      group,
      line,
    );
    squeeze(text, box.width - 10);
  });
  if (isOpen) drawVersions(node, number, box, group, stroke);
  return group;
}

/* A font that is wider than the layout reckoned with must not leave the box. */
function squeeze(text, width) {
  if (text.getComputedTextLength() > width) {
    text.setAttribute("textLength", width);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

function drawVersions(node, number, box, group, stroke) {
  for (const [from, to] of node.inner) {
    const path = between(cellOf(box, node, from), cellOf(box, node, to));
    svg("path", { d: path.d, class: "inner", "marker-end": "url(#arrow-inner)" }, group);
  }
  node.versions.forEach(([label, identifier, time], version) => {
    const cell = cellOf(box, node, version);
    const part = svg("g", { class: "version", "data-version": version }, group);
    svg("title", {}, part, `${label}\n${time}\n${identifier}`);
    svg("rect", { ...cell, stroke, rx: node.shape === "entity" ? 9 : 1 }, part);
    squeeze(
      svg("text", { x: cell.x + cell.width / 2, y: cell.y + 14 }, part, label),
      cell.width - 6,
    );
  });
}

function drawEdge(edge, number, boxes, curve, at) {
  const many = data.edges.length > FEW_EDGES;
  const classes = ["edge", edge.back ? "back" : "", many ? "many" : "", edge.minor ? "minor" : ""];
  const isPlain = !open.includes(edge.from) && !open.includes(edge.to);
  // what ends at a version must be seen on the node, all else goes below the nodes
  const layer = byId(isPlain ? "edges" : "links");
  const group = svg("g", { class: classes.join(" "), "data-edge": number }, layer);
  svg("title", {}, group, edge.tip);
  const marker = edge.back ? "url(#arrow-back)" : "url(#arrow)";
  for (const path of paths(edge, boxes, curve)) {
    svg("path", { d: path.d, class: "grip" }, group);
    svg("path", { d: path.d, class: "line", "marker-end": marker }, group);
    if (!group.querySelector("text")) {
      const [x, y] = isPlain && at ? at : path.middle;
      svg("text", { x, y: y + 3 }, group, edge.words);
    }
  }
  return group;
}

/* Between folded nodes the curve of the layout; from and to versions one line for each pair. */
function paths(edge, boxes, curve) {
  const ends = [edge.from, edge.to].map((number) => ({
    number,
    box: boxes[number],
    node: data.nodes[number],
    isOpen: open.includes(number),
  }));
  if (!ends[0].isOpen && !ends[1].isOpen) {
    return [curve.length > 3 ? smooth(curve) : between(boxes[edge.from], boxes[edge.to])];
  }
  // what a fold holds is not unfolded: a fan of lines to each version would hide the versions
  if (ends.some((end) => end.node.fold)) return [between(boxes[edge.from], boxes[edge.to])];
  const drawn = new Map();
  for (const pair of edge.pairs) {
    const versions = pair.map((version, side) => (ends[side].isOpen ? version : -1));
    const [from, to] = ends.map((end, side) =>
      versions[side] >= 0 ? cellOf(end.box, end.node, versions[side]) : end.box,
    );
    drawn.set(versions.join(" "), between(from, to));
  }
  return [...drawn.values()];
}

function smooth(points) {
  let d = `M${points[0]}`;
  for (let at = 1; at + 2 < points.length; at += 3)
    d += `C${points[at]} ${points[at + 1]} ${points[at + 2]}`;
  const piece = Math.floor((points.length - 1) / 6) * 3;
  const [a, b, c, e] = points.slice(piece, piece + 4);
  return { d, middle: [0, 1].map((axis) => (a[axis] + 3 * b[axis] + 3 * c[axis] + e[axis]) / 8) };
}

function between(from, to) {
  const centre = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const [a, b] = [centre(from), centre(to)];
  const start = border(from, a, b),
    end = border(to, b, a);
  return { d: `M${start}L${end}`, middle: [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2] };
}

/* Where the line from the middle of a box to another point leaves the box. */
function border(box, middle, other) {
  const [dx, dy] = [other[0] - middle[0], other[1] - middle[1]];
  const part = Math.min(
    dx ? box.width / 2 / Math.abs(dx) : Infinity,
    dy ? box.height / 2 / Math.abs(dy) : Infinity,
    1,
  );
  return [middle[0] + dx * part, middle[1] + dy * part];
}

/* Where things stand, also when nodes are unfolded. */
"use strict";

const boxAt = ([x, y], [width, height]) => ({
  x: x - width / 2,
  y: y - height / 2,
  width,
  height,
  middle: [x, y],
});

/* Opening a node moves all that is right of its middle to the right and all that is below it
   down: boxes that did not overlap do not overlap then. */
function arrange() {
  const boxes = data.nodes.map((node, number) =>
    wide
      ? boxAt(node.wideAt, open.includes(number) ? node.wideSize : node.size)
      : boxAt(node.at, node.size),
  );
  if (wide) return { boxes, curves: data.edges.map(() => []), words: [] };
  const curves = data.edges.map((edge) => edge.curve.map((point) => [...point]));
  const words = data.edges.map((edge) => edge.at && [...edge.at]);
  for (const number of open) {
    const box = boxes[number],
      [cx, cy] = box.middle;
    const [width, height] = data.nodes[number].wideSize;
    const dx = width - box.width,
      dy = height - box.height;
    const move = (point, by = point) => {
      const [right, below] = [by[0] > cx, by[1] > cy];
      if (right) point[0] += dx;
      if (below) point[1] += dy;
    };
    curves.forEach((curve, edge) => {
      // its ends move as their nodes do
      const ends = [data.edges[edge].from, data.edges[edge].to].map((end) => [
        ...boxes[end].middle,
      ]);
      curve.forEach((point, at) => {
        move(point, at < 2 ? ends[0] : at >= curve.length - 2 ? ends[1] : [...point]);
      });
    });
    words.forEach((point) => point && move(point, [...point]));
    boxes.forEach((other, place) => {
      if (place === number) return;
      if (other.middle[0] > cx) other.x += dx;
      if (other.middle[1] > cy) other.y += dy;
      move(other.middle, [...other.middle]);
    });
    Object.assign(box, { width, height });
  }
  return { boxes, curves, words };
}

function cellOf(box, node, version) {
  const column = version % CELL.perRow,
    row = Math.floor(version / CELL.perRow);
  return {
    x: box.x + CELL.gap + column * (CELL.width + CELL.gap),
    y: box.y + node.size[1] + row * (CELL.height + CELL.gap),
    width: CELL.width,
    height: CELL.height,
  };
}

/* Draws the picture whose data stands in the element "data": pan, zoom, search, details, versions.
   Everything recorded is set as text, never as markup. */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const picture = byId("picture"), scene = byId("scene"), panel = byId("panel");
  const CELL = data.cell;
  const FEW_EDGES = 120; // up to here each edge carries its words
  const MARGIN = 12;

  let wide = false; // whether things stand where there is room for all versions
  const open = []; // nodes whose versions are shown, in the order in which they were opened
  const view = { x: 0, y: 0, scale: 1 };
  let chosen = null; // { node, version }
  let found = [], foundAt = 0;
  let nodeElements = [], edgeElements = [];

  const incoming = data.nodes.map(() => []), outgoing = data.nodes.map(() => []);
  data.edges.forEach((edge, number) => {
    outgoing[edge.from].push(number);
    incoming[edge.to].push(number);
  });

  /* ---- small tools ---- */

  function svg(name, attributes, parent, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  function tag(name, text, parent, className) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    if (parent) parent.append(element);
    return element;
  }

  /* ---- where things stand ---- */

  const boxAt = ([x, y], [width, height]) => (
    { x: x - width / 2, y: y - height / 2, width, height, middle: [x, y] });

  /* Opening a node moves all that is right of its middle to the right and all that is below it
     down: boxes that did not overlap do not overlap then. */
  function arrange() {
    const boxes = data.nodes.map((node, number) => (wide
      ? boxAt(node.wideAt, open.includes(number) ? node.wideSize : node.size)
      : boxAt(node.at, node.size)));
    if (wide) return { boxes, curves: data.edges.map(() => []), words: [] };
    const curves = data.edges.map((edge) => edge.curve.map((point) => [...point]));
    const words = data.edges.map((edge) => edge.at && [...edge.at]);
    for (const number of open) {
      const box = boxes[number], [cx, cy] = box.middle;
      const [width, height] = data.nodes[number].wideSize;
      const dx = width - box.width, dy = height - box.height;
      const move = (point, by = point) => {
        const [right, below] = [by[0] > cx, by[1] > cy];
        if (right) point[0] += dx;
        if (below) point[1] += dy;
      };
      curves.forEach((curve, edge) => { // its ends move as their nodes do
        const ends = [data.edges[edge].from, data.edges[edge].to].map((end) => [...boxes[end].middle]);
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
    const column = version % CELL.perRow, row = Math.floor(version / CELL.perRow);
    return {
      x: box.x + CELL.gap + column * (CELL.width + CELL.gap),
      y: box.y + node.size[1] + row * (CELL.height + CELL.gap),
      width: CELL.width, height: CELL.height,
    };
  }

  /* ---- drawing ---- */

  function draw() {
    const { boxes, curves, words } = arrange();
    for (const id of ["edges", "nodes", "links"]) byId(id).replaceChildren();
    edgeElements = data.edges.map((edge, number) => drawEdge(edge, number, boxes, curves[number], words[number]));
    nodeElements = data.nodes.map((node, number) => drawNode(node, number, boxes[number]));
    mark();
    return boxes;
  }

  function outline(shape, box) {
    const { x, y, width, height } = box;
    if (shape === "agent") {
      const roof = Math.min(10, height / 3);
      const points = [[x, y + height], [x, y + roof], [x + width / 2, y], [x + width, y + roof], [x + width, y + height]];
      return ["polygon", { points: points.map((point) => point.join(",")).join(" ") }];
    }
    const rx = shape === "entity" ? Math.min(height / 2, 22) : 1;
    return ["rect", { x, y, width, height, rx }];
  }

  function drawNode(node, number, box) {
    const [stroke, fill] = data.colours[node.fold ? "fold" : node.kind];
    const isOpen = open.includes(number);
    const group = svg("g", {
      class: `node ${node.fold ? "fold" : ""} ${node.target ? "target" : ""}`,
      tabindex: 0, role: "button", "aria-label": node.lines.join(", "), "data-node": number,
    }, byId("nodes"));
    svg("title", {}, group, node.tip);
    const [name, attributes] = outline(isOpen && node.shape === "entity" ? "activity" : node.shape, box);
    svg(name, { ...attributes, class: "box", stroke, fill }, group);
    node.lines.forEach((line, place) => {
      const y = box.y + (node.shape === "agent" ? 6 : 0) + 6 + 11 + place * 14;
      const text = svg("text", { x: box.x + box.width / 2, y, class: place ? "small" : "name" }, group, line);
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
      svg("path", { d: path.d, class: "inner", "marker-end": "url(#arrow)" }, group);
    }
    node.versions.forEach(([label, identifier, time], version) => {
      const cell = cellOf(box, node, version);
      const part = svg("g", { class: "version", "data-version": version }, group);
      svg("title", {}, part, `${label}\n${time}\n${identifier}`);
      svg("rect", { ...cell, stroke, rx: node.shape === "entity" ? 9 : 1 }, part);
      squeeze(svg("text", { x: cell.x + cell.width / 2, y: cell.y + 14 }, part, label), cell.width - 6);
    });
  }

  function drawEdge(edge, number, boxes, curve, at) {
    const many = data.edges.length > FEW_EDGES;
    const classes = ["edge", edge.back ? "back" : "", many ? "many" : "", edge.minor ? "minor" : "",
      data.nodes[edge.from].fold ? "fold" : ""];
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
      number, box: boxes[number], node: data.nodes[number], isOpen: open.includes(number),
    }));
    if (!ends[0].isOpen && !ends[1].isOpen) {
      return [curve.length > 3 ? smooth(curve) : between(boxes[edge.from], boxes[edge.to])];
    }
    const drawn = new Map();
    for (const pair of edge.pairs) {
      const versions = pair.map((version, side) => (ends[side].isOpen ? version : -1));
      const [from, to] = ends.map((end, side) => (
        versions[side] >= 0 ? cellOf(end.box, end.node, versions[side]) : end.box));
      drawn.set(versions.join(" "), between(from, to));
    }
    return [...drawn.values()];
  }

  function smooth(points) {
    let d = `M${points[0]}`;
    for (let at = 1; at + 2 < points.length; at += 3) d += `C${points[at]} ${points[at + 1]} ${points[at + 2]}`;
    const piece = Math.floor((points.length - 1) / 6) * 3;
    const [a, b, c, e] = points.slice(piece, piece + 4);
    return { d, middle: [0, 1].map((axis) => (a[axis] + 3 * b[axis] + 3 * c[axis] + e[axis]) / 8) };
  }

  function between(from, to) {
    const centre = (box) => [box.x + box.width / 2, box.y + box.height / 2];
    const [a, b] = [centre(from), centre(to)];
    const start = border(from, a, b), end = border(to, b, a);
    return { d: `M${start}L${end}`, middle: [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2] };
  }

  /* Where the line from the middle of a box to another point leaves the box. */
  function border(box, middle, other) {
    const [dx, dy] = [other[0] - middle[0], other[1] - middle[1]];
    const part = Math.min(
      dx ? box.width / 2 / Math.abs(dx) : Infinity, dy ? box.height / 2 / Math.abs(dy) : Infinity, 1);
    return [middle[0] + dx * part, middle[1] + dy * part];
  }

  /* ---- the view ---- */

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
    const scale = Math.min((frame.width - 2 * MARGIN) / all.width, (frame.height - 2 * MARGIN) / all.height, 1.4);
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
    for (const [axis, size] of [["x", "width"], ["y", "height"]]) {
      const start = view[axis] + box[axis] * view.scale, length = box[size] * view.scale;
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

  /* ---- versions ---- */

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

  const canOpen = () => data.nodes.flatMap((node, number) => (node.versions.length && !node.fold ? [number] : []));

  function toggleAll() {
    const all = open.length ? [] : canOpen();
    wide = all.length > 0;
    open.splice(0, open.length, ...all);
    draw();
    fit();
    if (chosen) showPanel();
    sayUnfold();
  }

  const sayUnfold = () => { byId("unfold").textContent = open.length ? "Fold all" : "Unfold all"; };

  /* ---- what is chosen and what is found ---- */

  function mark() {
    nodeElements.forEach((element, number) => {
      element.classList.toggle("chosen", chosen !== null && chosen.node === number);
      element.classList.toggle("found", found.includes(number));
      element.querySelectorAll(".version").forEach((part, version) => {
        part.classList.toggle("chosen", chosen !== null && chosen.node === number && chosen.version === version);
      });
    });
    edgeElements.forEach((element, number) => {
      const { from, to } = data.edges[number];
      element.classList.toggle("near", chosen !== null && (chosen.node === from || chosen.node === to));
    });
    scene.classList.toggle("dim", found.length > 0);
  }

  function choose(node, version = null) {
    chosen = { node, version };
    mark();
    showPanel();
    bringIn(nodeElements[node].getBBox()); // the panel takes some of the room
  }

  function close() {
    chosen = null;
    panel.hidden = true;
    mark();
  }

  const texts = data.nodes.map((node) => (
    [node.title, ...node.facts.flatMap(([, values]) => values)].join("\n").toLowerCase()));

  function search(step) {
    const wanted = byId("search").value.trim().toLowerCase();
    const matches = wanted ? texts.flatMap((text, number) => (text.includes(wanted) ? [number] : [])) : [];
    const inTitle = matches.filter((number) => data.nodes[number].title.toLowerCase().includes(wanted));
    found = [...inTitle, ...matches.filter((number) => !inTitle.includes(number))];
    foundAt = found.length && step ? (foundAt + step + found.length) % found.length : 0;
    byId("matches").textContent = !wanted ? "" : found.length ? `${foundAt + 1} of ${found.length}` : "not found";
    mark();
    if (!found.length) return;
    if (step) choose(found[foundAt]);
    centre(found[foundAt]);
  }

  /* ---- details ---- */

  function showPanel() {
    const node = data.nodes[chosen.node];
    panel.hidden = false;
    panel.replaceChildren();
    panelButtons(node);
    tag("h2", node.title, panel);
    const facts = chosen.version === null ? node.facts : versionFacts(node.versions[chosen.version]);
    const list = tag("dl", undefined, panel);
    for (const [label, values] of facts) {
      tag("dt", label, list);
      tag("dd", values.join("\n"), list, values.length > 6 ? "scroll" : "");
    }
    panelEdges("In", incoming[chosen.node], "from");
    panelEdges("Out", outgoing[chosen.node], "to");
  }

  const versionFacts = ([label, identifier, time]) => [
    ["Version", [label]], ["Identifier", [identifier]], ["Time", [time]]];

  function panelButtons(node) {
    const number = chosen.node;
    const shut = tag("button", "Close", panel);
    shut.id = "close";
    shut.addEventListener("click", close);
    panel.append(" ");
    if (!node.versions.length) return;
    const text = open.includes(number) ? "Fold versions" : `Unfold ${node.versions.length} version${node.versions.length > 1 ? "s" : ""}`;
    const button = tag("button", text, panel);
    button.id = "toggle";
    button.addEventListener("click", () => toggle(number));
  }

  function panelEdges(heading, numbers, side) {
    if (!numbers.length) return;
    tag("h3", `${heading} (${numbers.length})`, panel);
    const list = tag("ul", undefined, panel);
    for (const edge of numbers.map((number) => data.edges[number])) {
      const item = tag("li", undefined, list);
      const other = data.nodes[edge[side]].title;
      const words = side === "from" ? `${other} \u2014 ${edge.words} \u2192` : `\u2014 ${edge.words} \u2192 ${other}`;
      tag("button", words, item).addEventListener("click", () => {
        choose(edge[side]);
        centre(edge[side]);
      });
      tag("div", `${edge.relations.join(", ")}; ${edge.time}`, item, "when");
    }
  }

  /* ---- what the user does ---- */

  const nodeAt = (event) => {
    const element = event.target.closest("[data-node]");
    return element ? Number(element.dataset.node) : null;
  };
  let drag = null, touched = false; // touched: the user has chosen what to look at

  picture.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, far: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.far && Math.hypot(dx, dy) < 4) return; // a click, so far
    Object.assign(drag, { x: event.clientX, y: event.clientY, far: true });
    picture.classList.add("moving");
    view.x += dx;
    view.y += dy;
    look();
  });
  window.addEventListener("pointerup", () => {
    picture.classList.remove("moving");
    setTimeout(() => { drag = null; }); // after the click that may follow
  });
  picture.addEventListener("click", (event) => {
    if (drag && drag.far) return;
    const node = nodeAt(event), version = event.target.closest("[data-version]");
    if (node === null) close();
    else choose(node, version ? Number(version.dataset.version) : null);
  });
  picture.addEventListener("dblclick", (event) => {
    const node = nodeAt(event);
    if (node !== null) toggle(node);
  });
  picture.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = picture.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), [event.clientX - frame.left, event.clientY - frame.top]);
  }, { passive: false });

  const MOVES = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  const KEYS = {
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit,
    "/": () => byId("search").focus(), Escape: close,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === byId("search")) {
      if (event.key === "Enter") search(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") picture.focus();
      return;
    }
    const node = event.target.closest("#picture") ? nodeAt(event) : null;
    if (node !== null && event.key === "Enter") choose(node);
    else if (node !== null && event.key === " ") toggle(node);
    else if (KEYS[event.key]) KEYS[event.key]();
    else if (MOVES[event.key] && event.target.closest("#picture")) {
      view.x += MOVES[event.key][0];
      view.y += MOVES[event.key][1];
      look();
    } else return;
    event.preventDefault();
  });
  /* A node that the keyboard reaches outside of the view comes into it. */
  picture.addEventListener("focusin", (event) => {
    const node = nodeAt(event);
    if (node === null || !event.target.matches(":focus-visible")) return;
    const box = event.target.getBoundingClientRect(), frame = picture.getBoundingClientRect();
    const inside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inside) centre(node);
  });
  for (const kind of ["pointerdown", "wheel", "keydown"]) {
    window.addEventListener(kind, () => { touched = true; }, { capture: true, passive: true });
  }
  window.addEventListener("resize", () => { if (!touched) begin(); });
  byId("search").addEventListener("input", () => search(0));
  byId("in").addEventListener("click", () => zoom(1.25));
  byId("out").addEventListener("click", () => zoom(0.8));
  byId("fit").addEventListener("click", fit);
  byId("unfold").addEventListener("click", toggleAll);

  /* ---- the frame around it ---- */

  function legend() {
    for (const [kind, shape, words] of data.legend) {
      const row = tag("div", undefined, byId("legend"));
      const icon = svg("svg", { width: 26, height: 16, "aria-hidden": "true" }, row);
      const [name, attributes] = outline(shape, { x: 1, y: 1, width: 24, height: 14 });
      const [stroke, fill] = data.colours[kind];
      svg(name, { ...attributes, stroke, fill, "stroke-width": 1.3 }, icon);
      row.append(words);
    }
    for (const words of ["dashed box: several things shown as one", "dashed arrow: closes a cycle of folded versions",
      "double click: unfold the versions of a node"]) tag("div", words, byId("legend"));
  }

  const [title, ...lines] = data.banner;
  byId("title").textContent = title;
  byId("banner").textContent = lines.join("\n");
  byId("banner").classList.add({ true: "complete", false: "partial" }[data.complete] || "unknown");
  legend();
  draw();
  begin();
})();

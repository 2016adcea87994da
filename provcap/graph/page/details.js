/* What is chosen, what a search finds, and all that is known about it. */
"use strict";

function mark() {
  nodeElements.forEach((element, number) => {
    element.classList.toggle("chosen", chosen !== null && chosen.node === number);
    element.classList.toggle("found", found.includes(number));
    element.querySelectorAll(".version").forEach((part, version) => {
      part.classList.toggle(
        "chosen",
        chosen !== null && chosen.node === number && chosen.version === version,
      );
    });
  });
  edgeElements.forEach((element, number) => {
    const { from, to } = data.edges[number];
    element.classList.toggle(
      "near",
      chosen !== null && (chosen.node === from || chosen.node === to),
    );
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

const texts = data.nodes.map((node) =>
  [node.title, ...node.facts.flatMap(([, values]) => values)].join("\n").toLowerCase(),
);

function search(step) {
  const wanted = byId("search").value.trim().toLowerCase();
  const matches = wanted
    ? texts.flatMap((text, number) => (text.includes(wanted) ? [number] : []))
    : [];
  const inTitle = matches.filter((number) =>
    data.nodes[number].title.toLowerCase().includes(wanted),
  );
  found = [...inTitle, ...matches.filter((number) => !inTitle.includes(number))];
  foundAt = found.length && step ? (foundAt + step + found.length) % found.length : 0;
  byId("matches").textContent = !wanted
    ? ""
    : found.length
      ? `${foundAt + 1} of ${found.length}`
      : "not found";
  mark();
  if (!found.length) return;
  if (step) choose(found[foundAt]);
  centre(found[foundAt]);
}

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
  ["Version", [label]],
  ["Identifier", [identifier]],
  ["Time", [time]],
];

function panelButtons(node) {
  const number = chosen.node;
  const shut = tag("button", "Close", panel);
  shut.id = "close";
  shut.addEventListener("click", close);
  panel.append(" ");
  if (!node.versions.length) return;
  const text = open.includes(number)
    ? "Fold versions"
    : `Unfold ${node.versions.length} version${node.versions.length > 1 ? "s" : ""}`;
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
    const words =
      side === "from"
        ? `${other} \u2014 ${edge.words} \u2192`
        : `\u2014 ${edge.words} \u2192 ${other}`;
    tag("button", words, item).addEventListener("click", () => {
      choose(edge[side]);
      centre(edge[side]);
    });
    tag("div", `${edge.relations.join(", ")}; ${edge.time}`, item, "when");
  }
}

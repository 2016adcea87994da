/* The data of the picture, what the user has chosen, and small tools. Everything recorded is
   set as text, never as markup. */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const picture = byId("picture"),
  scene = byId("scene"),
  panel = byId("panel");
const CELL = data.cell;
const FEW_EDGES = 120; // up to here each edge carries its words
const MARGIN = 12;

let wide = false; // whether things stand where there is room for all versions
const open = []; // nodes whose versions are shown, in the order in which they were opened
const view = { x: 0, y: 0, scale: 1 };
let chosen = null; // { node, version }
let found = [],
  foundAt = 0;
let nodeElements = [],
  edgeElements = [];

const incoming = data.nodes.map(() => []),
  outgoing = data.nodes.map(() => []);
data.edges.forEach((edge, number) => {
  outgoing[edge.from].push(number);
  incoming[edge.to].push(number);
});

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

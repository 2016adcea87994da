/* What the user does with mouse and keyboard; legend and banner; the start. */
"use strict";

const nodeAt = (event) => {
  const element = event.target.closest("[data-node]");
  return element ? Number(element.dataset.node) : null;
};
let drag = null,
  touched = false; // touched: the user has chosen what to look at

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
  setTimeout(() => {
    drag = null;
  }); // after the click that may follow
});
picture.addEventListener("click", (event) => {
  if (drag && drag.far) return;
  const node = nodeAt(event),
    version = event.target.closest("[data-version]");
  if (node === null) close();
  else choose(node, version ? Number(version.dataset.version) : null);
});
picture.addEventListener("dblclick", (event) => {
  const node = nodeAt(event);
  if (node !== null) toggle(node);
});
picture.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const frame = picture.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), [event.clientX - frame.left, event.clientY - frame.top]);
  },
  { passive: false },
);

const MOVES = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
const KEYS = {
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: fit,
  "/": () => byId("search").focus(),
  Escape: close,
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
  const box = event.target.getBoundingClientRect(),
    frame = picture.getBoundingClientRect();
  const inside =
    box.left >= frame.left &&
    box.right <= frame.right &&
    box.top >= frame.top &&
    box.bottom <= frame.bottom;
  if (!inside) centre(node);
});
for (const kind of ["pointerdown", "wheel", "keydown"]) {
  window.addEventListener(
    kind,
    () => {
      touched = true;
    },
    { capture: true, passive: true },
  );
}
window.addEventListener("resize", () => {
  if (!touched) begin();
});
byId("search").addEventListener("input", () => search(0));
byId("in").addEventListener("click", () => zoom(1.25));
byId("out").addEventListener("click", () => zoom(0.8));
byId("fit").addEventListener("click", fit);
byId("unfold").addEventListener("click", toggleAll);

function legend() {
  for (const [kind, shape, words] of data.legend) {
    const row = tag("div", undefined, byId("legend"));
    const icon = svg("svg", { width: 26, height: 16, "aria-hidden": "true" }, row);
    const [name, attributes] = outline(shape, { x: 1, y: 1, width: 24, height: 14 });
    const [stroke, fill] = data.colours[kind];
    svg(name, { ...attributes, stroke, fill, "stroke-width": 1.3 }, icon);
    row.append(words);
  }
  for (const words of [
    "dashed box: several things shown as one",
    "dashed arrow: closes a cycle of folded versions",
    "double click: unfold the versions of a node",
  ])
    tag("div", words, byId("legend"));
}

const [title, ...lines] = data.banner;
byId("title").textContent = title;
byId("banner").textContent = lines.join("\n");
byId("banner").classList.add({ true: "complete", false: "partial" }[data.complete] || "unknown");
legend();
draw();
begin();

/**
 * What makes the picture a page: dragging and the wheel move and scale it, a click folds a layer, the
 * pointer shows a box's source, and the field above finds boxes. Plain JavaScript, as it stands in the page.
 */

export const script = `
const svg = document.querySelector("svg");
const stage = document.querySelector("main");
const note = document.querySelector("#note");
const size = svg.viewBox.baseVal;
const whole = { width: size.width, height: size.height };
let view = { x: 0, y: 0, scale: 1 };
svg.removeAttribute("width");
svg.removeAttribute("height");

function show() {
  svg.style.width = whole.width * view.scale + "px";
  svg.style.height = whole.height * view.scale + "px";
  svg.style.transform = "translate(" + view.x + "px," + view.y + "px)";
}
function fit() {
  const scale = Math.min(stage.clientWidth / whole.width, stage.clientHeight / whole.height, 1.5);
  view = {
    scale,
    x: Math.max(0, (stage.clientWidth - whole.width * scale) / 2),
    y: 0,
  };
  show();
}
function zoom(factor, x, y) {
  const scale = Math.min(8, Math.max(0.1, view.scale * factor));
  const by = scale / view.scale;
  view = { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
  show();
}
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const at = stage.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / 400), event.clientX - at.left, event.clientY - at.top);
}, { passive: false });

let drag = null;
stage.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX - view.x, y: event.clientY - view.y, moved: false };
});
addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
  if (Math.abs(x - view.x) + Math.abs(y - view.y) > 3) drag.moved = true;
  if (drag.moved) { view = { ...view, x, y }; show(); }
});
addEventListener("pointerup", () => setTimeout(() => { drag = null; }));

// Panels fold to their headings; those behind them move up.
const sheets = [...document.querySelectorAll(".sheet")].map((sheet) => {
  const [x, y] = sheet.getAttribute("transform").match(/[-\\d.]+/g).map(Number);
  const box = sheet.querySelector(".panel");
  return { sheet, x, y, width: Number(box.getAttribute("width")), folded: false };
});
function place() {
  let x = sheets[0].x;
  const row = sheets[0].y;
  for (const one of sheets) {
    one.sheet.classList.toggle("folded", one.folded);
    if (one.folded) continue;
    if (sheets.every(({ y }) => y === row)) {
      one.sheet.setAttribute("transform", "translate(" + x + " " + one.y + ")");
      x += one.width + 20;
    }
  }
}
const toggles = document.querySelector("#panels");
sheets.forEach((one, i) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = one.sheet.dataset.name.split(" = ")[0];
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    one.folded = !one.folded;
    button.setAttribute("aria-pressed", String(!one.folded));
    place();
  });
  if (i > 0) toggles.append(button);
});

// A click on a layer leaves its heading alone, and brings its inside back.
for (const box of document.querySelectorAll(".box.layer,.box.mix"))
  box.addEventListener("click", (event) => {
    if (drag && drag.moved) return;
    event.stopPropagation();
    box.classList.toggle("closed");
  });

svg.addEventListener("pointermove", (event) => {
  const box = event.target.closest(".box");
  const text = box && box.querySelector(":scope > title");
  note.textContent = text ? text.textContent : "";
});

const field = document.querySelector("input");
const found = document.querySelector("#found");
field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  let count = 0;
  for (const box of document.querySelectorAll(".box")) {
    const own = [...box.children].filter(({ tagName }) => tagName === "text" || tagName === "title");
    const hit = wanted !== "" && own.some((part) => part.textContent.toLowerCase().includes(wanted));
    box.classList.toggle("hit", hit);
    if (hit) count += 1;
  }
  found.textContent = wanted === "" ? "" : count === 1 ? "1 box" : count + " boxes";
});
document.querySelector("#fit").addEventListener("click", fit);
document.querySelector("#closer").addEventListener("click", () => zoom(1.25, stage.clientWidth / 2, stage.clientHeight / 2));
document.querySelector("#further").addEventListener("click", () => zoom(0.8, stage.clientWidth / 2, stage.clientHeight / 2));
addEventListener("resize", fit);
fit();
`;

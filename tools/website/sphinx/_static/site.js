// Explorers open when they come near the view; folds open for print; wide boxes scroll by keyboard.

import { open_static } from "./panel.js";

const tables = new Map(); // name -> promise of its table

function table(name) {
  if (!tables.has(name)) tables.set(name, load(new URL(`explorers/${name}.table`, import.meta.url)));
  return tables.get(name);
}

async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).json();
}

const stops = new Map(); // place -> what ends its panel

async function open(place, spec = JSON.parse(place.dataset.spec)) {
  try {
    const found = await table(place.dataset.explorer);
    stops.get(place)?.();
    stops.set(place, open_static(place, spec, found));
    place.classList.add("s2s-open");
  } catch (error) {
    place.firstElementChild.textContent = "This figure could not be loaded. Reload the page to try again.";
    throw error; // the console keeps why
  }
}

const near = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      open(target);
    }
  },
  { rootMargin: "300px" },
);
document.querySelectorAll(".s2s-live").forEach((place) => near.observe(place));

// A call in the text, which a reader with a kernel would write, opens its state in the next panel
// of that explorer, or in the last one if none follows.
document.querySelectorAll(".s2s-state").forEach((button) =>
  button.addEventListener("click", async () => {
    const places = [...document.querySelectorAll(`.s2s-live[data-explorer="${button.dataset.explorer}"]`)];
    const follows = (place) => button.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING;
    const place = places.find(follows) ?? places.at(-1);
    near.unobserve(place);
    await open(place, { ...JSON.parse(place.dataset.spec), state: button.dataset.state, lock: [] });
    const panel = place.firstElementChild;
    panel.tabIndex = -1;
    panel.focus(); // which also brings it into view
  }),
);

// What is folded on the screen is read on paper.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((one) => (one.open = true));
});
addEventListener("afterprint", () => folded.forEach((one) => (one.open = false)));

// What is wider than the page scrolls in its own box, and a box that scrolls can be reached by Tab.
const BOXES = "article pre, article .table-wrapper, .drawing, article .output, article .math, article .math-wrapper";
const reach = () => {
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
reach();
addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);

// Runs within the page: moves every slider to both ends and its middle, and writes what the page then says.

// `before_page.js` has run first: frames are drawn when asked, so that all is over before the page counts as loaded.

const { problems, drawn } = window.watched;
const controls = () => [...document.querySelectorAll("input, select")];
const numbers = (scene) =>
  Object.fromEntries([...scene.querySelectorAll("dd")].map((cell) => [cell.id, cell.dataset.value]));
const drawings = (scene) => [...scene.querySelectorAll("path, circle, line")].map((each) => each.outerHTML).join("");
const move = (input, value) => {
  if (input.type === "checkbox") input.checked = value;
  else input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};
const settings = (scene) =>
  Object.fromEntries(
    [...scene.querySelectorAll("input, select")].map((each) => [each.id, each.type === "checkbox" ? each.checked : (each.dataset.value ?? each.value)]),
  );

function run() {
  drawn();
  const moves = [];
  const names = controls().map((each) => each.id);
  for (const id of names) {
    const input = document.getElementById(id);
    const scene = input.closest(".scene");
    const before = input.type === "checkbox" ? input.checked : input.value;
    let places;
    if (input.type === "range") {
      const [low, high, step] = [Number(input.min), Number(input.max), Number(input.step)];
      places = [low, low + Math.round((high - low) / 2 / step) * step, high];
    } else if (input.type === "checkbox") places = [!before];
    else places = [...input.options].map((option) => option.value);
    for (const place of places) {
      const old = drawings(scene);
      const figures = scene.querySelectorAll("svg.drawing").length;
      move(input, place);
      drawn();
      const text = scene.querySelector(".said").textContent;
      moves.push({
        id, place, kind: input.type, scene: scene.id, numbers: numbers(scene), settings: settings(scene), text,
        moved: drawings(scene) !== old, figures: scene.querySelectorAll("svg.drawing").length - figures,
      });
    }
    move(input, before);
    drawn();
  }
  const unnamed = controls().filter((each) => !each.labels.length || !each.labels[0].textContent.trim()).map((each) => each.id);
  const silent = [...document.querySelectorAll("svg.drawing, canvas")].filter((each) => !each.getAttribute("aria-label")).length;
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return { moves, problems, unnamed, silent, wide, ready: document.documentElement.dataset.ready };
}

let found;
try {
  found = run();
} catch (error) {
  found = { problems: [...problems, String(error.stack)] };
}
const told = document.createElement("script");
told.type = "application/json";
told.id = "found";
told.textContent = JSON.stringify(found).replaceAll("<", "\\u003c");
document.body.append(told);

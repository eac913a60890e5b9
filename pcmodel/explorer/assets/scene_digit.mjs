// Scene 2: a held belief about a digit meets an image, and the hierarchy settles.

import { announcer, buttons, checkbox, element, plain, readouts, select, short, slider } from "./controls.mjs";
import { decode, digitNetwork } from "./data.mjs";
import { Drawing, Panel, scheduler, ticksBetween } from "./draw.mjs";
import { drawingPad, paint, paintSigned } from "./pad.mjs";
import { argmax, beginSettling, levelSquares, poseDigit, predictLevel, settleStep, sweepDown, topDeviations } from "./settle.mjs";

const SETTLED = 1e-6;
const LEVELS = ["pixels", "strokes", "shapes", "digit"];

// Gains by level for a factor, 1 or more.
const DRUGS = {
  top: ["relaxes the belief (the top)", (f) => [1, 1, 1, 1 / f]],
  senses: ["sharpens the senses instead", (f) => [f, 1, 1, 1]],
  middle: ["relaxes the levels between", (f) => [1, 1 / f, 1 / f, 1]],
  all: ["relaxes everything alike (null)", (f) => [1 / f, 1 / f, 1 / f, 1 / f]],
};

export function digitScene(root, table) {
  const host = root.querySelector(".controls");
  const figure = root.querySelector(".figure");
  const networks = { trained: digitNetwork(table, "trained"), untrained: digitNetwork(table, "untrained") };
  const images = decode(table.images);
  const test = (digit) => Array.from(images.subarray(64 * digit, 64 * (digit + 1)));
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let pixels = test(8);
  let problem, state, history, isRunning = false;

  const padRow = element("div", { class: "padrow" });
  const canvas = element("canvas", {
    class: "pad", id: "digit-pad", tabindex: "0", role: "application",
    "aria-label": "Drawing pad of 8 by 8 pixels: arrow keys move, space changes the ink",
  });
  padRow.append(canvas);
  host.append(element("span", { class: "buttons-label", text: "Draw a digit, or take one" }), padRow);
  const pad = drawingPad(canvas, (drawn) => {
    pixels = drawn;
    taken.press("");
    start();
  });
  const taken = buttons(host, {
    label: "", items: [...Array.from({ length: 10 }, (_, d) => [d, String(d), `a test image of ${d}`]), ["clear", "Clear"]],
    onPress(key) {
      pixels = key === "clear" ? new Array(64).fill(0) : test(Number(key));
      pad.set(pixels);
      taken.press(key);
      start();
    },
  });
  taken.press(8);
  const held = select(host, {
    id: "digit-held", label: "Belief held beforehand", value: "3",
    options: Array.from({ length: 10 }, (_, d) => [String(d), `“it is a ${d}”`]), onInput: () => start(),
  });
  const precision = slider(host, {
    id: "digit-precision", label: "How firmly (its precision)", min: 1, max: 1000, value: 400, log: true, onInput: () => move(),
    note: "Assumed: a belief is a normal density over what the digit is, equally firm in every direction.",
  });
  const drug = select(host, {
    id: "digit-drug", label: "The drug", value: "top", options: Object.entries(DRUGS).map(([key, [text]]) => [key, text]),
    onInput: () => move(), note: "Rival accounts of one image: compare what each does to the same belief.",
  });
  const factor = slider(host, {
    id: "digit-factor", label: "By how much (factor)", min: 1, max: 100, value: 1, log: true, onInput: () => move(),
    format: (f) => (f < 1.005 ? "not at all" : `×${short(f)}`), note: "The assumed step: that a drug divides a precision.",
  });
  const untrained = checkbox(host, {
    id: "digit-untrained", label: "Untrained network", onInput: () => start(),
    note: "The control: its belief gives way as well, but not to the right digit.",
  });
  const again = buttons(host, {
    label: "", items: [["again", "Settle again from the belief"], ["step", "One step"]],
    onPress(key) {
      if (key === "again") start();
      else {
        if (!isRunning && state.residual < SETTLED) start(true);
        isRunning = false;
        advance();
        render();
      }
    },
  });
  again.press("");

  host.prepend(drug.row, factor.row); // what the scene is about comes first, on a phone beside the figure

  const levels = element("div", { class: "levels" });
  const canvases = {};
  for (const [key, title, text] of [
    ["image", "pixels", "what is seen"],
    ["seen", "explained", "what the levels above make of it"],
    ["strokes", "strokes", "128 units"],
    ["shapes", "shapes", "64 units"],
  ]) {
    canvases[key] = element("canvas", { role: "img", "aria-label": `${title}: ${text}` });
    const caption = element("figcaption", {}, element("b", { text: title }), text);
    levels.append(element("figure", {}, canvases[key], caption));
  }
  const bars = element("div");
  figure.append(bars, levels);
  const top = new Drawing(bars, "Evidence for each digit at the top");
  const energyHost = root.querySelector(".energy");
  const energies = new Drawing(energyHost, "Energy of each level while settling");
  const redraw = scheduler(figure, () => render());
  const tell = readouts(root.querySelector(".numbers"), [
    ["winner", "read as"], ["heldValue", "the held digit stands at"], ["seenValue", "the winner stands at"], ["sd", "its uncertainty (sd)"],
    ["energy", "energy, nats"], ["residual", "distance to the mode, sd"], ["steps", "steps"], ["square0", "misfit: pixels, nats"],
    ["square1", "misfit: strokes"], ["square2", "misfit: shapes"], ["square3", "misfit: digit"],
  ]);
  const say = announcer(root.querySelector(".said"), root.querySelector(".heard"));

  function pose() {
    const mean = Array.from({ length: 10 }, (_, d) => (d === Number(held.value) ? 1 : 0));
    problem = poseDigit(networks[untrained.value ? "untrained" : "trained"], {
      image: pixels, belief: { mean, precision: precision.value }, gains: DRUGS[drug.value][1](factor.value),
    });
  }

  /** From what the belief predicts. */
  function start(isPaused = false) {
    pose();
    state = beginSettling(problem);
    history = [{ time: 0, squares: levelSquares(problem, state.latents) }];
    if (!isPaused) run();
  }

  /** From where the network is: only precisions have changed. */
  function move() {
    pose();
    const begun = beginSettling(problem, { firstStep: 0.02 });
    const own = { ...begun, latents: state.latents };
    own.energies = beginEnergies(own.latents);
    state = own;
    history = [{ time: 0, squares: levelSquares(problem, state.latents) }];
    run();
  }

  function beginEnergies(latents) {
    return levelSquares(problem, latents).map((square, l) => {
      const width = latents[l].length;
      return square - 0.5 * width * (Math.log(problem.precisions[l]) - Math.log(2 * Math.PI));
    });
  }

  function advance() {
    state = settleStep(problem, state);
    history.push({ time: state.time, squares: levelSquares(problem, state.latents) });
  }

  const isDone = () => state.residual < SETTLED || state.stuck || state.steps >= 200;

  function run() {
    if (isStill) {
      while (!isDone()) advance();
      render();
      return;
    }
    if (isRunning) return;
    isRunning = true;
    const frame = () => {
      if (!isRunning) return;
      if (!isDone()) advance();
      render();
      if (isDone()) isRunning = false;
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function render() {
    const { network } = problem;
    const settled = state.residual < SETTLED;
    const values = Array.from(state.latents[3]);
    const winner = argmax(values);
    const deviations = settled ? topDeviations(problem, state.latents) : null;
    paint(canvases.image, pixels, 8);
    paint(canvases.seen, Array.from(predictLevel(network, 0, state.latents[1])), 8);
    paintSigned(canvases.strokes, Array.from(state.latents[1], Math.tanh), 16, 1);
    paintSigned(canvases.shapes, Array.from(state.latents[2], Math.tanh), 8, 1);
    drawBars(values, winner, deviations);
    drawEnergies();
    const own = Number(held.value);
    tell("winner", winner, String(winner));
    tell("heldValue", values[own], short(values[own], 2));
    tell("seenValue", values[winner], short(values[winner], 2));
    tell("sd", deviations ? deviations[winner] : null, deviations ? short(deviations[winner], 2) : "settling");
    tell("energy", state.energies.reduce((a, b) => a + b, 0));
    tell("residual", state.residual, Number.isFinite(state.residual) ? state.residual.toExponential(1) : "far");
    tell("steps", state.steps, String(state.steps));
    levelSquares(problem, state.latents).forEach((square, l) => tell(`square${l}`, square));
    root.dataset.settled = String(settled);
    if (!settled) return;
    const gaveWay = winner !== own;
    const second = argmax(values.map((value, d) => (d === winner ? -Infinity : value)));
    const stands = values[own] - values[second] > 0.5 ? "the belief stands. Relax it, and look again." : "the belief is giving way.";
    const empty = pixels.every((value) => value === 0);
    const text = empty
      ? "An empty pad is an image, too: draw something."
      : `Held: “it is a ${own}”. Settled on ${winner} at ${short(values[winner], 2)}, ` +
        (gaveWay ? `the held ${own} at ${short(values[own], 2)}: the belief has given way.` : `then ${second} at ${short(values[second], 2)}: ${stands}`);
    say(text);
    top.describe(text);
  }

  function drawBars(values, winner, deviations) {
    const isNarrow = figure.clientWidth < 520;
    top.begin(isNarrow ? 120 : 150);
    const panel = new Panel(top, "bars", { left: 30, right: top.width - 6, top: 24, bottom: top.height - 26, x: [-0.5, 9.5], y: [-0.35, 1.35] });
    panel.yAxis([0, 1]);
    panel.title(isNarrow ? "the digit (circle: the belief held)" : "the digit: how much of each (circle: the belief held)");
    values.forEach((value, d) => {
      const [zero, y] = [panel.y(0), panel.clampY(value)];
      const wide = (panel.x(1) - panel.x(0)) * 0.56;
      top.put(`bar${d}`, "rect", {
        x: panel.x(d) - wide / 2, width: wide, y: Math.min(zero, y), height: Math.abs(zero - y), class: d === winner ? "bar winner" : "bar",
      });
      if (deviations) {
        top.segment(`w${d}`, panel.x(d), panel.clampY(value - deviations[d]), panel.x(d), panel.clampY(value + deviations[d]), { class: "whisker" });
      }
      top.text(`n${d}`, panel.x(d), panel.bottom + 18, String(d), { "text-anchor": "middle", class: d === winner ? "beliefText" : "" });
    });
    top.put("held", "circle", { cx: panel.x(Number(held.value)), cy: panel.y(1), r: 6, class: "heldmark" });
    top.end();
  }

  function drawEnergies() {
    const isNarrow = energyHost.clientWidth < 520;
    energies.begin(isNarrow ? 170 : 200);
    const most = Math.max(...history.map((one) => one.squares.reduce((a, b) => a + b, 0)), 1e-3);
    const places = history.map((_, i) => i);
    const panel = new Panel(energies, "energy", {
      left: 44, right: energies.width - 86, top: 26, bottom: energies.height - 38, x: [0, Math.max(places.length - 1, 12)], y: [0, most * 1.05],
    });
    panel.title(isNarrow ? "misfit of each level, nats" : "misfit of each level (precision × squared error / 2), nats");
    panel.yAxis(ticksBetween(0, most * 1.05, 3), { format: plain });
    panel.xAxis(ticksBetween(0, Math.max(places.length - 1, 12), 6), { label: "steps of settling", format: plain });
    const sums = history.map((one) => one.squares.reduce((a, b) => a + b, 0));
    panel.line("sum", places, sums, "sum");
    const ends = [[sums.at(-1), "sum", ""]];
    LEVELS.forEach((name, l) => {
      const ys = history.map((one) => one.squares[l]);
      panel.line(name, places, ys, `level${l}`);
      ends.push([ys.at(-1), name, ""]);
    });
    // Names beside the ends of the lines, kept apart.
    let last = -Infinity;
    ends.map(([y, name]) => [panel.y(y), name]).sort((a, b) => a[0] - b[0]).forEach(([y, name]) => {
      const at = Math.max(y + 4, last + 14);
      last = at;
      energies.text(`end.${name}`, panel.right + 8, at, name, { class: "tick" });
    });
    energies.describe(`Misfit of every level over ${places.length - 1} steps of settling; the sum falls from ${short(sums[0])} to ${short(sums.at(-1))} nats.`);
    energies.end();
  }

  pad.set(pixels);
  start();
  redraw();
}

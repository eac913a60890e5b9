// Scene 1: a belief at the top of a chain meets evidence at its bottom.

import { normalDensity, solveChain } from "./chain.mjs";
import { announcer, buttons, checkbox, percent, plain, readouts, short, slider, twoPlaces } from "./controls.mjs";
import { Drawing, Panel, scheduler, ticksBetween } from "./draw.mjs";

const LOW = -6, HIGH = 6, POINTS = 181;
const XS = Array.from({ length: POINTS }, (_, i) => LOW + ((HIGH - LOW) * i) / (POINTS - 1));

// Factors on the precisions, bottom first.
const PRESETS = {
  rest: ["As it is", [1, 1, 1, 1]],
  top: ["Belief ×¼", [1, 1, 1, 0.25]],
  middle: ["Middle ×¼", [1, 0.25, 0.25, 1]],
  senses: ["Senses ×4", [4, 1, 1, 1]],
  above: ["All but the senses ×¼", [1, 0.25, 0.25, 0.25]],
  all: ["Everything ×¼", [0.25, 0.25, 0.25, 0.25]],
};

const NOTES = [
  "How far one observation is to be trusted. Assumed: noise is normal and its precision is known.",
  "How tightly a feeling follows from what things mean.",
  "How tightly meaning follows from the belief. Evidence passes through both middle levels.",
  "How firmly the belief is held. Assumed: this is what a drug relaxes; rival accounts stand in scene 3.",
];

export function chainScene(root, table) {
  const host = root.querySelector(".controls");
  const drawing = new Drawing(root.querySelector(".figure"), "Densities at the four levels");
  const ask = scheduler(root.querySelector(".figure"), () => render());
  const top = table.names.length - 1;
  const presets = buttons(host, {
    label: "Relax or sharpen at a press",
    items: Object.entries(PRESETS).map(([key, [text]]) => [key, text]),
    onPress(key) {
      const factors = PRESETS[key][1];
      precisions.forEach((each, l) => (each.value = table.precisions[l] * factors[l]));
      ask();
    },
  });
  const precisions = [];
  for (let l = top; l >= 0; l--) {
    precisions[l] = slider(host, {
      id: `chain-precision${l}`, label: `Precision of the ${table.names[l]}`, min: 0.01, max: 100, value: table.precisions[l],
      log: true, note: NOTES[l], onInput: ask,
    });
  }
  const prior = slider(host, {
    id: "chain-prior", label: "Belief before (mean)", min: -4, max: 4, value: table.prior_mean, format: twoPlaces, onInput: ask,
    note: "Negative is bad: −2 reads “I am no good”.",
  });
  const observed = slider(host, {
    id: "chain-observed", label: "Evidence (what is observed)", min: -4, max: 4, value: table.observed, format: twoPlaces, onInput: ask,
    note: "+1 reads: one good experience.",
  });
  const present = checkbox(host, {
    id: "chain-present", label: "There is evidence", checked: true, onInput: ask,
    note: "Without it, relaxing moves nothing: the drug is not the therapy.",
  });
  const tell = readouts(root.querySelector(".numbers"), [
    ["mean3", `${table.names[3]}, after`], ["sd3", "its uncertainty (sd)"], ["weight", "weight of the evidence"],
    ["arrives", "evidence precision that arrives"], ["mean2", `${table.names[2]}, after`], ["sd2", `sd of the ${table.names[2]}`],
    ["mean1", `${table.names[1]}, after`], ["sd1", `sd of the ${table.names[1]}`], ["logEvidence", "log evidence, nats"],
  ]);
  const say = announcer(root.querySelector(".said"), root.querySelector(".heard"));

  function render() {
    const p = precisions.map((each) => each.value);
    const solved = solveChain({
      precisions: p, priorMean: prior.value, observed: present.value ? observed.value : null,
    });
    const near = (factors) => factors.every((f, l) => Math.abs(Math.log(p[l] / (table.precisions[l] * f))) < 0.012);
    presets.press(Object.keys(PRESETS).find((key) => near(PRESETS[key][1])) ?? "");
    draw(solved);
    const after = solved.posterior[top];
    tell("mean3", after.mean, twoPlaces(after.mean));
    tell("sd3", Math.sqrt(after.variance));
    tell("weight", solved.weight, percent(solved.weight));
    tell("arrives", solved.evidence[top].precision);
    for (const l of [1, 2]) {
      tell(`mean${l}`, solved.posterior[l].mean, twoPlaces(solved.posterior[l].mean));
      tell(`sd${l}`, Math.sqrt(solved.posterior[l].variance));
    }
    tell("logEvidence", solved.logEvidence, solved.logEvidence === null ? "no evidence" : undefined);
    const sd = short(Math.sqrt(after.variance), 2);
    const text = present.value
      ? `The belief moves from ${twoPlaces(prior.value)} to ${twoPlaces(after.mean)} (± ${sd}). The evidence says ${twoPlaces(observed.value)} ` +
        `and carries ${percent(solved.weight)} of the weight.`
      : `No evidence: the belief stays at ${twoPlaces(prior.value)}, however much it is relaxed (± ${sd}).`;
    say(text);
    drawing.describe(`Four levels, self-belief at the top. ${text}`);
  }

  function draw(solved) {
    const isNarrow = drawing.host.clientWidth < 520;
    const rowHeight = isNarrow ? 62 : 108;
    drawing.begin(rowHeight * (top + 1) + 44);
    const left = 14;
    const right = drawing.width - (isNarrow ? 104 : 130);
    for (let l = top; l >= 0; l--) {
      const row = top - l;
      const curves = curvesOf(solved, l);
      const highest = Math.max(...curves.flatMap(([, ys]) => Math.max(...ys)), 1e-9);
      const panel = new Panel(drawing, `level${l}`, {
        left, right, top: row * rowHeight + 24, bottom: (row + 1) * rowHeight + 4, x: [LOW, HIGH], y: [0, highest * 1.04],
      });
      panel.base();
      for (const [kind, ys] of curves) {
        if (kind === "belief") panel.area("fill", XS, ys.map(() => 0), ys, "belief");
        panel.line(kind, XS, ys, kind);
      }
      label(panel, solved, l, isNarrow);
      if (l === 0) panel.xAxis(ticksBetween(LOW, HIGH, isNarrow ? 6 : 12), { label: "bad  ←  0  →  good", format: plain });
    }
    drawing.end();
  }

  function curvesOf(solved, l) {
    const own = solved.prediction[l];
    const curves = [["before", XS.map((x) => normalDensity(x, own.mean, own.variance))]];
    const from = solved.evidence[l];
    if (from.precision > 0 && l > 0) curves.push(["evidence", XS.map((x) => normalDensity(x, from.value, 1 / from.precision))]);
    const after = solved.posterior[l];
    if (l > 0) curves.push(["belief", XS.map((x) => normalDensity(x, after.mean, after.variance))]);
    return curves;
  }

  function label(panel, solved, l, isNarrow) {
    const y = panel.bottom - (isNarrow ? 16 : 26);
    drawing.text(`name${l}`, panel.right + 10, y - 16, table.names[l], { class: "title" });
    if (l === 0) {
      const isSeen = present.value;
      if (isSeen) panel.vertical("seen", observed.value, "bad");
      drawing.text("value0", panel.right + 10, y + 2, isSeen ? twoPlaces(observed.value) : "nothing", { class: "value evidenceText" });
      return;
    }
    const after = solved.posterior[l];
    drawing.text(`value${l}`, panel.right + 10, y + 2, `${twoPlaces(after.mean)} ± ${short(Math.sqrt(after.variance), 2)}`, {
      class: "value beliefText",
    });
    const before = solved.prediction[l].mean;
    if (Math.abs(after.mean - before) > 0.12) {
      const [from, to] = [panel.x(before), panel.x(after.mean)];
      const way = Math.sign(to - from);
      drawing.segment(`arrow${l}`, from, panel.bottom + 7, to - 5 * way, panel.bottom + 7, { class: "arrow" });
      const head = `M${to} ${panel.bottom + 7}l${-8 * way} -5v10Z`;
      drawing.put(`head${l}`, "path", { d: head, class: "arrowhead" });
    }
  }

  render();
}

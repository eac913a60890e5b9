// Scene 3: from a dose to a belief over hours, and every rival account beside it.

import { ACCOUNTS } from "./accounts.mjs";
import { chainActivity, solveChain } from "./chain.mjs";
import { announcer, checkbox, percent, plain, readouts, select, short, slider, twoPlaces } from "./controls.mjs";
import { simulate } from "./dose.mjs";
import { Drawing, Panel, scheduler, ticksBetween } from "./draw.mjs";

export const ACCOUNT_NAMES = {
  rebus: "Relaxed beliefs (REBUS)",
  sensory: "Sharper senses",
  sebus: "Strengthened, then relaxed (SEBUS)",
  uniform: "Everything alike (null)",
  noise: "More noise",
  oneirogen: "Dreaming while awake",
  dimmer: "Dimmed units (5-HT1A)",
  nmda_block: "Errors not passed on (NMDA)",
};

const NEEDS = {
  rebus: "effect2a", sensory: "effect2a", sebus: "effect2a", uniform: "effect2a", noise: "effect2a", oneirogen: "effect2a",
  dimmer: "response1a", nmda_block: "nmdaBlock",
};

export function doseScene(root, table) {
  const host = root.querySelector(".controls");
  const figure = root.querySelector(".figure");
  const drawing = new Drawing(figure, "Plasma, receptors, effect, gains and belief over hours");
  const rivals = new Drawing(root.querySelector(".rivals"), "The belief under every account");
  const ask = scheduler(figure, () => render());
  const doseText = (mg) => (mg < 1 ? `${short(mg * 1000)} µg` : `${short(mg)} mg`);
  const hourText = (hours) => (hours < 1 ? `${Math.round(60 * hours)} min` : `${short(hours)} h`);
  const compound = select(host, {
    id: "dose-compound", label: "Compound", value: "psilocybin", options: Object.keys(table.shown).map((name) => [name, name]),
    onInput() {
      settle();
      ask();
    },
    note: "Kinetics from published studies; receptor occupancy has been measured for psilocin only.",
  });
  const dose = slider(host, { id: "dose-mg", label: "Dose", min: 0, max: 40, value: 25, step: 1, format: doseText, onInput: ask });
  const hour = slider(host, {
    id: "dose-hour", label: "Time", min: 0, max: 8, value: 2, step: 0.05, format: hourText, onInput: ask,
    note: "Moves the line through all curves.",
  });
  const blocked = checkbox(host, {
    id: "dose-ketanserin", label: "Ketanserin 40 mg an hour before", onInput: ask,
    note: "It blocks 5-HT2A receptors. Assumed: its affinity in the living brain.",
  });
  const account = select(host, {
    id: "dose-account", label: "What the effect does (the contested step)", value: "rebus",
    options: Object.entries(ACCOUNT_NAMES), onInput: ask,
    note: "The link from receptor to precision has not been measured: its sign and size are assumed.",
  });
  const strength = slider(host, {
    id: "dose-strength", label: "Strength of that account", min: 0, max: 4, value: table.strength, step: 0.05, onInput: ask,
    note: "Log units of precision per unit of effect (assumed). Of NMDA block, the share counted, at most 1.",
  });
  const tell = readouts(root.querySelector(".numbers"), [
    ["plasma", "in plasma, ng/mL"], ["occupancy", "5-HT2A receptors occupied"], ["effect", "effect, after the second stage"],
    ["response1a", "5-HT1A response"], ["block", "NMDA channels blocked"], ["gain0", "gain: senses"], ["gain1", "gain: feeling"],
    ["gain2", "gain: meaning"], ["gain3", "gain: self-belief"], ["mean", "belief"], ["sd", "its uncertainty (sd)"],
    ["weight", "weight of the evidence"],
  ]);
  const say = announcer(root.querySelector(".said"), root.querySelector(".heard"));

  /** Ends of the sliders for a compound. */
  function settle() {
    const own = table.shown[compound.value];
    dose.range({ min: 0, max: own.most, step: own.step, value: own.usual });
    hour.range({ min: 0, max: own.hours, step: own.hours / 240, value: own.hours / 4 });
    if (compound.value === "ketamine") account.value = "nmda_block";
    else if (compound.value === "buspirone") account.value = "dimmer";
    else if (NEEDS[account.value] !== "effect2a") account.value = "rebus";
  }

  function courseNow() {
    const own = table.shown[compound.value];
    const start = blocked.value ? -table.ketanserin.hours_before : 0;
    const times = Array.from({ length: table.times }, (_, i) => start + ((own.hours - start) * i) / (table.times - 1));
    times[0] -= 1e-3; // before the first dose, when all are at rest
    const at = hour.value;
    // The chosen hour is one of the times, so that its numbers are exact.
    let index = times.findIndex((time) => time >= at - 1e-9);
    if (index < 0) index = times.length - 1;
    if (Math.abs(times[index] - at) > 1e-9) times.splice(index, 0, at);
    const doses = [{ compound: compound.value, mg: dose.value, hours: 0, route: own.route }];
    if (blocked.value) doses.unshift({ compound: "ketanserin", mg: table.ketanserin.mg, hours: start, route: "oral" });
    return { times, index, course: simulate(doses, times, table.compounds, table.body), hours: own.hours, start };
  }

  /** Beliefs under an account at some of the times, by their indices. */
  function beliefs(course, indices, name) {
    const { precisions, prior_mean: priorMean, observed } = table.chain;
    return Array.from(indices, (i) => {
      const effects = { effect2a: course.effect2a[i], response1a: course.response1a[i], nmdaBlock: course.nmdaBlock[i] };
      const acting = ACCOUNTS[name](effects, strength.value, table.anatomy);
      const solved = solveChain({ precisions, priorMean, observed, gains: acting.gains, slopes: acting.slopes });
      const activity = chainActivity(solved, { priorMean, ...acting });
      const top = precisions.length - 1;
      return { mean: activity.mean[top], sd: Math.sqrt(activity.variance[top]), weight: solved.weight, ...acting };
    });
  }

  function render() {
    const now = courseNow();
    const { course, times, index } = now;
    const own = beliefs(course, times.keys(), account.value);
    const mine = course.names.indexOf(compound.value);
    const occupied = course.occupancy2a[mine];
    draw(now, own, mine);
    drawRivals(now);
    const here = own[index];
    tell("plasma", course.plasma[mine][index]);
    tell("occupancy", occupied[index], percent(occupied[index]));
    tell("effect", course.effect2a[index], short(course.effect2a[index], 2));
    tell("response1a", course.response1a[index], percent(course.response1a[index]));
    tell("block", course.nmdaBlock[index], percent(course.nmdaBlock[index]));
    here.gains.forEach((gain, l) => tell(`gain${l}`, gain, `×${short(gain)}`));
    tell("mean", here.mean, twoPlaces(here.mean));
    tell("sd", here.sd);
    tell("weight", here.weight, percent(here.weight));
    const peak = Math.max(...course[NEEDS[account.value]]);
    const idle = peak < 1e-6 ? " This compound does nothing that this account acts on." : "";
    const text =
      `${hourText(hour.value)} after ${doseText(dose.value)} of ${compound.value}${blocked.value ? " behind ketanserin" : ""}: ` +
      `${percent(occupied[index])} of receptors occupied, effect ${short(course.effect2a[index], 2)}, ` +
      `belief ${twoPlaces(here.mean)} (± ${short(here.sd, 2)}; without a drug ${twoPlaces(own[0].mean)}).${idle}`;
    say(text);
    drawing.describe(text);
  }

  function draw(now, own, mine) {
    const { course, times, index, hours, start } = now;
    const isNarrow = figure.clientWidth < 520;
    const each = isNarrow ? 50 : 66;
    const gap = isNarrow ? 22 : 28;
    const most = Math.max(...course.plasma[mine], 1e-9);
    const gains = own.map((one) => one.gains);
    const largest = Math.max(1, ...gains.flat());
    const smallest = Math.min(1, ...gains.flat());
    const log = (gain) => Math.log10(gain);
    const gainLow = Math.min(log(smallest), -0.1) * 1.1;
    const gainHigh = Math.max(log(largest), 0.1) * 1.1;
    const rows = [
      ["plasma", "In plasma, ng/mL", [0, most * 1.1], ticksBetween(0, most * 1.1, 3)],
      ["occupied", "5-HT2A receptors occupied", [0, 1], [0, 0.5, 1]],
      ["effect", "Effect (1: psilocin at every receptor)", [0, 1.25], [0, 0.5, 1]],
      ["gain", "Gain on the precision of each level", [gainLow, gainHigh], gainTicks(gainLow, gainHigh)],
      ["belief", "Belief, mean ± sd", [-3.2, 1.4], [-3, -2, -1, 0, 1]],
    ];
    const more = isNarrow ? 30 : 60; // of the last panel, the one that matters
    const height = rows.length * (each + gap) + more + 40;
    drawing.begin(height);
    const left = 44;
    const right = drawing.width - 84;
    const values = {};
    rows.forEach(([key, title, y, ticks], r) => {
      const top = r * (each + gap) + gap - 4;
      const panel = new Panel(drawing, key, { left, right, top, bottom: top + each + (key === "belief" ? more : 0), x: [start, hours], y });
      const format = key === "gain" ? (t) => `×${plain(Number((10 ** t).toPrecision(2)))}` : key === "occupied" ? (t) => `${100 * t} %` : plain;
      panel.yAxis(ticks, { format });
      panel.title(title);
      panel.base();
      curves(panel, key, { course, times, own, mine, log });
      panel.vertical("cursor", times[index], "cursor");
      if (r === rows.length - 1) panel.xAxis(ticksBetween(start, hours, isNarrow ? 5 : 8), { label: "hours since the dose", format: plain });
      values[key] = panel;
    });
    mark(values.plasma, times[index], course.plasma[mine][index], short(course.plasma[mine][index]));
    mark(values.occupied, times[index], course.occupancy2a[mine][index], percent(course.occupancy2a[mine][index]));
    mark(values.effect, times[index], course.effect2a[index], short(course.effect2a[index], 2));
    mark(values.belief, times[index], own[index].mean, twoPlaces(own[index].mean), `± ${short(own[index].sd, 2)}`);
    const shownGain = own[index].gains[3] !== 1 ? 3 : own[index].gains[0] !== 1 ? 0 : 3;
    const name = shownGain === 3 ? "belief" : "senses";
    mark(values.gain, times[index], log(own[index].gains[shownGain]), `×${short(own[index].gains[shownGain])}`, name);
    drawing.end();
  }

  function curves(panel, key, { course, times, own, mine, log }) {
    if (key === "plasma") panel.line("line", times, course.plasma[mine], "belief");
    if (key === "occupied") {
      panel.line("line", times, course.occupancy2a[mine], "belief");
      if (course.names.includes("ketanserin")) {
        const other = course.occupancy2a[course.names.indexOf("ketanserin")];
        panel.line("ketanserin", times, other, "other");
        drawing.text("ketanserinName", panel.right + 8, panel.top + 10, "ketanserin", { class: "evidenceText" });
      }
    }
    if (key === "effect") {
      panel.line("line", times, course.effect2a, "belief");
      for (const [name, curve, kind] of [["5-HT1A", course.response1a, "level2"], ["NMDA block", course.nmdaBlock, "other"]]) {
        if (Math.max(...curve) <= 0.02) continue;
        panel.line(name, times, curve, kind);
        const y = panel.clampY(curve[curve.length - 1]);
        drawing.text(`effect.${name}`, panel.right + 8, Math.min(y + 4, panel.bottom + 2), name, { class: "tick" });
      }
    }
    if (key === "gain") for (let l = 0; l < 4; l++) panel.line(`gain${l}`, times, own.map((one) => log(one.gains[l])), `level${l}`);
    if (key === "belief") {
      panel.area("band", times, own.map((one) => one.mean - one.sd), own.map((one) => one.mean + one.sd), "belief");
      panel.line("line", times, own.map((one) => one.mean), "belief");
      const { prior_mean: before, observed } = table.chain;
      panel.line("held", [panel.domain.x[0], panel.domain.x[1]], [before, before], "before");
      panel.line("seen", [panel.domain.x[0], panel.domain.x[1]], [observed, observed], "evidence");
    }
  }

  function mark(panel, x, y, text, second = "") {
    const key = panel.key;
    drawing.put(`${key}.dot`, "circle", { cx: panel.x(x), cy: panel.clampY(y), r: 4.5, class: "dot" });
    const at = Math.max(panel.y(y), panel.top + 12);
    const place = panel.key === "occupied" && blocked.value ? Math.max(at, panel.top + 30) : at;
    drawing.text(`${key}.now`, panel.right + 8, Math.min(place + 4, panel.bottom), text, { class: "value beliefText" });
    if (second) drawing.text(`${key}.now2`, panel.right + 8, Math.min(place + 20, panel.bottom + 16), second, { class: "tick" });
  }

  function drawRivals({ course, times, index, hours, start }) {
    const isNarrow = figure.clientWidth < 520;
    const columns = isNarrow ? 2 : 4;
    const names = Object.keys(ACCOUNT_NAMES);
    const rows = Math.ceil(names.length / columns);
    const each = isNarrow ? 66 : 80;
    const stride = each + 46;
    rivals.begin(rows * stride + 26);
    const wide = rivals.width / columns;
    const heard = [];
    // Small panels need few times; the chosen one is among them.
    const few = [...times.keys()].filter((i) => i % 4 === 0 || i === index || i === times.length - 1);
    names.forEach((name, n) => {
      const [row, column] = [Math.floor(n / columns), n % columns];
      const panel = new Panel(rivals, name, {
        left: column * wide + 26, right: (column + 1) * wide - 8, top: row * stride + 30, bottom: row * stride + 30 + each,
        x: [start, hours], y: [-3.2, 1.4],
      });
      const own = beliefs(course, few, name);
      panel.yAxis([-2, 1], { format: plain });
      panel.base();
      const at = few.map((i) => times[i]);
      panel.area("band", at, own.map((one) => one.mean - one.sd), own.map((one) => one.mean + one.sd), "belief");
      panel.line("line", at, own.map((one) => one.mean), "belief");
      panel.vertical("cursor", times[index], "cursor");
      rivals.text(`${name}.title`, panel.left - 20, panel.top - 9, SHORT_NAMES[name], { class: name === account.value ? "beliefText" : "title" });
      const here = own[few.indexOf(index)];
      heard.push(`${SHORT_NAMES[name]} ${twoPlaces(here.mean)}, sd ${short(here.sd, 2)}`);
      rivals.text(`${name}.now`, panel.left, panel.bottom + 14, `${twoPlaces(here.mean)} ± ${short(here.sd, 2)}`, { class: "tick" });
    });
    rivals.describe(`Belief at the chosen time under each account: ${heard.join("; ")}.`);
    rivals.end();
  }

  settle();
  render();
}

const GAINS = [0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1000].map(Math.log10);
const gainTicks = (low, high) => {
  const within = GAINS.filter((t) => t >= low && t <= high);
  return within.length > 4 ? within.filter((t) => Math.abs(t - Math.round(t)) < 1e-9) : within;
};

const SHORT_NAMES = {
  rebus: "Relaxed beliefs", sensory: "Sharper senses", sebus: "Strengthened first", uniform: "All alike (null)",
  noise: "More noise", oneirogen: "Dreaming awake", dimmer: "Dimmed (5-HT1A)", nmda_block: "Errors lost (NMDA)",
};

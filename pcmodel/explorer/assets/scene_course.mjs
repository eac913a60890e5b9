// Scene 4: simulated people in a course of therapy, with the drug and without.

import { announcer, checkbox, plain, readouts, select, short, slider, twoPlaces } from "./controls.mjs";
import { followPerson, symptomsOf } from "./course.mjs";
import { decodeCourse, drugOf } from "./data.mjs";
import { Drawing, Panel, scheduler, ticksBetween } from "./draw.mjs";
import { quantile } from "./linear.mjs";

const COURSE_NAMES = {
  psilocybin_depression: "Psilocybin for depression (one dose)",
  mdma_trauma: "MDMA for trauma (three sessions)",
};

const ACCOUNT_CHOICES = [
  ["rebus", "Relaxed beliefs (REBUS)"], ["sensory", "Sharper senses"], ["sebus", "Strengthened, then relaxed (SEBUS)"],
  ["uniform", "Everything alike"], ["noise", "Nothing acute: the window alone"], ["oneirogen", "Dreaming while awake"],
];

export function courseScene(root, table) {
  const host = root.querySelector(".controls");
  const figure = root.querySelector(".figure");
  const drawing = new Drawing(figure, "Belief of simulated people over days");
  const decoded = {};
  const ask = scheduler(figure, () => render());
  const protocol = select(host, {
    id: "course-protocol", label: "Course", value: "psilocybin_depression", options: Object.entries(COURSE_NAMES),
    onInput() {
      settle();
      ask();
    },
    note: "Most numbers of such a course have never been measured; they are assumed.",
  });
  const scale = slider(host, { id: "course-scale", label: "Dose", min: 0, max: 1, value: 0, step: 1, onInput: ask });
  const sessions = select(host, {
    id: "course-sessions", label: "Sessions", value: "all", onInput: ask,
    options: [["all", "preparation, dosing, integration"], ["no_integration", "without integration"], ["none", "none: the drug alone"]],
  });
  const harmful = checkbox(host, {
    id: "course-harmful", label: "Harmful setting", onInput: ask, note: "Whatever is met while dosed says the opposite.",
  });
  const struck = checkbox(host, { id: "course-struck", label: "Bad news later on", checked: true, onInput: ask });
  const account = select(host, {
    id: "course-account", label: "What the drug does while it acts", value: "rebus", options: ACCOUNT_CHOICES, onInput: ask,
    note: "Contested: rival accounts one choice away.",
  });
  const strength = slider(host, {
    id: "course-strength", label: "Strength of that account", min: 0, max: 4, value: 2, step: 0.05, onInput: ask,
    note: "Log units of precision per unit of effect, assumed.",
  });
  const window_ = slider(host, {
    id: "course-window", label: "Plasticity window", min: 0, max: 2, value: 1, step: 0.05, onInput: ask,
    format: (x) => (x === 0 ? "none" : `×${short(x)}`),
    note: "Learning is faster for days after a dose; found in animals, assumed of beliefs in people.",
  });
  const day = slider(host, { id: "course-day", label: "Read on day", min: 0, max: 84, value: 43, step: 1, format: (d) => `day ${d}`, onInput: ask });
  const tell = readouts(root.querySelector(".numbers"), [
    ["drugPoints", "points lost, with the drug"], ["plainPoints", "points lost, without"], ["difference", "difference"],
    ["drugResponse", "responded, with the drug"], ["plainResponse", "responded, without"],
    ["drugBelief", "median belief, with the drug"], ["plainBelief", "median belief, without"],
    ["relapse", "relapsed after the bad news, with the drug"],
  ]);
  const say = announcer(root.querySelector(".said"), root.querySelector(".heard"));
  const course = () => (decoded[protocol.value] ??= decodeCourse(table, protocol.value));

  function doseText(index) {
    if (index === 0) return "inert tablet";
    const own = course();
    const number = own.sessions.filter(({ phase }) => phase === "dosing").length;
    const each = own.doses_mg.length / number;
    const amounts = own.doses_mg.map((mg) => plain(Number((mg * own.scales[index - 1]).toPrecision(3))));
    const days = Array.from({ length: number }, (_, i) => amounts.slice(i * each, (i + 1) * each).join(" + "));
    return `${[...new Set(days)].join(", then ")} mg`;
  }

  function settle() {
    const own = course();
    scale.format = doseText;
    scale.range({ min: 0, max: own.scales.length, step: 1, value: own.scales.indexOf(1) + 1 });
    const last = own.readings.at(-1);
    day.range({ min: own.readings[0], max: last, step: 1, value: last > 100 ? 77 : 43 });
    struck.row.hidden = own.adverse_day === null;
  }

  /** Beliefs of everybody, by person and day; what the last moves of the sliders left as it was is not followed again. */
  const kept = new Map();
  function followed(own, index) {
    const settings = [protocol.value, sessions.value, harmful.value, struck.value];
    const key = index < 0 ? "without" : "with";
    const own_ = JSON.stringify(index < 0 ? settings : [...settings, index, account.value, strength.value, window_.value]);
    if (kept.get(key)?.[0] !== own_) kept.set(key, [own_, follow(own, index)]);
    return kept.get(key)[1];
  }

  function follow(own, index) {
    const fate = own.adverse_day === null || struck.value ? "struck" : "spared";
    const arm = own.arms[`sessions_${sessions.value}_${harmful.value ? "harmful" : "kind"}_${fate}`];
    return own.persons.map((person, p) =>
      followPerson({
        days: own.days, readings: own.readings, arm, chosen: own.chosen, luck: own.lucks[p], person,
        drug: drugOf(own, table, { scale: index, person: p, window: window_.value }),
        numbers: table.numbers, anatomy: table.anatomy, account: account.value, strength: strength.value,
      }).beliefs,
    );
  }

  const responded = (beliefs, at) => {
    const start = symptomsOf(beliefs[0], table.scale);
    return start > 0 && symptomsOf(beliefs[at], table.scale) <= (1 - table.scale.response) * start;
  };

  function render() {
    const own = course();
    const withDrug = followed(own, scale.value - 1);
    const without = followed(own, -1);
    const at = own.readings.indexOf(day.value);
    const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
    const lost = (people) => mean(people.map((b) => symptomsOf(b[0], table.scale) - symptomsOf(b[at], table.scale)));
    const share = (people) => mean(people.map((b) => (responded(b, at) ? 1 : 0)));
    const middle = (people) => quantile(people.map((b) => b[at]).sort((a, b) => a - b), 0.5);
    const count = own.people;
    tell("drugPoints", lost(withDrug));
    tell("plainPoints", lost(without));
    tell("difference", lost(withDrug) - lost(without));
    tell("drugResponse", share(withDrug), `${Math.round(share(withDrug) * count)} of ${count}`);
    tell("plainResponse", share(without), `${Math.round(share(without) * count)} of ${count}`);
    tell("drugBelief", middle(withDrug), twoPlaces(middle(withDrug)));
    tell("plainBelief", middle(without), twoPlaces(middle(without)));
    tellRelapse(own, withDrug);
    draw(own, withDrug, without, at);
    const text =
      `On day ${day.value}, ${count} simulated people have lost ${short(lost(withDrug), 2)} symptom points with ${doseText(scale.value)}${scale.value ? ` of ${own.compound}` : ""}, ` +
      `and ${short(lost(without), 2)} in the same sessions with an inert tablet.`;
    say(text);
    drawing.describe(`${text} Median belief ${twoPlaces(middle(withDrug))} against ${twoPlaces(middle(without))}.`);
  }

  function tellRelapse(own, people) {
    if (own.adverse_day === null || !struck.value) return tell("relapse", null, "no bad news");
    const before = own.readings.indexOf(own.adverse_day - 1);
    const had = people.filter((b) => responded(b, before));
    const gone = had.filter((b) => !responded(b, own.readings.length - 1)).length;
    tell("relapse", had.length ? gone / had.length : null, had.length ? `${gone} of ${had.length} who had responded` : "nobody had responded");
  }

  function draw(own, withDrug, without, at) {
    const isNarrow = figure.clientWidth < 520;
    drawing.begin(isNarrow ? 290 : 400);
    const days = own.readings;
    const curves = [[without, "other"], [withDrug, "belief"]].map(([people, kind]) => {
      const ordered = days.map((_, d) => Float64Array.from(people, (b) => b[d]).sort());
      const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => ordered.map((values) => quantile(values, share)));
      return { kind, low, middle, high };
    });
    const lowest = Math.min(-2.6, ...curves.flatMap((c) => c.low));
    const highest = Math.max(0.2, ...curves.flatMap((c) => c.high));
    const panel = new Panel(drawing, "course", {
      left: 42, right: drawing.width - (isNarrow ? 62 : 104), top: 26, bottom: drawing.height - 66, x: [days[0], days.at(-1)], y: [lowest, highest],
    });
    panel.title(isNarrow ? "belief: median and middle half" : "belief about oneself: median and middle half of the people");
    panel.yAxis(ticksBetween(lowest, highest, 5), { format: plain });
    marks(panel, own);
    for (const { kind, low, middle, high } of curves) {
      panel.area(`${kind}.band`, days, low, high, kind);
      panel.line(kind, days, middle, kind);
    }
    panel.vertical("cursor", days[at], "cursor");
    const [inert, drug] = curves.map((c) => c.middle);
    const [yPlain, yDrug] = apart(panel.y(inert.at(-1)), panel.y(drug.at(-1)));
    drawing.text("nameOther", panel.right + 6, yPlain + 4, isNarrow ? "without" : "without drug", { class: "evidenceText" });
    drawing.text("nameDrug", panel.right + 6, yDrug + 4, isNarrow ? "with" : "with the drug", { class: "beliefText" });
    drawing.put("dotOther", "circle", { cx: panel.x(days[at]), cy: panel.y(inert[at]), r: 4.5, class: "dot otherdot" });
    drawing.put("dotDrug", "circle", { cx: panel.x(days[at]), cy: panel.y(drug[at]), r: 4.5, class: "dot" });
    panel.xAxis(ticksBetween(days[0], days.at(-1), isNarrow ? 5 : 9), { format: plain });
    drawing.text("axisName", (panel.left + panel.right) / 2, drawing.height - 4, "days since the first dosing", { class: "tick", "text-anchor": "middle" });
    drawing.end();
  }

  const apart = (a, b) => (Math.abs(a - b) >= 16 ? [a, b] : a > b ? [a + (16 - (a - b)) / 2, b - (16 - (a - b)) / 2] : [a - (16 - (b - a)) / 2, b + (16 - (b - a)) / 2]);

  /** Sessions as ticks below the axis, dosing as triangles, the bad news as a line. */
  function marks(panel, own) {
    const y = panel.bottom + 34;
    own.sessions.forEach(({ phase, day: when }, i) => {
      const x = panel.x(when);
      const isPresent = sessions.value === "all" || (sessions.value === "no_integration" && phase !== "integration") || phase === "dosing";
      if (!isPresent) return;
      if (phase === "dosing") {
        drawing.put(`session${i}`, "path", { d: `M${x} ${y - 11}l7 12h-14Z`, class: "arrowhead" });
        panel.vertical(`dosing${i}`, when, "pin");
      } else drawing.segment(`session${i}`, x, y - 9, x, y + 1, { class: "whisker" });
    });
    drawing.text("sessionsName", panel.right + 6, y, "▲ dose", { class: "tick" });
    drawing.text("sessionsName2", panel.right + 6, y + 15, "| session", { class: "tick" });
    if (own.adverse_day !== null && struck.value) {
      panel.vertical("bad", own.adverse_day, "bad");
      drawing.text("badName", panel.x(own.adverse_day) - 5, panel.bottom - 8, "bad news", { class: "evidenceText", "text-anchor": "end" });
    }
  }

  settle();
  render();
}

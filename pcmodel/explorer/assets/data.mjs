// From the page's tables to what the mathematics takes.

import { believedAllocation } from "./course.mjs";
import { makeNetwork } from "./settle.mjs";

/** Float32 numbers of a table entry {shape, float32: base64}. */
export function decode(entry) {
  const text = atob(entry.float32);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

/** The digits hierarchy: "trained" or "untrained". */
export function digitNetwork(table, which) {
  const own = table.networks[which];
  const asDouble = (entry) => Float64Array.from(decode(entry));
  return makeNetwork({
    widths: table.widths,
    activations: table.activations,
    weights: own.weights.map(asDouble),
    biases: own.biases.map(asDouble),
    logPrecisions: table.logPrecisions,
    priorMean: Float64Array.from(table.priorMean),
  });
}

/** One course of therapy, decoded: people, events by setting, and what each multiple of the doses does. */
export function decodeCourse(table, name) {
  const own = table.courses[name];
  const events = own.days.length;
  const people = own.luck.shape[0];
  const traits = decode(own.traits);
  const luck = decode(own.luck);
  const camel = (word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const persons = Array.from({ length: people }, (_, p) =>
    Object.fromEntries(table.traits.map((trait, t) => [camel(trait), traits[t * people + p]])),
  );
  const lucks = Array.from({ length: people }, (_, p) =>
    Array.from({ length: events }, (_, e) => Array.from(luck.subarray((p * events + e) * 5, (p * events + e + 1) * 5))),
  );
  const rows = own.rows.map((row) => ({
    mean: row.slice(0, 5),
    sd: row.slice(5, 10),
    precision: row.slice(10, 15),
    replays: row[15] > 0,
    alliance: row[16],
  }));
  const arms = Object.fromEntries(
    own.arms.map((arm, a) => {
      const each = own.index[a].map((row) => rows[row]);
      const column = (key) => each.map((row) => row[key]);
      return [
        arm,
        {
          mean: column("mean"),
          sd: column("sd"),
          precision: column("precision"),
          replays: column("replays"),
          alliance: column("alliance"),
        },
      ];
    }),
  );
  const curves = Object.fromEntries(
    ["effect_2a", "response_1a", "released", "peak", "rise"].map((key) => [key, decode(own[key])]),
  );
  return { ...own, events, people, persons, lucks, arms, curves };
}

/**
 * What one multiple of the doses (an index; -1: no drug) does to one person at every event, with the plasticity window
 * times a factor.
 */
export function drugOf(course, constants, { scale, person, window }) {
  const { events, people, columns, curves } = course;
  const zeros = () => new Float64Array(events);
  const drug = { effect2a: zeros(), response1a: zeros(), released: zeros(), learning: new Float64Array(events).fill(1) };
  const peak = zeros();
  if (scale >= 0) {
    const at = (scale * people + person) * columns.length;
    columns.forEach((event, c) => {
      drug.effect2a[event] = curves.effect_2a[at + c];
      drug.response1a[event] = curves.response_1a[at + c];
      drug.released[event] = curves.released[at + c];
    });
    // The strongest effect so far stays what it is between the events at which it rises.
    let c = 0;
    for (let e = 0; e < events; e++) {
      while (c < columns.length && columns[c] <= e) c++;
      peak[e] = c > 0 ? curves.peak[at + c - 1] : 0;
    }
    const from = (scale * people + person) * events;
    for (let e = 0; e < events; e++) drug.learning[e] = 1 + window * curves.rise[from + e];
  }
  const arm = { told: course.told, masked: false, intake: course.intake, felt: 0 };
  drug.believed = believedAllocation(arm, course.days, peak, constants.blinding);
  return drug;
}

// A course of therapy in simulated people, event by event: the equations of pcmodel.sessions.person.
//
//   self (the belief) - feeling - everyday, memory, body
//                     - therapist, expectation
//
// All maps are the identity, so that inference is a weighing of precisions.

import { ACCOUNTS } from "./accounts.mjs";

const EVERYDAY = 0, MEMORY = 1, BODY = 2, THERAPIST = 3, EXPECTATION = 4;
const STREAMS = 5;
const FEELING = 5;
const SELF = 6;
const ABSENT = -60;
const IS_FELT = [true, true, true, false, false];
const IS_SAID = [false, false, false, true, false];

const expit = (x) => 1 / (1 + Math.exp(-x));
const logit = (p) => Math.log(p) - Math.log1p(-p);
const logSigmoid = (x) => (x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x)));
const logAddOne = (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

/** Standard normal distribution function, to 1e-10 relative (series and continued fraction of erfc). */
export function normalCdf(x) {
  const z = Math.abs(x) / Math.SQRT2;
  let tail;
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 100 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    tail = 0.5 - sum / Math.sqrt(Math.PI);
  } else {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / 2 / (z + fraction);
    tail = Math.exp(-z * z) / (2 * Math.sqrt(Math.PI)) / (z + fraction);
  }
  return x < 0 ? tail : 1 - tail;
}

/** Probability of having had the drug, as a person believes it at each event. */
export function believedAllocation({ told, masked, intake, felt }, days, peak, constants) {
  if (masked || intake === null) return days.map(() => told);
  return days.map((day, i) => {
    if (day < intake) return told;
    const waited = 24 * (day - intake) >= constants.patience;
    let surplus = Math.max(peak[i], felt) - constants.half;
    if (!waited) surplus = Math.max(surplus, 0);
    return expit(logit(told) + constants.unblinding * surplus);
  });
}

/** Mean of exp(-t) over t between two positive numbers. */
function meanDecay(first, last) {
  const apart = first - last;
  if (Math.abs(apart) < 1e-2) return Math.exp(-(first + last) / 2) * (1 + apart ** 2 / 24 + apart ** 4 / 1920);
  return (Math.exp(-Math.min(first, last)) * -Math.expm1(-Math.abs(apart))) / Math.abs(apart);
}

/** The state when some days have passed without events. */
export function passed(state, days, person, numbers) {
  const decayed = days / numbers.labileDays;
  const forgotten = days * numbers.forgetting;
  const kept = Math.exp(-decayed);
  const held = Math.exp(-forgotten);
  const gained = numbers.consolidation * decayed * meanDecay(decayed, forgotten);
  const one = (current, slow, baseline) => {
    const labile = current - slow;
    const next = baseline + held * (slow - baseline) + gained * labile;
    return [next + kept * labile, next];
  };
  const [belief, slowBelief] = one(state.belief, state.slowBelief, person.belief);
  const [logPrecision, slowLogPrecision] = one(state.logPrecision, state.slowLogPrecision, person.logPrecision);
  return { belief, logPrecision, slowBelief, slowLogPrecision, alliance: state.alliance };
}

/** What each stream says to this person, and with what precision, before attribution. */
function evidenceOf(state, event, person, numbers) {
  const values = Array.from(event.mean);
  const precision = Array.from(event.precision);
  const logOdds = new Array(STREAMS).fill(0);
  if (event.replays) values[MEMORY] += state.belief;
  values[EXPECTATION] = person.belief + person.expectancy * event.believed * values[EXPECTATION];
  if (event.chosen) {
    const negative = normalCdf(-state.belief * Math.exp(0.5 * state.logPrecision));
    precision[EVERYDAY] *= 1 - person.avoidance * negative;
  }
  if (event.replays) precision[MEMORY] *= person.rumination;
  precision[THERAPIST] *= person.suggestibility * state.alliance;
  for (let i = 0; i < STREAMS; i++) {
    if (IS_FELT[i] && values[i] < 0) precision[i] *= Math.exp(-numbers.threat * event.released);
    if ((IS_FELT[i] || IS_SAID[i]) && values[i] > 0) logOdds[i] = numbers.trust * event.released;
  }
  return { values, precision, logOdds };
}

/** Gain-weighted precision of each stream after attribution; an absent one has none. */
function attributedPrecision(state, seen, person, numbers, gains) {
  const priorLogOdds = logit(person.validity);
  const selfVariance = 1 / (gains[SELF] * Math.exp(state.logPrecision));
  const feelingVariance = 1 / (gains[FEELING] * numbers.feelingPrecision);
  return seen.values.map((value, i) => {
    if (!(seen.precision[i] > 0)) return 0;
    const own = seen.precision[i] * gains[i];
    const path = selfVariance + (IS_FELT[i] ? feelingVariance : 0);
    const width = 1 + path * own;
    const surprise2 = (value - state.belief) ** 2 / (path + 1 / own);
    const logRatio = logAddOne(2 * Math.log(numbers.exceptionSd) + Math.log(own) - Math.log(width));
    const odds = 0.5 * logRatio - 0.5 * surprise2 * (1 - Math.exp(-logRatio));
    const logR = logSigmoid(priorLogOdds + seen.logOdds[i] + odds);
    return Math.exp(Math.max(Math.log(seen.precision[i]) + logR, ABSENT)) * gains[i];
  });
}

/** The state right after one event under a modulation. */
export function meet(state, event, person, numbers, modulation) {
  const { gains } = modulation;
  const seen = evidenceOf(state, event, person, numbers);
  const own = attributedPrecision(state, seen, person, numbers, gains);
  let felt = 0, feltSum = 0, precision = 0, pull = 0;
  for (let i = 0; i < STREAMS; i++) {
    const error = seen.values[i] - state.belief;
    if (IS_FELT[i]) {
      felt += own[i];
      feltSum += own[i] * error;
    } else {
      precision += own[i];
      pull += own[i] * error;
    }
  }
  if (felt > 0) {
    const through = 1 / (1 + felt / (gains[FEELING] * numbers.feelingPrecision));
    precision += felt * through;
    pull += feltSum * through;
  }
  const prior = gains[SELF] * Math.exp(state.logPrecision);
  const shift = pull / (prior + precision);
  const square = prior * (shift ** 2 + 1 / (prior + precision));
  const share = 1 - modulation.topDown;
  const learning = person.learning * event.learning;
  const meanRate = Math.min(numbers.meanRate * learning, 1);
  const precisionRate = Math.min(numbers.precisionRate * learning, 1);
  const expected = share * square + (1 - share);
  const change = precisionRate * (expected - 1);
  const logVariance = change > -0.5 ? Math.log1p(change) : Math.log(1 - precisionRate + precisionRate * expected);
  const building = Math.min(event.alliance * person.allianceGrowth, 1);
  return {
    ...state,
    belief: state.belief + meanRate * share * shift,
    logPrecision: state.logPrecision - logVariance,
    alliance: state.alliance + building * (1 - state.alliance),
  };
}

const atRest = (person) => ({
  belief: person.belief,
  logPrecision: person.logPrecision,
  slowBelief: person.belief,
  slowLogPrecision: person.logPrecision,
  alliance: person.alliance,
});

/**
 * One person through the events of one arm; the belief at the beginning of each reading day.
 *
 * arm: {mean, sd, precision (by event and stream), replays, alliance}; drug: {effect2a, response1a, released, believed,
 * learning} by event; account: a name of ACCOUNTS with its strength.
 */
export function followPerson({ days, readings, arm, chosen, luck, drug, person, numbers, anatomy, account, strength }) {
  const beliefs = new Float64Array(readings.length);
  const logPrecisions = new Float64Array(readings.length);
  let state = atRest(person);
  let last = null;
  let next = 0;
  const readUntil = (limit) => {
    while (next < readings.length && readings[next] <= limit) {
      const now = last === null ? state : passed(state, readings[next] - last, person, numbers);
      beliefs[next] = now.belief;
      logPrecisions[next] = now.logPrecision;
      next++;
    }
  };
  const still = ACCOUNTS.rebus({ effect2a: 0 }, 0, anatomy);
  for (let e = 0; e < days.length; e++) {
    readUntil(days[e]);
    if (last !== null) state = passed(state, days[e] - last, person, numbers);
    const acts = drug.effect2a[e] !== 0 || drug.response1a[e] !== 0;
    const modulation = acts
      ? ACCOUNTS[account]({ effect2a: drug.effect2a[e], response1a: drug.response1a[e], nmdaBlock: 0 }, strength, anatomy)
      : still;
    const event = {
      mean: arm.mean[e].map((mean, i) => mean + arm.sd[e][i] * luck[e][i]),
      precision: arm.precision[e],
      replays: arm.replays[e],
      alliance: arm.alliance[e],
      chosen: chosen[e],
      released: drug.released[e],
      believed: drug.believed[e],
      learning: drug.learning[e],
    };
    state = meet(state, event, person, numbers, modulation);
    last = days[e];
  }
  readUntil(Infinity);
  return { beliefs, logPrecisions };
}

/** Symptom points: `points` for each unit of belief below `well`. */
export const symptomsOf = (belief, scale) => Math.max(scale.points * (scale.well - belief), 0);

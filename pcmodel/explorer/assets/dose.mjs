// From doses to receptors over time in one person: the closed forms of pcmodel.neuromodulation.
//
// dose -> plasma -> effect site -> competition for receptors -> operational response -> second stage.
// A constant that is null in the table is infinite: the compound does not act there.

const orInfinity = (value) => (value === null || value === undefined ? Infinity : value);

/** (exp(-a t) - exp(-b t)) / (b - a), finite for equal rates. */
export function difference2(t, a, b) {
  const spread = Math.abs(b - a) * t;
  const ratio = spread < 1e-4 ? 1 - spread / 2 + spread ** 2 / 6 : -Math.expm1(-spread) / spread;
  return t * Math.exp(-Math.min(a, b) * t) * ratio;
}

/** Divided difference of exp(-k t) over three rates. */
export function difference3(t, a, b, c) {
  const [low, middle, high] = [a, b, c].sort((x, y) => x - y);
  if ((high - low) * t < 0.03) {
    const mean = (a + b + c) / 3;
    const variance = ((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 3;
    return 0.5 * t * t * Math.exp(-mean * t) * (1 + (variance * t * t) / 8);
  }
  return (difference2(t, low, middle) - difference2(t, middle, high)) / (high - low);
}

/** Plasma and effect-site concentration, ng/mL, `time` h after 1 mg by a route: oral, bolus or {infusion: hours}. */
export function unitConcentration(kinetics, route, time) {
  const { lag, absorption, elimination: ke, volume, bioavailability } = kinetics;
  const k0 = orInfinity(kinetics.effectSite);
  const isDelayed = Number.isFinite(k0);
  if (route === "oral") {
    const since = Math.max(time - lag, 0);
    const scale = (1000 * absorption) / volume;
    const plasma = scale * difference2(since, absorption, ke);
    return [plasma, isDelayed ? scale * k0 * difference3(since, absorption, ke, k0) : plasma];
  }
  const trueVolume = volume * bioavailability;
  if (route === "bolus") {
    const since = Math.max(time, 0);
    const scale = time >= 0 ? 1000 / trueVolume : 0;
    const plasma = scale * Math.exp(-ke * since);
    return [plasma, isDelayed ? scale * k0 * difference2(since, ke, k0) : plasma];
  }
  const duration = route.infusion;
  const going = Math.min(Math.max(time, 0), duration);
  const after = Math.max(time - duration, 0);
  const scale = 1000 / trueVolume / duration;
  const reached = scale * difference2(going, 0, ke);
  const plasma = reached * Math.exp(-ke * after);
  if (!isDelayed) return [plasma, plasma];
  const filled = scale * k0 * difference3(going, 0, ke, k0);
  return [plasma, filled * Math.exp(-k0 * after) + k0 * reached * difference2(after, ke, k0)];
}

/** S^n / (1 + S^n). */
export function operational(stimulus, slope) {
  const power = stimulus > 0 ? stimulus ** slope : 0;
  return power / (1 + power);
}

/** The second stage: E^p / (E^p + half^p) over its value at `full`. */
export function secondStage(response, body) {
  if (!(response > 0)) return 0;
  const raw = (value) => 1 / (1 + Math.exp(-body.power * (Math.log(value) - Math.log(body.half))));
  return raw(response) / raw(body.full);
}

/** Serotonin released from a store that is depleted, and the store, over times. */
export function release(times, demand, body) {
  const store = [1];
  for (let i = 1; i < times.length; i++) {
    const rate = body.release * 0.5 * (demand[i] + demand[i - 1]) + body.refill;
    const goal = rate > 0 ? body.refill / rate : body.refill;
    store.push(goal + (store[i - 1] - goal) * Math.exp(-rate * (times[i] - times[i - 1])));
  }
  return { store, serotonin: store.map((content, i) => body.excess * demand[i] * content) };
}

/** Occupancy by each ligand and the stimulus of all, serotonin (from its own ratio) included. */
function bind(ratios, efficacies, serotonin, serotoninEfficacy) {
  const whole = 1 + ratios.reduce((a, b) => a + b, 0) + serotonin;
  const shares = ratios.map((ratio) => ratio / whole);
  const stimulus = shares.reduce((sum, share, i) => sum + share * efficacies[i], (serotoninEfficacy * serotonin) / whole);
  return { shares, stimulus };
}

/**
 * doses: [{compound, mg, hours, route}]; compounds: table by name; times: h, ascending.
 * Returns by compound plasma, site, occupancy2a and occupancy1a; over times serotonin, store, response2a, response1a,
 * effect2a and nmdaBlock.
 */
export function simulate(doses, times, compounds, body) {
  const names = [...new Set(doses.map((dose) => dose.compound))];
  const ligands = names.map((name) => compounds[name]);
  const zeros = () => new Float64Array(times.length);
  const plasma = names.map(zeros);
  const site = names.map(zeros);
  for (const dose of doses) {
    const index = names.indexOf(dose.compound);
    times.forEach((time, i) => {
      const [inPlasma, atSite] = unitConcentration(ligands[index].kinetics, dose.route, time - dose.hours);
      plasma[index][i] += dose.mg * inPlasma;
      site[index][i] += dose.mg * atSite;
    });
  }
  const releasers = ligands.map((ligand) => orInfinity(ligand.releaseEc50));
  const demand = times.map((_, i) => {
    const reversal = site.reduce((sum, curve, c) => sum + curve[i] / releasers[c], 0);
    return reversal / (1 + reversal);
  });
  const { store, serotonin } = release(times, demand, body);
  const occupancy2a = names.map(zeros);
  const occupancy1a = names.map(zeros);
  const response2a = zeros();
  const response1a = zeros();
  const effect2a = zeros();
  const nmdaBlock = zeros();
  const at = (key) => ligands.map((ligand) => orInfinity(ligand[key]));
  const [k2a, k1a, nmda] = [at("k2a"), at("k1a"), at("nmdaIc50")];
  const tau2a = ligands.map((ligand) => ligand.efficacy2a);
  const tau1a = ligands.map((ligand) => ligand.efficacy1a);
  const own = (k) => body.tone / k;
  const rest2a = operational((body.serotoninEfficacy2a * own(body.serotoninK2a)) / (1 + own(body.serotoninK2a)), body.slope);
  const rest1a = operational((body.serotoninEfficacy1a * own(body.serotoninK1a)) / (1 + own(body.serotoninK1a)), body.slope);
  let hasActed = false;
  for (let i = 0; i < times.length; i++) {
    const free = body.tone + serotonin[i];
    const there = site.map((curve) => curve[i]);
    hasActed = hasActed || there.some((value) => value > 0);
    const two = bind(there.map((c, j) => c / k2a[j]), tau2a, free / body.serotoninK2a, body.serotoninEfficacy2a);
    const one = bind(there.map((c, j) => c / k1a[j]), tau1a, free / body.serotoninK1a, body.serotoninEfficacy1a);
    names.forEach((_, j) => {
      occupancy2a[j][i] = two.shares[j];
      occupancy1a[j][i] = one.shares[j];
    });
    response2a[i] = hasActed ? operational(two.stimulus, body.slope) - rest2a : 0;
    response1a[i] = hasActed ? operational(one.stimulus, body.slope) - rest1a : 0;
    effect2a[i] = secondStage(response2a[i], body);
    const blocked = there.reduce((sum, c, j) => sum + c / nmda[j], 0);
    nmdaBlock[i] = blocked / (1 + blocked);
  }
  return {
    names, plasma, site, occupancy2a, occupancy1a, serotonin, store, response2a, response1a, effect2a, nmdaBlock,
  };
}

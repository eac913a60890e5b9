// A chain of one unit a level: x_L ~ N(m, 1/p_L), x_l | x_{l+1} ~ N(a_{l+1} x_{l+1}, 1/p_l), level 0 observed.
//
// p_l is the precision times its gain, a_l the slope with which level l predicts the one below (1 without a drug).
// Everything is exact: predictions pass down, evidence passes up, and the two meet at each level.

/**
 * precisions: of each level, bottom first; gains and slopes: factors, 1 where left out.
 * observed: the evidence, or null for none.
 * Returns for each level the prediction (mean, variance), the evidence that reaches it (value, precision; 0: none),
 * the posterior (mean, variance), the weight of the evidence at the top, and its log density (null without any).
 */
export function solveChain({ precisions, gains, slopes, priorMean, observed }) {
  const count = precisions.length;
  const top = count - 1;
  const p = precisions.map((value, l) => value * (gains ? gains[l] : 1));
  const a = precisions.map((_, l) => (slopes ? slopes[l] : 1));
  const prediction = new Array(count);
  prediction[top] = { mean: priorMean, variance: 1 / p[top] };
  for (let l = top - 1; l >= 0; l--) {
    const above = prediction[l + 1];
    prediction[l] = { mean: a[l + 1] * above.mean, variance: 1 / p[l] + a[l + 1] ** 2 * above.variance };
  }
  const isSeen = observed !== null && observed !== undefined;
  const evidence = new Array(count);
  evidence[0] = { value: isSeen ? observed : 0, precision: isSeen ? Infinity : 0 };
  for (let l = 1; l < count; l++) {
    const below = evidence[l - 1];
    const width = 1 / p[l - 1] + 1 / below.precision; // infinite without evidence
    evidence[l] = { value: below.value / a[l], precision: a[l] ** 2 / width };
  }
  const posterior = prediction.map((own, l) => {
    const from = evidence[l];
    if (from.precision === Infinity) return { mean: from.value, variance: 0 };
    const precision = 1 / own.variance + from.precision;
    return { mean: (own.mean / own.variance + from.precision * from.value) / precision, variance: 1 / precision };
  });
  const weight = evidence[top].precision / (evidence[top].precision + p[top]);
  const error = isSeen ? observed - prediction[0].mean : 0;
  const width = prediction[0].variance;
  const logEvidence = isSeen ? -0.5 * ((error * error) / width + Math.log(2 * Math.PI * width)) : null;
  return { prediction, evidence, posterior, weight, logEvidence, precisions: p, slopes: a };
}

/** Covariance of the levels above 0 under the posterior, [l - 1][k - 1]. */
export function chainCovariance(solved) {
  const { precisions: p, slopes: a, evidence, posterior } = solved;
  const count = p.length;
  const cov = Array.from({ length: count - 1 }, () => new Array(count - 1).fill(0));
  for (let k = count - 1; k >= 1; k--) {
    cov[k - 1][k - 1] = posterior[k].variance;
    let value = posterior[k].variance;
    for (let l = k - 1; l >= 1; l--) {
      value *= (p[l] * a[l + 1]) / (p[l] + evidence[l].precision);
      cov[l - 1][k - 1] = cov[k - 1][l - 1] = value;
    }
  }
  return cov;
}

/**
 * Mean and variance of activity at each level above 0: a share `topDown` of every level is generated from the level
 * above, and activity fluctuates around the inferred one with `temperature` times the posterior covariance.
 */
export function chainActivity(solved, { priorMean, topDown = 0, temperature = 1 }) {
  const { precisions: p, slopes: a, posterior } = solved;
  const count = p.length;
  const kept = 1 - topDown;
  const cov = chainCovariance(solved);
  const mean = new Array(count).fill(0);
  // Row l: activity of level l by inferred levels, and by the noise of generated ones.
  const byLevel = Array.from({ length: count }, () => new Array(count).fill(0));
  const byNoise = Array.from({ length: count }, () => new Array(count).fill(0));
  for (let l = count - 1; l >= 1; l--) {
    const isTop = l === count - 1;
    const generated = isTop ? priorMean : a[l + 1] * mean[l + 1];
    mean[l] = kept * posterior[l].mean + topDown * generated;
    if (!isTop) {
      for (let k = 1; k < count; k++) {
        byLevel[l][k] = topDown * a[l + 1] * byLevel[l + 1][k];
        byNoise[l][k] = topDown * a[l + 1] * byNoise[l + 1][k];
      }
    }
    byLevel[l][l] += kept;
    byNoise[l][l] += topDown / Math.sqrt(p[l]);
  }
  const variance = mean.map((_, l) => {
    if (l === 0) return 0;
    let sum = 0;
    for (let j = 1; j < count; j++) {
      sum += byNoise[l][j] ** 2;
      for (let k = 1; k < count; k++) sum += temperature * byLevel[l][j] * byLevel[l][k] * cov[j - 1][k - 1];
    }
    return sum;
  });
  return { mean, variance };
}

/** Density of N(mean, variance) at x. */
export function normalDensity(x, mean, variance) {
  return Math.exp((-0.5 * (x - mean) ** 2) / variance) / Math.sqrt(2 * Math.PI * variance);
}

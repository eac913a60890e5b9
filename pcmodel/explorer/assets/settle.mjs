// A dense hierarchy of four levels: pixels, strokes, shapes, digit. Level l is predicted as W_l f(x_{l+1}) + b_l,
// with f the hyperbolic tangent, or the identity where the top predicts.
//
// E = sum_l 1/2 [ p_l |e_l|^2 - d_l log p_l + d_l log 2 pi ], the energy of pcmodel, with e_l = latent minus
// prediction and p_l = gain times precision. The pixels are clamped; the other three levels are free.
//
// Settling follows the gradient flow dx/dt = -dE/dx in implicit steps (H + 1/dt) d = -g of the exact Hessian H, whose
// time step grows: at first the slow flow of a predictive-coding network, at last Newton's steps into the mode.

import { cholesky, choleskySolve, dot } from "./linear.mjs";

// Value, slope and curvature of what is applied to the level above.
const ACTIVATIONS = {
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2, bend: (x) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2) },
  identity: { value: (x) => x, slope: () => 1, bend: () => 0 },
};

/** Weights and biases are row-major arrays, everything is by level, bottom first; activations by name. */
export function makeNetwork({ widths, activations, weights, biases, logPrecisions, priorMean }) {
  const free = widths.slice(1).reduce((a, b) => a + b, 0);
  return { widths, activations: activations.map((name) => ACTIVATIONS[name]), weights, biases, logPrecisions, priorMean, free };
}

function multiply(weight, rows, columns, vector, out) {
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    const start = i * columns;
    for (let j = 0; j < columns; j++) sum += weight[start + j] * vector[j];
    out[i] = sum;
  }
  return out;
}

/** Prediction of level l from the latent of level l + 1. */
export function predictLevel(network, level, above) {
  const { widths, activations, weights, biases } = network;
  const out = new Float64Array(widths[level]);
  multiply(weights[level], widths[level], widths[level + 1], Float64Array.from(above, activations[level].value), out);
  for (let i = 0; i < out.length; i++) out[i] += biases[level][i];
  return out;
}

/** What the belief makes of each level before any evidence: the top at its mean, the others as predicted from above. */
export function sweepDown(network, mean) {
  const latents = new Array(network.widths.length);
  latents[latents.length - 1] = Float64Array.from(mean);
  for (let level = latents.length - 2; level >= 0; level--) {
    latents[level] = predictLevel(network, level, latents[level + 1]);
  }
  return latents;
}

/**
 * The problem: image (pixels), belief {mean, precision} about the top (the network's own prior where null), and gains by
 * level. A belief replaces the top's prior.
 */
export function poseDigit(network, { image, belief, gains }) {
  const top = network.widths.length - 1;
  const logPrecisions = Array.from(network.logPrecisions);
  let mean = network.priorMean;
  if (belief) {
    mean = belief.mean;
    logPrecisions[top] = Math.log(belief.precision);
  }
  const precisions = logPrecisions.map((value, l) => Math.exp(value) * (gains ? gains[l] : 1));
  return { network, image: Float64Array.from(image), mean: Float64Array.from(mean), precisions };
}

function errorsOf(problem, latents) {
  const { network, mean } = problem;
  const top = network.widths.length - 1;
  return latents.map((own, level) => {
    const expected = level === top ? mean : predictLevel(network, level, latents[level + 1]);
    const error = new Float64Array(own.length);
    for (let i = 0; i < own.length; i++) error[i] = own[i] - expected[i];
    return error;
  });
}

/** Energy by level, nats, bottom first. */
export function levelEnergies(problem, latents) {
  return errorsOf(problem, latents).map((error, level) => {
    const precision = problem.precisions[level];
    return 0.5 * (precision * dot(error, error) - error.length * (Math.log(precision) - Math.log(2 * Math.PI)));
  });
}

/** The part of the energy that moves: 1/2 p |e|^2 by level, in nats. */
export function levelSquares(problem, latents) {
  return errorsOf(problem, latents).map((error, level) => 0.5 * problem.precisions[level] * dot(error, error));
}

/** Gradient and exact Hessian (optionally its Gauss-Newton part) by the free levels, bottom first. */
export function localModel(problem, latents, { gaussNewton = false } = {}) {
  const { network, precisions } = problem;
  const { widths, activations, weights, free } = network;
  const errors = errorsOf(problem, latents);
  const gradient = new Float64Array(free);
  const hessian = new Float64Array(free * free);
  let start = 0;
  for (let level = 1; level < widths.length; level++) {
    const width = widths[level];
    const below = widths[level - 1];
    const weight = weights[level - 1];
    const p = precisions[level];
    const pBelow = precisions[level - 1];
    const value = latents[level];
    const slope = Float64Array.from(value, activations[level - 1].slope);
    const back = new Float64Array(width); // W' e of the level below
    for (let i = 0; i < below; i++) {
      const error = errors[level - 1][i];
      const row = i * width;
      for (let j = 0; j < width; j++) back[j] += weight[row + j] * error;
    }
    for (let j = 0; j < width; j++) {
      gradient[start + j] = p * errors[level][j] - pBelow * slope[j] * back[j];
    }
    // W' W, whose products with the slopes are the Gauss-Newton part.
    const square = gramOf(weights, level - 1, below, width);
    for (let j = 0; j < width; j++) {
      const at = (start + j) * free + start;
      const sj = pBelow * slope[j];
      for (let k = 0; k < width; k++) hessian[at + k] = sj * slope[k] * square[j * width + k];
      hessian[at + j] += p;
      if (!gaussNewton) hessian[at + j] -= pBelow * activations[level - 1].bend(value[j]) * back[j];
    }
    if (level > 1) {
      const before = start - below;
      for (let i = 0; i < below; i++) {
        for (let j = 0; j < width; j++) {
          const value = -pBelow * weight[i * width + j] * slope[j];
          hessian[(before + i) * free + start + j] = value;
          hessian[(start + j) * free + before + i] = value;
        }
      }
    }
    start += width;
  }
  return { gradient, hessian };
}

const grams = new WeakMap();
function gramOf(weights, level, rows, columns) {
  const weight = weights[level];
  let found = grams.get(weight);
  if (!found) {
    found = new Float64Array(columns * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const own = weight[i * columns + j];
        for (let k = 0; k < columns; k++) found[j * columns + k] += own * weight[i * columns + k];
      }
    }
    grams.set(weight, found);
  }
  return found;
}

function moved(latents, step, widths) {
  const next = [latents[0]];
  let start = 0;
  for (let level = 1; level < widths.length; level++) {
    next.push(latents[level].map((x, i) => x + step[start + i]));
    start += widths[level];
  }
  return next;
}

const CERTIFIED_FROM = 0.02; // time step, in units of 1 / rate

const total = (values) => values.reduce((a, b) => a + b, 0);

/** Where settling begins: the image below, above it what the belief predicts. */
export function beginSettling(problem, { firstStep = 1e-3 } = {}) {
  const latents = sweepDown(problem.network, problem.mean);
  latents[0] = problem.image;
  return { latents, energies: levelEnergies(problem, latents), dt: firstStep, time: 0, steps: 0, residual: Infinity };
}

/**
 * One implicit step of the gradient flow. The residual is the Newton decrement sqrt(g' H^-1 g): how far the mode is, in
 * posterior standard deviations; infinite while steps are short, and where H is not positive definite.
 */
export function settleStep(problem, state, { growth = 1.6 } = {}) {
  const { network } = problem;
  const n = network.free;
  const { gradient, hessian } = localModel(problem, state.latents);
  // While steps are short nothing can have settled, and a second factor would say so at the cost of the first.
  const whole = state.dt > CERTIFIED_FROM ? cholesky(hessian, n) : null;
  const residual = whole ? Math.sqrt(Math.max(dot(gradient, choleskySolve(whole, n, gradient)), 0)) : Infinity;
  const before = total(state.energies);
  let dt = state.dt;
  for (let attempt = 0; attempt < 40; attempt++) {
    const damped = Float64Array.from(hessian);
    for (let i = 0; i < n; i++) damped[i * n + i] += 1 / dt;
    const factor = cholesky(damped, n);
    if (factor) {
      const step = choleskySolve(factor, n, gradient.map((x) => -x));
      const latents = moved(state.latents, step, network.widths);
      const energies = levelEnergies(problem, latents);
      const after = total(energies);
      // The energy never rises, but by the rounding of its last digits at the mode.
      if (after <= before + 1e-12 * Math.abs(before)) {
        const time = state.time + dt;
        return { latents, energies, dt: dt * growth, time, steps: state.steps + 1, residual };
      }
    }
    dt /= 4;
  }
  return { ...state, residual, stuck: true };
}

/** Settled: the mode and its residual, at most `most` steps. */
export function settle(problem, { tolerance = 1e-6, most = 200 } = {}) {
  let state = beginSettling(problem);
  for (let i = 0; i < most && !(state.residual < tolerance); i++) {
    state = settleStep(problem, state);
    if (state.stuck) break;
  }
  return state;
}

/** Standard deviation of each unit of the top by the Gauss-Newton Laplace posterior at these latents. */
export function topDeviations(problem, latents) {
  const { network } = problem;
  const n = network.free;
  const width = network.widths[network.widths.length - 1];
  const { hessian } = localModel(problem, latents, { gaussNewton: true });
  const factor = cholesky(hessian, n);
  return Array.from({ length: width }, (_, i) => {
    const unit = new Float64Array(n);
    unit[n - width + i] = 1;
    return Math.sqrt(choleskySolve(factor, n, unit)[n - width + i]);
  });
}

/** Index of the largest entry. */
export function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

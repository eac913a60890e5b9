r"""Responses to tones: precision-weighted errors of every level over time, and what is learned from each tone.

Each tone is met from the prediction of the memory m and of adaptation b, and inference follows the gradient,
with errors $e_0 = y - b - \alpha_1 x_1$, $e_\ell = x_\ell - \alpha_{\ell+1} x_{\ell+1}$, $e_L = x_L - m$:

$$\dot x_\ell = -g_\ell \pi_\ell e_\ell + t_{\ell-1} \alpha_\ell\, g_{\ell-1} \pi_{\ell-1} e_{\ell-1} .$$

The response of a level is $|g_\ell \pi_\ell e_\ell|$ over its units.  The system is linear, so it is solved exactly: with
the equivalent gains $\Gamma$ of weakened transmission t the settled errors are in series,

$$\Gamma_\ell e_\ell = c_\ell \lambda, \qquad \lambda = \frac{y - b - c_L m}{\sum_\ell c_\ell^2 / \Gamma_\ell},
  \qquad c_\ell = \prod_{k \le \ell} \alpha_k ,$$

and what is left decays along the eigenvectors of a symmetric matrix.  Without drugs the settled weighted errors
of all levels are *equal* (theorem): levels part in time, not in size.  The lowest level's error stands at once and is
then explained; the top's builds up.  After the tone, with rates $\eta$ (memory), $\rho$ (adaptation) and recovery r,

$$m \leftarrow m + \eta p\, (x_L - m), \qquad b \leftarrow (1 - r)\, b + \rho\, e_0 ,$$

steps towards the maximum of the energy's EM bound for the prior mean and for the bias of the lowest level; p is the drug's
factor on plasticity.  Settled and unmodulated, n equal tones leave $m_n = y - (y - m_0)(1 - \eta w)^n$ with
$w = \pi_L^{-1} / \sum_\ell \pi_\ell^{-1}$ (without adaptation).

Sources: Garrido, Kilner, Stephan & Friston 2009 Clin Neurophysiol 120:453 (mismatch: adaptation and model adjustment);
Schmidt et al. 2013 Cereb Cortex (ketamine: plasticity, not adaptation).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import is_traced
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.accounts.maps import anatomy as anatomy_of
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.factors import Factors, factors_of
from pcmodel.paradigms.oddball.oddball import PLACES, Oddball
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits


class Responses(NamedTuple):
    """Responses to a sequence of tones; the leading axes ("...") are those of the effects.

    levels: precision-weighted errors, lowest level first: root of the sum of squares over units.
    evoked: their sum over levels, smoothed by the response kernel.
    by_level: each level smoothed by the kernel.
    memory: the top's prior mean before each tone.
    adaptation: the bias of the lowest level before each tone.
    times: after the tone, ms.
    """

    levels: Float[Array, "... trials levels times"]
    evoked: Float[Array, "... trials times"]
    by_level: Float[Array, "... trials levels times"]
    memory: Float[Array, "... trials tones"]
    adaptation: Float[Array, "... trials tones"]
    times: Float[Array, " times"]


@checked_arguments
def respond(
    oddball: Oddball,
    tones: Sequence[int] | np.ndarray,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
) -> Responses:
    """Responses to a sequence at every moment of everyone; the whole sequence is heard at each moment.

    oddball: the hierarchy and what it learns.
    tones: whole numbers below `oddball.tones`, in order.
    drug: a `Group` (people, times), one person's `Course` (times) or `Effects` of any shape.
    account: of the drug's action (`pcmodel.neuromodulation`).
    anatomy: receptors of each level; by default, for three levels, `PLACES`.

    Noise (a temperature) changes fluctuations around these responses, not the responses.

    Raises UserError for tones that the hierarchy does not have, for an account that does not fit the levels or needs
    receptors that the drug does not reach, for effects that are no finite numbers of one shape, and for precisions
    whose ratio leaves rounding errors above a thousandth.
    """
    heard = _tones(oddball, tones)
    return responses_under(
        oddball, heard, oddball_factors(oddball, drug, account, anatomy)
    )


def oddball_factors(
    oddball: Oddball,
    drug: Group | Course | Effects,
    account: Account,
    anatomy: Anatomy | None,
) -> Factors:
    """What an account makes of a drug in the chain, and whether its precisions can be told apart from rounding."""
    if anatomy is None and len(oddball.precisions) == len(PLACES):
        anatomy = anatomy_of(*PLACES)
    factors = factors_of(oddball.network(), drug, account=account, anatomy=anatomy)
    _check_ratio(oddball, factors)
    return factors


def responses_under(oddball: Oddball, heard: np.ndarray, factors: Factors) -> Responses:
    """Responses to checked tones under the factors of every moment."""
    shape = factors.top_down.shape
    flat = jax.tree.map(
        lambda leaf: leaf.reshape((-1, *leaf.shape[len(shape) :])), factors
    )
    dtype = flat.top_down.dtype
    times = oddball.times()
    size = len(heard) * len(oddball.precisions) * len(times)
    check_fits(len(flat.top_down), 4 * size, what="such a sequence")
    sounds = jnp.asarray(np.eye(oddball.tones)[heard], dtype)
    precisions = jnp.asarray(oddball.precisions, dtype)
    rates = jnp.asarray(
        [oddball.memory_rate, oddball.adaptation_rate, oddball.adaptation_recovery],
        dtype,
    )
    clock = jnp.asarray((times - oddball.onset_ms) / oddball.ms_per_unit, dtype)
    kernel = jnp.asarray(smoothing(times, oddball.kernel_ms), dtype)
    of_trials = _responses(
        sounds,
        precisions,
        rates,
        clock,
        kernel,
        flat,
        plastic=oddball.is_adaptation_plastic,
    )
    shaped = jax.tree.map(
        lambda leaf: leaf.reshape((*shape, *leaf.shape[1:])), of_trials
    )
    levels, evoked, by_level, memory, adaptation = shaped
    clock = jnp.asarray(times, dtype)
    return Responses(levels, evoked, by_level, memory, adaptation, clock)


def _tones(oddball: Oddball, tones: Any) -> np.ndarray:
    given = np.asarray(tones)
    whole = given.dtype.kind in "iu" and given.ndim == 1 and len(given) > 0
    if not whole or given.min() < 0 or given.max() >= oddball.tones:
        raise UserError(
            "are no sequence of this hierarchy's tones",
            where="tones",
            expected=f"one or more whole numbers from 0 to {oddball.tones - 1}",
        )
    return given


def _check_ratio(oddball: Oddball, factors: Factors) -> None:
    """UserError where rounding would hide the slowest direction of inference; traced factors are not checked."""
    if is_traced(factors):
        return
    dtype = factors.gains.dtype
    precisions = np.asarray(oddball.precisions, float)
    both = [np.asarray(each, float) * precisions for each in factors[:2]]
    ratio = max(
        float(np.max(each.max(-1) / each.min(-1), initial=1.0)) for each in both
    )
    most = 1e-3 / float(jnp.finfo(dtype).eps)
    if not ratio <= most:
        raise UserError(
            f"precisions under the drug differ by a factor of {ratio:.2g}",
            where="oddball",
            expected=f"at most {most:.2g} in {np.dtype(dtype).name}"
            + ("; enable jax_enable_x64" if dtype == jnp.float32 else ""),
        )


def smoothing(times: np.ndarray, kernel_ms: float) -> np.ndarray:
    """The matrix (times, times) that convolves with t exp(-t / kernel_ms), whose sum over all times is 1."""
    step = times[1] - times[0] if len(times) > 1 else 1.0
    lags = np.arange(len(times)) * step
    kernel = np.exp(-lags / kernel_ms) * lags
    total = kernel_sum(step / kernel_ms) * step
    # Shorter than a sample, the kernel is at one sample.
    kernel = kernel / total if total > 1e-12 * step else (lags == 0).astype(float)
    apart = np.subtract.outer(np.arange(len(times)), np.arange(len(times)))
    return np.where(apart >= 0, kernel[np.abs(apart)], 0.0)


def kernel_sum(ratio: float) -> float:
    """Sum of k exp(-k ratio) over k = 0, 1, ..."""
    return float(np.exp(-ratio) / np.expm1(-ratio) ** 2)


class Settling(NamedTuple):
    """One moment's linear inference.

    slopes: of the levels above the lowest.  passed, gains: equivalent gains times precision with and gains times
    precision without transmission.  along: c of the module's text.  root, rates, vectors: the free part
    decays as root V exp(-rates t) V' / root.
    """

    slopes: Array
    passed: Array
    gains: Array
    along: Array
    root: Array
    rates: Array
    vectors: Array


def settling(precisions: Array, factors: Factors) -> Settling:
    """What one moment's modulation makes of the chain."""
    slopes = factors.slopes[1:]
    gains = factors.own_gains * precisions
    passed = factors.gains * precisions
    along = jnp.concatenate([jnp.ones((1,), slopes.dtype), jnp.cumprod(slopes)])
    root = jnp.sqrt(gains[1:] / passed[1:])
    diagonal = passed[1:] + slopes**2 * passed[:-1]
    beside = -slopes[1:] * passed[1:-1]
    curvature = jnp.diag(diagonal) + jnp.diag(beside, 1) + jnp.diag(beside, -1)
    rates, vectors = jnp.linalg.eigh(root[:, None] * curvature * root[None])
    return Settling(
        slopes, passed, gains, along, root, jnp.maximum(rates, 0.0), vectors
    )


def down(slopes: Array, top: Array) -> Array:
    """Predictions of the free levels from the top's, lowest first, (levels, tones)."""
    onto = jnp.cumprod(slopes[1:][::-1])[::-1]
    return jnp.concatenate([onto, jnp.ones((1,), slopes.dtype)])[:, None] * top[None]


def errors_of(slopes: Array, seen: Array, free: Array, memory: Array) -> Array:
    """Errors of every level, (levels, tones)."""
    above = jnp.concatenate([free[1:], memory[None]])
    predicted = jnp.concatenate([slopes[1:], jnp.ones((1,), slopes.dtype)])[:, None]
    lowest = seen - slopes[0] * free[0]
    return jnp.concatenate([lowest[None], free - predicted * above])


def settled(how: Settling, seen: Array, memory: Array) -> Array:
    """The free levels where inference ends, (levels, tones)."""
    series = jnp.sum(how.along**2 / how.passed)
    force = (seen - how.along[-1] * memory) / series
    errors = (how.along / how.passed)[:, None] * force[None]

    def add(above: Array, here: tuple[Array, Array]) -> tuple[Array, Array]:
        error, slope = here
        value = error + slope * above
        return value, value

    slopes = jnp.concatenate([how.slopes[1:], jnp.ones((1,), seen.dtype)])
    return jax.lax.scan(add, memory, (errors[1:], slopes), reverse=True)[1]


def mixed(slopes: Array, free: Array, memory: Array, share: Array) -> Array:
    """Activity of the free levels, a share of which is generated from above, (levels, tones)."""
    onto = jnp.concatenate([slopes[1:], jnp.ones((1,), slopes.dtype)])

    def add(above: Array, here: tuple[Array, Array]) -> tuple[Array, Array]:
        own, slope = here
        value = (1 - share) * own + share * slope * above
        return value, value

    return jax.lax.scan(add, memory, (free, onto), reverse=True)[1]


@partial(jax.jit, static_argnames="plastic")
@in_full_precision
def _responses(
    sounds: Array,
    precisions: Array,
    rates: Array,
    clock: Array,
    kernel: Array,
    factors: Factors,
    *,
    plastic: bool,
) -> tuple[Array, ...]:
    memory_rate, adaptation_rate, recovery = rates

    def one(factors: Factors) -> tuple[Array, ...]:
        how = settling(precisions, factors)
        fading = jnp.exp(-how.rates[None] * clock[:, None])
        adapts = factors.plasticity if plastic else 1.0

        def hear(state: tuple[Array, Array], sound: Array) -> Any:
            memory, adaptation = state
            seen = sound - adaptation
            end = settled(how, seen, memory)
            start = down(how.slopes, memory)
            parts = how.vectors.T @ ((start - end) / how.root[:, None])
            left = jnp.einsum("ij,tj,jk->tik", how.vectors, fading, parts)
            path = end[None] + how.root[None, :, None] * left
            active = jax.vmap(
                lambda free: mixed(how.slopes, free, memory, factors.top_down)
            )(path)
            errors = jax.vmap(lambda free: errors_of(how.slopes, seen, free, memory))(
                active
            )
            size = jnp.linalg.norm(how.gains[None, :, None] * errors, axis=2)
            learned = (
                memory + memory_rate * factors.plasticity * (active[-1, -1] - memory),
                (1 - recovery) * adaptation + adaptation_rate * adapts * errors[-1, 0],
            )
            return learned, (size.T, memory, adaptation)

        silence = jnp.zeros_like(sounds[0])
        _, (levels, memory, adaptation) = jax.lax.scan(hear, (silence, silence), sounds)
        by_level = levels @ kernel.T
        return levels, by_level.sum(axis=1), by_level, memory, adaptation

    return jax.vmap(one)(factors)

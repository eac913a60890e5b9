r"""Importance-sampling diagnosis of the Laplace posterior.

Importance ratios $p(z, y) / q(z)$ of draws from the Laplace posterior q are constant if it is exact. The Pareto shape k
of their upper tail measures its accuracy; estimates from $S$ draws are reliable up to
$k = \min(1 - 1 / \log_{10} S, 0.7)$ (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25:72).

Ratios carry information only about regions that the draws reach. Evidence and moments are therefore corrected by the
smoothed ratios of Laplace and defensive draws together (`pcmodel.inference.importance.laplace_ratios`), if *their* shape
is within the limit; and the mode is searched again from draws of the prior: another mode with a relevant share of the
posterior makes the diagnosis fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jaxtyping import Bool, Float

from pcmodel.api.batching import in_parts, joined, keys_of, run_over_examples
from pcmodel.api.pose import Posed
from pcmodel.api.posing.places import chosen_block
from pcmodel.errors import UserError
from pcmodel.inference.importance.laplace_ratios import elsewhere, importance_draws
from pcmodel.inference.importance.weights import weigh, weighted_mean
from pcmodel.inference.mcmc import MODE
from pcmodel.inference.posterior import covariance
from pcmodel.inputs.arrays import is_traced
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.levels import find_units
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.runtime.memory import check_fits

SAMPLER = "pcmodel.sample_posterior"
ELSEWHERE = 0.05
"""Largest negligible Laplace evidence of another mode, relative to that of this mode."""
NUM_STARTS = 8
"""Number of draws of the prior from which other modes are searched."""


class Shares(NamedTuple):
    """Diagnostics from the importance ratios of each example; every field is ([batch,]).

    pareto_shape: Pareto shape k of the ratios of draws from the Laplace posterior; -inf if it is exact.
    effective_share: effective sample size of their weights over the number of draws, in [0, 1]; 0 for invalid ratios.
    corrected_shape: Pareto shape k of the ratios of all draws, which give the corrections.
    corrected_share: effective sample size of all draws over their number.
    elsewhere: Laplace evidence of the best other mode relative to that of this mode; 0 if none was found.
    correction: corrected minus Laplace log evidence, nats.
    correction_error: standard error of the correction, nats.
    """

    pareto_shape: Float[np.ndarray, "*batch"]
    effective_share: Float[np.ndarray, "*batch"]
    corrected_shape: Float[np.ndarray, "*batch"]
    corrected_share: Float[np.ndarray, "*batch"]
    elsewhere: Float[np.ndarray, "*batch"]
    correction: Float[np.ndarray, "*batch"]
    correction_error: Float[np.ndarray, "*batch"]


class Corrected(NamedTuple):
    """Posterior moments by importance sampling, one array per level, bottom first.

    mean: mean of every unit.
    variances: variance of every unit.
    errors: Monte Carlo standard errors of the mean.
    """

    mean: tuple[np.ndarray, ...]
    variances: tuple[np.ndarray, ...]
    errors: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Diagnosis of the Laplace posterior of one example, or of a batch (all arrays with a leading axis).

    posed: inference problem.
    whitened: mode, whitened errors.
    key: random key of the draws.
    num_samples: draws from the Laplace posterior per example; except for large problems, as many defensive ones.
    is_exact: whether the Laplace posterior is exact (a linear network with Gaussian data); nothing is then drawn.
    limit: largest reliable Pareto k for this number of draws.
    shares: Pareto shapes and other diagnostics.
    moments: corrected moments, also where not `trusted`.
    laplace_log_evidence: uncorrected log evidence, nats.
    """

    posed: Posed
    whitened: Array
    key: Array
    num_samples: int
    is_exact: bool
    limit: float
    shares: Shares
    moments: Corrected
    laplace_log_evidence: np.ndarray

    @property
    def pareto_shape(self) -> Float[np.ndarray, "*batch"]:
        """Pareto k of the ratios of draws from the Laplace posterior; -inf if it is exact."""
        return self.shares.pareto_shape

    @property
    def effective_share(self) -> Float[np.ndarray, "*batch"]:
        """Effective sample size of the draws from the Laplace posterior over their number, in (0, 1]."""
        return self.shares.effective_share

    @property
    def trusted(self) -> Bool[np.ndarray, "*batch"]:
        """Whether the corrected numbers are reliable: both shapes within the limit, no other relevant mode found."""
        shares = self.shares
        shape = np.maximum(shares.pareto_shape, shares.corrected_shape)
        return np.asarray((shape <= self.limit) & (shares.elsewhere <= ELSEWHERE))

    @property
    def mean(self) -> tuple[np.ndarray, ...]:
        """Corrected mean of every level; NaN where not `trusted`."""
        return self._kept(self.moments.mean)

    @property
    def variances(self) -> tuple[np.ndarray, ...]:
        """Corrected variance of every unit (0 where clamped); NaN where not `trusted`."""
        return self._kept(self.moments.variances)

    @property
    def mean_errors(self) -> tuple[np.ndarray, ...]:
        """Monte Carlo standard errors of `mean`; NaN where not `trusted`."""
        return self._kept(self.moments.errors)

    @property
    def log_evidence(self) -> Float[np.ndarray, "*batch"]:
        """Corrected log p(data), nats; NaN where not `trusted`.

        Raises UserError for a modulated discrete level 0, for which no evidence is defined.
        """
        refuse_tempered(self.posed)
        found = self.laplace_log_evidence + self.shares.correction
        return np.where(self.trusted, found, np.nan)

    @property
    def log_evidence_error(self) -> Float[np.ndarray, "*batch"]:
        """Monte Carlo standard error of `log_evidence`, nats; NaN where not `trusted`."""
        return np.where(self.trusted, self.shares.correction_error, np.nan)

    def covariance(self, first: str | int, second: str | int) -> np.ndarray:
        """Corrected covariance between two levels or parts, ([batch,] units of first, units of second); NaN where not
        `trusted`."""
        model = self.posed.problem.structure.model
        rows, columns = find_units(first, model), find_units(second, model)
        whole = self._covariance(rows.level, columns.level)
        return chosen_block(whole, rows, columns)

    def _covariance(self, low: int, high: int) -> np.ndarray:
        if self.is_exact:
            exact = run_over_examples(
                covariance,
                self.posed.problem,
                self.whitened,
                batching=self.posed.batching,
                first=low,
                second=high,
            )
            return np.asarray(exact)
        found = []
        for drawn in _drawn(self.posed, self.whitened, self.key, self.num_samples):
            weights = weigh(drawn.log_ratios).weights
            left, right = (
                drawn.latents[level].astype(float)
                - weighted_mean(drawn.latents[level].astype(float), weights)[:, None]
                for level in (low, high)
            )
            found.append(np.einsum("bs,bsi,bsj->bij", weights, left, right))
        (kept,) = self._kept((joined(self.posed, found),))
        return kept

    @property
    def advice(self) -> str | None:
        """A sentence that explains why the Laplace posterior is not reliable; None if it is."""
        if np.all(self.trusted):
            return None
        bad = ~np.atleast_1d(self.trusted)
        where = f" of {bad.sum()} of {bad.size} examples" if self.trusted.ndim else ""
        shapes = np.maximum(self.shares.pareto_shape, self.shares.corrected_shape)
        shapes = np.atleast_1d(shapes)[bad]
        reasons = []
        if not np.all(shapes <= self.limit):
            reasons.append(
                f"its importance ratios are too heavy-tailed (Pareto k {shown_range(shapes)}, "
                f"limit {self.limit:.2f})"
            )
        if np.any(np.atleast_1d(self.shares.elsewhere)[bad] > ELSEWHERE):
            reasons.append("there is another mode, of which it knows nothing")
        return (
            f"the Laplace posterior{where} is not the posterior: {' and '.join(reasons)}; "
            f"take draws of {SAMPLER} instead"
        )

    def __str__(self) -> str:
        if self.is_exact:
            return "exact: the network is linear with Gaussian data"
        told = (
            f"Pareto k {shown_range(self.shares.pareto_shape)} (limit {self.limit:.2f}), effective "
            f"share of {self.num_samples} draws {shown_range(self.shares.effective_share)}"
        )
        return f"{told}; {self.advice}" if self.advice else told

    def _kept(self, arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(
            np.where(
                self.trusted[(..., *[None] * (a.ndim - self.trusted.ndim))], a, np.nan
            )
            for a in arrays
        )


def diagnose(
    posed: Posed,
    whitened: Array,
    key: Array,
    num_samples: int,
    exact: tuple[Latents, Latents, Array] | None,
) -> Diagnosis:
    """The diagnosis at a mode.

    num_samples: draws per example.
    exact: mean, variances and log evidence if the Laplace posterior is exact, else None.

    Raises UserError for fewer than 25 draws and inside jit, vmap or grad.
    """
    from pcmodel.inference.importance.psis import LEAST_DRAWS, trusted_shape

    leaves = jax.tree.leaves((posed.problem.inputs, whitened, key))
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        raise UserError(
            "diagnose looks at the tail of its ratios in numpy and cannot run inside jit, vmap or "
            "grad: call it on the posterior outside (a batch is one call)."
        )
    key, num_samples = check_key(key), whole_number(num_samples, "num_samples")
    units = sum(posed.problem.structure.model.widths)
    check_fits(posed.batch_size or 1, num_samples, units, what="num_samples draws")
    if num_samples < LEAST_DRAWS:
        raise UserError(
            f"num_samples must be at least {LEAST_DRAWS} for a tail to be seen, got {num_samples}."
        )
    limit = trusted_shape(num_samples)
    if exact is not None:
        mean, variances = (
            tuple(np.asarray(x, float) for x in part) for part in exact[:2]
        )
        evidence = np.asarray(exact[2], float)
        light = np.full_like(evidence, -np.inf)
        nothing, one = np.zeros_like(evidence), np.ones_like(evidence)
        shares = Shares(light, one, light, one, nothing, nothing, nothing)
        moments = Corrected(mean, variances, tuple(map(np.zeros_like, mean)))
        return Diagnosis(
            posed, whitened, key, num_samples, True, limit, shares, moments, evidence
        )
    drawn = _drawn(posed, whitened, key, num_samples, search=True)
    shares, moments, evidence = joined(posed, map(_told, drawn))
    return Diagnosis(
        posed, whitened, key, num_samples, False, limit, shares, moments, evidence
    )


def refuse_tempered(posed: Posed) -> None:
    """Raise a UserError if the likelihood is tempered, which has no evidence, or if that is unknown under tracing."""
    structure, tempered = posed.problem.structure, posed.is_tempered
    if not structure.is_discrete:
        return
    gains = [posed.problem.inputs.gains[level] for level in structure.discrete_levels]
    if not any(map(is_traced, gains)):
        tempered = any(not np.all(np.asarray(gain) == 1) for gain in gains)
    if tempered is None:
        raise UserError(
            "no evidence is defined for a tempered likelihood, and the gain of a discrete level "
            "is traced by jit, grad or vmap, so that it cannot be seen to be 1."
        )
    if tempered:
        raise UserError(
            "no evidence is defined for a tempered likelihood: the modulation changes the "
            "gain of a discrete level."
        )


class _Drawn(NamedTuple):
    """`ImportanceDraws` and the evidence of other modes for some examples, host arrays with a leading axis."""

    own: np.ndarray
    latents: tuple[np.ndarray, ...]
    log_ratios: np.ndarray
    log_evidence: np.ndarray
    elsewhere: np.ndarray


def _told(drawn: _Drawn) -> tuple[Shares, Corrected, np.ndarray]:
    own, weighed = weigh(drawn.own), weigh(drawn.log_ratios)
    weights = weighed.weights
    means, variances, errors = [], [], []
    for latent in drawn.latents:
        values = latent.astype(float)
        mean = weighted_mean(values, weights)
        squares = (values - mean[:, None]) ** 2
        means.append(mean)
        variances.append(np.einsum("bs,bsi->bi", weights, squares))
        errors.append(np.sqrt(np.einsum("bs,bsi->bi", weights**2, squares)))
    shares = Shares(
        own.shape,
        own.share,
        weighed.shape,
        weighed.share,
        drawn.elsewhere,
        weighed.log_mean,
        weighed.error,
    )
    moments = Corrected(tuple(means), tuple(variances), tuple(errors))
    return shares, moments, drawn.log_evidence


def _drawn(
    posed: Posed, whitened: Array, key: Array, num_samples: int, *, search: bool = False
) -> Iterator[_Drawn]:
    """Draws for all examples, in parts; with `search` other modes are searched too."""
    keys = keys_of(posed, key)
    numbers = 2 * num_samples * sum(posed.problem.structure.model.widths)
    for part in in_parts(posed, numbers):
        found = run_over_examples(
            _draw,
            part.problem,
            part.of(whitened),
            part.of(keys),
            batching=posed.batching,
            num_samples=num_samples,
            search=search,
        )
        yield part.kept(found)


def _draw(
    problem: Problem, whitened: Array, key: Array, *, num_samples: int, search: bool
) -> _Drawn:
    draw_key, start_key = jax.random.split(key)
    found = importance_draws(problem, whitened, draw_key, num_samples)
    other = jnp.zeros((), whitened.dtype)
    if search:
        other = elsewhere(problem, whitened, start_key, MODE, NUM_STARTS)
    return _Drawn(*found, other)  # type: ignore[arg-type]


def shown_range(values: np.ndarray) -> str:
    """ "lowest to highest" with two decimals, or one number if these are equal."""
    low, high = np.min(values), np.max(values)
    if np.isnan(low) or f"{low:.2f}" == f"{high:.2f}":
        return f"{high:.2f}"
    return f"{low:.2f} to {high:.2f}"

r"""Leave-one-person-out densities from one fit: how well a person is predicted whom the fit has not seen.

Given a draw $\varphi$ of the group, the density of all of person $i$'s responses together,
$p(y_i \mid \varphi) = \int p(y_i \mid \theta) \, p(\theta \mid \varphi) \, d\theta$, is found by importance sampling with a
Student distribution matched to the person's own draws. Leaving the person out reweights the draws of the group by
$1 / p(y_i \mid \varphi)$, smoothed as of single responses (`psis`; Merkle, Furr & Rabe-Hesketh 2019, Psychometrika
84:802, on why such densities have to be marginal). Conditions differ over a person's series as the formulas say.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import gammaln, ndtri
from scipy.stats import chi2, qmc

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    Hierarchy,
    Term,
    series_log_likelihood,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import thin
from pcmodel.inference.importance.psis import Loo, psis_loo
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count

FREEDOM = 5.0  # degrees of freedom of the proposals
WIDER = 1.2  # their scale, in SDs of the person's draws
RIDGE = 1e-3  # added to their variances, in those of the prior
LEAST_POINTS = 10.0


class LeftOutPeople(NamedTuple):
    """Densities of people who are left out of the fit.

    log_density: of all responses of a person together, nats.
    pareto_shape: Pareto shape k of the weights of the group's draws.
    trusted_shape: largest shape at which an estimate is reliable.
    effective_points: draws of the person's parameters that a density rests on, the fewest over the group's draws.
    """

    log_density: Float[np.ndarray, " people"]
    pareto_shape: Float[np.ndarray, " people"]
    trusted_shape: float
    effective_points: Float[np.ndarray, " people"]

    @property
    def trusted(self) -> np.ndarray:
        """Whether each person's density is reliable."""
        enough = self.effective_points >= LEAST_POINTS
        return enough & (self.pareto_shape <= self.trusted_shape)


@checked_arguments
def leave_people_out(
    posterior: Posterior, *, num_draws: Count = 200, num_points: Count = 128
) -> LeftOutPeople:
    """The leave-one-person-out density of every person.

    num_draws: of the group.
    num_points: draws of a person's parameters for each of them.
    UserError for fewer than 25 draws.
    """
    hierarchy = posterior.hierarchy
    varying = tuple(t for t in hierarchy.terms if t.design.varying_names)
    proposal = _proposal(posterior, varying)
    standard = _student(num_points, proposal.slope.shape[1])
    log_standard = jnp.asarray(_log_student(standard))[:, None]

    def one(sites: dict[str, Array]) -> tuple[Array, Array]:
        points, log_root = proposal.at(sites, standard)
        prior = -0.5 * (points**2 + np.log(2.0 * np.pi)).sum(axis=-1)
        terms = _people_terms(hierarchy, varying, sites, points)
        terms = terms + prior - (log_standard - log_root[None])
        top = terms.max(axis=0)
        weights = jnp.exp(terms - top[None])
        total = weights.sum(axis=0)
        log_mean = top + jnp.log(total) - jnp.log(len(points))
        return log_mean, total**2 / (weights**2).sum(axis=0)

    group = {k: v for k, v in thin(posterior, num_draws).items() if k in proposal.names}
    density, effective = jax.jit(lambda sites: jax.lax.map(one, sites))(group)
    loo: Loo = psis_loo(np.asarray(density, dtype=np.float64))
    return LeftOutPeople(
        loo.pointwise,
        loo.pareto_shape,
        loo.trusted_shape,
        np.asarray(effective).min(axis=0),
    )


class Proposal(NamedTuple):
    """Student distributions of people's standard coordinates, whose centres depend linearly on the group's draw.

    names: sites of the group.
    centre: mean of the group's numbers.
    mean: of each person's coordinates.
    slope: change of these with the group's numbers.
    root: Cholesky root of what the group does not explain, made wider.
    """

    names: tuple[str, ...]
    centre: Float[np.ndarray, " numbers"]
    mean: Float[np.ndarray, "people d"]
    slope: Float[np.ndarray, "people d numbers"]
    root: Float[np.ndarray, "people d d"]

    def at(
        self, sites: dict[str, Array], standard: Float[np.ndarray, "points d"]
    ) -> tuple[Float[Array, "points people d"], Float[Array, " people"]]:
        """Points of every person given one draw of the group, and the log determinants of their scales."""
        moved = _numbers(sites, self.names, lead=0) - self.centre
        centre = self.mean + jnp.einsum("ndk,k->nd", self.slope, moved)
        points = centre[None] + np.einsum("nij,pj->pni", self.root, standard)
        log_root = np.log(np.diagonal(self.root, axis1=1, axis2=2)).sum(axis=1)
        return points, jnp.asarray(log_root)


def _numbers(sites: Any, names: tuple[str, ...], *, lead: int) -> Any:
    """The group's numbers one after the other, spreads by their logarithms; `lead` axes of draws come first."""
    parts = []
    for name in names:
        own = sites[name]
        own = own.reshape(*own.shape[:lead], -1)
        parts.append(jnp.log(own + 1e-6) if name.endswith("_sd") else own)
    return jnp.concatenate(parts, axis=-1)


def _proposal(posterior: Posterior, varying: tuple[Term, ...]) -> Proposal:
    """Matched to the draws by least squares on the group's numbers."""
    sites = {k: v.reshape(-1, *v.shape[2:]) for k, v in posterior.sites.items()}
    terms = posterior.hierarchy.terms
    names = tuple(n for t in terms for n in _group_names(t) if n in sites)
    numbers = np.asarray(_numbers(sites, names, lead=1), dtype=np.float64)
    centre = numbers.mean(axis=0)
    count = posterior.hierarchy.num_participants
    draws = len(numbers)
    parts = [sites[f"{t.parameter.name}.person"] for t in varying]
    raw = np.concatenate([*parts, np.zeros((draws, count, 0))], axis=-1)
    mean, size = raw.mean(axis=0), raw.shape[-1]
    gaps = (raw - mean).reshape(draws, -1)
    slope = np.zeros((numbers.shape[1], count * size))
    if draws > 10 * numbers.shape[1]:
        slope = np.linalg.lstsq(numbers - centre, gaps, rcond=1e-8)[0]
    left = (gaps - (numbers - centre) @ slope).reshape(raw.shape)
    covariance = np.einsum("sni,snj->nij", left, left) / draws
    root = WIDER * np.linalg.cholesky(covariance + RIDGE * np.eye(size))
    slopes = slope.T.reshape(count, size, numbers.shape[1])
    return Proposal(names, centre, mean, slopes, root)


def _group_names(term: Term) -> tuple[str, ...]:
    """Sites of the group that one parameter of a person depends on."""
    name = term.parameter.name
    return (name, f"{name}_sd", f"{name}.root")


def _student(num_points: int, size: int) -> Float[np.ndarray, "points d"]:
    """Evenly spread points of a multivariate Student distribution; the same in every call."""
    sequence = qmc.Sobol(size + 1, rng=np.random.default_rng(0))
    uniform = sequence.random_base2(int(np.ceil(np.log2(num_points))))[:num_points]
    uniform = np.clip(uniform, 1e-9, 1.0 - 1e-9)
    spread = np.sqrt(chi2.ppf(uniform[:, -1], FREEDOM) / FREEDOM)
    return ndtri(uniform[:, :-1]) / spread[:, None]


def _log_student(points: Float[np.ndarray, "points d"]) -> np.ndarray:
    size = points.shape[-1]
    norm = gammaln(0.5 * (FREEDOM + size)) - gammaln(0.5 * FREEDOM)
    norm = norm - 0.5 * size * np.log(FREEDOM * np.pi)
    squared = (points**2).sum(axis=-1)
    return norm - 0.5 * (FREEDOM + size) * np.log1p(squared / FREEDOM)


def _people_terms(
    hierarchy: Hierarchy,
    varying: tuple[Term, ...],
    sites: dict[str, Array],
    points: Float[Array, "points people d"],
) -> Float[Array, "points people"]:
    """Log likelihood (nats) of each person's responses at each point, given one draw of the group."""

    def one(raw: Array) -> Array:
        values, start = {}, 0
        for term in hierarchy.terms:
            size = len(term.design.varying_names)
            own = raw[:, start : start + size]
            values[term.parameter.name] = _values(term, sites, own, hierarchy)
            start += size
        each = series_log_likelihood(hierarchy, values, hierarchy.data).sum(axis=1)
        people = jnp.asarray(hierarchy.participant)
        return jax.ops.segment_sum(each, people, hierarchy.num_participants)

    return jax.vmap(one)(points)


def _values(
    term: Term, sites: dict[str, Array], own: Array, hierarchy: Hierarchy
) -> Float[Array, " series"]:
    """One parameter of every series, of people with these standard coordinates."""
    name, design = term.parameter.name, term.design
    value: Any = jnp.asarray(design.common) @ sites[name]
    if not design.varying_names:
        return value
    size = len(design.varying_names)
    root = sites.get(f"{name}.root", jnp.eye(size))
    effects = own @ (sites[f"{name}_sd"][:, None] * root).T
    each = jnp.asarray(design.varying) * effects[hierarchy.participant]
    return value + each.sum(axis=1)

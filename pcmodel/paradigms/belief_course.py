"""From a dose to a belief: a hierarchy's beliefs over the course of a drug.

At each moment of each person the same evidence is presented to the same network under the modulation
that an account derives from the effects of that moment. All moments use the energy and solver of
`pcmodel.infer`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.batching import num_at_once
from pcmodel.api.pose import Clamps, Observation, Prior, pose, under_modulation
from pcmodel.errors import UserError
from pcmodel.inference.activity import activity_moments, num_noise
from pcmodel.inference.infer import infer_one
from pcmodel.inference.level_evidence import evidence_about
from pcmodel.inference.posterior import variances
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.levels import LevelName, find_level
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.belief_checks import (
    anatomy_for,
    check_hypothesis,
    check_modulations,
    check_problem,
    check_reached,
    effects_of,
)
from pcmodel.paradigms.revision import entropy, revision_index, settling_time, surprise
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits


class BeliefCourse(NamedTuple):
    """A belief over the course of a drug.

    The leading axes ("...") are those of the effects: (people, times) for a `Group`. Temperature and
    top-down mixing change activity, but not inference, and so not revision, surprise and entropy.

    mean: of activity, one array for each level, lowest first. Exact for linear-Gaussian networks,
        linearised at the mode otherwise.
    sd: of activity, one array for each level, lowest first; 0 for clamped units, NaN for the other
        units of a discrete level.
    revision: of the top (of several, the last) by the evidence; 0: the prior belief stays, 1: the belief of the evidence
        (`pcmodel.paradigms.revision`).
    surprise: KL(posterior | prior) of the top, nats.
    entropy: of the top's posterior, nats.
    probability: of the hypothesis, under activity; NaN without one.
    settling_time: 1 / rate of the slowest direction of gradient inference; NaN where it is within
        rounding errors.
    gains: precision gain of each level, lowest first; the geometric mean over units.
    slopes: slope factor of each level, lowest first; the geometric mean over units.
    residual: of inference (`pcmodel.infer`).
    converged: whether inference converged (`pcmodel.infer`).
    """

    mean: tuple[Float[Array, "... width"], ...]
    sd: tuple[Float[Array, "... width"], ...]
    revision: Float[Array, "..."]
    surprise: Float[Array, "..."]
    entropy: Float[Array, "..."]
    probability: Float[Array, "..."]
    settling_time: Float[Array, "..."]
    gains: Float[Array, "... levels"]
    slopes: Float[Array, "... levels"]
    residual: Float[Array, "..."]
    converged: Array


class Hypothesis(NamedTuple):
    """A hypothesis about one level's activity.

    holds: maps the activity to a truth value.
    level: its index.
    draws: standard normal, from which its probability is estimated.
    """

    holds: Callable[[Array], ArrayLike]
    level: int
    draws: Float[Array, "draws sources"]


@checked_arguments
def believe(
    network: Network | PureNetwork,
    observation: Observation | None,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
    prior: Prior | None = None,
    clamp: Clamps | None = None,
    hypothesis: Callable[[Array], Any] | None = None,
    level: LevelName = "top",
    key: Array | None = None,
    num_draws: SupportsIndex = 1000,
    solver: Solver | None = None,
) -> BeliefCourse:
    """The network's beliefs about one observation at every moment of every person.

    network: whose beliefs.
    observation: one, as for `pcmodel.infer`.
    drug: a `Group` (people, times), one person's `Course` (times) or `Effects` of any shape.
    account: of the drug's action on precisions, slopes and activity (`pcmodel.neuromodulation`).
    anatomy: receptors of each level; by default, for networks of four levels, that of the experiments.
    prior: as for `pcmodel.infer`.
    clamp: as for `pcmodel.infer`; the top must be free.
    hypothesis: a function from the activity of `level`, (width,), to true or false, whose probability
        is estimated.
    level: of the hypothesis.
    key: for its draws.
    num_draws: for its probability; the draws are the same at all moments, so that curves are smooth.
    solver: as for `pcmodel.infer`.

    Raises UserError for a batch, a clamped top, an anatomy of other levels, an account that depends on
    none of the effects of a group's doses, and as `pcmodel.infer` does.
    """
    posed = pose(network, observation, prior=prior, clamp=clamp)
    problem = posed.problem
    check_problem(problem, is_batched=posed.batching.is_batched)
    model, dtype = problem.structure.model, problem.inputs.gains[0].dtype
    places = anatomy_for(model, anatomy)
    index = find_level(level, model, where="believe: level")
    felt = effects_of(drug, dtype)
    if not isinstance(drug, Effects):
        check_reached(account, felt)
    shape = np.shape(felt.effect_2a)
    flat = Effects(*map(jnp.ravel, felt))
    check_modulations(account, places, flat, model)
    draws = None
    if hypothesis is not None:
        check_hypothesis(problem, hypothesis, index)
        draws = _draws(problem, key, whole_number(num_draws, "num_draws"))
    kept = 0 if draws is None else model.widths[index] * draws.shape[1]
    check_fits(len(flat.effect_2a), 2 * sum(model.widths) + kept, what="such a course")
    course, rows = _moments(
        problem,
        flat,
        account=Static(account),
        places=places,
        solver=Static(solver or GaussNewton()),
        level=None if draws is None else index,
    )
    if hypothesis is not None and draws is not None:
        asked = Hypothesis(hypothesis, index, draws)
        probability = _probability(problem, course.mean, rows, asked)
        course = course._replace(probability=probability)
    return jax.tree.map(lambda leaf: leaf.reshape((*shape, *leaf.shape[1:])), course)


def _draws(problem: Problem, key: Array | None, number: int) -> Array:
    if key is None:
        raise UserError(
            "is missing, and a hypothesis is answered by draws",
            where="key",
            expected="one random key, such as jax.random.key(0)",
        )
    sources = problem.structure.num_free + num_noise(problem)
    check_fits(number, sources, what="num_draws draws")
    dtype = problem.inputs.gains[0].dtype
    return jax.random.normal(check_key(key), (number, sources), dtype)


@partial(jax.jit, static_argnames=("account", "places", "solver", "level"))
@in_full_precision
def _moments(
    problem: Problem,
    felt: Effects,
    *,
    account: Static[Account],
    places: Anatomy,
    solver: Static[Solver],
    level: int | None,
) -> tuple[BeliefCourse, Array | None]:
    """The course, and for each moment the rows of a root of the covariance of one level's activity."""

    def one(felt: Effects) -> tuple[BeliefCourse, Array | None]:
        course, root = _moment(
            problem, felt, account=account.value, places=places, solver=solver.value
        )
        part = None if level is None else problem.structure.free_slices()[level]
        return course, None if part is None else root[part]

    free = problem.structure.num_free
    root = free * (free + sum(problem.structure.model.widths))
    at_once = num_at_once(root, len(felt.effect_2a))
    return jax.lax.map(one, felt, batch_size=at_once)


def _moment(
    problem: Problem,
    felt: Effects,
    *,
    account: Account,
    places: Anatomy,
    solver: Solver,
) -> tuple[BeliefCourse, Array]:
    """One moment of one person without its probability, and a root of the covariance of activity."""
    modulation = account.modulate(felt, places)
    model, dtype = problem.structure.model, problem.inputs.gains[0].dtype
    posed = under_modulation(problem, modulation.in_inference())
    found = infer_one(posed, solver)
    acting = (modulation.top_down, modulation.temperature)
    active = activity_moments(
        posed, found.whitened, *(jnp.asarray(each, dtype) for each in acting)
    )
    top = evidence_about(posed, found.whitened)
    none = (jnp.ones((), dtype),) * len(model.names)
    slopes = modulation.resolve_slopes(model, dtype) or none
    spread = variances(posed, active.root, active.mean)
    for level in posed.structure.discrete_levels:
        given = posed.structure.clamped_units(level)
        unknown = jnp.full_like(active.mean[level], jnp.nan).at[given].set(0)
        spread = (*spread[:level], unknown, *spread[level + 1 :])
    course = BeliefCourse(
        active.mean,
        tuple(map(jnp.sqrt, spread)),
        revision_index(top),
        surprise(top),
        entropy(top),
        jnp.full((), jnp.nan, dtype),
        settling_time(posed, found.latents),
        _means(posed.inputs.gains),
        _means(slopes),
        found.residual,
        found.converged,
    )
    return course, active.root


def _means(factors: Sequence[Array]) -> Float[Array, " levels"]:
    return jnp.stack([jnp.exp(jnp.mean(jnp.log(each))) for each in factors])


def _probability(
    problem: Problem, mean: Latents, rows: Array, asked: Hypothesis
) -> Float[Array, " moments"]:
    """Share of draws of each moment's activity for which the hypothesis is true."""
    structure = problem.structure
    units = structure.free_units(asked.level)

    @jax.jit
    def share(centre: Array, root: Array) -> Array:
        def one(noise: Array) -> Array:
            return jnp.asarray(asked.holds(centre.at[units].add(root @ noise)), bool)

        return jnp.mean(jax.vmap(one)(asked.draws))

    return jax.lax.map(lambda pair: share(*pair), (mean[asked.level], rows))

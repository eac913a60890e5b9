"""From a dose to a belief: what a hierarchy believes while the effects of a drug come and go.

Each moment of each person poses the same evidence to the same network under the modulation that an account makes of
that moment's effects; all moments go through the energy and solver of `pcmodel.infer`.
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
from pcmodel.api.pose import Clamps, Prior, pose, under_modulation
from pcmodel.errors import UserError
from pcmodel.inference.activity import activity_moments, num_noise
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import variances
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.top_evidence import evidence_at_top
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.levels import Level, level_index
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network, PureNetwork
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
    """A belief over the course of a drug.  Leading axes ("...") are those of the effects: (people, times) of a `Group`.

    mean, sd: of activity, one array a level, bottom first, (..., width); sd 0 where a unit is given, NaN where one
        of a discrete level 0 is not.
        Exact for linear-Gaussian networks, linearised at the mode otherwise.
    revision: of the top by the evidence, 0 a belief kept, 1 evidence that wins (`pcmodel.paradigms.revision`).
    surprise: of the top, KL(posterior | prior in force), nats.  entropy: of the top's posterior, nats.
        These three are inference's, which temperature and top-down mixing leave alone.
    probability: of the hypothesis, under activity; NaN where none was asked about.
    settling_time: 1 / rate of the slowest direction of gradient inference; NaN where rounding hides it.
    gains, slopes: of each level, bottom first, (..., levels); per-unit ones as their geometric mean.
    residual, converged: of inference (`pcmodel.infer`).
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
    """What is asked of one level's activity, and the standard normal draws by which it is answered."""

    holds: Callable[[Array], ArrayLike]
    level: int
    draws: Float[Array, "draws sources"]


@checked_arguments
def believe(
    network: Network | PureNetwork,
    observation: ArrayLike | None,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
    prior: Prior | None = None,
    clamp: Clamps | None = None,
    hypothesis: Callable[[Array], Any] | None = None,
    level: Level = "top",
    key: Array | None = None,
    num_draws: SupportsIndex = 1000,
    solver: Solver | None = None,
) -> BeliefCourse:
    """What the network believes of one observation at every moment of every person.

    observation, prior, clamp, solver: one, as for `pcmodel.infer`; the top must be free.
    drug: a `Group` (people, times), one person's `Course` (times) or `Effects` of any shape, taken as they are.
    account: what the drug does to precisions, slopes and activity (`pcmodel.neuromodulation`).
    anatomy: receptors of each level; by default, for networks of four levels, from the senses to the self.
    hypothesis: a function from the activity of `level`, (width,), to true or false, whose probability is wanted,
        from `num_draws` draws made with `key`, the same at all moments, so that curves are smooth.

    Raises UserError for a batch, a top that is given, an anatomy of other levels, an account whose receptors none of
    a group's doses reaches, and what `pcmodel.infer` refuses.
    """
    posed = pose(network, observation, prior=prior, clamp=clamp)
    problem = posed.problem
    check_problem(problem, is_batched=posed.batching.is_batched)
    model, dtype = problem.structure.model, problem.inputs.gains[0].dtype
    places, index = anatomy_for(model.names, anatomy), level_index(level, model.names)
    felt = effects_of(drug, dtype)
    if not isinstance(drug, Effects):
        check_reached(account, felt)
    shape = np.shape(felt.effect_2a)
    flat = Effects(*map(jnp.ravel, felt))
    check_modulations(account, places, flat)
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
    """All moments, and of each the rows of a root of the covariance of one level's activity."""

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
    """One moment of one person, its probability still unknown, and a root of the covariance of activity."""
    modulation = account.modulate(felt, places)
    names, dtype = problem.structure.model.names, problem.inputs.gains[0].dtype
    widths = problem.structure.model.widths
    posed = under_modulation(problem, modulation.in_inference())
    found = infer_one(posed, solver)
    acting = (modulation.top_down, modulation.temperature)
    active = activity_moments(
        posed, found.whitened, *(jnp.asarray(each, dtype) for each in acting)
    )
    top = evidence_at_top(posed, found.whitened)
    none = (jnp.ones((), dtype),) * len(names)
    slopes = modulation.resolve_slopes(names, widths, dtype) or none
    spread = variances(posed, active.root, active.mean)
    if posed.structure.is_discrete:
        given = posed.structure.clamped_units(0)
        unknown = jnp.full_like(active.mean[0], jnp.nan).at[given].set(0)
        spread = (unknown, *spread[1:])
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
    """Share of draws of each moment's activity of which the hypothesis holds."""
    structure = problem.structure
    units = structure.free_units(asked.level)

    @jax.jit
    def share(centre: Array, root: Array) -> Array:
        def one(noise: Array) -> Array:
            return jnp.asarray(asked.holds(centre.at[units].add(root @ noise)), bool)

        return jnp.mean(jax.vmap(one)(asked.draws))

    return jax.lax.map(lambda pair: share(*pair), (mean[asked.level], rows))

"""From a dose to a belief: what a hierarchy believes while the effects of a drug come and go.

Each moment of each person poses the same evidence to the same network under the modulation that an account makes of
that moment's effects; all moments go through the energy and solver of `pcmodel.infer`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.pose import Clamp, pose, under_modulation
from pcmodel.errors import UserError
from pcmodel.inference.activity import activity_moments
from pcmodel.inference.infer import infer_one
from pcmodel.inference.posterior import variances
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.top_evidence import evidence_at_top
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.model.belief import Belief
from pcmodel.model.levels import Level, level_index
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents
from pcmodel.networks.network import Network, PureNetwork
from pcmodel.neuromodulation.accounts.accounts import Account, Effects, effects
from pcmodel.neuromodulation.accounts.maps import CORTEX, Anatomy, anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import QUICK, Group
from pcmodel.paradigms.revision import entropy, revision_index, settling_time, surprise
from pcmodel.runtime.matmul_precision import in_full_precision
from pcmodel.runtime.memory import check_fits

AT_ONCE = 2**24
"""Numbers of the roots of the moments that are computed together."""


class BeliefCourse(NamedTuple):
    """A belief over the course of a drug.  Leading axes ("...") are those of the effects: (people, times) of a `Group`.

    mean, sd: of activity, one array a level, bottom first, (..., width); sd 0 where a unit is given.
        Exact for linear-Gaussian networks, linearised at the mode otherwise.
    revision: of the top by the evidence, 0 a belief kept, 1 evidence that wins (`pcmodel.paradigms.revision`).
    surprise: of the top, KL(posterior | prior in force), nats.  entropy: of the top's posterior, nats.
        These three are inference's, which temperature and top-down mixing leave alone.
    probability: of the hypothesis, under activity; NaN where none was asked about.
    settling_time: 1 / rate of the slowest direction of gradient inference.
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
    prior: Belief | Sequence[Belief] | None = None,
    clamp: Mapping[Level, ArrayLike | Clamp] | None = None,
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
    _check_problem(problem, is_batched=posed.batching.is_batched)
    names = problem.structure.model.names
    places = _anatomy_for(names, anatomy)
    felt = _effects_of(drug)
    if not isinstance(drug, Effects):
        _check_reached(account, felt)
    asked = None
    if hypothesis is not None:
        asked = _asked(
            problem, hypothesis, level, key, whole_number(num_draws, "num_draws")
        )
    shape = np.shape(felt.effect_2a)
    dtype = problem.inputs.gains[0].dtype
    flat = Effects(*(jnp.ravel(jnp.asarray(each, dtype)) for each in felt))
    found = _moments(
        problem, flat, account=account, places=places, solver=solver or GaussNewton()
    )
    course, roots = found
    probability = jnp.full(flat.effect_2a.shape, jnp.nan, dtype)
    if asked is not None:
        probability = _probability(problem, course.mean, roots, asked)
    course = course._replace(probability=probability)
    return jax.tree.map(lambda leaf: leaf.reshape((*shape, *leaf.shape[1:])), course)


def _check_problem(problem: Problem, *, is_batched: bool) -> None:
    if is_batched:
        raise UserError(
            "believe takes one observation, prior or clamp, not a batch: call it for each."
        )
    structure = problem.structure
    if len(structure.clamped_units(structure.top)):
        raise UserError(
            "has units that are given, so that there is no belief of it to follow",
            where=f"level {structure.model.names[-1]!r}",
            expected="a free top",
        )


def _anatomy_for(names: tuple[str, ...], given: Anatomy | None) -> Anatomy:
    if given is None and len(names) == len(CORTEX):
        return anatomy(*CORTEX)
    if given is None or given.num_levels != len(names):
        what = "is missing" if given is None else f"has {given.num_levels} levels"
        raise UserError(
            what,
            where="anatomy",
            expected=f"one network for each of the {len(names)} levels ({', '.join(names)}), bottom first: "
            f"anatomy={_example(len(names))}",
        )
    return given


def _example(levels: int) -> str:
    chosen = [
        *CORTEX[:-1][: levels - 1],
        *["control"] * (levels - len(CORTEX)),
        CORTEX[-1],
    ]
    return f"anatomy({', '.join(map(repr, chosen))})"


def _effects_of(drug: Group | Course | Effects) -> Effects:
    if isinstance(drug, Effects):
        return Effects(*jnp.broadcast_arrays(*map(jnp.asarray, drug)))
    return effects(drug.course if isinstance(drug, Group) else drug)


def _check_reached(account: Account, felt: Effects) -> None:
    """A drug that acts, but on nothing the account needs, is no drug to it: a mistake, not a null result."""
    named = felt._asdict().items()
    acts = {name for name, each in named if np.any(np.asarray(each) != 0)}
    if acts and account.needs and not acts.intersection(account.needs):
        raise UserError(
            f"needs {' or '.join(account.needs)}, which is 0 at all times; what the doses reach is "
            f"{', '.join(sorted(acts))}",
            where=f"account {type(account).__name__.lower()}",
        )


def _asked(
    problem: Problem, holds: Callable, level: Level, key: Array | None, number: int
) -> Hypothesis:
    if key is None:
        raise UserError(
            "is missing, and a hypothesis is answered by draws",
            where="key",
            expected="one random key, such as jax.random.key(0)",
        )
    structure = problem.structure
    model = structure.model
    sources = structure.num_free + sum(model.widths[structure.first_level :])
    check_fits(number, sources, what="num_draws draws")
    index = level_index(level, model.names)
    draws = jax.random.normal(
        check_key(key), (number, sources), problem.inputs.gains[0].dtype
    )
    return Hypothesis(holds, index, draws)


@partial(
    jax.jit, static_argnames=("account", "places", "solver"), compiler_options=QUICK
)
@in_full_precision
def _moments(
    problem: Problem,
    felt: Effects,
    *,
    account: Account,
    places: Anatomy,
    solver: Solver,
) -> tuple[BeliefCourse, Array]:
    one = partial(_moment, problem, account=account, places=places, solver=solver)
    free = max(problem.structure.num_free, 1)
    together = max(1, AT_ONCE // (free * (free + sum(problem.structure.model.widths))))
    return jax.lax.map(one, felt, batch_size=min(together, felt.effect_2a.shape[0]))


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
    problem: Problem, mean: Latents, roots: Array, asked: Hypothesis
) -> Float[Array, " moments"]:
    """Share of draws of each moment's activity of which the hypothesis holds."""
    structure = problem.structure
    units = structure.free_units(asked.level)
    rows = roots[:, structure.free_slices()[asked.level]]

    @jax.jit
    def share(centre: Array, root: Array) -> Array:
        def one(noise: Array) -> Array:
            return jnp.asarray(asked.holds(centre.at[units].add(root @ noise)), bool)

        return jnp.mean(jax.vmap(one)(asked.draws))

    return jax.lax.map(lambda pair: share(*pair), (mean[asked.level], rows))

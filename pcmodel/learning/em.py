r"""One learning step: infer, then improve weights and precisions.

How the gradient of the weights is come by is a *rule* (`pcmodel.learning.rules`); what is done with it is the
same for all: one optax step, the gauge, and an M-step of the precisions from the same posterior
draws.

A drug's *plasticity* multiplies what a step changes, after the optimiser: a rescaled gradient would leave
Adam where it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, Int

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.learning.e_step import EStep, Memory, PosteriorSamples
from pcmodel.learning.gauge import FixedWeightNorm, Gauge
from pcmodel.learning.optimisers import init_optimiser, step_optimiser
from pcmodel.learning.precisions.m_step import (
    Draws,
    LevelRule,
    MovingAverage,
    PrecisionStep,
)
from pcmodel.learning.rules import Equilibrium, Rule, RuleContext, Slope
from pcmodel.model.generative import learned
from pcmodel.model.levels import Level, level_indices
from pcmodel.model.problem import Inputs, Problem, Structure
from pcmodel.model.types import LogPrecisions, Weights


@checked_arguments
@dataclass(frozen=True)
class Learning:
    """How a network learns.

    optimiser: optax transformation for the weights. It sees {"layers": one entry a layer, bottom first,
        "prior_mean": of the top}, equal layers or not, and may ask for `value`, `grad` and `value_fn`.
    rule: where the weights' gradient comes from; see `pcmodel.learning.rules`.
    e_step: `PosteriorSamples` or, with `precision_step=Frozen()`, `PointEstimate`.
    precision_step: the M-step of the precisions; see `pcmodel.learning.precisions.m_step`.
    frozen_precisions: levels (by name or index) whose precision is not learned.
    variance_floor: added to the second moment of level 0's errors, as if the data carried noise
        of that variance. Data with constant or quantised units (pixels) have no density: without a
        floor their precision, and the likelihood, grow without bound.
    gauge: what holds the scale of hidden levels; see `pcmodel.learning.gauge`.
    """

    optimiser: optax.GradientTransformation = optax.adam(3e-3)
    precision_step: PrecisionStep = MovingAverage(0.05)
    frozen_precisions: Level | Sequence[Level] = ()
    variance_floor: NotNegative = 0.0
    e_step: EStep = PosteriorSamples()
    gauge: Gauge = FixedWeightNorm()
    rule: Rule = Equilibrium()

    @property
    def asks_point_estimates_for_precisions(self) -> bool:
        """Whether precisions are to be learned from what cannot tell them."""
        able = self.e_step.learns_precision and self.rule.learns_precision
        return self.precision_step.learns and not able


class LearningState(NamedTuple):
    """What the next step needs.

    initial: what the gauge refers to.  inference: what the E-step remembers.
    precision: what the precisions' M-step remembers.
    """

    weights: Weights
    log_precisions: LogPrecisions
    optimiser: Any
    initial: Any
    inference: Memory
    precision: Any


class LearningInfo(NamedTuple):
    """Means over a batch.

    energy: expected energy per example, nats; level_energies: each level's part of it.
    residual: of the E-step, in posterior standard deviations, curvature not asked; converged: share of examples below
    residual 0.1; acceptance: of a chain's proposals.  NaN where a diagnostic does not apply.
    """

    energy: Float[Array, ""]
    level_energies: Float[Array, " levels"]
    residual: Float[Array, ""]
    converged: Float[Array, ""]
    acceptance: Float[Array, ""]


def init_learning(
    weights: Weights,
    log_precisions: LogPrecisions,
    learning: Learning,
    *,
    structure: Structure,
    num_examples: int = 0,
    key: Array | None = None,
) -> LearningState:
    """State before the first step; the last two are for an E-step with memory."""
    memory = Memory()
    if key is not None:
        problem = problem_of(structure, weights, log_precisions, None)
        memory = learning.e_step.init(problem, num_examples, key)
    return LearningState(
        weights,
        log_precisions,
        init_optimiser(learning.optimiser, structure.model, learned(weights)),
        learning.gauge.reference(weights),
        memory,
        learning.precision_step.init(log_precisions),
    )


def problem_of(
    structure: Structure,
    weights: Weights,
    log_precisions: LogPrecisions,
    values: tuple[Array, ...] | None,
) -> Problem:
    """One example's problem without a drug (values None: zeros)."""
    dtype = weights["prior_mean"].dtype
    if values is None:
        values = tuple(jnp.zeros((len(units),), dtype) for units in structure.clamped)
    gains = tuple(jnp.ones((), dtype) for _ in structure.model.widths)
    return Problem(structure, Inputs(weights, log_precisions, gains, values, ()))


def em_step(
    state: LearningState,
    values: tuple[Array, ...],
    key: Array,
    *,
    structure: Structure,
    learning: Learning,
    indices: Int[Array, " batch"] | None = None,
    plasticity: Array | None = None,
) -> tuple[LearningState, LearningInfo]:
    """One step on a batch; values[l] is (batch, clamped units of level l).

    indices: which examples these are, for an E-step that remembers them.
    plasticity: multiplies every learning rate (a precision's up to 1); None leaves no trace.
    """

    def pose(weights: Weights, example: tuple[Array, ...]) -> Problem:
        return problem_of(structure, weights, state.log_precisions, example)

    def apply_gradient(
        state: LearningState, slope: Slope, draws: Draws | None
    ) -> LearningState:
        return apply(
            state,
            slope,
            draws,
            structure=structure,
            learning=learning,
            plasticity=plasticity,
        )

    context = RuleContext(pose, apply_gradient, learning.e_step)
    own = jax.tree.map(
        lambda leaf: leaf if indices is None else leaf[indices],
        state.inference.examples,
    )
    following, new, info = learning.rule.step(state, values, own, key, context)
    examples = jax.tree.map(
        lambda every, some: some if indices is None else every.at[indices].set(some),
        state.inference.examples,
        new.examples,
    )
    state = following._replace(inference=Memory(examples, new.shared))
    converged = jnp.mean((info.residual < 0.1).astype(info.residual.dtype))
    undefined = jnp.any(jnp.isnan(info.residual))
    return state, LearningInfo(
        jnp.sum(info.level_energies),
        info.level_energies,
        jnp.mean(info.residual),
        jnp.where(undefined, jnp.nan, converged),
        jnp.mean(info.acceptance),
    )


def apply(
    state: LearningState,
    slope: Slope,
    draws: Draws | None,
    *,
    structure: Structure,
    learning: Learning,
    plasticity: Array | None = None,
) -> LearningState:
    """Weights by the optimiser and the gauge; precisions, where draws are given, by their M-step."""
    model = structure.model
    own = learned(state.weights)
    updates, optimiser = step_optimiser(
        learning.optimiser, model, own, slope, state.optimiser
    )
    if plasticity is not None:
        updates = jax.tree.map(lambda change: plasticity * change, updates)
    moved: Any = optax.apply_updates(own, updates)
    weights: Weights = {**state.weights, **moved}
    weights = learning.gauge.project(
        weights, state.initial, state.log_precisions, model=model
    )
    log_precisions, memory = state.log_precisions, state.precision
    if draws is not None:
        log_precisions, memory = learning.precision_step.update(
            log_precisions, draws, level_rules(learning, structure, plasticity), memory
        )
    return state._replace(
        weights=weights,
        log_precisions=log_precisions,
        optimiser=optimiser,
        precision=memory,
    )


def level_rules(
    learning: Learning, structure: Structure, plasticity: Array | None
) -> tuple[LevelRule, ...]:
    """What each level's precision may do."""
    rules = []
    names = structure.model.names
    kept = level_indices(learning.frozen_precisions, names)
    for level in range(structure.top + 1):
        frozen = level in kept
        learned = not frozen and learning.gauge.learns(level, structure.top + 1)
        rate = (1.0 if plasticity is None else plasticity) if learned else None
        rules.append(LevelRule(rate, learning.variance_floor if level == 0 else 0.0))
    return tuple(rules)

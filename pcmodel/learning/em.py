r"""One learning step: inference, then an update of weights and precisions.

A *rule* (`pcmodel.learning.rules`) computes the gradient of the weights.  All rules share the update: one optax step,
the gauge, and an M-step of the precisions from the same posterior draws.

A drug's *plasticity* multiplies the update and not the gradient, because Adam's update does not depend on the
scale of its gradient.

Under a drug's gains g inference, and the gradient of the weights, are those of the modulated energy
$\tfrac12 [g \Pi e^2 - \log g \Pi]$.  What is stored is the precision $\Pi$ of a sober network, whose M-step is
$\Pi^{-1} = E[g\, e e^\top]$ (for gains of single units $G^{1/2} e e^\top G^{1/2}$): without evidence
$E[e^2] = 1 / g \Pi$, and a gain alone moves nothing.
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
from pcmodel.learning.incremental import Incremental
from pcmodel.learning.nudging import Nudged, NudgedLoss
from pcmodel.learning.optimisation.optimisers import init_optimiser, step_optimiser
from pcmodel.learning.precisions.m_step import (
    Draws,
    LevelRule,
    MovingAverage,
    PrecisionStep,
)
from pcmodel.learning.precisions.tying import pooled, ruled, tied, untied
from pcmodel.learning.rules import (
    Backpropagation,
    Equilibrium,
    RuleContext,
    Slope,
)
from pcmodel.model.generative import ends_of, learned
from pcmodel.model.levels import LevelName, level_indices
from pcmodel.model.problem import Inputs, Problem, Structure
from pcmodel.model.slopes import Factors, with_factors
from pcmodel.model.types import LogPrecisions, Weights

Rule = Equilibrium | Backpropagation | Nudged | NudgedLoss | Incremental


@checked_arguments
@dataclass(frozen=True)
class Learning:
    """How a network learns.

    optimiser: optax transformation for the weights. It receives {"layers": one entry per layer, bottom first,
        "prior_mean": of the top}, whether or not layers are stacked, and may use `value`, `grad` and `value_fn`.
    rule: how the gradient of the weights is computed; see `pcmodel.learning.rules`.
    e_step: `PosteriorSamples` or, with `precision_step=Frozen()`, `PointEstimate`.
    precision_step: the M-step of the precisions; see `pcmodel.learning.precisions.m_step`.
    frozen_precisions: levels (by name or index) whose precision is not learned, nor that of levels that share it.
    variance_floor: added to the second moment of the errors of every end, as if the data carried noise of that
        variance (under a gain g it counts g times, as the errors do). Data with constant or quantised units (pixels)
        have no density: without a floor their precision, and the likelihood, grow without bound.
    gauge: what fixes the scale of hidden levels; see `pcmodel.learning.gauge`.
    """

    optimiser: optax.GradientTransformation = optax.adam(3e-3)
    precision_step: PrecisionStep = MovingAverage(0.05)
    frozen_precisions: LevelName | Sequence[LevelName] = ()
    variance_floor: NotNegative = 0.0
    e_step: EStep = PosteriorSamples()
    gauge: Gauge = FixedWeightNorm()
    rule: Rule = Equilibrium()

    @property
    def asks_point_estimates_for_precisions(self) -> bool:
        """Whether precisions would be learned by an E-step or rule that cannot estimate them."""
        able = self.e_step.learns_precision and self.rule.learns_precision
        return self.precision_step.learns and not able


class LearningState(NamedTuple):
    """Everything that the next learning step needs.

    weights: weights of the network.
    log_precisions: log-precision of every level (None where a level has none).
    optimiser: state of the weights' optimiser.
    initial: what the gauge refers to, such as the initial weights.
    inference: memory of the E-step.
    precision: memory of the precisions' M-step.
    """

    weights: Weights
    log_precisions: LogPrecisions
    optimiser: Any
    initial: Any
    inference: Memory
    precision: Any


class LearningInfo(NamedTuple):
    """Means over a batch.

    energy: expected energy per example, nats.
    level_energies: each level's part of it, nats.
    residual: of the E-step's modes, in posterior standard deviations, not checked for saddles; NaN without a mode. Of
        `NudgedLoss` relative to the nudge, and of the examples that it measures.
    converged: share of these examples with a residual below 0.1 (NaN is not); NaN where no example has a residual.
    acceptance: mean acceptance probability of a chain's proposals; NaN without a chain.
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
    """State before the first step; `num_examples` and `key` are for an E-step with memory."""
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
        learning.precision_step.init(untied(log_precisions, structure.model)),
    )


def problem_of(
    structure: Structure,
    weights: Weights,
    log_precisions: LogPrecisions,
    values: tuple[Array, ...] | None,
    factors: Factors | None = None,
) -> Problem:
    """The inference problem of one example (values None: zeros; factors None: every gain and slope 1)."""
    dtype = weights["prior_mean"].dtype
    if values is None:
        values = tuple(jnp.zeros((len(units),), dtype) for units in structure.clamped)
    gains = tuple(jnp.ones((), dtype) for _ in structure.model.widths)
    problem = Problem(structure, Inputs(weights, log_precisions, gains, values, ()))
    return problem if factors is None else with_factors(problem, factors)


def em_step(
    state: LearningState,
    values: tuple[Array, ...],
    key: Array,
    *,
    structure: Structure,
    learning: Learning,
    indices: Int[Array, " batch"] | None = None,
    plasticity: Array | None = None,
    factors: Factors | None = None,
) -> tuple[LearningState, LearningInfo]:
    """One learning step on a batch: the new state, and means over the batch.

    values: one array per level, (batch, clamped units of the level).
    indices: positions of these examples in the data, for an E-step with memory.
    plasticity: multiplies every learning rate (that of a precision is at most 1); None is 1 without the product.
    factors: of a modulation under which the batch is experienced (`factors_of`); None without one.
    """

    def pose(weights: Weights, example: tuple[Array, ...]) -> Problem:
        precisions = state.log_precisions
        return problem_of(structure, weights, precisions, example, factors)

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
            gains=gains,
        )

    gains = None if factors is None else factors.gains
    context = RuleContext(pose, apply_gradient, learning.e_step, gains)
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
    undefined = jnp.all(jnp.isnan(info.residual))
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
    gains: tuple[Array, ...] | None = None,
) -> LearningState:
    """State after updating the weights (optimiser, then gauge) and, given draws, the precisions (M-step)."""
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
        counted = None if gains is None else counted_gains(gains, log_precisions)
        rules = level_rules(learning, structure, plasticity, counted)
        own, memory = learning.precision_step.update(
            untied(log_precisions, model),
            pooled(draws, log_precisions, model),
            rules,
            memory,
        )
        log_precisions = tied(own, model)
    return state._replace(
        weights=weights,
        log_precisions=log_precisions,
        optimiser=optimiser,
        precision=memory,
    )


def level_rules(
    learning: Learning,
    structure: Structure,
    plasticity: Array | None,
    gains: Sequence[Array] | None = None,
) -> tuple[LevelRule, ...]:
    """How each level's precision may move: its rate factor (None if it, or a level that shares it, is frozen) and
    variance floor, which a gain multiplies as it does squared errors."""
    rules = []
    ends = ends_of(structure.model)
    kept = level_indices(
        learning.frozen_precisions, structure.model, where="frozen_precisions"
    )
    for level in range(structure.top + 1):
        frozen = level in kept
        learned = not frozen and learning.gauge.learns(level, structure.model)
        rate = (1.0 if plasticity is None else plasticity) if learned else None
        floor: float | Array = learning.variance_floor if level in ends else 0.0
        if floor and gains is not None:
            floor = floor * gains[level]
        rules.append(LevelRule(rate, floor))
    return ruled(rules, structure.model)


def counted_gains(
    gains: Sequence[Array], log_precisions: LogPrecisions
) -> tuple[Array, ...]:
    """The gains in the form of the precisions: their mean over units where these share one precision."""
    return tuple(
        jnp.mean(gain) if value is None or value.ndim == 0 else gain
        for gain, value in zip(gains, log_precisions, strict=True)
    )

r"""What a perceptual model holds on each trial, under names that all models share.

Before the outcome there is a prediction, after it a belief; both have a mean and, in models with uncertainty, a precision
at every level. Errors are latent or outcome minus prediction. A model whose lowest level is not the outcome's own says so in
`LEVELS`, and how the outcome's prediction followed the error in `learning_rate`; all else follows from its trace.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    PerceptualModel,
    Prediction,
    Trace,
)

LOG_VARIANCE = "log variance of a step of the level below"


class Quantity(NamedTuple):
    """A number that a model has on each trial.

    name: of its column.
    level: "outcome", "response", or the number of the latent level in the literature.
    unit: of its values.
    about: what it is, in one sentence.
    """

    name: str
    level: str
    unit: str
    about: str


Quantities = dict[Quantity, Float[Array, " trials"]]


class LevelFacts(NamedTuple):
    """The lowest latent level of a model.

    number: in the literature; those above it follow.
    unit: of its mean.
    """

    number: int
    unit: str


OUTCOME_LEVEL = LevelFacts(1, "of the outcome")


@runtime_checkable
class WithLearningRate(Protocol):
    """A perceptual model that says how far the predicted outcome followed its error."""

    def learning_rate(
        self, parameters: Any, prediction: Prediction, belief: Beliefs, trial: Inputs
    ) -> Float[Array, ""]:
        """Change of the predicted outcome by the trial, as a share of its error."""
        ...


def perceived_quantities(
    model: PerceptualModel,
    parameters: Any,
    inputs: Inputs,
    trace: Trace,
    *,
    chosen: Bool[Array, " trials"] | None = None,
    outcome_unit: str = "probability",
) -> Quantities:
    """The quantities of perception; NaN where there is none, as of an error without an outcome.

    trace: of `perceive` with the same model, parameters and inputs.
    chosen: whether an option was chosen, for models of several; of these the quantities without a
        number of an option are those of the chosen one.
    """
    several = trace.prediction.outcome.ndim == 2
    own = _of_chosen(trace, inputs) if several else trace
    known = jnp.ones_like(inputs.seen) if chosen is None else chosen
    error = inputs.outcome - own.prediction.outcome
    rate = _learning_rate(model, parameters, own, inputs)
    of = " of the chosen option" if several else ""
    found: Quantities = {
        Quantity(
            "predicted_outcome",
            "outcome",
            outcome_unit,
            f"outcome{of} expected before it was seen",
        ): jnp.where(known, own.prediction.outcome, jnp.nan),
        Quantity(
            "prediction_error",
            "outcome",
            outcome_unit,
            "outcome minus predicted outcome",
        ): _where_seen(inputs, error),
        Quantity(
            "surprise",
            "outcome",
            "nats",
            "minus log predictive probability, or density, of the outcome",
        ): _where_seen(inputs, -trace.log_evidence),
        Quantity(
            "learning_rate",
            "outcome",
            "share of the error",
            "change of the predicted outcome by the trial / prediction error",
        ): _where_seen(inputs, rate),
    }
    for place in range(len(own.belief.mean)):
        found |= _of_level(model, own, place, inputs, known)
    if several:
        found |= _of_options(model, trace, outcome_unit)
    return found


def levels_of(model: Any) -> LevelFacts:
    """The lowest latent level of a model, or of the model of one option."""
    own = getattr(model, "model", model)
    return getattr(own, "LEVELS", OUTCOME_LEVEL)


def _level(model: Any, place: int) -> tuple[str, str]:
    """Number and unit of a level, from the lowest."""
    lowest = levels_of(model)
    return str(lowest.number + place), LOG_VARIANCE if place else lowest.unit


def _of_level(
    model: Any, own: Trace, place: int, inputs: Inputs, known: Array
) -> Quantities:
    number, unit = _level(model, place)
    predicted, believed = own.prediction.mean[place], own.belief.mean[place]
    found = {
        ("prediction_", unit, "belief before the outcome"): predicted,
        ("belief_", unit, "belief after the outcome"): believed,
    }
    if place < len(own.belief.precision):
        precise = f"1 / ({unit}) squared"
        before, after = own.prediction.precision[place], own.belief.precision[place]
        found[("prediction_precision_", precise, "precision of that before it")] = (
            before
        )
        found[("belief_precision_", precise, "precision of that after it")] = after
    told = {
        Quantity(f"{name}level{number}", number, unit, about): jnp.where(
            known, value, jnp.nan
        )
        for (name, unit, about), value in found.items()
    }
    weighted = Quantity(
        f"weighted_error_level{number}",
        number,
        unit,
        "precision-weighted prediction error: belief after minus belief before the outcome",
    )
    return told | {weighted: _where_seen(inputs, believed - predicted)}


def _of_options(model: Any, trace: Trace, outcome_unit: str) -> Quantities:
    """Of every option the predicted outcome and the lowest level."""
    number, unit = _level(model, 0)
    found: Quantities = {}
    for arm in range(trace.prediction.outcome.shape[1]):
        end, of = f"_option{arm + 1}", f" of option {arm + 1}"
        rows = [
            ("predicted_outcome", "outcome", outcome_unit, trace.prediction.outcome),
            (f"belief_level{number}", number, unit, trace.belief.mean[0]),
        ]
        if trace.belief.precision:
            precise = f"1 / ({unit}) squared"
            name = f"belief_precision_level{number}"
            rows.append((name, number, precise, trace.belief.precision[0]))
        for name, level, own_unit, values in rows:
            about = f"as {name}{of}, chosen or not"
            found[Quantity(name + end, level, own_unit, about)] = values[:, arm]
    return found


def _of_chosen(trace: Trace, inputs: Inputs) -> Trace:
    """The trace of the option of each trial alone; levels common to all options stay."""

    def pick(values: Array) -> Array:
        if values.ndim < 2:
            return values
        return jnp.take_along_axis(values, inputs.arm[:, None], axis=1)[:, 0]

    return jax.tree.map(pick, trace)


def _where_seen(inputs: Inputs, values: Array) -> Array:
    return jnp.where(inputs.seen, values, jnp.nan)


def _learning_rate(model: Any, parameters: Any, own: Trace, inputs: Inputs) -> Array:
    """By the model's own rule; else where its lowest level is the outcome's, the change of the mean by the error."""
    rule = getattr(model, "model", model)
    if isinstance(rule, WithLearningRate):
        return jax.vmap(rule.learning_rate, in_axes=(None, 0, 0, 0))(
            parameters, own.prediction, own.belief, inputs
        )
    error = inputs.outcome - own.prediction.outcome
    change = own.belief.mean[0] - own.prediction.mean[0]
    is_outcome = own.prediction.outcome == own.prediction.mean[0]
    usable = is_outcome & (error != 0.0)
    return jnp.where(usable, change / jnp.where(usable, error, 1.0), jnp.nan)


def logistic_learning_rate(
    before: Float[Array, ""], after: Float[Array, ""], step: Float[Array, ""]
) -> Float[Array, ""]:
    r"""$(s(b) - s(a)) / \delta$ for log odds that moved from $a$ to $b = a + \text{step} \cdot \delta$.

    Written so that no digits cancel: it is exact also where the error $\delta$ is 0.
    """
    high, low = jnp.maximum(before, after), jnp.minimum(before, after)
    gap = high - low
    safe = jnp.where(gap > 0.0, gap, 1.0)
    share = jnp.where(gap > 0.0, -jnp.expm1(-safe) / safe, 1.0)
    return step * jax.nn.sigmoid(high) * jax.nn.sigmoid(-low) * share

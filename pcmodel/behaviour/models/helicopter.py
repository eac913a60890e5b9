"""The package's own hierarchy in the change-point task, with its precisions as parameters.

`prior_log_precision` is the precision of the belief (the level above the outcome) and
`sensory_log_precision` that of the outcome; see `pcmodel.behaviour.change_point.participant`.
With `start_anchored` a report is biased towards the position of its mark before it.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.priors import PRIORS
from pcmodel.behaviour.change_point.report import (
    report_log_likelihood,
    stay_logit,
)
from pcmodel.behaviour.change_point.task import REFERENCE_SD, Trials, make_trials
from pcmodel.behaviour.change_point.unroll import (
    log_likelihood,
    pushed,
    run_participant,
    scored,
    simulate_participant,
)
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.filters import response_quantities
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception.quantities import Quantities, Quantity

REFERENCE_LOG_PRECISION = -2.0 * float(np.log(REFERENCE_SD))
UNCHANGED = tuple(n for n in PRIORS if n not in ("log_scale", "log_process"))


def _parameters(agent: Agent) -> tuple[Parameter, ...]:
    scale, process = PRIORS["log_scale"], PRIORS["log_process"]
    free_scale = agent.free_scale and agent.change_points
    found = [
        Parameter(
            "prior_log_precision",
            -process.mean,
            process.sd,
            process.spread,
            free=agent.drift,
            about="log precision of the belief's step, 1 / screen units squared",
            names=("top_precision", "prior_precision"),
            natural="step_precision",
            transform="exp",
            unit="1 / screen units squared",
        ),
        Parameter(
            "sensory_log_precision",
            REFERENCE_LOG_PRECISION - scale.mean,
            scale.sd,
            scale.spread,
            # Only their ratio matters to the Kalman agent: one of the two is fixed.
            free=free_scale,
            about="log precision granted to an outcome at the reference noise",
            names=("sensory_precision",),
            natural="outcome_precision",
            transform="exp",
            unit="1 / screen units squared",
        ),
    ]
    free = {
        "hazard_logit": agent.change_points,
        "noise_exponent": agent.free_scale,
    }
    for name in UNCHANGED:
        found.append(replace(PRIORS[name], free=free.get(name, True)))
    return tuple(found)


START_WEIGHT = Parameter(
    "start_weight",
    0.0,
    0.3,
    0.2,
    free=False,
    about="share of a push of the mark that the next report follows",
    unit="share of the push",
    published="the anchoring bias of Bruckner et al.",
)

_UNIT, _PRECISE = "screen units", "1 / screen units squared"
TOLD = (
    Quantity("predicted_outcome", "outcome", _UNIT, "where the update starts"),
    Quantity("prediction_error", "outcome", _UNIT, "outcome minus predicted outcome"),
    Quantity("surprise", "outcome", "nats", "minus log predictive density"),
    Quantity(
        "learning_rate",
        "outcome",
        "share of the error",
        "weight of the outcome, over both causes",
    ),
    Quantity(
        "change_probability",
        "outcome",
        "probability",
        "that the position has changed, after the outcome",
    ),
    Quantity(
        "prediction_precision_level1", "1", _PRECISE, "precision before the outcome"
    ),
    Quantity("belief_level1", "1", _UNIT, "believed position after the outcome"),
    Quantity("belief_precision_level1", "1", _PRECISE, "precision after the outcome"),
    Quantity(
        "predicted_response",
        "response",
        _UNIT,
        "where the report is aimed, unless the last is repeated",
    ),
    Quantity(
        "repeat_probability",
        "response",
        "probability",
        "that the last report is repeated",
    ),
)


@dataclass(frozen=True)
class HelicopterModel:
    """The change-point agent, or the Kalman agent without change points.

    Attributes:
        agent: which of them, with its options.
        start_anchored: whether reports are biased towards the mark's position before them.
    """

    agent: Agent = Agent()
    start_anchored: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        start = replace(START_WEIGHT, free=self.start_anchored)
        return (*_parameters(self.agent), start)

    def prepare(self, series: Series) -> Trials:
        """The trials of each series; padding has no outcome and report, a series starts a block."""
        values = {name: column.copy() for name, column in series.values.items()}
        pad = ~series.present
        values["noise_sd"][pad] = REFERENCE_SD
        start = np.nan_to_num(values["block_start"]) > 0.5
        start[:, 0] = True
        return make_trials(
            outcome=values["outcome"],
            report=values["report"],
            noise_sd=values["noise_sd"],
            helicopter=values["helicopter"],
            helicopter_seen=np.nan_to_num(values["helicopter_seen"]) > 0.5,
            block_start=start,
            push=pushes(values.get("bucket_start"), values["report"], start),
        )

    def log_likelihood(self, values: Values, data: Trials) -> Float[Array, " trials"]:
        return log_likelihood(
            self.person(values),
            data,
            agent=self.agent,
            start_weight=values["start_weight"],
        )

    def simulate(self, key: Key[Array, ""], values: Values, data: Trials) -> Trials:
        drawn, _ = simulate_participant(
            key,
            self.person(values),
            data,
            agent=self.agent,
            start_weight=values["start_weight"],
            reported=data.reported,
        )
        return drawn

    def course(self, values: Values, data: Trials) -> Course:
        run = run_participant(self.person(values), data, agent=self.agent)
        return Course((run.belief_mean,), (run.confidence,))

    def trial_quantities(self, values: Values, data: Trials) -> Quantities:
        person = self.person(values)
        run = run_participant(person, data, agent=self.agent)
        aim, stand = pushed(
            run.predicted_report,
            run.previous_report,
            data.push,
            values["start_weight"],
        )
        repeat = jax.nn.sigmoid(stay_logit(person, aim - stand))
        given = report_log_likelihood(
            person, predicted=aim, previous=stand, report=run.report
        )
        seen, scores = data.outcome_seen, scored(data)
        perceived = (
            run.prior_mean,
            jnp.where(seen, run.prediction_error, jnp.nan),
            jnp.where(seen, -run.log_evidence, jnp.nan),
            jnp.where(seen, run.learning_rate, jnp.nan),
            jnp.where(seen, run.change_probability, jnp.nan),
            1.0 / run.prior_variance,
            run.belief_mean,
            1.0 / run.belief_variance,
            aim,
            jnp.where(scores, repeat, jnp.nan),
        )
        told = dict(zip(TOLD, perceived, strict=True))
        return response_quantities(told, given, scores)

    def responses(self, data: Trials) -> Float[Array, "*shape"]:
        return jnp.where(scored(data), data.report, jnp.nan)

    def person(self, values: Values) -> ParticipantParameters:
        """These values as parameters of `pcmodel.behaviour.change_point.participant`."""
        sensory = values["sensory_log_precision"]
        return ParticipantParameters(
            log_process=-values["prior_log_precision"],
            log_scale=REFERENCE_LOG_PRECISION - sensory,
            **{name: values[name] for name in UNCHANGED},
        )

    def values_of(self, person: ParticipantParameters) -> dict[str, Array]:
        """The inverse of `person`: this model's parameters by name, without `start_weight`."""
        return {
            "prior_log_precision": -person.log_process,
            "sensory_log_precision": REFERENCE_LOG_PRECISION - person.log_scale,
            **{name: getattr(person, name) for name in UNCHANGED},
        }


def pushes(
    start: Float[np.ndarray, "series trials"] | None,
    report: Float[np.ndarray, "series trials"],
    block_start: Bool[np.ndarray, "series trials"],
) -> Float[np.ndarray, "series trials"]:
    """The displacement of the mark from the last report, in its units; 0 where unknown."""
    moved = np.zeros_like(report)
    if start is None:
        return moved
    moved[:, 1:] = start[:, 1:] - report[:, :-1]
    return np.where(block_start, 0.0, np.nan_to_num(moved))

"""The claims about people: what the fits know of them, and which agent predicts them."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.posterior.diagnostics import BRIEF
from pcmodel.report import Claim

from .behaviour import BehaviourResults
from .simulate import Results


class Ridge(NamedTuple):
    """SDs of the group's prior and sensory log-precision, along their diagonal and across it.

    prior: along, if data spoke only across it, to the Kalman agent's SD.  change_point: that agent's, along.
    """

    along: float
    across: float
    prior: float
    change_point: float


def ridge(results: Results) -> Ridge:
    found = results.behaviour
    change_point, (along, across) = found.ridge_sd
    prior = ridge_from_prior_alone(found.log_precision_prior, across)
    return Ridge(along, across, prior, change_point[0])


def ridge_from_prior_alone(prior: np.ndarray, across: float) -> float:
    """SD along the diagonal of two independent normals conditioned on their difference."""
    first, second = prior.std(axis=0) ** 2
    given = 2 * first * second / (first + second)
    slope = (first - second) / (first + second)
    return float(np.sqrt(given + (slope * across) ** 2))


def only_the_ratio(found: Ridge) -> bool:
    return abs(found.along / found.prior - 1) < 0.2


def is_narrower(found: Ridge) -> bool:
    return found.change_point < 0.7 * found.along


class Gap(NamedTuple):
    """How much worse an agent predicts reports than the change-point agent (leave-one-out), nats a person.

    mean, error: over people, and its standard error.  worse, better: which of them is clear.
    open: the chains of a fit disagree on this.  apart: the agent's chains disagree on parameters.
    without_drift: mean and error where both hold q = 0, (1, 2); (0,) unless they were fitted.
    """

    mean: float
    error: float
    worse: bool
    better: bool
    open: bool
    apart: bool
    without_drift: np.ndarray


def gap(results: Results, agent: str) -> Gap:
    found = results.behaviour
    place = found.agents.index(agent)
    word, undrifting = found.loo_verdicts[place], f"q = 0, {agent}"
    return Gap(
        *mean_gap(found, agent, "change point"),
        worse=word == "worse",
        better=word == "better",
        open=word == "unconverged",
        apart=found.diagnostics[place]["rhat"] > BRIEF.max_rhat,
        without_drift=np.asarray(
            [mean_gap(found, undrifting, "q = 0")] if undrifting in found.agents else []
        ),
    )


def mean_gap(
    found: BehaviourResults, agent: str, reference: str
) -> tuple[float, float]:
    """How much worse an agent predicts than another, mean over people and its standard error."""
    own, other = (
        found.loo_by_participant[found.agents.index(name)]
        for name in (agent, reference)
    )
    difference = other - own
    return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))


def is_worse(found: Gap) -> bool | None:
    return True if found.worse else False if found.better else None


def gap_in_words(found: Gap) -> str:
    text = f"{found.mean:.1f} +- {found.error:.1f} nats a person (LOO)"
    if found.open:
        text += "; the chains of a fit disagree on this"
    elif found.apart:
        text += "; its chains disagree on parameters, and each alone says the same"
    for mean, error in found.without_drift:
        text += f"; where the assumed drift q is held at 0, {mean:.1f} +- {error:.1f}"
    return text


class Recovery(NamedTuple):
    """Of simulated people.  coverage: by 90 % intervals, over parameters.  diverged: of all draws' transitions."""

    coverage: float
    diverged: float
    draws: float


def recovery(results: Results) -> Recovery:
    """From the fit to simulated people: other fits' chains say nothing about it."""
    found = results.behaviour
    chains = found.recovery_diagnostics
    coverage = float(np.nanmean(found.recovery_coverage))
    return Recovery(coverage, chains["num_divergent"], chains["num_draws"])


def is_recovered(found: Recovery) -> bool:
    return found.diverged == 0 and found.coverage >= 0.8


RECOVERED = Claim(
    name="Fits recover simulated participants",
    prediction="90 % intervals cover the truth, without divergence",
    kind="predicted",
    measure=recovery,
    holds=is_recovered,
    observed="coverage {coverage:.0%} over parameters; {diverged:.0f} of {draws:,.0f} transitions diverged",
)
PEOPLE = (
    Claim(
        name="A Kalman agent identifies only a ratio",
        prediction="along the diagonal of prior and sensory log-precision the data add nothing: its spread is what "
        "the prior alone gives",
        kind="theorem",
        measure=ridge,
        holds=only_the_ratio,
        observed="SD along {along:.2f}, from the prior alone {prior:.2f}; across {across:.2f}",
    ),
    Claim(
        name="A change-point agent bounds the sensory scale",
        prediction="jumps over a known range break the symmetry: narrower along the diagonal than the Kalman "
        "agent's ridge",
        kind="predicted",
        measure=ridge,
        holds=is_narrower,
        observed="SD along the diagonal {change_point:.2f} against {along:.2f}",
    ),
    Claim(
        name="People's sensory scale is not the task's",
        prediction="holding k = b = 1 predicts their reports worse",
        kind="predicted",
        measure=partial(gap, agent="k = b = 1"),
        holds=is_worse,
        observed=gap_in_words,
    ),
    Claim(
        name="People update from their last report",
        prediction="an agent anchored on the report predicts better than one on a latent belief",
        kind="predicted",
        measure=partial(gap, agent="belief-anchored"),
        holds=is_worse,
        observed=gap_in_words,
    ),
    RECOVERED,
)

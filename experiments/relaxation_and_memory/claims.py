"""The claims: precision and learning rate apart from each other."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Claim, Parameter, Perturbation, Verdict

from .._conditioning import PARAMETERS
from .simulate import READINGS, Config, Results, under

GAIN = (Parameter("the drug's log gain", "drug"),)


class Drugged(NamedTuple):
    """Responses without the drug; under it alone and with a reminder; memories under it alone; over that without (NaN: none)."""

    sober: float
    alone: float
    reminded: float
    causes: float
    ratio: float


def drugged(
    config: Config, perturbation: Perturbation, gain: float, factor: float
) -> Drugged:
    power = perturbation.factor_of("drug")
    found = under([1.0, gain**power], [1.0, factor**power], config.memory, perturbation)
    sober, alone = found.alone.response
    return Drugged(
        sober,
        alone,
        found.reminded.response[1],
        found.alone.causes[1],
        alone / sober if sober > 0.5 else np.nan,
    )


def relaxed(config: Config, perturbation: Perturbation) -> Drugged:
    return drugged(config, perturbation, config.relaxed, 1.0)


def faster(config: Config, perturbation: Perturbation) -> Drugged:
    return drugged(config, perturbation, 1.0, config.faster)


def sharper(config: Config, perturbation: Perturbation) -> Drugged:
    return drugged(config, perturbation, config.sharper, 1.0)


def merges(found: Drugged) -> bool:
    return found.ratio < 1 / 3 and found.causes == 1


def adds_little(found: Drugged) -> bool:
    return found.alone - found.reminded < 0.1 and found.ratio < 1 / 3


def stays_apart(found: Drugged) -> bool:
    return found.ratio > 2 / 3 and found.causes > 1


def reminder_fails(found: Drugged) -> bool:
    return found.reminded > 2 / 3 * found.sober and found.ratio > 2 / 3


class LowestRate(NamedTuple):
    """Of factors on the learning rate alone, the lowest response without a reminder, and at which factor."""

    lowest: float
    factor: float
    sober: float


def any_rate(results: Results) -> LowestRate:
    middle = int(np.argmin(np.abs(np.log(results.factors))))
    row = results.drugged.alone.response[middle]
    least = int(np.argmin(row))
    return LowestRate(row[least], results.factors[least], row[middle])


class SameNumber(NamedTuple):
    """Share of the map with as many memories as at the learning rate without a drug; memories at the map's ends of precision."""

    share: float
    relaxed: float
    sharpened: float


def same_number(results: Results) -> SameNumber:
    middle = int(np.argmin(np.abs(np.log(results.factors))))
    causes = results.drugged.alone.causes
    same = causes == causes[:, middle : middle + 1]
    return SameNumber(same.mean(), causes[0, middle], causes[-1, middle])


class Readings(NamedTuple):
    """Response under REBUS and raised senses at effect 1, where the outcome is an expectation and a sensation."""

    rebus_expectation: float
    rebus_sensation: float
    sensory_sensation: float
    sober: float


def readings(results: Results) -> Readings:
    low, high = READINGS

    def last(reading: str, account: str) -> float:
        return results.accounts[reading][account].alone.response[-1]

    return Readings(
        last(high, "rebus"),
        last(low, "rebus"),
        last(low, "sensory"),
        results.accounts[low]["rebus"].alone.response[0],
    )


TOLD = "response {alone:.2f} under the drug, {sober:.2f} without; {causes:.0f} memories; with a reminder {reminded:.2f}"
CLAIMS = (
    Claim(
        name="Less precise outcomes turn extinction into rewriting",
        prediction="precision times {config.relaxed:.2f}: no reminder, a third of the response or less, one memory",
        kind="predicted",
        measure=relaxed,
        holds=merges,
        observed=TOLD,
        parameters=(*PARAMETERS, *GAIN),
    ),
    Claim(
        name="Then a reminder adds little",
        prediction="less than 0.1 of response",
        kind="predicted",
        measure=relaxed,
        holds=adds_little,
        observed=TOLD,
        parameters=(*PARAMETERS, *GAIN),
    ),
    Claim(
        name="Faster learning alone leaves two memories",
        prediction="learning rate times {config.faster:.2f}: more than two thirds of the response, two memories",
        kind="predicted",
        measure=faster,
        holds=stays_apart,
        observed=TOLD,
        parameters=(*PARAMETERS, *GAIN),
    ),
    Claim(
        name="More precise outcomes take the reminder's benefit away",
        prediction="precision times {config.sharper:g}: more than two thirds of the response in spite of a reminder",
        kind="predicted",
        measure=sharper,
        holds=reminder_fails,
        observed=TOLD,
        parameters=(*PARAMETERS, *GAIN),
    ),
    Claim(
        name="No learning rate does what precision does",
        prediction="no factor from a quarter to four brings the response below a third",
        kind="predicted",
        measure=any_rate,
        holds=lambda found: found.lowest > found.sober / 3,
        observed="lowest {lowest:.2f} at a factor of {factor:.2f} ({sober:.2f} without a drug)",
    ),
    Claim(
        name="Precision alone decides how many memories there are",
        prediction="everywhere on the map as many as with the learning rate left as it is, and not the same number at its two ends",
        kind="predicted",
        measure=same_number,
        holds=lambda found: found.share == 1 and found.relaxed != found.sharpened,
        observed="{share:.0%} of the map; {relaxed:.0f} where precision is lowest, {sharpened:.0f} where it is highest",
    ),
    Claim(
        name="What the outcome is decides what REBUS predicts",
        prediction="a third or less if it is an expectation, no change if it is a sensation (exempt)",
        kind="predicted",
        measure=readings,
        holds=lambda found: (
            found.rebus_expectation < found.sober / 3
            and abs(found.rebus_sensation - found.sober) < 0.01
        ),
        observed=(
            "expectation {rebus_expectation:.2f}, sensation {rebus_sensation:.2f}, without a drug {sober:.2f}; senses raised "
            "{sensory_sensation:.2f}"
        ),
    ),
)


class Summary(NamedTuple):
    """The numbers of the page.

    sober, relaxed, faster: responses without a reminder: no drug, less precision, more learning.
    reminded: the same with a reminder.
    """

    sober: float
    relaxed: float
    faster: float
    reminded: tuple[float, float, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(config: Config) -> Summary:
    found = under([1.0, config.relaxed, 1.0], [1.0, 1.0, config.faster], config.memory)
    sober, relaxed, faster = map(float, found.alone.response)
    first, second, third = map(float, found.reminded.response)
    return Summary(sober, relaxed, faster, (first, second, third))

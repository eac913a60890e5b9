"""The claims: what is measured, when each holds, and which parameters could overturn it."""

from typing import NamedTuple

import numpy as np

from pcmodel.memory.designs import Design
from pcmodel.memory.designs.published import (
    amnestic,
    extinction_only,
    reinstatement,
    renewal,
    retrieval_extinction,
)
from pcmodel.report import Claim, Parameter, Perturbation, Verdict

from .._conditioning import PARAMETERS, Memory, at_test
from .simulate import DAYS, Config, Results, amnesias, recovery

THIRD = 1 / 3
WITHOUT = 0.5
"""A response of less than this to extinction alone leaves nothing to prevent."""
TABLE: tuple[tuple[Design, float], ...] = (
    (extinction_only(), 0.0438),
    (retrieval_extinction(3), 0.0050),
    (retrieval_extinction(100), 0.0303),
    (reinstatement(), 0.0019),
    (reinstatement(extinguished_before=3), 0.0267),
    (retrieval_extinction(age=580), 0.0177),
    (renewal("A*"), 0.012),
    (renewal("B"), 0.466),
    (amnestic(), 0.0238),
    (amnestic(amnesia=0.0), 0.0821),
    (amnestic(exposures=3), 0.0501),
    (amnestic(exposures=3, amnesia=0.0), 0.0526),
    (amnestic(age=40), 0.0345),
    (amnestic(acquisition=2), 0.0324),
    (amnestic(us=1.0), 0.0633),
)
"""Designs and their values from a program independent of this one."""


class Table(NamedTuple):
    """Largest difference from the reference values, and how many there are."""

    difference: float
    rows: int


def reference_table() -> Table:
    gaps = []
    for features in {design.features for design, _ in TABLE}:
        rows = [(design, v) for design, v in TABLE if design.features == features]
        found = at_test([design for design, _ in rows], Memory().parameters()).value
        gaps += list(np.abs(found - [value for _, value in rows]))
    return Table(max(gaps), len(gaps))


class Pair(NamedTuple):
    """Responses with a reminder and without, and the first over the second (NaN where there is nothing to prevent)."""

    reminded: float
    alone: float
    ratio: float


def pair(
    config: Config, perturbation: Perturbation, reminded: Design, alone: Design
) -> Pair:
    first, second = at_test(
        [reminded, alone], config.memory.parameters(perturbation)
    ).response
    return Pair(first, second, first / second if second > WITHOUT else np.nan)


def after_time(config: Config, perturbation: Perturbation) -> Pair:
    return pair(config, perturbation, retrieval_extinction(), extinction_only())


def after_shock(config: Config, perturbation: Perturbation) -> Pair:
    return pair(config, perturbation, reinstatement(), reinstatement(retrieval=None))


def after_return(config: Config, perturbation: Perturbation) -> Pair:
    return pair(config, perturbation, renewal("B"), renewal("B", retrieval=None))


def without_error(config: Config, perturbation: Perturbation) -> Pair:
    return pair(config, perturbation, retrieval_extinction(us=1.0), extinction_only())


def with_old_memory(config: Config, perturbation: Perturbation) -> Pair:
    return pair(
        config, perturbation, retrieval_extinction(age=40), extinction_only(age=40)
    )


def below_a_third(found: Pair) -> bool:
    return found.ratio < THIRD


def above_two_thirds(found: Pair) -> bool:
    return found.ratio > 1 - THIRD


TOLD = "response {reminded:.2f} with the reminder, {alone:.2f} without"


class Edges(NamedTuple):
    """Responses over that without a reminder: no interval, the best, and 100 units."""

    none: float
    best: float
    late: float


def edges(config: Config, perturbation: Perturbation) -> Edges:
    designs = [retrieval_extinction(i) for i in (0, 1, 3, 10, 30, 100)]
    *reminded, alone = at_test(
        [*designs, extinction_only()], config.memory.parameters(perturbation)
    ).response
    if alone <= WITHOUT:
        return Edges(np.nan, np.nan, np.nan)
    ratio = np.array(reminded) / alone
    return Edges(ratio[0], ratio[1:5].min(), ratio[5])


def has_two_edges(found: Edges) -> bool:
    return found.none > 2 / 3 and found.best < THIRD and found.late > 2 / 3


class Amnesia(NamedTuple):
    """Response with the agent over that without: young and weak, long reminder, older, stronger, shock at reminder."""

    young: float
    long: float
    older: float
    stronger: float
    shock: float


def amnesia(config: Config, perturbation: Perturbation) -> Amnesia:
    pairs = amnesias().values()
    designs = [treated for treated, _ in pairs]
    controls = [control for _, control in pairs]
    found = at_test([*designs, *controls], config.memory.parameters(perturbation))
    return Amnesia(*(found.response[:5] / found.response[5:]))


def only_the_young_are_erased(found: Amnesia) -> bool:
    return found.young < 0.8 and min(found[1:]) > 0.85


class Days(NamedTuple):
    """Response over acquisition's after 0, 1, 2 and 10 days, and the value's share after 10."""

    at_once: float
    day_1: float
    day_2: float
    day_10: float
    value: float


def days_of(memory: Memory, units: float, perturbation: Perturbation) -> Days:
    units = units * perturbation.factor_of("clock")
    found = recovery(memory, units, perturbation)
    at = [DAYS.index(day) for day in (0.0, 1.0, 2.0, 10.0)]
    at_once, day_1, day_2, day_10 = found.response[at]
    return Days(at_once, day_1, day_2, day_10, found.value[at[-1]])


def recovery_of_paper(config: Config, perturbation: Perturbation) -> Days:
    return days_of(config.memory, config.units_per_day, perturbation)


def recovery_calibrated(config: Config, perturbation: Perturbation) -> Days:
    return days_of(config.calibrated, config.units_per_day_calibrated, perturbation)


def as_published(found: Days) -> bool:
    """Complete by day 10, partial on days 1 and 2."""
    partial = found.at_once < found.day_1 < 0.9 and found.day_2 < 0.9
    return found.day_10 >= 0.9 and partial


class Saved(NamedTuple):
    """Trials until the response falls below a half: first and second extinction."""

    first: float
    second: float


def saved(config: Config, perturbation: Perturbation) -> Saved:
    units = config.units_per_day_calibrated * perturbation.factor_of("clock")
    found = recovery(config.calibrated, units, perturbation)
    return Saved(*(float(np.argmax(r < 0.5)) + 1 for r in (found.first, found.second)))


def is_saved(found: Saved) -> bool:
    return found.second < found.first


CLOCK = (Parameter("units of the clock per day", "clock"),)
DAYS_TOLD = (
    "{day_1:.0%} of the acquired response on day 1, {day_2:.0%} on day 2, {day_10:.0%} on day 10 (the predicted outcome "
    "itself: {value:.0%})"
)
CLAIMS = (
    Claim(
        name="The reference table",
        prediction="every design's predicted outcome is within 0.002 of an independent program's",
        kind="theorem",
        measure=reference_table,
        holds=lambda found: found.difference < 0.002,
        observed="{rows:.0f} designs, at most {difference:.4f} apart",
    ),
    Claim(
        name="A reminder before extinction prevents recovery",
        prediction="response less than a third of that without a reminder",
        kind="calibrated",
        measure=after_time,
        holds=below_a_third,
        observed=TOLD,
        parameters=PARAMETERS,
    ),
    Claim(
        name="The window has two edges",
        prediction="no benefit without an interval nor after 100 units, and a benefit between",
        kind="predicted",
        measure=edges,
        holds=has_two_edges,
        observed="response over that without a reminder: {none:.2f}, at best {best:.2f}, then {late:.2f}",
        parameters=PARAMETERS,
    ),
    Claim(
        name="Without a prediction error there is no benefit",
        prediction="a reminder with its shock leaves more than two thirds of the response",
        kind="predicted",
        measure=without_error,
        holds=above_two_thirds,
        observed=TOLD,
        parameters=PARAMETERS,
    ),
    Claim(
        name="Reinstatement is a third or less",
        prediction="after an unsignalled shock, less than a third of the response without a reminder",
        kind="predicted",
        measure=after_shock,
        holds=below_a_third,
        observed=TOLD,
        parameters=PARAMETERS,
    ),
    Claim(
        name="Renewal is a third or less",
        prediction="back in the context of acquisition, less than a third of the response without a reminder",
        kind="predicted",
        measure=after_return,
        holds=below_a_third,
        observed=TOLD,
        parameters=PARAMETERS,
    ),
    Claim(
        name="Memories twice as old are not rewritten",
        prediction="40 units after acquisition a reminder leaves more than two thirds of the response",
        kind="predicted",
        measure=with_old_memory,
        holds=above_two_thirds,
        observed=TOLD,
        parameters=PARAMETERS,
    ),
    Claim(
        name="An amnestic agent erases young, weak, briefly reminded memories alone",
        prediction="below 0.8 of the response without the agent; above 0.85 if older, stronger, reminded at length or with a shock",
        kind="predicted",
        measure=amnesia,
        holds=only_the_young_are_erased,
        observed=(
            "young {young:.2f}; long reminder {long:.2f}, older {older:.2f}, stronger {stronger:.2f}, with a shock {shock:.2f}"
        ),
        parameters=PARAMETERS,
    ),
    Claim(
        name="Recovery is complete by day 10 (parameters of the paper)",
        prediction="at least 90 % of the acquired response on day 10, less on days 1 and 2",
        kind="predicted",
        measure=recovery_of_paper,
        holds=as_published,
        observed=DAYS_TOLD,
        parameters=(*PARAMETERS, *CLOCK),
    ),
    Claim(
        name="Recovery is complete by day 10 (concentration and clock set from it)",
        prediction="as before, with a concentration of {config.calibrated_concentration:g}",
        kind="calibrated",
        measure=recovery_calibrated,
        holds=as_published,
        observed=DAYS_TOLD,
        parameters=(*PARAMETERS, *CLOCK),
    ),
    Claim(
        name="What was extinguished once goes faster again",
        prediction="fewer trials until the response falls below a half (same setting)",
        kind="predicted",
        measure=saved,
        holds=is_saved,
        observed="{first:.0f} trials at first, {second:.0f} after two weeks",
        parameters=(*PARAMETERS, *CLOCK),
    ),
)


class Summary(NamedTuple):
    """The numbers of the page.

    reminded, alone: responses 200 units after extinction, with a reminder (3 units before) and without.
    opens, closes: first and last interval of the sweep with less than a third of the response.
    day_10, day_10_calibrated: response over acquisition's.
    value_10: the predicted outcome's share in the calibrated setting.
    renewed: response after extinction elsewhere, with a reminder and without.
    """

    reminded: float
    alone: float
    opens: float
    closes: float
    day_10: float
    day_10_calibrated: float
    value_10: float
    renewed: tuple[float, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    alone = float(results.alone.response[0])
    works = results.intervals[results.by_interval.response < alone / 3]
    at = DAYS.index(10.0)
    paper, calibrated = results.recovery
    reminded = float(results.returns["time\n(200 units)"][0])
    first, last = (float(works[i]) if works.size else np.nan for i in (0, -1))
    renewed = results.returns["the context of\nacquisition (unlike)"]
    return Summary(
        reminded,
        alone,
        first,
        last,
        float(paper.response[at]),
        float(calibrated.response[at]),
        float(calibrated.value[at]),
        (float(renewed[0]), float(renewed[1])),
    )

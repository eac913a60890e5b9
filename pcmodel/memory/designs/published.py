"""Published experiments as designs, with the intervals of the latent-cause paper's figures (Gershman et al. 2017).

Clock: a trial takes one unit. Three acquisition trials, 20 units to extinction, 19 extinction trials and 200 units to the
test are the paper's; the rest was found by trying the natural design for each published outcome and is said beside it.
"""

from collections.abc import Sequence

from pcmodel.memory.designs.design import Design
from pcmodel.memory.designs.phases import (
    Acquisition,
    Block,
    Days,
    Extinction,
    Interval,
    Phase,
    Reinstatement,
    Retrieval,
    Test,
)
from pcmodel.memory.designs.schedules import GRADUAL, REVERSE, reinforced_at

AGE, RECOVERY = 20.0, 200.0
"""Units from acquisition to retrieval, and from extinction to the test."""
CONTEXTS = {"A": {"context": 1.0}, "A*": {"context": 0.8}, "B": {"context": 0.0}}
"""Contexts as one feature: A* is like A, B is not."""


def extinction_only(
    *, age: float = AGE, recovery: float = RECOVERY, trials: int = 19, **options
) -> Design:
    """Acquisition, extinction, test."""
    return Design(
        [
            Acquisition(3),
            Interval(age),
            Extinction(trials, **options),
            Interval(recovery),
            Test(1),
        ]
    )


def retrieval_extinction(
    interval: float = 3.0,
    *,
    age: float = AGE,
    recovery: float = RECOVERY,
    acquisition: int = 3,
    us: float = 0.0,
    **options,
) -> Design:
    """Monfils et al. 2009: one retrieval trial, an interval, then the other 18 extinction trials.

    us: outcome of the retrieval trial; 1 for no prediction error.  options: of both extinction blocks (drugs).
    """
    return Design(
        [
            Acquisition(acquisition),
            Interval(age),
            Retrieval(1, us=us, **options),
            Interval(interval),
            Extinction(18, **options),
            Interval(recovery),
            Test(1),
        ]
    )


def reinstatement(
    *, retrieval: float | None = 3.0, extinguished_before: int = 0, delay: float = 20.0
) -> Design:
    """An unsignalled outcome right after extinction, a test `delay` units later.

    retrieval: interval after the retrieval trial; None for extinction without one.
    extinguished_before: trials of extinction a unit before the retrieval (extinction-retrieval-extinction; 3 gives the
    published outcome).
    """
    before: list[Block] = []
    if extinguished_before:
        before = [Extinction(extinguished_before), Interval(1)]
    middle: list[Block] = [Extinction(19)]
    if retrieval is not None:
        middle = [Retrieval(1), Interval(retrieval), Extinction(18)]
    return Design(
        [
            Acquisition(3),
            Interval(AGE),
            *before,
            *middle,
            Reinstatement(1),
            Interval(delay),
            Test(1),
        ]
    )


def renewal(
    context: str = "B", *, retrieval: float | None = 3.0, recovery: float = 20.0
) -> Design:
    """Acquisition in A, extinction in another context, test in A. Published outcome: test after 20 units."""
    middle: list[Block] = [Extinction(19, context=context)]
    if retrieval is not None:
        middle = [
            Retrieval(1, context=context),
            Interval(retrieval),
            Extinction(18, context=context),
        ]
    return Design(
        [
            Acquisition(3, context="A"),
            Interval(AGE),
            *middle,
            Interval(recovery),
            Test(1, context="A"),
        ],
        contexts=CONTEXTS,
    )


CUES = {
    "reminded": {"first": 1.0},
    "not reminded": {"second": 1.0},
    "safe": {"third": 1.0},
}
"""Cues of Schiller et al. 2010, each a feature of its own."""


def cue_specificity(tested: str) -> Design:
    """Schiller et al. 2010: two cues acquired and a safe one, one reminded, all extinguished in blocks, one tested.

    The natural form with the order of published outcomes (reminded below not reminded, safe 0); none that was tried gives
    their values.
    """
    reminded, other, safe = CUES
    return Design(
        [
            Acquisition(3, stimulus=reminded),
            Acquisition(3, stimulus=other),
            Phase(3, stimulus=safe),
            Interval(AGE),
            Retrieval(1, stimulus=reminded),
            Interval(3),
            *(Extinction(18, stimulus=cue) for cue in CUES),
            Interval(20),
            Test(1, stimulus=tested),
        ],
        stimuli=CUES,
    )


def amnestic(
    *,
    acquisition: int = 1,
    age: float = AGE,
    exposures: int = 1,
    us: float = 0.0,
    amnesia: float = 1.0,
) -> Design:
    """Suzuki et al. 2004: re-exposure, then an amnestic agent (at its last trial), a test 20 units later."""
    before: list[Block] = [Retrieval(exposures - 1)] if exposures > 1 else []
    return Design(
        [
            Acquisition(acquisition),
            Interval(age),
            *before,
            Retrieval(1, us=us, amnesia=amnesia),
            Interval(20),
            Test(1),
        ]
    )


def spontaneous_recovery(
    days: float, *, units_per_day: float = 20.0, savings: int = 0
) -> Design:
    """Quirk 2002: 7 conditioning trials, 20 of extinction an hour later, a test after some days.

    savings: trials of a second extinction, of which the test is the first.
    """
    tested: list[Block] = [Test(1), *([Extinction(savings - 1)] if savings > 1 else [])]
    return Design(
        [
            Acquisition(7),
            Days(1 / 24),
            Extinction(20),
            Days(days),
            *tested,
        ],
        units_per_day=units_per_day,
    )


def gradual_extinction(
    group: str, *, units_per_day: float = 20.0, later: Sequence[float] = (1.0, 30.0)
) -> Design:
    """Gershman et al. 2013: 24 extinction trials, of which five are reinforced, and tests of four trials after some days.

    group: "standard" (none reinforced), "gradual" (rarer and rarer) or "reverse" (more and more often).
    """
    places = {"standard": (), "gradual": GRADUAL, "reverse": REVERSE}[group]
    tests: list[Block] = []
    for days in later:
        tests += [Days(days), Test(4)]
    phases: list[Phase | Block] = [
        Acquisition(3),
        Days(1.0),
        Extinction(24, us=reinforced_at(24, places)),
        *tests,
    ]
    return Design(phases, units_per_day=units_per_day)

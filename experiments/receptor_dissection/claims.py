"""The claims: what is measured, when each holds, and which parameters could overturn it."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.report import Claim, Parameter, Perturbation, Table, Verdict

from .._believing import BELIEF_ASSUMED, BELIEF_PARAMETERS, LEVELS, UNSEPARATED
from .._dosing import MIDPOINT, STAGE, Dose, assumed, take, with_number
from .simulate import (
    HOURS,
    LEAST,
    PSILOCYBIN,
    Condition,
    Config,
    Results,
    condition,
)

AT_1A = (
    Parameter("psilocin K at 5-HT1A", "ligands.k_1a", "psilocybin"),
    Parameter("psilocin efficacy at 5-HT1A", "ligands.efficacy_1a", "psilocybin"),
    Parameter("buspirone K at 5-HT1A", "ligands.k_1a", "buspirone"),
    Parameter("buspirone efficacy at 5-HT1A", "ligands.efficacy_1a", "buspirone"),
    Parameter("buspirone dose", "dose.mg", "buspirone"),
    Parameter("psilocybin dose", "dose.mg", "psilocybin"),
)
BUSPIRONE_2A = (Parameter("buspirone K at 5-HT2A", "ligands.k_2a", "buspirone"),)
STRENGTHS = (
    Parameter("log precision per unit of 5-HT2A effect", "account.strength"),
    Parameter("strength of 5-HT1A's action", "account.dimming"),
)


class Removal(NamedTuple):
    """What buspirone removes of psilocybin's change, in the typical participant's undrugged SDs.

    low, top: at the lowest latent level and at the top (negative: adds).
    share: of those who feel psilocybin, in whom it removes something below, and more than at the top.
    """

    low: float
    top: float
    share: float


def removed(alone: Condition, both: Condition) -> np.ndarray:
    """How much less a level is changed with both, in its undrugged SDs, (people, levels).

    Not as a share of the change alone: at the top relaxing and dimming pull in opposite directions, and where
    they cancel a share means nothing.
    """
    return (alone.change - both.change) / alone.sd


def removal(
    config: Config, seed: int, perturbation: Perturbation, reading: str = "dimming"
) -> Removal:
    alone, both = (
        condition(label, reading, config, seed, perturbation)
        for label in ("psilocybin", "+ buspirone")
    )
    less = removed(alone, both)
    low, top = less[:, 0], less[:, -1]
    feels = alone.effect_2a[1:] > LEAST
    more = feels & (low[1:] > top[1:]) & (low[1:] > 0)
    return Removal(low[0], top[0], more.sum() / max(feels.sum(), 1))


def in_most_people(found: Removal) -> bool:
    """Pokorny 2016: below, and more than at the top."""
    return found.share > 0.5


class Responses(NamedTuple):
    """5-HT1A response of the typical participant: to psilocybin alone, with buspirone, and what that adds."""

    alone: float
    both: float
    added: float


def responses(config: Config, seed: int, perturbation: Perturbation) -> Responses:
    alone, both = (
        condition(label, "dimming", config, seed, perturbation).response_1a[0]
        for label in ("psilocybin", "+ buspirone")
    )
    return Responses(alone, both, both - alone)


def rises_by_a_tenth(found: Responses) -> bool:
    return found.both >= 1.1 * found.alone


class Largest(NamedTuple):
    """Largest effect in anyone, %, of an agonist of a third of psilocin's efficacy: 12 mg and 2 g."""

    usual: float
    huge: float


def with_a_third(config: Config, seed: int, perturbation: Perturbation) -> Largest:
    """Ergotamine's side of Pokorny 2016: an agonist that is not felt."""
    weak = with_number("psilocybin", "efficacy_2a", 1 / 3)
    options = {"people": config.people, "seed": seed, "perturbation": perturbation}
    courses = (
        take([Dose("psilocybin", mg, 1.0)], HOURS, library=weak, **options)[0]
        for mg in (PSILOCYBIN.mg, 2000.0)
    )
    return Largest(*(100 * float(np.max(course.effect_2a)) for course in courses))


def felt_by_no_one(found: Largest) -> bool:
    return max(found) < 100 * LEAST


class Blocked(NamedTuple):
    """With ketanserin over without, typical participant: 5-HT2A effect (NaN: none), 5-HT1A response."""

    effect: float
    response: float


def blocked(config: Config, seed: int, perturbation: Perturbation) -> Blocked:
    alone, both = (
        condition(label, "dimming", config, seed, perturbation)
        for label in ("psilocybin", "+ ketanserin")
    )
    effect = alone.effect_2a[0]
    return Blocked(
        both.effect_2a[0] / effect if effect > 0 else np.nan,
        both.response_1a[0] / alone.response_1a[0],
    )


def blocks_5ht2a_alone(found: Blocked) -> bool:
    """Below a tenth of the effect, and the response within 2 %."""
    return found.effect < 0.1 and abs(found.response - 1) < 0.02


def blocked_in_words(found: Blocked) -> str:
    """Shares of what there is without ketanserin."""
    if np.isnan(found.effect):
        return "psilocybin is not felt"
    return f"effect {found.effect:.0%}, response {found.response:.1%} of that without"


DIMMING = Claim(
    name="Buspirone takes more from the senses than from the top (5-HT1A dims)",
    prediction="lessens psilocybin's change of the lowest level by more undrugged SDs than that of the top, in most "
    "people (published: visual effects p < 0.001, oceanic boundlessness p = 0.062)",
    kind="predicted",
    measure=removal,
    holds=in_most_people,
    observed="removes {low:+.3f} SD there and {top:+.3f} at the top; so in {share:.0%} of people",
    parameters=(*AT_1A, *BUSPIRONE_2A, *STRENGTHS, *BELIEF_PARAMETERS),
)
CLAIMS = (
    DIMMING,
    replace(
        DIMMING,
        name="The same, if 5-HT1A gives precision back",
        prediction="as above, under the other reading of 5-HT1A",
        measure=partial(removal, reading="restoring"),
    ),
    Claim(
        name="Buspirone adds to psilocin at 5-HT1A",
        prediction="20 mg raises the 5-HT1A response under psilocybin by a tenth or more",
        kind="predicted",
        measure=responses,
        holds=rises_by_a_tenth,
        observed="{alone:.3f} {added:+.3f}",
        parameters=AT_1A,
    ),
    Claim(
        name="An agonist of a third of psilocin's efficacy does nothing through 5-HT2A",
        prediction=f"felt by no one (below {LEAST:.0%} of the scale) at any dose up to 2 g: the second stage is steep",
        kind="predicted",
        measure=with_a_third,
        holds=felt_by_no_one,
        observed="largest effect {usual:.2g} % after 12 mg, {huge:.2g} % after 2 g",
        parameters=(
            Parameter("its efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
            Parameter("its K at 5-HT2A", "ligands.k_2a", "psilocybin"),
            *STAGE,
        ),
    ),
    Claim(
        name="Ketanserin leaves 5-HT1A alone",
        prediction="5-HT2A effect below a tenth, 5-HT1A response unchanged within 2 %",
        kind="predicted",
        measure=blocked,
        holds=blocks_5ht2a_alone,
        observed=blocked_in_words,
        parameters=(
            Parameter("ketanserin K at 5-HT2A", "ligands.k_2a", "ketanserin"),
            Parameter("ketanserin K at 5-HT1A", "ligands.k_1a", "ketanserin"),
            Parameter("ketanserin dose", "dose.mg", "ketanserin"),
            Parameter("psilocybin dose", "dose.mg", "psilocybin"),
            MIDPOINT,
        ),
    ),
)


class Summary(NamedTuple):
    """What result.json holds.

    removed, removed_if_restoring: of psilocybin's change by buspirone, in SD by level (negative: adds).
    least_efficacy: the smallest tried, as a share of psilocin's, whose effect at 5-HT2A is felt.
    """

    removed: np.ndarray
    removed_if_restoring: np.ndarray
    least_efficacy: float
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """What buspirone removes in the typical participant, and the least efficacy."""
    dimming, restoring = (
        removed(each["psilocybin"], each["+ buspirone"])[0]
        for each in (results.dimming, results.restoring)
    )
    felt = results.partial.max(axis=1) > LEAST
    return Summary(dimming, restoring, float(results.efficacy[np.argmax(felt)]))


def conditions(results: Results) -> Table:
    """The typical participant under each condition."""
    rows = [
        (
            name,
            100 * float(one.effect_2a[0]),
            100 * float(one.response_1a[0]),
            *(float(change) for change in one.change[0]),
            float(results.restoring[name].change[0, -1]),
        )
        for name, one in results.dimming.items()
    ]
    columns = (
        "Condition",
        "5-HT2A effect (%)",
        "5-HT1A response (%)",
        *(f"Change, {level}" for level in LEVELS[1:]),
        "Top, if 1A restores",
    )
    return Table(columns, rows, "Typical participant.")


TABLES = {"conditions": conditions}
WORDS = {
    "unseparated": UNSEPARATED.strip(),
    "belief_assumed": BELIEF_ASSUMED,
    "assumed": assumed("psilocybin", "buspirone", "ketanserin"),
}

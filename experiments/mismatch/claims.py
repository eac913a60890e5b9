"""The claims: what is known of ketamine by itself, each account's three, and all three at once."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.paradigms.oddball import Oddball, mismatch
from pcmodel.report import Claim, Perturbation, Table, Verdict

from .simulate import (
    KETAMINE,
    LSD,
    PARAMETERS,
    PLACEBO,
    PSILOCYBIN,
    Config,
    Results,
    accounts,
    measured,
    peaks,
)

LITTLE = 0.05
"""A change below this share of placebo's value is none."""


class Changes(NamedTuple):
    """Values under a drug over those under placebo, less 1.

    ketamine, psilocybin: growth of the mismatch from one to sixteen standards.
    adaptation, deviant: under LSD; share by which the standard's response falls, and the response to the deviant.
    """

    ketamine: float
    psilocybin: float
    adaptation: float
    deviant: float


def changes(config: Config, perturbation: Perturbation, name: str) -> Changes:
    found = measured(config, name, perturbation)
    growth = found.growth / found.growth[PLACEBO] - 1
    adaptation = found.adaptation / found.adaptation[PLACEBO] - 1
    deviant = found.deviant[:, -1] / found.deviant[PLACEBO, -1] - 1
    return Changes(
        *map(
            float, (growth[KETAMINE], growth[PSILOCYBIN], adaptation[LSD], deviant[LSD])
        )
    )


def psilocybin_is_mild(found: Changes) -> bool:
    """Ketamine weakens the growth; psilocybin changes it, either way, by less than half as much."""
    return bool(
        found.ketamine < -LITTLE and abs(found.psilocybin) < -found.ketamine / 2
    )


def lsd_blunts(found: Changes) -> bool:
    """Adaptation and the response to the deviant both fall under LSD."""
    return bool(found.adaptation < -LITTLE and found.deviant < -LITTLE)


def all_three(found: Changes) -> bool:
    return psilocybin_is_mild(found) and lsd_blunts(found)


def of_ketamine(results: Results) -> "Ketamine":
    found = results.found["all alike"]
    pairs = (found.growth, found.growth_of_highest, found.lowest[:, -1])
    return Ketamine(*(float(each[KETAMINE] / each[PLACEBO] - 1) for each in pairs))


class Ketamine(NamedTuple):
    """Under ketamine, over placebo, less 1: growth of the mismatch, of its top level, and its lowest level's size."""

    growth: float
    highest: float
    lowest: float


def weakens(found: Ketamine) -> bool:
    return bool(found.growth < -LITTLE and found.highest < -LITTLE)


def spares_the_lowest(found: Ketamine) -> bool:
    return bool(found.lowest > found.highest / 2)


class Untaught(NamedTuple):
    """Largest mismatch without learning, over the response to a deviant."""

    largest: float


def without_learning() -> Untaught:
    still = Oddball(memory_rate=0.0, adaptation_rate=0.0)
    account = accounts(2.0)["relaxed priors"]
    found = mismatch(still, peaks(), account=account)
    return Untaught(float(np.abs(found.mismatch / found.deviant).max()))


class Scaling(NamedTuple):
    """Largest relative difference of settled responses from the precisions' own factor."""

    largest: float


def scaling() -> Scaling:
    """All precisions alike, at a fixed residual and after inference has ended."""
    held = Oddball(memory_rate=0.0, adaptation_rate=0.0, ms_per_unit=2.0)
    felt = peaks()
    found = mismatch(held, felt, account=accounts(2.0)["all alike"])
    factor = np.exp(-2.0 * np.asarray(felt.effect_2a))
    ratio = np.asarray(found.deviant[:, -1] / found.deviant[PLACEBO, -1])
    return Scaling(float(np.abs(ratio / factor - 1).max()))


def is_none(found: Untaught) -> bool:
    return found.largest < 1e-9


def is_linear(found: Scaling) -> bool:
    return found.largest < 1e-2


class Agreement(NamedTuple):
    """Share of random sequences with the sign that trains have: ketamine's on growth, LSD's on adaptation."""

    growth: float
    adaptation: float


def of_roving(results: Results) -> Agreement:
    """The account that trains single out most is judged: generated from above."""
    found = results.roving["generated from above"]
    growth = found.growth[:, KETAMINE] < found.growth[:, PLACEBO]
    adaptation = found.adaptation[:, LSD] < found.adaptation[:, PLACEBO]
    return Agreement(float(growth.mean()), float(adaptation.mean()))


def agrees(found: Agreement) -> bool | None:
    least = min(found.growth, found.adaptation)
    return True if least >= 0.9 else False if least < 0.5 else None


SAID = (
    "growth of the mismatch {ketamine:+.0%} under ketamine, {psilocybin:+.0%} under psilocybin; under LSD adaptation "
    "{adaptation:+.0%}, deviant {deviant:+.0%}"
)
CLAIMS = (
    Claim(
        name="Nothing learned, no mismatch",
        prediction="no difference between deviant and standard",
        kind="theorem",
        measure=without_learning,
        holds=is_none,
        observed="largest {largest:.1e} of the response",
    ),
    Claim(
        name="Responses are linear in precision at a fixed residual",
        prediction="settled responses times the factor on all precisions",
        kind="theorem",
        measure=scaling,
        holds=is_linear,
        observed="off by {largest:.1e}",
    ),
    Claim(
        name="Ketamine weakens the growth of the mismatch",
        prediction="with repetition, in the whole and in the top's error",
        kind="predicted",
        measure=of_ketamine,
        holds=weakens,
        observed="{growth:+.0%}; of the top {highest:+.0%}",
    ),
    Claim(
        name="Ketamine spares the lowest level",
        prediction="its mismatch falls less than half as much as the growth of the top's (published: spared)",
        kind="predicted",
        measure=of_ketamine,
        holds=spares_the_lowest,
        observed="lowest level {lowest:+.0%}, top {highest:+.0%}",
    ),
    Claim(
        name="Random sequences agree",
        prediction="signs of ketamine on growth and of LSD on adaptation (generated from above) in 9 of 10 roving sequences",
        kind="predicted",
        measure=of_roving,
        holds=agrees,
        observed="growth in {growth:.0%}, adaptation in {adaptation:.0%}",
    ),
    *(
        Claim(
            name=f"{name}: {what}",
            prediction=prediction,
            kind="predicted",
            measure=partial(changes, name=name),
            holds=holds,
            observed=SAID,
            parameters=PARAMETERS,
        )
        for name in accounts(2.0)
        for what, prediction, holds in (
            (
                "psilocybin is mild",
                "changes the growth, either way, less than half as much as ketamine",
                psilocybin_is_mild,
            ),
            (
                "LSD blunts",
                "adaptation and the response to the deviant fall",
                lsd_blunts,
            ),
            (
                "all three at once",
                "ketamine, psilocybin and LSD as reported",
                all_three,
            ),
        )
    ),
)


class Summary(NamedTuple):
    """What result.json holds: changes by account, and the accounts that give all three at once."""

    changes: dict[str, Changes]
    all_three: tuple[str, ...]
    verdicts: tuple[Verdict, ...] = ()


def summarise(config: Config, results: Results) -> Summary:
    found = {
        name: Changes(*map(float, results.tested[f"{name}: all three at once"].as_set))
        for name in results.found
    }
    return Summary(
        found, tuple(name for name, each in found.items() if all_three(each))
    )


def singled_out(summary: Summary) -> str:
    if not summary.all_three:
        return "No account"
    return "Only **" + "**, **".join(summary.all_three) + "**"


def by_account(summary: Summary) -> Table:
    """Changes from placebo."""
    rows = [
        (
            name,
            f"{each.psilocybin:+.0%}",
            f"{each.adaptation:+.0%}",
            f"{each.deviant:+.0%}",
            "yes" if all_three(each) else "no",
        )
        for name, each in summary.changes.items()
    ]
    columns = (
        "Account",
        "Psilocybin: growth",
        "LSD: adaptation",
        "LSD: deviant",
        "All three",
    )
    return Table(columns, rows, "Change from placebo. Ketamine acts alike in all rows.")


def by_block(results: Results) -> Table:
    """What ketamine does by each route."""
    rows = []
    for name, found in results.blocks.items():
        each = (
            found.growth,
            found.growth_of_highest,
            found.lowest[:, -1],
            found.adaptation,
        )
        rows.append((name, *(f"{v[KETAMINE] / v[PLACEBO] - 1:+.0%}" for v in each)))
    columns = ("Blocked", "Growth", "Growth, top", "Mismatch, lowest", "Adaptation")
    return Table(columns, rows, "Ketamine, change from placebo.")


TABLES = {"accounts": by_account, "blocks": by_block}
WORDS = {"singled": singled_out}

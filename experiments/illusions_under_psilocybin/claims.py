"""The claims: theorems, the control, and a verdict for every account and mechanism."""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from pcmodel.neuromodulation.accounts.accounts import Rebus, Sensory
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.paradigms.perception import SizeIllusion, size_illusion
from pcmodel.report import Claim, Parameter, Perturbation, Table, Verdict

from .._dosing import MIDPOINT
from .measured import MEASURED, read_people
from .score import best_possible
from .simulate import (
    CONTRAST,
    NULLS,
    Config,
    Results,
    Score,
    accounts,
    peaks,
    predicted,
    scored,
)

PARAMETERS = (
    Parameter("strength of the account", "account.strength"),
    MIDPOINT,
    Parameter("precision of the senses", "illusion.senses"),
    Parameter("precision of the middle level", "illusion.middle"),
    Parameter("precision of the top", "illusion.top"),
)
TELLING = np.log(3.0)
"""Log Bayes factor from which one side is called more likely."""


def score_of(
    config: Config, seed: int, perturbation: Perturbation, mechanism: str, name: str
) -> Score:
    account = accounts(config.strength)[name]
    curve = predicted(config, seed, mechanism, account, MEASURED, perturbation)
    return scored(read_people(config.data), curve)


def is_more_likely(found: Score) -> bool | None:
    """Bayes factors above 3 under both likelihoods, below 1/3 under both, else undecided."""
    both = (found.within, found.scaled)
    return True if min(both) > TELLING else False if max(both) < -TELLING else None


def score_in_words(found: Score) -> str:
    change = (
        f"predicts a change of {found.five:+.0%} at 5 mg and {found.ten:+.0%} at 10 mg"
    )
    if np.isnan(found.within):
        return f"{change}; no data"
    return (
        f"{change}; log Bayes factor {found.within:+.2f} ({found.low:+.2f} to {found.high:+.2f} leaving one person "
        f"out; {found.scaled:+.2f} if the drug multiplies each person's own illusion)"
    )


class Same(NamedTuple):
    """Largest difference of illusions, over mechanisms and people, per unit of log size of the surround."""

    largest: float


def flat_map(config: Config, seed: int) -> Same:
    """Relaxed priors against raised senses, with receptors alike everywhere."""
    felt = peaks(config.people, seed, MEASURED, perturbation=Perturbation("", "", 1.0))
    even = Anatomy(("a", "b", "c"), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    pair = (Rebus(config.strength), Sensory(config.strength))
    apart = 0.0
    for mechanism in CONTRAST:
        illusion = SizeIllusion(mechanism, (config.senses, config.middle, config.top))
        first, second = (
            np.asarray(
                size_illusion(illusion, felt, account=each, anatomy=even).illusion
            )
            for each in pair
        )
        apart = max(apart, float(np.abs(first - second).max()))
    return Same(apart)


def of_nulls(results: Results) -> Same:
    """Movement of the illusion under the null accounts."""
    moved = [
        np.abs(results.curves[mechanism][name].ratio - 1).max()
        for mechanism in CONTRAST
        for name in NULLS
    ]
    return Same(float(max(moved)))


def is_none(found: Same) -> bool:
    return found.largest < 1e-9


class Top(NamedTuple):
    """Smallest change of the illusion at 10 mg over the contrast mechanisms, as a share."""

    least: float


def of_top(results: Results) -> Top:
    curves = (results.curves[mechanism]["relaxed top alone"] for mechanism in CONTRAST)
    at = int(np.flatnonzero(results.doses == MEASURED[-1])[0])
    return Top(min(float(curve.ratio[at]) - 1 for curve in curves))


class Sign(NamedTuple):
    """The illusion without any drug, per unit of log size of the surround."""

    placebo: float


def of_assimilation(results: Results) -> Sign:
    return Sign(results.curves["assimilation"]["all alike"].placebo)


def is_contrast(found: Sign) -> bool:
    return bool(found.placebo < 0)


def is_stronger(found: Top) -> bool:
    return bool(found.least > 0)


CLAIMS = (
    Claim(
        name="No illusion can tell relaxed priors from raised senses",
        prediction="the same illusion in everyone, with a flat map and the senses exempt",
        kind="theorem",
        measure=flat_map,
        holds=is_none,
        observed="illusions differ by {largest:.1e}",
    ),
    Claim(
        name="Noise, and all precisions alike, change no illusion",
        prediction="illusion unchanged at every dose",
        kind="theorem",
        measure=of_nulls,
        holds=is_none,
        observed="largest change {largest:.1e}",
    ),
    Claim(
        name="A top relaxed alone strengthens every contrast",
        prediction="stronger under all three mechanisms",
        kind="theorem",
        measure=of_top,
        holds=is_stronger,
        observed="smallest change at 10 mg {least:+.0%}",
    ),
    Claim(
        name="A shared prior alone explains the illusion",
        prediction="contrast, as people show without any drug (the control)",
        kind="predicted",
        measure=of_assimilation,
        holds=is_contrast,
        observed="the centre moves by {placebo:+.2f} of the surround: towards it, not away",
    ),
    *(
        Claim(
            name=f"{mechanism}: {name}",
            prediction="more likely than no change, given 18 people's differences",
            kind="predicted",
            measure=partial(score_of, mechanism=mechanism, name=name),
            holds=is_more_likely,
            observed=score_in_words,
            parameters=PARAMETERS,
        )
        for mechanism in CONTRAST
        for name in accounts(2.0)
        if name not in NULLS
    ),
)


class Summary(NamedTuple):
    """What result.json holds.

    scored: people.  observed: mean illusion by dose, per cent.  best: the largest log Bayes factor that any curve
    could have.  averaged: log Bayes factor of each account with the three mechanisms equally likely beforehand.
    """

    scored: int
    observed: tuple[float, ...]
    best: float
    averaged: dict[str, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Averages over mechanisms, and how much could be told at all."""
    people = results.people
    averaged = {
        name: float(
            logsumexp(
                [results.scores[mechanism][name].within for mechanism in CONTRAST]
            )
            - np.log(len(CONTRAST))
        )
        for name in results.scores[CONTRAST[0]]
    }
    observed = people.mean(axis=0) if len(people) else np.full(len(MEASURED), np.nan)
    return Summary(
        len(people), tuple(map(float, observed)), best_possible(people), averaged
    )


def bayes_table(results: Results, summary: Summary) -> Table:
    """Log Bayes factors, best account first."""
    best_first = sorted(summary.averaged, key=lambda name: -summary.averaged[name])
    rows = [
        (
            name,
            *(in_a_cell(results.scores[mechanism][name]) for mechanism in CONTRAST),
            f"{summary.averaged[name]:+.2f}",
        )
        for name in best_first
    ]
    columns = ("Account", *(f"By {each}" for each in CONTRAST), "Averaged")
    caption = (
        "Predicted change at 10 mg, and the log Bayes factor of the differences against no change (nats; +1.1 is three to one, -1.1 one to "
        "three). Averaged: the three mechanisms equally likely beforehand."
    )
    return Table(columns, rows, caption)


def in_a_cell(score: Score) -> str:
    if np.isnan(score.within):
        return f"{score.ten:+.0%}"
    return f"{score.ten:+.0%}: {score.within:+.2f}"


def decided(results: Results, wanted: bool) -> str:
    """Accounts by mechanism that win or lose by three to one."""
    found = []
    for mechanism in CONTRAST:
        names = [
            name
            for name, score in results.scores[mechanism].items()
            if is_more_likely(score) is wanted
        ]
        if names:
            found.append(f"under {mechanism}: {', '.join(names)}")
    return "; ".join(found) or "none"


def data(results: Results, summary: Summary) -> str:
    """Whether anything was scored, and the measured means."""
    if not len(results.people):
        return (
            "**Nothing was scored**: the data set is not beside the repository and --data named no folder; only "
            "predictions are shown."
        )
    zero, five, ten = summary.observed
    return (
        f"{len(results.people)} people: {zero:.2f} % under placebo, {five:.2f} % at 5 mg, {ten:.2f} % at 10 mg (more "
        f"negative is stronger). No dose curve whatever could have a log Bayes factor above {summary.best:+.2f}."
    )


def wins(results: Results) -> str:
    return decided(results, True) if len(results.people) else "nothing was scored"


def losses(results: Results) -> str:
    return decided(results, False) if len(results.people) else "nothing was scored"


TABLES = {"bayes": bayes_table}
WORDS = {"wins": wins, "losses": losses, "data": data}

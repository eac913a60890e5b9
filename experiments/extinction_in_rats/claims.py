"""What was predicted of rats left out; each may fall either way."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from pcmodel.report import Claim, Verdict

from .protocol import GROUPS
from .simulate import CAUSES, NAIVE, ONE, RW, Results

SIGNS = {"standard": 1, "gradual": -1, "reverse": -1}
"""The published direction from the first to the second test."""
DOES = {1: "rises", -1: "falls"}
RIVALS = (ONE, RW)
FITS = {"held_out": ("half 1", "half 2"), "tests": ("extinction alone",)}
"""The fits that each kind of prediction comes from."""
LEAST_DRAWS = 10.0
"""Below it a density is an accident of the few rats that were drawn."""


class Change(NamedTuple):
    """Between the tests in one group.

    predicted: expected by the fit.  low, high: of nine tenths and a half of simulated studies (95 %).
    seen: in the rats.  seen_error: its standard error.  sign: that was published.
    settled: the fits' diagnostics complain of nothing.
    """

    predicted: float
    low: float
    high: float
    seen: float
    seen_error: float
    sign: int
    settled: bool


class Gain(NamedTuple):
    """Nats over another model, summed over rats, with the 95 % interval; better: share of the rats.

    draws: that the density of any rat under either model rests on, at least; few: densities are noisy and too low.
    """

    total: float
    low: float
    high: float
    better: float
    draws: float


class Both(NamedTuple):
    """The change that each of two models predicts for one group; settled: both fits."""

    fitted: float
    naive: float
    seen: float
    settled: bool


def changed(results: Results, group: str, model: str, what: str) -> Change:
    """As predicted by `what` of the results."""
    place = GROUPS.index(group)
    told = getattr(results, what)[model].change[:, place]
    seen = results.rat_change[results.group == place]
    seen = seen[np.isfinite(seen)]
    low, high = np.quantile(told, (0.025, 0.975))
    return Change(
        float(told.mean()),
        float(low),
        float(high),
        float(seen.mean()),
        float(seen.std(ddof=1) / np.sqrt(len(seen))),
        SIGNS[group],
        not any(results.complaints.get(f"{model}, {fit}") for fit in FITS[what]),
    )


def follows(found: Change) -> bool | None:
    """The published sign, with what was seen among the simulated studies; a wrong sign fails.

    A fit that has not settled decides nothing: from another start it may end elsewhere.
    """
    if not found.settled:
        return None
    if found.predicted * found.sign <= 0.0:
        return False
    return True if found.low <= found.seen <= found.high else None


def gain(results: Results, rival: str, what: str) -> Gain:
    """Of latent causes over a rival, or over the protocol of another group."""
    models = getattr(results, what)
    own = models[CAUSES]
    if rival == "exchanged":
        fewest = own.effective_draws.min()
        return total_gain(own.log_density - results.exchanged, fewest)
    other = models[rival]
    fewest = min(own.effective_draws.min(), other.effective_draws.min())
    return total_gain(own.log_density - other.log_density, fewest)


def total_gain(each: np.ndarray, draws: float = np.inf) -> Gain:
    """The sum over rats, with Student's interval."""
    count, total = len(each), each.sum()
    half = stats.t.ppf(0.975, count - 1) * each.std(ddof=1) * np.sqrt(count)
    return Gain(
        float(total),
        float(total - half),
        float(total + half),
        float((each > 0).mean()),
        float(draws),
    )


def is_gain(found: Gain) -> bool | None:
    """Its interval decides, unless a density rests on too few draws."""
    if found.draws < LEAST_DRAWS:
        return None
    return True if found.low > 0.0 else False if found.high < 0.0 else None


def without_expectation(results: Results) -> Both:
    """Standard extinction's rise, with and without an expectation of what is new."""
    fitted, naive = (
        changed(results, "standard", m, "held_out") for m in (CAUSES, NAIVE)
    )
    settled = fitted.settled and naive.settled
    return Both(fitted.predicted, naive.predicted, fitted.seen, settled)


def rests_on_it(found: Both) -> bool | None:
    """Less than half of the rise is left, if there is one, by fits that settled."""
    if not found.settled:
        return None
    return found.naive < 0.5 * found.fitted if found.fitted > 0.0 else None


def in_words(found: Change) -> str:
    """Predicted beside seen."""
    return (
        f"predicted {found.predicted:+.3f} (95 % of such studies {found.low:+.3f} to {found.high:+.3f}), "
        f"seen {found.seen:+.3f} (SE {found.seen_error:.3f})"
        + ("" if found.settled else "; the fit had not settled")
    )


GAINED = "{total:+.1f} nats (95 % {low:+.1f} to {high:+.1f}), {better:.0%} of the rats; at least {draws:.0f} draws"
predicted = partial(Claim, kind="predicted")
SOURCES = {
    "held_out": "each half from the other",
    "tests": "the tests from extinction alone",
}


def claims() -> Iterator[Claim]:
    """Directions, then densities, each for both ways of leaving out."""
    for what, told in SOURCES.items():
        for group, sign in SIGNS.items():
            yield predicted(
                name=f"After {group} extinction freezing {DOES[sign]} ({told})",
                prediction=f"from the first to the second test it {DOES[sign]}, as published, by what such a study would show",
                measure=partial(changed, group=group, model=CAUSES, what=what),
                holds=follows,
                observed=in_words,
            )
        for rival in RIVALS:
            yield predicted(
                name=f"Latent causes predict better than {rival} ({told})",
                prediction="higher log density of what was left out",
                measure=partial(gain, rival=rival, what=what),
                holds=is_gain,
                observed=GAINED,
            )
    yield predicted(
        name="A rat's own protocol predicts it better than another group's",
        prediction="higher log density in the half left out",
        measure=partial(gain, rival="exchanged", what="held_out"),
        holds=is_gain,
        observed=GAINED,
    )
    yield Claim(
        name="Standard extinction's rise rests on what an unknown situation is expected to bring",
        prediction="less than half of it is left where a new cause expects nothing",
        kind="calibrated",
        measure=without_expectation,
        holds=rests_on_it,
        observed="{fitted:+.3f} with the expectation, {naive:+.3f} without, {seen:+.3f} seen",
    )


CLAIMS = tuple(claims())


class Summary(NamedTuple):
    """What result.json holds.

    change: seen in each group.
    held_out, tests: nats over each model, with the 95 % interval.
    fewest_draws: that any rat's held-out density rests on, by model.
    causes: inferred in each group, mean.
    hard_causes: the same with hard assignment.
    """

    change: dict[str, float]
    held_out: dict[str, tuple[float, float, float]]
    tests: dict[str, tuple[float, float, float]]
    fewest_draws: dict[str, float]
    causes: dict[str, float]
    hard_causes: dict[str, float]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Of all groups and models."""

    def gains(what: str) -> dict[str, Any]:
        models = [m for m in getattr(results, what) if m != CAUSES]
        return {m: tuple(gain(results, m, what))[:3] for m in models}

    hard = [results.num_hard[results.group == g].mean() for g in range(len(GROUPS))]
    return Summary(
        {g: changed(results, g, CAUSES, "held_out").seen for g in GROUPS},
        gains("held_out"),
        gains("tests"),
        {m: float(p.effective_draws.min()) for m, p in results.held_out.items()},
        dict(zip(GROUPS, results.num_causes.mean(axis=0).tolist(), strict=True)),
        dict(zip(GROUPS, map(float, hard), strict=True)),
    )

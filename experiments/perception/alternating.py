"""What is simulated of rivalry: alternation with fatigue under every account, with ketanserin, and for eyes of other strengths."""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import t as student

from pcmodel.neuromodulation import Dose, Effects, effects
from pcmodel.neuromodulation.accounts.accounts import Account, Uniform
from pcmodel.paradigms.perception import Alternation, Fatigue, Rivalry, alternation
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

from .._dosing import MIDPOINT, take

HOURS = np.linspace(0, 7, 85)
DOSE = 25.0
"""mg of psilocybin, the full dose."""
KETANSERIN = Dose("ketanserin", 50.0, 0.0)
"""As before psilocybin in Carter et al. 2007."""
AFTER = 1.0
"""Hours from ketanserin to psilocybin: assumed."""
OF_RIVALRY = (
    Parameter("fatigue of percepts", "rivalry.log_odds"),
    Parameter("time constant of fatigue", "rivalry.time"),
    Parameter("precision of the causes", "rivalry.causes"),
    Parameter("precision of the eyes", "rivalry.eyes"),
)
OF_DRUG = (Parameter("strength of the account", "account.strength"), MIDPOINT, *OF_RIVALRY)  # fmt: skip
OURS = ("account", "rivalry", "")


def about_body(perturbation: Perturbation) -> Perturbation:
    """The perturbation where it is about the dose or the body, else none."""
    own = perturbation.path.partition(".")[0] in OURS
    return UNPERTURBED if own else perturbation


@lru_cache(maxsize=16)
def doses(perturbation: Perturbation = UNPERTURBED) -> tuple[Effects, Effects]:
    """The typical participant at the largest effect of the full dose, alone and after ketanserin at the same hour."""
    psilocybin = Dose("psilocybin", DOSE, AFTER)
    alone, blocked = (
        jax.tree.map(
            lambda curve: curve[0],
            effects(take(taken, HOURS, perturbation=perturbation)[0]),
        )
        for taken in ([psilocybin], [KETANSERIN, psilocybin])
    )
    best = int(jnp.argmax(alone.effect_2a))
    first, second = (
        jax.tree.map(lambda curve: curve[best], each) for each in (alone, blocked)
    )
    return first, second


def paradigm(perturbation: Perturbation, *strengths: float) -> tuple[Rivalry, Fatigue]:
    """Eyes and fatigue, where a perturbation is about one of their numbers."""
    of, plain, tired = perturbation.factor_of, Rivalry(), Fatigue()
    eyes, blend, causes = plain.precisions
    precisions = (eyes * of("rivalry.eyes"), blend, causes * of("rivalry.causes"))
    return replace(
        plain, precisions=precisions, strengths=strengths or plain.strengths
    ), Fatigue(tired.log_odds * of("rivalry.log_odds"), tired.time * of("rivalry.time"))


def walked(
    account: Account,
    felt: Effects,
    seed: int,
    runs: int,
    steps: int,
    perturbation: Perturbation,
    *strengths: float,
    fatigue: Fatigue | None = None,
) -> Alternation:
    """Alternation without the path of activity."""
    rival, own = paradigm(perturbation, *strengths)
    found = alternation(
        rival,
        felt,
        account=account,
        key=jax.random.key(seed),
        fatigue=fatigue or own,
        runs=runs,
        steps=steps,
    )
    return found._replace(activity=found.activity[..., :0])


class Interval(NamedTuple):
    """A mean over runs and its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray) -> Interval:
    """Over the runs that have a value; NaN with fewer than two."""
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return Interval(*[float("nan")] * 3)
    error = values.std(ddof=1) / np.sqrt(len(values))
    reach = float(student.ppf(0.975, len(values) - 1)) * error
    mean = float(values.mean())
    return Interval(mean, mean - reach, mean + reach)


class Shape(NamedTuple):
    """Dominance times of all runs together.

    variation: s.d. over mean.  ratio: skewness over variation, 2 for a gamma distribution.
    serial: correlation of a time with the next, of the other percept.  number: of times.
    """

    variation: float
    ratio: float
    serial: float
    number: float


def shape_over_runs(times: np.ndarray) -> Shape:
    """times: (runs, most), NaN beyond the last."""
    known = times[~np.isnan(times)]
    if len(known) < 3 or not known.std() > 0:
        return Shape(np.nan, np.nan, np.nan, float(len(known)))
    variation = known.std(ddof=1) / known.mean()
    skewness = np.mean((known - known.mean()) ** 3) / known.std() ** 3
    pairs = np.stack([times[:, :-1].ravel(), times[:, 1:].ravel()])
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    serial = np.corrcoef(pairs)[0, 1] if pairs.shape[1] > 2 else np.nan
    return Shape(
        float(variation), float(skewness / variation), float(serial), float(len(known))
    )


class Strengths(NamedTuple):
    """Eyes whose strengths are doubled: change of mean dominance and rate, as shares of those of eyes alike.

    own, other: dominance of the eye that is doubled alone, and of the other eye.  rate: of switches, both doubled.
    """

    own: Interval
    other: Interval
    rate: Interval


NOTHING = Effects(*(jnp.zeros(1),) * 3)


def of_strengths(
    runs: int, steps: int, seed: int, perturbation: Perturbation
) -> Strengths:
    """Without a drug; the same noise in all three."""
    plain, one, both = (
        walked(Uniform(), NOTHING, seed, runs, steps, perturbation, *strengths)
        for strengths in ((1.0, 1.0), (2.0, 1.0), (2.0, 2.0))
    )
    # By symmetry either eye's time without change is that of both.
    before = plain.dominance[0].mean(axis=1)
    usual = interval(before).mean
    own, other = (one.dominance[0, :, side] - before for side in (0, 1))
    slowest = max(float(plain.rate.mean()), 1e-30)
    rate = (both.rate - plain.rate)[0] / slowest
    return Strengths(interval(own / usual), interval(other / usual), interval(rate))

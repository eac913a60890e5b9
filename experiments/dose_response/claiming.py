"""The claims: what is measured, when it holds, and which parameters could overturn it."""

from functools import lru_cache, partial

import numpy as np

from pcmodel.neuromodulation import Dose
from pcmodel.neuromodulation.accounts.accounts import Rebus
from pcmodel.report import Parameter, Perturbation

from .._believing import BELIEF_PARAMETERS, believe
from .._claims import Claim
from .._dosing import half_life, take
from . import exchanging, low_doses
from .computing import HOURS, Config, at_peak, both_readouts, restored, sessions

BLOCKER = (
    Parameter("ketanserin K at 5-HT2A", "ligands.k_2a", "ketanserin"),
    Parameter("ketanserin dose", "dose.mg", "ketanserin"),
    Parameter("ketanserin volume", "kinetics.volume", "ketanserin"),
    half_life("ketanserin half-life", "ketanserin"),
)
DELAY = (
    Parameter("hours from LSD to ketanserin", "dose.hours", "ketanserin"),
    Parameter("ketanserin absorption rate", "kinetics.absorption", "ketanserin"),
)
LSD = (
    Parameter("LSD K at 5-HT2A", "ligands.k_2a", "LSD"),
    Parameter("LSD effect-site rate", "kinetics.effect_site", "LSD"),
)
ONSET = (
    Parameter("second-stage midpoint", "physiology.half"),
    Parameter("second-stage power", "physiology.power"),
)
DIFFERENCES = tuple(
    Parameter(f"variation of {name}", f"variation.{name}")
    for name in ("clearance", "volume", "affinity", "onset")
)
PSILOCIN = (
    Parameter("psilocin K at 5-HT2A", "ligands.k_2a", "psilocybin"),
    Parameter("psilocin efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
    Parameter("both doses of psilocybin", "dose.mg", "psilocybin"),
)
STRENGTH = (Parameter("log precision per unit of effect", "account.strength"),)


def claims(config: Config, seed: int = 0) -> tuple[Claim, ...]:
    """Every claim of the experiment, predictions first."""
    options = {"people": config.people, "seed": seed}
    return (
        *blockade(options),
        exchanging.claims(options)[0],
        *low_doses.claims(options),
        readouts(options),
        *beliefs({**options, "strength": config.strength}),
        exchanging.claims(options)[1],
        schild(),
    )


def blocked(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Median hours alone and with ketanserin after, dose ratio, plasma moved, share abolished."""
    found = sessions(people, seed, perturbation)
    alone, after = np.median(found.felt[:, 1:], axis=1)
    abolished = np.mean(found.left[1:] < 0.1)
    return np.asarray([alone, after, found.ratio, found.moved, abolished])


def blockade(options) -> tuple[Claim, ...]:
    """Ketanserin against LSD."""
    measure = partial(blocked, **options)
    return (
        Claim(
            "Ketanserin an hour after LSD ends the experience",
            "shorter than alone, LSD in plasma the same number for number (published 8.5 -> 3.5 h)",
            "predicted",
            measure,
            lambda v: bool(v[1] < v[0] and v[3] == 0),
            lambda v: (
                f"median {v[0]:.1f} -> {v[1]:.1f} h at a dose ratio of {v[2]:.1f}; plasma "
                + ("unchanged" if v[3] == 0 else "changed")
            ),
            (*BLOCKER, *DELAY, *LSD, *ONSET),
        ),
        Claim(
            "How much shorter, as published",
            "2.5 to 4.5 h (published 3.5, SD 1.3) with the assumed affinity of ketanserin",
            "predicted",
            measure,
            lambda v: bool(2.5 <= v[1] <= 4.5),
            lambda v: f"{v[1]:.1f} h at a dose ratio of {v[2]:.1f}",
            (*BLOCKER, *DELAY, *LSD, *ONSET),
        ),
        Claim(
            "Ketanserin an hour before LSD abolishes it",
            "effect below a tenth of each one's peak alone in 95 % of people",
            "predicted",
            measure,
            lambda v: bool(v[4] >= 0.95),
            lambda v: f"{v[4]:.0%} of people",
            (*BLOCKER, *LSD, *ONSET, *DIFFERENCES),
        ),
    )


def ceilings(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """200 over 100 µg of ego dissolution and of the good effect; share in whom the first is larger."""
    options = {"people": people, "seed": seed, "perturbation": perturbation}
    high, low = (both_readouts(mg, **options) for mg in (0.2, 0.1))
    good, ego = np.where(low > 0, high / np.where(low > 0, low, 1), np.nan)
    return np.asarray([ego[0], good[0], np.mean(ego[1:] > good[1:])])


def readouts(options) -> Claim:
    """Good effect and ego dissolution."""
    return Claim(
        "Good effect is nearer its ceiling at 100 µg than ego dissolution",
        "200/100 µg ratio larger for ego dissolution",
        "predicted",
        partial(ceilings, **options),
        lambda v: bool(v[0] > v[1]),
        lambda v: (
            f"{v[0]:.2f} against {v[1]:.2f}; so in {v[2]:.0%} of people"
            if np.all(np.isfinite(v))
            else "one of them is nothing at 100 µg"
        ),
        (
            Parameter("second-stage midpoint, ego dissolution", "physiology.ego_half"),
            Parameter("second-stage midpoint, good effect", "physiology.half"),
            *LSD,
            Parameter("LSD efficacy at 5-HT2A", "ligands.efficacy_2a", "LSD"),
        ),
    )


@lru_cache(maxsize=128)
def falls(
    perturbation: Perturbation, *, people: int, seed: int, strength: float
) -> np.ndarray:
    """Mean fall of confidence after 25 and 1 mg, share in whom it falls, correlation with entropy.

    The correlation is over people, between the fall after 25 mg and the gain in entropy; 0 where nothing
    changes.
    """
    moments = []
    for mg in (0.0, 1.0, 25.0):
        course, _ = take(
            [Dose("psilocybin", mg)],
            HOURS,
            people=max(people, 10),
            seed=seed,
            perturbation=perturbation,
        )
        moments.append(
            believe(at_peak(course), Rebus(strength), perturbation=perturbation)
        )
    none, little, full = moments
    fall = (none.confidence - full.confidence)[1:]
    gain = (full.entropy - none.entropy)[1:]
    varies = min(fall.std(), gain.std()) > 1e-12
    related = np.corrcoef(fall, gain)[0, 1] if varies else 0.0
    small = (none.confidence - little.confidence)[1:].mean()
    return np.asarray([fall.mean(), small, np.mean(fall > 0), related])


def beliefs(options) -> tuple[Claim, ...]:
    """1 and 25 mg."""
    measure = partial(falls, **options)
    parameters = (*PSILOCIN, *ONSET, *STRENGTH, *BELIEF_PARAMETERS)
    return (
        Claim(
            "25 mg but not 1 mg of psilocybin lowers confidence in a negative self-belief",
            "falls in 95 % of people after 25 mg, and by less than a tenth as much after 1 mg",
            "predicted",
            measure,
            lambda v: bool(v[2] >= 0.95 and v[1] < 0.1 * v[0]),
            lambda v: (
                f"mean fall {v[0]:.4f} against {v[1]:.4f}; in {v[2]:.0%} of people"
            ),
            parameters,
        ),
        Claim(
            "Confidence falls more in people whose uncertainty rises more",
            "correlation of the fall with the gain in entropy above 0.3",
            "predicted",
            measure,
            lambda v: bool(v[3] > 0.3),
            lambda v: f"r = {v[3]:.2f}",
            parameters,
        ),
    )


def schild() -> Claim:
    """Competition shifts dose curves without lowering them."""
    return Claim(
        "Blockade shifts the dose curve to the right",
        "under ketanserin 1 + B/K times the psilocybin gives the same response",
        "theorem",
        restored,
        lambda v: bool(v[0] > 1 and v[1] < 1e-9),
        lambda v: (
            f"by a factor of {v[0]:.1f}; responses "
            + ("alike" if v[1] < 1e-9 else f"differ by {v[1]:.0e}")
        ),
    )

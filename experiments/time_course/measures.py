"""What is measured of simulated people, under a perturbation."""

from typing import NamedTuple

import numpy as np

from pcmodel.neuromodulation import Bolus, Dose, Infusion, effects
from pcmodel.report import Perturbation

from .._believing import believe
from .._dosing import take
from .simulate import ACCOUNTS, LONG, SHORT, Config, Group, group

SPREADS = {
    ("psilocybin", 15.0): 2.2,
    ("psilocybin", 25.0): 1.6,
    ("psilocybin", 30.0): 2.2,
    ("LSD", 0.1): 2.0,
}
"""Published SD of hours felt, by compound and mg."""
DOSES = (15.0, 25.0, 30.0)
"""mg of psilocybin in Holze et al. 2023."""


class Ratio(NamedTuple):
    """Hours of psilocybin 20 mg over those of LSD 100 µg, with the middle 90 %; infinite if one is not felt."""

    ratio: float
    low: float
    high: float


class TypicalRatio(NamedTuple):
    """The same of the typical participant alone."""

    ratio: float


class Spreads(NamedTuple):
    """SD over people of hours felt, by published group (h)."""

    sd: np.ndarray


class SecondDose(NamedTuple):
    """Serotonin after MDMA 100 mg: its peak, the most that 100 mg after 4 h add, and their ratio."""

    first: float
    added: float
    share: float


class Psilocin(NamedTuple):
    """Means over people after each of `DOSES`: Cmax (ng/mL), tmax (h), intensity (%), hours felt."""

    peak: np.ndarray
    peak_hour: np.ndarray
    intensity: np.ndarray
    felt: np.ndarray


class Pressure(NamedTuple):
    """Peak pressure after psilocybin 25 mg, mmHg: means and SDs over people."""

    systolic: float
    systolic_sd: float
    diastolic: float
    diastolic_sd: float


class Lsd(NamedTuple):
    """Means over people after LSD 100 µg: Cmax (ng/mL), tmax (h), hours felt, hour of the peak effect."""

    peak: float
    peak_hour: float
    felt: float
    intensity_hour: float


class DmtCourse(NamedTuple):
    """Effect at 30 and 90 min of DMT 1 mg/min and 15 min after its end; minutes to the peak of a bolus."""

    at_30: float
    at_90: float
    after: float
    bolus_minutes: float


class Hypertension(NamedTuple):
    """Share of people above 160 mmHg after MDMA 75 and 125 mg, and over both."""

    after_75: float
    after_125: float
    mean: float


class Identity(NamedTuple):
    """Whether two beliefs are the same numbers to the bit."""

    identical: bool


def group_of(
    compound: str, mg: float, config: Config, seed: int, perturbation: Perturbation
) -> Group:
    """A group, perturbed where that is about what the group takes."""
    own = perturbation.restricted_to(compound)
    return group(compound, mg, config.people, seed, own)


def both_felt(config: Config, seed: int, perturbation: Perturbation):
    """Hours psilocybin 20 mg and LSD 100 µg are felt by the same people."""
    pair = (("psilocybin", 20.0), ("LSD", 0.1))
    return [group_of(*each, config, seed, perturbation).felt for each in pair]


def over(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Ratio of durations; infinite where one of them is not felt, and so ends before nothing."""
    both = (first > 0) & (second > 0)
    return np.where(both, first / np.where(both, second, 1), np.inf)


def middle(ratios: np.ndarray) -> np.ndarray:
    """The middle 90 %."""
    return np.quantile(ratios, (0.05, 0.95), method="lower")


def mean_ratio(config: Config, seed: int, perturbation: Perturbation) -> Ratio:
    """Ratio of mean durations, and its middle 90 % over simulated studies of 32 people."""
    felt = np.stack(both_felt(config, seed, perturbation))[:, 1:]
    rows = np.random.default_rng(seed).integers(felt.shape[1], size=(2000, 32))
    whole, studies = over(*felt.mean(1)), over(*felt[:, rows].mean(2))
    return Ratio(float(whole), *middle(studies))


def ratio_by_person(config: Config, seed: int, perturbation: Perturbation) -> Ratio:
    """The same ratio person by person: typical, and the middle 90 %."""
    ratios = over(*both_felt(config, seed, perturbation))
    return Ratio(ratios[0], *middle(ratios[1:]))


def ratio_in_vitro(
    config: Config, seed: int, perturbation: Perturbation
) -> TypicalRatio:
    """The typical ratio with efficacies of the test tube."""
    first, second = (
        group(
            name, mg, config.people, seed, perturbation.restricted_to(name), True
        ).felt[0]
        for name, mg in (("psilocybin", 20.0), ("LSD", 0.1))
    )
    return TypicalRatio(float(over(first, second)))


def spreads(config: Config, seed: int, perturbation: Perturbation) -> Spreads:
    """In each published group."""
    groups = (group_of(*each, config, seed, perturbation) for each in SPREADS)
    return Spreads(np.asarray([each.felt[1:].std() for each in groups]))


def second_dose(perturbation: Perturbation) -> SecondDose:
    """In the typical participant."""
    first, second = Dose("MDMA", 100.0), Dose("MDMA", 100.0, 4.0)
    alone, both = (
        np.asarray(take(doses, LONG, perturbation=perturbation)[0].serotonin[0])
        for doses in ([first], [first, second])
    )
    added = (both - alone).max()
    return SecondDose(alone.max(), added, added / alone.max())


def psilocin(config: Config, seed: int, perturbation: Perturbation) -> Psilocin:
    """After the published doses."""
    found = [group_of("psilocybin", mg, config, seed, perturbation) for mg in DOSES]
    return Psilocin._make(
        np.asarray([getattr(each, field)[1:].mean() for each in found])
        for field in Psilocin._fields
    )


def pressure(config: Config, seed: int, perturbation: Perturbation) -> Pressure:
    """Each participant's own peaks."""
    found = group_of("psilocybin", 25.0, config, seed, perturbation)
    high, low = found.systolic[1:], found.diastolic[1:]
    return Pressure(high.mean(), high.std(), low.mean(), low.std())


def lsd(config: Config, seed: int, perturbation: Perturbation) -> Lsd:
    """The published dose."""
    found = group_of("LSD", 0.1, config, seed, perturbation)
    return Lsd._make(getattr(found, field)[1:].mean() for field in Lsd._fields)


def dmt_course(perturbation: Perturbation) -> DmtCourse:
    """In the typical participant."""
    infused = [Dose("DMT", 90.0, 0.0, Infusion(1.5))]
    effect = take(infused, SHORT, perturbation=perturbation)[0].effect_2a[0]
    fine = np.linspace(0, 0.25, 301)
    bolus = take([Dose("DMT", 25.0, 0.0, Bolus())], fine, perturbation=perturbation)[0]
    at = np.searchsorted(SHORT, [0.5, 1.5, 1.75])
    peak = fine[int(np.argmax(bolus.effect_2a[0]))]
    return DmtCourse._make((*np.asarray(effect)[at], 60 * peak))


def hypertension(config: Config, seed: int, perturbation: Perturbation) -> Hypertension:
    """Each participant's own peak."""
    shares = [
        float(
            np.mean(group_of("MDMA", mg, config, seed, perturbation).systolic[1:] > 160)
        )
        for mg in (75.0, 125.0)
    ]
    return Hypertension._make((*shares, np.mean(shares)))


def zero_dose(config: Config) -> Identity:
    """0 mg against placebo: every number of the belief."""
    chosen = ACCOUNTS[config.account]
    nothing, _ = take([Dose("psilocybin", 0.0)], SHORT)
    inert, _ = take([Dose("placebo", 1.0)], SHORT)
    first, second = believe(effects(nothing), chosen), believe(effects(inert), chosen)
    pairs = zip(first, second, strict=True)
    return Identity(all(np.array_equal(a, b) for a, b in pairs))

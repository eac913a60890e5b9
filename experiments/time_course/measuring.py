"""What is measured: numbers of groups, under a setting."""

import numpy as np

from .._claims import Setting
from .computing import group

SPREADS = {
    ("psilocybin", 15.0): 2.2,
    ("psilocybin", 25.0): 1.6,
    ("psilocybin", 30.0): 2.2,
    ("LSD", 0.1): 2.0,
}
HOLZE = {
    15.0: ((10, 13), 58, 5.6),
    25.0: ((16, 19), 73, 5.5),
    30.0: ((19, 24), 80, 6.4),
}


def one_of(compound: str, mg: float, setting: Setting, *, people: int, seed: int):
    """A group, with a setting where it is about what the group takes."""
    return group(compound, mg, people, seed, setting.among(compound))


def both_felt(setting: Setting, *, people: int, seed: int) -> list[np.ndarray]:
    """Hours psilocybin 20 mg and LSD 100 µg are felt by the same people."""
    pair = (("psilocybin", 20.0), ("LSD", 0.1))
    return [one_of(*each, setting, people=people, seed=seed).felt for each in pair]


def over(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Ratio of durations; infinite where one of them is not felt, and so ends before nothing."""
    both = (first > 0) & (second > 0)
    return np.where(both, first / np.where(both, second, 1), np.inf)


def middle(ratios: np.ndarray) -> np.ndarray:
    """The middle 90 %."""
    return np.quantile(ratios, (0.05, 0.95), method="lower")


def mean_ratio(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """Ratio of mean durations, and its middle 90 % over simulated studies of 32 people."""
    felt = np.stack(both_felt(setting, people=people, seed=seed))[:, 1:]
    rows = np.random.default_rng(seed).integers(felt.shape[1], size=(2000, 32))
    return np.asarray([over(*felt.mean(1)), *middle(over(*felt[:, rows].mean(2)))])


def ratio(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """The same ratio person by person: typical, and the middle 90 %."""
    ratios = over(*both_felt(setting, people=people, seed=seed))
    return np.asarray([ratios[0], *middle(ratios[1:])])


def ratio_in_vitro(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """The typical ratio with efficacies of the test tube."""
    first, second = (
        group(name, mg, people, seed, setting.among(name), True).felt[0]
        for name, mg in (("psilocybin", 20.0), ("LSD", 0.1))
    )
    return np.atleast_1d(over(first, second))


def spreads(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """SD of hours felt in each published group."""
    return np.asarray(
        [
            one_of(*each, setting, people=people, seed=seed).felt[1:].std()
            for each in SPREADS
        ]
    )


def psilocin(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """Group means, (quantities, doses): Cmax, tmax, intensity, hours felt."""
    found = [
        one_of("psilocybin", mg, setting, people=people, seed=seed) for mg in HOLZE
    ]
    fields = ("peak", "peak_hour", "intensity", "felt")
    return np.ravel(
        [[getattr(each, field)[1:].mean() for each in found] for field in fields]
    )


def lsd(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """Group means of LSD 100 µg: Cmax, tmax, hours felt, hour of the peak effect."""
    found = one_of("LSD", 0.1, setting, people=people, seed=seed)
    fields = (found.peak, found.peak_hour, found.felt, found.intensity_hour)
    return np.asarray([field[1:].mean() for field in fields])


def pressure(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """Mean and SD of peak systolic, then diastolic pressure after psilocybin 25 mg."""
    found = one_of("psilocybin", 25.0, setting, people=people, seed=seed)
    peaks = (found.systolic[1:], found.diastolic[1:])
    return np.ravel([(peak.mean(), peak.std()) for peak in peaks])


def hypertension(setting: Setting, *, people: int, seed: int) -> np.ndarray:
    """Share above 160 mmHg after MDMA 75 and 125 mg."""
    return np.asarray(
        [
            np.mean(
                one_of("MDMA", mg, setting, people=people, seed=seed).systolic[1:] > 160
            )
            for mg in (75.0, 125.0)
        ]
    )

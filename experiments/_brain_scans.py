"""What fMRI shows of simulated people under one account, with a scanner's noise."""

from functools import lru_cache

import numpy as np

from pcmodel.report import UNPERTURBED, Parameter, Perturbation

from ._brain import (
    HELD,
    Setting,
    activity_of,
    condition_of,
    modulation_of,
    person,
    world_of,
)
from ._brain_imaging import (
    SCANNER,
    Bold,
    bold_of,
    networks_of,
    noise_of,
    pairs_of,
)

SCANNED = (Parameter("noise of the scanner", "scanner.noise"),)


def own_noise(perturbation: Perturbation) -> Perturbation:
    """The perturbation as far as it changes what fMRI shows without drug and input."""
    acts = perturbation.path.startswith(("world.", "speed."))
    return perturbation if acts else UNPERTURBED


@lru_cache(maxsize=1024)
def bold_seen(
    number: int,
    name: str,
    condition: str,
    setting: Setting,
    perturbation: Perturbation,
    variance: float = 1.0,
) -> Bold:
    """What fMRI would show of one person without a scanner's noise."""
    brain = person(setting.seed, number, world_of(perturbation))
    modulation = modulation_of(brain, name, setting, perturbation)
    given = condition_of(condition, perturbation, variance)
    return bold_of(brain, activity_of(brain, given, modulation, perturbation))


def scanner_noise(
    number: int, setting: Setting, perturbation: Perturbation
) -> dict[str, float]:
    """The share SCANNER of what is recorded with eyes closed and without drug, as noise of its own."""
    bold = bold_seen(number, "placebo", "closed", setting, own_noise(perturbation))
    return noise_of(bold, scanner_share(perturbation))


def scanner_share(perturbation: Perturbation) -> float:
    """Noise over what is recorded, where the perturbation multiplies noise over signal."""
    over = SCANNER / (1 - SCANNER) * perturbation.factor_of("scanner.noise")
    return over / (1 + over)


@lru_cache(maxsize=4096)
def image(
    kind: str,
    name: str,
    condition: str,
    setting: Setting,
    perturbation: Perturbation = UNPERTURBED,
    variance: float = 1.0,
) -> np.ndarray:
    """What fMRI shows under one account, (people, fields).

    kind: "networks"; "networks, noise in proportion" (to the signal); "pairs": Fisher z of every pair of regions but
    those of the region that a task holds.
    """
    acts = UNPERTURBED if perturbation.path.startswith("scanner.") else perturbation
    rows = []
    for number in range(setting.people):
        bold = bold_seen(number, name, condition, setting, acts, variance)
        if kind == "networks, noise in proportion":
            noise = noise_of(bold, scanner_share(perturbation))
        else:
            noise = scanner_noise(number, setting, perturbation)
        if kind == "pairs":
            rows.append(pairs_of(bold, noise, HELD))
        else:
            rows.append(networks_of(bold, noise))
    return np.asarray(rows, float)

"""How much a drug changes connectivity, by what is seen: eyes closed, films of rising variance, a task.

The change is the root mean square, over pairs of regions, of the difference in Fisher z between drug and no drug.
"""

import numpy as np

from pcmodel.report import UNPERTURBED, Perturbation

from .._brain import Setting
from .._brain_scans import image

VARIANCES = (0.25, 1.0, 4.0, 16.0)
"""Of the film, over that of the streams that taught."""
INPUTS = {
    "eyes closed": ("closed", 1.0),
    **{f"film {variance:g}": ("film", variance) for variance in VARIANCES},
    "task": ("task", 1.0),
}
NAMES = {
    "rebus": "blue",
    "rebus, top favoured": "sky",
    "noise": "black",
    "uniform": "grey",
}


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square difference over pairs, by person."""
    return np.sqrt(np.mean((second - first) ** 2, axis=1))


def changed(
    name: str, setting: Setting, perturbation: Perturbation, given: tuple[str, float]
) -> np.ndarray:
    """How far an account moves everybody's connectivity under an input."""
    condition, variance = given
    placebo, drug = (
        image("pairs", one, condition, setting, perturbation, variance)
        for one in ("placebo", name)
    )
    return distance(placebo, drug)


def contexts_of(setting: Setting) -> dict[str, np.ndarray]:
    """Change by account, (inputs, people)."""
    return {
        name: np.stack(
            [changed(name, setting, UNPERTURBED, given) for given in INPUTS.values()]
        )
        for name in NAMES
    }

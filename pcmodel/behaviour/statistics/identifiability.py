"""What the data can say about each number: identified, ratio only, or prior.

Two of the ways in which a fit misleads are said aloud here: a posterior that is the
prior again, and a pair of parameters of which the data know one combination only. No
verdict says that an account of a drug is supported.
"""

from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.models import HelicopterModel
from pcmodel.behaviour.statistics.hierarchy import Hierarchy
from pcmodel.behaviour.statistics.posterior import Effect, Posterior

KNOWN = 0.5  # share of the prior variance that the data must remove
TIED = 0.9  # posterior correlation above which two numbers are told apart badly


class Verdict(NamedTuple):
    """One effect's verdict, and the effect it is nearly a mirror of."""

    name: str
    word: str  # identified | prior | ratio only | unconverged
    tied_to: str  # empty where nothing is


def verdicts(posterior: Posterior, effects: tuple[Effect, ...]) -> tuple[Verdict, ...]:
    """A verdict for each effect, in their order."""
    bad = bool(posterior.diagnostics and posterior.diagnostics.complaints)
    ratios = ratio_only(posterior.hierarchy)
    ties = _ties(posterior, [effect.name for effect in effects])
    found = []
    for effect in effects:
        word = "identified" if effect.contraction >= KNOWN else "prior"
        if effect.name in ratios:
            word = "ratio only"
        if bad:
            word = "unconverged"
        found.append(Verdict(effect.name, word, ties.get(effect.name, "")))
    return tuple(found)


def ratio_only(hierarchy: Hierarchy) -> set[str]:
    """Level of a precision that is known against another one only.

    A Kalman agent's means depend on the ratio of process to sensory variance alone (a
    theorem; DESIGN 8), whatever the noise levels. Its intercept is then that ratio's,
    with the other precision held; differences between conditions keep the same caveat.
    """
    model = hierarchy.model
    if not isinstance(model, HelicopterModel) or model.agent.change_points:
        return set()
    names = ("prior_log_precision", "sensory_log_precision")
    return {
        f"{term.parameter.name}[{effect}]"
        for term in hierarchy.terms
        if term.parameter.name in names
        for effect in term.design.common_names
    }


def _ties(posterior: Posterior, names: list[str]) -> dict[str, str]:
    draws = np.stack([posterior.effects[name].ravel() for name in names])
    if len(names) < 2:
        return {}
    matrix = np.abs(np.corrcoef(draws)) - np.eye(len(names))
    best = matrix.argmax(axis=1)
    return {
        name: names[j]
        for i, (name, j) in enumerate(zip(names, best, strict=True))
        if matrix[i, j] >= TIED
    }

"""What the data can say about each number: identified, ratio only, or prior.

Two of the ways in which a fit misleads are said aloud here: a posterior that is the
prior again, and a pair of parameters of which the data know one combination only. No
verdict says that an account of a drug is supported.
"""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.models import HelicopterModel, JudgedModel
from pcmodel.behaviour.models.judged import INTERCEPTS
from pcmodel.behaviour.posterior.fitted_posterior import Effect, Posterior

KNOWN = 0.5  # share of the prior variance that the data must remove
TIED = 0.9  # posterior correlation above which two numbers are told apart badly


class Verdict(NamedTuple):
    """One effect's verdict, and the effect it is nearly a mirror of."""

    name: str
    word: str  # identified | prior | ratio only | unknown | unconverged
    tied_to: str  # empty where nothing is


def verdicts(posterior: Posterior, effects: tuple[Effect, ...]) -> tuple[Verdict, ...]:
    """A verdict for each effect, in their order.

    A variational posterior of independent coordinates is narrow even where the data know
    a combination only: it can show that a number is the prior's, not that it is known.
    "ratio only" follows from the model and not from the draws, and stays said where they
    cannot be trusted.
    """
    bad, is_variational = bool(posterior.complaints), posterior.method == "SVI"
    ratios = ratio_only(posterior.hierarchy)
    ties = _ties(posterior, [effect.name for effect in effects])
    found = []
    for effect in effects:
        word = "identified" if effect.contraction >= KNOWN else "prior"
        if is_variational and word == "identified":
            word = "unknown"
        if bad:
            word = "unconverged"
        if effect.name in ratios:  # a theorem, whatever the chains did
            word = "ratio only"
        found.append(Verdict(effect.name, word, ties.get(effect.name, "")))
    return tuple(found)


def ratio_only(hierarchy: Hierarchy) -> set[str]:
    """Effects and spreads of which the data know a combination with others only.

    An effect counts where every parameter of one of the model's `invariances` has it.
    """
    terms = {term.parameter.name: term.design for term in hierarchy.terms}
    found = set()
    for group in invariances(hierarchy.model):
        if not set(group) <= set(terms):
            continue
        shared = set.intersection(*(set(terms[n].common_names) for n in group))
        varying = set.intersection(*(set(terms[n].varying_names) for n in group))
        found |= {f"{name}[{effect}]" for name in group for effect in shared}
        found |= {f"{name}_sd[{effect}]" for name in group for effect in varying}
    return found


def invariances(model: Any) -> tuple[tuple[str, ...], ...]:
    r"""Parameters that can be moved together without any response becoming likelier.

    A Kalman agent's means depend on the ratio of process to sensory variance alone (a
    theorem; DESIGN 8), whatever the noise levels: each of the two is known against the
    other, held one. A filter's volatility level $x_3$ meets the rest in
    $\kappa x_3 + \omega_2$ only: $x_3$ can be shifted ($\mu_3^{(0)}$ against $\omega_2$)
    and stretched ($\kappa$ against $\omega_3$ and $\pi_3^{(0)}$, the shift that remains
    taken by $\omega_2$), unless choice itself reads the volatility.

    Confidence reads the precision itself. Of a Kalman agent's two it then fixes a common
    shift against the person's own zero of the scale, and so what a condition does to
    either, as long as it leaves that zero alone.
    """
    own = model.model if isinstance(model, JudgedModel) else model
    if isinstance(own, HelicopterModel):
        if own.agent.change_points:
            return ()
        names = ("prior_log_precision",), ("sensory_log_precision",)
        beside = [p.name for p in model.parameters if p.name in INTERCEPTS]
        return tuple((*name, *beside) for name in names)
    if getattr(own, "volatile_choice", False):
        return ()
    names = {parameter.name for parameter in model.parameters}
    groups = ("mu3_0", "omega2"), ("log_kappa2", "omega3", "log_pi3_0")
    return tuple(group for group in groups if set(group) <= names)


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

"""Identifiability of each effect: identified, ratio only, or prior.

Two ways in which a fit misleads are reported here: a posterior equal to the prior, and
parameters of which the data determine one combination only. No verdict says that an account
of a drug is supported.
"""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.models import HelicopterModel, JudgedModel
from pcmodel.behaviour.models.judged import INTERCEPTS
from pcmodel.behaviour.posterior.fitted_posterior import Effect, Posterior

KNOWN = 0.5  # share of the prior variance that the data must remove
TIED = 0.9  # posterior correlation above which two numbers are hardly distinguishable


class Verdict(NamedTuple):
    """One effect's verdict.

    name: of the effect, `parameter[effect]`.
    word: "identified", "prior", "ratio only", "unknown" or "unconverged".
    tied_to: the effect with which it is most correlated in the posterior; "" for none.
    """

    name: str
    word: str
    tied_to: str


def verdicts(posterior: Posterior, effects: tuple[Effect, ...]) -> tuple[Verdict, ...]:
    """A verdict for each effect, in their order.

    A variational posterior may be narrow even where the data determine a combination only:
    it can show that a number keeps its prior, not that it is identified. "ratio only" follows
    from the model and not from the draws, and so holds whether or not they converged.
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
        if effect.name in ratios:  # of the model, not of the draws
            word = "ratio only"
        found.append(Verdict(effect.name, word, ties.get(effect.name, "")))
    return tuple(found)


def ratio_only(hierarchy: Hierarchy) -> set[str]:
    """Names of effects and spreads of which the data determine a combination only.

    These are the effects that every parameter of one of the model's `invariances` has.
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
    r"""Groups of parameters that can change together without a change of the likelihood.

    A Kalman agent's means depend on the ratio of process to sensory variance alone (a
    theorem), whatever the noise levels: each of the two is identified only if the
    other is fixed. A filter's volatility level $x_3$ enters the likelihood through
    $\kappa x_3 + \omega_2$ only: $x_3$ can be shifted ($\mu_3^{(0)}$ against $\omega_2$)
    and scaled ($\kappa$ against $\omega_3$ and $\pi_3^{(0)}$, with the remaining shift
    compensated by $\omega_2$), unless choices depend on the volatility itself; so does $x_2$ of a
    continuous filter, and the precisions of a Kalman filter of continuous outcomes, its first belief's included.

    Confidence depends on the precision itself. It determines a common shift of a Kalman
    agent's two precisions relative to the zero of the person's confidence scale, and so the
    effect of a condition on either, if that condition does not change this zero.
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
    groups = (
        *(("mu3_0", "omega2"), ("log_kappa2", "omega3", "log_pi3_0")),
        *(("mu2_0", "omega1"), ("log_kappa1", "omega2", "log_pi2_0")),
    )
    if "prior_log_precision" in names:
        ratio = ("prior_log_precision", "sensory_log_precision")
        beside = [name for name in INTERCEPTS if name in names]
        groups = (*groups, (*ratio, "initial_log_precision", *beside))
    return tuple(group for group in groups if set(group) <= names)


def _ties(posterior: Posterior, names: list[str]) -> dict[str, str]:
    """By effect the other with the largest absolute posterior correlation above `TIED`."""
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

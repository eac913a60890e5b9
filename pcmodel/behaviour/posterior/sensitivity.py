r"""How far the group's numbers move when their priors are made narrower and wider.

The prior of each mean, effect and standard deviation over people, of scale $s$, is replaced by one of the same family and centre
of $s / 2$ and of $2 s$, one at a time and all together. The draws are reweighted by the ratio of the two priors, for a normal one

$w \propto \exp\bigl(-\tfrac12 z^2 (c^{-2} - 1)\bigr), \quad z = (\beta - m) / s,$

with Pareto-smoothed tails (Vehtari et al. 2024); the likelihood and the people given the group stay as they are, so that the
ratio is exact. Where the shape k of the weights is above its limit the answer is not known from these draws; a refit gives it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, Term
from pcmodel.behaviour.hierarchy.priors.families import Law
from pcmodel.behaviour.posterior.fitted_posterior import (
    Label,
    Posterior,
    effect_labels,
)
from pcmodel.inference.importance.psis import LEAST_DRAWS, trusted_shape
from pcmodel.inference.importance.weights import weigh

FACTORS = (0.5, 2.0)
ALL = "all priors"
REWEIGHTED, REFITTED, UNKNOWN = "reweighted", "refitted", "not known"
FEWEST = 50.0  # effective draws of the weights, below which means are too rough


class Moved(NamedTuple):
    """One number of the group under one changed prior.

    prior: that was changed, as it is in the fit; "all priors" for all at once.
    factor: of its SD or scale.
    effect: the number that may move.
    moved: change of its posterior mean, in posterior SDs of the fit; NaN where it is not known.
    sd_ratio: its posterior SD over that of the fit; NaN where it is not known.
    shape: Pareto shape k of the weights.
    limit: of the shape.
    draws: effective number of draws of the weights.
    how: "reweighted", "refitted" or "not known".
    """

    prior: str
    factor: float
    effect: str
    moved: float
    sd_ratio: float
    shape: float
    limit: float
    draws: float
    how: str


class GroupPrior(NamedTuple):
    """The prior of one number of the group.

    label: the number.
    law: its distribution.
    is_set: whether the user set it.
    """

    label: Label
    law: Law
    is_set: bool

    @property
    def mean(self) -> float:
        """Its centre; 0 for a spread."""
        return self.law.centre

    @property
    def sd(self) -> float:
        """The SD of a normal prior, the scale of another."""
        return self.law.scale

    @property
    def text(self) -> str:
        """As it is written: `omega2[drug] ~ Normal(0, 1)`."""
        return f"{self.label.name} ~ {self.law.text}"


def group_priors(hierarchy: Hierarchy) -> tuple[GroupPrior, ...]:
    """The prior of every common effect and spread, in the order of `Posterior.effects`."""
    terms = {term.parameter.name: term for term in hierarchy.terms}
    return tuple(
        _prior(terms[label.parameter], label) for label in effect_labels(hierarchy)
    )


def _prior(term: Term, label: Label) -> GroupPrior:
    place = label.place
    if label.is_spread:
        is_set = place in term.spread_priors
        return GroupPrior(label, term.spread_laws[place], is_set)
    return GroupPrior(label, term.effect_laws[place], place in term.effect_priors)


def sensitivity(
    posterior: Posterior, *, refit: Callable[[Hierarchy], Posterior] | None = None
) -> tuple[Moved, ...]:
    """Every number of the group under every changed prior; none for fewer draws than can be weighed.

    refit: fits a hierarchy; called for those changes of which the draws do not tell.
    """
    priors = group_priors(posterior.hierarchy)
    draws = {name: own.ravel() for name, own in posterior.effects.items()}
    if len(next(iter(draws.values()))) < LEAST_DRAWS:
        return ()
    changes: list[tuple[str, tuple[GroupPrior, ...]]] = [
        (prior.text, (prior,)) for prior in priors
    ]
    if len(priors) > 1:
        changes.append((ALL, priors))
    return tuple(
        row
        for text, changed in changes
        for factor in FACTORS
        for row in _rows(posterior, draws, text, changed, factor, refit)
    )


def _rows(
    posterior: Posterior,
    draws: dict[str, Float[np.ndarray, " draws"]],
    text: str,
    changed: tuple[GroupPrior, ...],
    factor: float,
    refit: Callable[[Hierarchy], Posterior] | None,
) -> Iterator[Moved]:
    ratios = sum(log_ratio(draws[p.label.name], p, factor) for p in changed)
    found = weigh(np.asarray(ratios)[None])
    shape, weights = float(found.shape[0]), found.weights[0]
    size = float(found.share[0]) * len(weights)
    limit, how = trusted_shape(len(weights)), REWEIGHTED
    again = None
    if not (shape <= limit and size >= FEWEST):
        how = UNKNOWN
        if refit is not None:
            again, how = refit(scaled(posterior.hierarchy, changed, factor)), REFITTED
    for name, own in draws.items():
        mean, sd = own.mean(), own.std()
        if how == REWEIGHTED:
            new_mean = float(weights @ own)
            new_sd = float(np.sqrt(weights @ (own - new_mean) ** 2))
        elif again is not None:
            new_mean, new_sd = again.effects[name].mean(), again.effects[name].std()
        else:
            new_mean = new_sd = np.nan
        moved, ratio = float((new_mean - mean) / sd), float(new_sd / sd)
        yield Moved(text, factor, name, moved, ratio, shape, limit, size, how)


def log_ratio(
    draws: Float[np.ndarray, " draws"], prior: GroupPrior, factor: float
) -> Float[np.ndarray, " draws"]:
    """Log of the changed prior's density over the fit's, up to a constant."""
    if prior.law.family in ("Normal", "HalfNormal"):
        place = (draws - prior.mean) / prior.sd
        return -0.5 * place**2 * (factor**-2 - 1.0)
    changed = prior.law.wider(factor).on_host.logpdf(draws)
    return changed - prior.law.on_host.logpdf(draws)


def scaled(
    hierarchy: Hierarchy, changed: tuple[GroupPrior, ...], factor: float
) -> Hierarchy:
    """The hierarchy with these priors' SDs and scales multiplied by the factor."""
    terms = {term.parameter.name: term for term in hierarchy.terms}
    for prior in changed:
        label, term = prior.label, terms[prior.label.parameter]
        law = prior.law.wider(factor)
        if label.is_spread:
            term = term._replace(spread_priors={**term.spread_priors, label.place: law})
        else:
            term = term._replace(effect_priors={**term.effect_priors, label.place: law})
        terms[label.parameter] = term
    return hierarchy._replace(terms=tuple(terms.values()))

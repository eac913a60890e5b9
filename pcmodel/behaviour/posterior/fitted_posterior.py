"""A fitted posterior and the summary of its effects."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.hierarchy.priors.families import HALF_NORMAL_SD as HALF_NORMAL_SD
from pcmodel.behaviour.posterior.diagnostics import Diagnostics, Settling
from pcmodel.errors import UserError
from pcmodel.inference.rank_normalised import ranked_ess, ranked_rhat


class Posterior(NamedTuple):
    """Draws of a posterior.

    hierarchy: the model and its data.
    sites: by name the draws; those of variational inference are one chain.
    sample_stats: by name the sampler's statistics of each transition.
    diagnostics: of NUTS, of variational inference, or None for draws of the prior.
    method: "NUTS", "SVI" or another name.
    """

    hierarchy: Hierarchy
    sites: dict[str, Float[np.ndarray, "chains draws ..."]]
    sample_stats: dict[str, Float[np.ndarray, "chains draws"]]
    diagnostics: Diagnostics | Settling | None
    method: str

    @property
    def complaints(self) -> tuple[str, ...]:
        """A sentence on each diagnostic limit that is not met."""
        return self.diagnostics.complaints if self.diagnostics else ()

    @property
    def effects(self) -> dict[str, Float[np.ndarray, "chains draws"]]:
        """By name, `parameter[effect]`, the draws of each common effect and spread."""
        return {
            label.name: self.sites[label.site][..., label.place]
            for label in effect_labels(self.hierarchy)
        }

    def parameter(self, name: str) -> Float[np.ndarray, "chains draws series"]:
        """The draws of one parameter for each series."""
        return self.sites[f"{name}_series"]

    def participants(self) -> Any:
        """Every person's parameters with their diagnostics, as a pandas frame (`outputs.participants`)."""
        from pcmodel.behaviour.outputs.participants import participants

        return participants(self).frame()

    def trials(self, *, num_draws: int = 400) -> Any:
        """What the model held on every trial of every person, as a pandas frame (`outputs.trials`)."""
        from pcmodel.behaviour.outputs.trials import trials

        return trials(self, num_draws=num_draws).frame()

    def natural_effects(self) -> Any:
        """The group's numbers on the real line and in natural units, as a pandas frame (`outputs.effects`)."""
        from pcmodel.behaviour.outputs.effects import effects

        return effects(self).frame()


class Label(NamedTuple):
    """One number of the group: a common effect or a spread.

    parameter: of the model.
    column: of its design matrix.
    is_spread: whether it is the SD over participants, not an effect common to all.
    place: the index of the column among those of its kind.
    prior_sd: its prior standard deviation (`Law.sd`).
    """

    parameter: str
    column: str
    is_spread: bool
    place: int
    prior_sd: float

    @property
    def site(self) -> str:
        """The name of its sample site."""
        return f"{self.parameter}_sd" if self.is_spread else self.parameter

    @property
    def name(self) -> str:
        """The name in tables."""
        return f"{self.site}[{self.column}]"


def effect_labels(hierarchy: Hierarchy) -> tuple[Label, ...]:
    """The common effects and spreads, in the order of `Posterior.effects`."""
    found = []
    for term in hierarchy.terms:
        name, design = term.parameter.name, term.design
        common = zip(design.common_names, term.effect_laws, strict=True)
        varying = zip(design.varying_names, term.spread_laws, strict=True)
        for is_spread, columns in ((False, common), (True, varying)):
            found += [
                Label(name, column, is_spread, place, law.sd)
                for place, (column, law) in enumerate(columns)
            ]
    return tuple(found)


def effect_names(hierarchy: Hierarchy) -> tuple[str, ...]:
    """Names of the common effects and spreads, in the order of `Posterior.effects`."""
    return tuple(label.name for label in effect_labels(hierarchy))


class Effect(NamedTuple):
    """The posterior of one number of the group.

    name: in tables, `parameter[effect]`.
    parameter: of the model.
    column: of its design matrix.
    is_spread: whether it is the SD over participants, not an effect common to all.
    mean: of its posterior.
    sd: of its posterior.
    low: lower end of its 95 % interval.
    high: upper end of its 95 % interval.
    positive: posterior probability that it is above zero.
    contraction: 1 - posterior variance / prior variance.
    rhat: rank-normalised R-hat; NaN for one chain.
    ess: effective sample size; NaN for one chain.
    """

    name: str
    parameter: str
    column: str
    is_spread: bool
    mean: float
    sd: float
    low: float
    high: float
    positive: float
    contraction: float
    rhat: float
    ess: float

    @property
    def is_condition(self) -> bool:
        """Whether it is the effect of a condition or trait: no intercept, no spread."""
        return not self.is_spread and self.column != INTERCEPT


class UnconvergedError(UserError):
    """The error of a summary that is refused because the fit did not converge."""


def summarise(
    posterior: Posterior, *, accept_unconverged: bool = False
) -> tuple[Effect, ...]:
    """The posterior of every effect and spread.

    UnconvergedError where a diagnostic limit is not met, unless `accept_unconverged`.
    """
    complaints = posterior.complaints
    if complaints and not accept_unconverged:
        raise UnconvergedError(
            "the fit cannot be trusted, so there is no summary: "
            + "; ".join(complaints)
        )
    effects = posterior.effects
    return tuple(
        _effect(label, effects[label.name])
        for label in effect_labels(posterior.hierarchy)
    )


def _effect(label: Label, draws: np.ndarray) -> Effect:
    low, high = np.quantile(draws, (0.025, 0.975))
    chains = len(draws) > 1
    return Effect(
        name=label.name,
        parameter=label.parameter,
        column=label.column,
        is_spread=label.is_spread,
        mean=float(draws.mean()),
        sd=float(draws.std()),
        low=float(low),
        high=float(high),
        positive=float((draws > 0.0).mean()),
        contraction=float(1.0 - draws.var() / label.prior_sd**2),
        rhat=float(ranked_rhat(draws)) if chains else np.nan,
        ess=float(ranked_ess(draws)) if chains else np.nan,
    )


def moving_coordinates(
    hierarchy: Hierarchy, sites: dict[str, np.ndarray]
) -> Float[np.ndarray, "chains draws coordinates"]:
    """The group's free coordinates, one after the other.

    Of a Cholesky root these are the entries below the diagonal, which determine the rest.
    """
    roots, columns = hierarchy.root_sites(), []
    for name in hierarchy.group_sites():
        own = sites[name]
        if name in roots:
            own = own[..., *np.tril_indices(own.shape[-1], -1)]
        columns.append(own.reshape(*own.shape[:2], -1))
    return np.concatenate(columns, axis=-1)


def people_coordinates(
    hierarchy: Hierarchy, sites: dict[str, np.ndarray]
) -> Float[np.ndarray, "chains draws coordinates"] | None:
    """The participants' coordinates one after the other; None where nobody differs."""
    own = [sites[name] for name in hierarchy.people_sites()]
    if not own:
        return None
    flat = [values.reshape(*values.shape[:2], -1) for values in own]
    return np.concatenate(flat, axis=-1)

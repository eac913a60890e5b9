"""A fitted posterior, and whether it may be believed."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.diagnostics import Diagnostics, Settling
from pcmodel.behaviour.ranked import ranked_ess, ranked_rhat
from pcmodel.behaviour.statistics.hierarchy import Hierarchy
from pcmodel.errors import UserError

HALF_NORMAL_SD = float(np.sqrt(1.0 - 2.0 / np.pi))  # of a half-normal of scale 1


class Posterior(NamedTuple):
    """Draws, axes (chains, draws, ...); SVI draws are one chain."""

    hierarchy: Hierarchy
    sites: dict[str, Float[np.ndarray, "chains draws ..."]]
    sample_stats: dict[str, Float[np.ndarray, "chains draws"]]
    diagnostics: Diagnostics | Settling | None  # of NUTS, of SVI, of prior draws
    method: str

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why it must not be believed; empty when nothing speaks against it."""
        return self.diagnostics.complaints if self.diagnostics else ()

    @property
    def effects(self) -> dict[str, Float[np.ndarray, "chains draws"]]:
        """Every common effect and spread by name, `parameter[effect]`."""
        found = {}
        for term in self.hierarchy.terms:
            name, design = term.parameter.name, term.design
            for i, effect in enumerate(design.common_names):
                found[f"{name}[{effect}]"] = self.sites[name][..., i]
            for i, effect in enumerate(design.varying_names):
                found[f"{name}_sd[{effect}]"] = self.sites[f"{name}_sd"][..., i]
        return found

    def parameter(self, name: str) -> Float[np.ndarray, "chains draws series"]:
        """One parameter of every series."""
        return self.sites[f"{name}_series"]


def effect_names(hierarchy: Hierarchy) -> tuple[str, ...]:
    """Names of the common effects and spreads, in the order of `Posterior.effects`."""
    return tuple(prior_sds(hierarchy))


class Effect(NamedTuple):
    """What is known of one number of the group."""

    name: str
    mean: float
    sd: float
    low: float  # 2.5 %
    high: float  # 97.5 %
    positive: float  # posterior probability that it is above zero
    contraction: float  # 1 - posterior / prior variance
    rhat: float
    ess: float


class UnconvergedError(UserError):
    """A summary that was refused."""


def summarise(
    posterior: Posterior, *, accept_unconverged: bool = False
) -> tuple[Effect, ...]:
    """Every effect and spread; refused where the diagnostics complain."""
    complaints = posterior.complaints
    if complaints and not accept_unconverged:
        raise UnconvergedError(
            "the fit cannot be trusted, so there is no summary: "
            + "; ".join(complaints)
        )
    priors = prior_sds(posterior.hierarchy)
    return tuple(
        _effect(name, draws, priors.get(name, np.nan))
        for name, draws in posterior.effects.items()
    )


def prior_sds(hierarchy: Hierarchy) -> dict[str, float]:
    """Prior SD of every common effect and spread by name."""
    found = {}
    for term in hierarchy.terms:
        name, design = term.parameter.name, term.design
        for effect, sd in zip(design.common_names, term.effect_sd, strict=True):
            found[f"{name}[{effect}]"] = float(sd)
        for effect, scale in zip(design.varying_names, term.spread_scale, strict=True):
            found[f"{name}_sd[{effect}]"] = HALF_NORMAL_SD * float(scale)
    return found


def _effect(name: str, draws: np.ndarray, prior_sd: float) -> Effect:
    low, high = np.quantile(draws, (0.025, 0.975))
    chains = len(draws) > 1
    return Effect(
        name=name,
        mean=float(draws.mean()),
        sd=float(draws.std()),
        low=float(low),
        high=float(high),
        positive=float((draws > 0.0).mean()),
        contraction=float(1.0 - draws.var() / prior_sd**2),
        rhat=float(ranked_rhat(draws)) if chains else np.nan,
        ess=float(ranked_ess(draws)) if chains else np.nan,
    )


def moving_coordinates(
    hierarchy: Hierarchy, sites: dict[str, np.ndarray]
) -> Float[np.ndarray, "chains draws coordinates"]:
    """The group's free numbers, one after the other.

    Of a Cholesky root those below the diagonal: the rest is fixed or follows from them.
    """
    columns = []
    for name in hierarchy.group_sites():
        own = sites[name]
        if name.endswith(".root"):
            own = own[..., *np.tril_indices(own.shape[-1], -1)]
        columns.append(own.reshape(*own.shape[:2], -1))
    return np.concatenate(columns, axis=-1)


def people_coordinates(
    sites: dict[str, np.ndarray],
) -> Float[np.ndarray, "chains draws coordinates"] | None:
    """The participants' coordinates one after the other; None where nobody differs."""
    own = [values for name, values in sites.items() if name.endswith(".person")]
    if not own:
        return None
    flat = [values.reshape(*values.shape[:2], -1) for values in own]
    return np.concatenate(flat, axis=-1)

"""A fit as a labelled data set in ArviZ's schema.

Its groups are posterior, sample_stats, log_likelihood, observed_data, posterior_predictive, prior and prior_predictive. Names of
people, effects and conditions are coordinates. Responses stand in one row, `observation`, those that were given alone, with
person and trial as coordinates, so that ArviZ compares models and draws checks without more being said.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    Hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import (
    draw_prior,
    replicate,
    scored_mask,
    series_values,
)

MEMORY = 2**28  # bytes of one group; of more, fewer draws are kept
FEWEST, LEAST = 100, 20  # draws of the log likelihood and of predictions, at least
REPLICATED, PRIOR = 200, 500  # draws of predictive groups, and of the prior

Sites = dict[str, np.ndarray]


def to_datatree(posterior: Posterior, *, key: Key[Array, ""]) -> Any:
    """The draws as an `xarray.DataTree`; `key` is that of the predictive groups and of the prior."""
    import xarray  # slow to import

    hierarchy = posterior.hierarchy
    after_key, prior_key, before_key = jax.random.split(key, 3)
    places, mask = _coordinates(hierarchy), scored_mask(hierarchy)
    told, few = _observations(hierarchy), _evenly(posterior, _fitting(mask, FEWEST))
    observed = np.asarray(hierarchy.model.responses(hierarchy.data))[mask]
    prior = {
        name: np.asarray(own)[None]
        for name, own in draw_prior(prior_key, hierarchy, PRIOR).items()
    }
    rows = ("chain", "draw", "observation")
    most = min(REPLICATED, _fitting(mask, LEAST))
    thinned = _evenly(posterior, most)
    pairs = (
        (after_key, _at(posterior.sites, thinned), thinned),
        (before_key, {name: v[:, :most] for name, v in prior.items()}, None),
    )
    after, before = (
        xarray.Dataset(
            {"response": (rows, _replicated(own, hierarchy, sites, mask))},
            told | ({} if picks is None else {"draw": picks}),
        )
        for own, sites, picks in pairs
    )
    likelihood = _log_likelihood(hierarchy, _at(posterior.sites, few), mask)
    groups = {
        "/posterior": xarray.Dataset(_variables(hierarchy, posterior.sites), places),
        "/sample_stats": xarray.Dataset(
            {k: (("chain", "draw"), v) for k, v in posterior.sample_stats.items()}
        ),
        "/log_likelihood": xarray.Dataset(
            {"response": (rows, likelihood)}, told | {"draw": few}
        ),
        "/observed_data": xarray.Dataset({"response": ("observation", observed)}, told),
        "/posterior_predictive": after,
        "/prior": xarray.Dataset(_variables(hierarchy, prior), places),
        "/prior_predictive": before,
    }
    return xarray.DataTree.from_dict(groups)


def write_netcdf(posterior: Posterior, path: Path, *, key: Key[Array, ""]) -> None:
    """Write the draws to one netCDF file."""
    to_datatree(posterior, key=key).to_netcdf(path, engine="h5netcdf")


def series_names(hierarchy: Hierarchy) -> list[str]:
    """A name of each series: the person's, with what tells their series apart; no two are the same."""
    origin = hierarchy.origin
    names = [origin.people[person] for person in hierarchy.participant]
    _, *others = origin.of_series().values()
    for cells in others:
        if len(set(names)) == len(names):
            break
        names = [f"{name}, {cell}" for name, cell in zip(names, cells, strict=True)]
    return names if len(set(names)) == len(names) else _numbered(names)


def _numbered(names: Sequence[str]) -> list[str]:
    return [f"{name} #{i + 1}" for i, name in enumerate(names)]


def _coordinates(hierarchy: Hierarchy) -> dict[str, Any]:
    people = [hierarchy.origin.people[person] for person in hierarchy.participant]
    found: dict[str, Any] = {
        "series": series_names(hierarchy),
        "participant": ("series", people),
    }
    for term in hierarchy.terms:
        name, design = term.parameter.name, term.design
        found[f"{name}_effect"] = list(design.common_names)
        if design.varying_names:
            found[f"{name}_varying"] = list(design.varying_names)
    return found


def _observations(hierarchy: Hierarchy) -> dict[str, Any]:
    """Person, series and trial (counted from 1 in its series) of each response."""
    series, trial = np.nonzero(scored_mask(hierarchy))
    people = [hierarchy.origin.people[person] for person in hierarchy.participant]
    names = series_names(hierarchy)
    return {
        "observation": np.arange(len(series)),
        "participant": ("observation", [people[i] for i in series]),
        "series": ("observation", [names[i] for i in series]),
        "trial": ("observation", trial + 1),
    }


def _variables(hierarchy: Hierarchy, sites: Sites) -> dict[str, Any]:
    found = {}
    for term in hierarchy.terms:
        name = term.parameter.name
        shapes = {
            name: (f"{name}_effect",),
            f"{name}_sd": (f"{name}_varying",),
            f"{name}_series": ("series",),
            f"{name}_correlation": (f"{name}_varying", f"{name}_varying_other"),
        }
        for site, dims in shapes.items():
            if site in sites:
                found[site] = (("chain", "draw", *dims), sites[site])
    return found


def _fitting(mask: np.ndarray, least: int) -> int:
    """How many draws of every response memory allows; `least` at least."""
    return max(least, MEMORY // (8 * max(1, int(mask.sum()))))


def _evenly(posterior: Posterior, num_draws: int) -> np.ndarray:
    """Evenly spaced draws of each chain, about as many of all chains together."""
    chains, draws = next(iter(posterior.sites.values())).shape[:2]
    each = min(draws, max(1, num_draws // chains))
    return np.unique(np.linspace(0, draws - 1, each).astype(int))


def _at(sites: Sites, picks: np.ndarray) -> Sites:
    return {name: values[:, picks] for name, values in sites.items()}


def _flat(sites: Sites) -> tuple[tuple[int, int], Sites]:
    """Chains and draws, and the sites with both on one axis."""
    shape = next(iter(sites.values())).shape[:2]
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in sites.items()}
    return (shape[0], shape[1]), flat


def _log_likelihood(
    hierarchy: Hierarchy, sites: Sites, mask: np.ndarray
) -> Float[np.ndarray, "chains draws observations"]:
    shape, flat = _flat(sites)
    place = jnp.asarray(np.flatnonzero(mask))

    def one(own: dict[str, Array]) -> Array:
        return series_log_likelihood(hierarchy, own, hierarchy.data).ravel()[place]

    values = series_values(hierarchy, flat)
    found = np.asarray(jax.jit(partial(jax.lax.map, one))(values))
    return found.reshape(*shape, -1)


def _replicated(
    key: Array, hierarchy: Hierarchy, sites: Sites, mask: np.ndarray
) -> Float[np.ndarray, "chains draws observations"]:
    shape, flat = _flat(sites)
    return replicate(key, hierarchy, flat)[:, mask].reshape(*shape, -1)

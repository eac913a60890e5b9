"""A fit as a labelled data set in ArviZ's schema.

Its groups are posterior and sample_stats, with the dimensions chain, draw and those of each
parameter, and the names of effects and conditions as coordinates; any version of ArviZ
opens it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pcmodel.behaviour.posterior.fitted_posterior import Posterior


def to_datatree(posterior: Posterior) -> Any:
    """The draws as an `xarray.DataTree`."""
    import xarray  # slow to import

    groups = {
        "/posterior": xarray.Dataset(_variables(posterior), _coordinates(posterior)),
        "/sample_stats": xarray.Dataset(
            {k: (("chain", "draw"), v) for k, v in posterior.sample_stats.items()}
        ),
    }
    return xarray.DataTree.from_dict(groups)


def write_netcdf(posterior: Posterior, path: Path) -> None:
    """Write the draws to one netCDF file."""
    to_datatree(posterior).to_netcdf(path, engine="h5netcdf")


def _coordinates(posterior: Posterior) -> dict[str, Any]:
    found: dict[str, Any] = {"series": np.arange(posterior.hierarchy.num_series)}
    for term in posterior.hierarchy.terms:
        name, design = term.parameter.name, term.design
        found[f"{name}_effect"] = list(design.common_names)
        if design.varying_names:
            found[f"{name}_varying"] = list(design.varying_names)
    return found


def _variables(posterior: Posterior) -> dict[str, Any]:
    found = {}
    for term in posterior.hierarchy.terms:
        name = term.parameter.name
        shapes = {
            name: (f"{name}_effect",),
            f"{name}_sd": (f"{name}_varying",),
            f"{name}_series": ("series",),
            f"{name}_correlation": (f"{name}_varying", f"{name}_varying_other"),
        }
        for site, dims in shapes.items():
            if site in posterior.sites:
                found[site] = (("chain", "draw", *dims), posterior.sites[site])
    return found

"""What a fit says beside its estimates: effects in natural units, priors, and how much the priors matter."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.hierarchy.parameter import WITHIN
from pcmodel.behaviour.hierarchy.priors.families import Law
from pcmodel.behaviour.outputs.effects import NaturalEffect, natural_effects
from pcmodel.behaviour.outputs.participants import ENDS
from pcmodel.behaviour.outputs.table import TRUSTED, Column, OutputTable, make_table
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.sensitivity import Moved, group_priors, sensitivity


class PriorRow(NamedTuple):
    """One prior of the group.

    name: of its number.
    parameter: of the model.
    law: its distribution on the real line.
    is_set: whether the user set it.
    is_spread: whether it is that of an SD over people.
    natural: name of the natural scale; "" for an effect.
    unit: of the natural scale.
    median: of the average person on the natural scale; NaN for an effect.
    low: lower end of the central 95 % interval there. Of a spread it is that of people, at the median
        of the spread and of the average person.
    high: upper end of that interval.
    """

    name: str
    parameter: str
    law: Law
    is_set: bool
    is_spread: bool
    natural: str
    unit: str
    median: float
    low: float
    high: float


class Told(NamedTuple):
    """What a report says beside the estimates.

    effects: of the group, on the real line and in natural units.
    priors: of every number of the group.
    sensitivity: how far each number moves under other priors.
    """

    effects: tuple[NaturalEffect, ...]
    priors: tuple[PriorRow, ...]
    sensitivity: tuple[Moved, ...]


def tell(
    posterior: Posterior, *, refit: Callable[[Hierarchy], Posterior] | None = None
) -> Told:
    """All of it; `refit` is that of `sensitivity`."""
    return Told(
        natural_effects(posterior),
        prior_rows(posterior.hierarchy),
        sensitivity(posterior, refit=refit),
    )


def prior_rows(hierarchy: Hierarchy) -> tuple[PriorRow, ...]:
    """Every prior of the group, with what it says of the average person and of people in natural units."""
    terms = {term.parameter.name: term for term in hierarchy.terms}
    found = []
    for prior in group_priors(hierarchy):
        label, parameter = prior.label, terms[prior.label.parameter].parameter
        centre = float(terms[parameter.name].effect_mean[0])
        ends, natural, unit = (np.nan,) * 3, "", ""
        if label.column == INTERCEPT:
            natural, unit = parameter.natural_name, parameter.unit
            if label.is_spread:
                spread = float(prior.law.on_host.median())
                places = centre + spread * np.array([0.0, -WITHIN, WITHIN])
            else:
                places = prior.law.on_host.ppf([0.5, *ENDS])
            ends = tuple(np.asarray(parameter.to_natural(places), float).tolist())
        found.append(
            PriorRow(
                label.name,
                parameter.name,
                prior.law,
                prior.is_set,
                label.is_spread,
                natural,
                unit,
                *ends,
            )
        )
    return tuple(found)


def sensitivity_table(rows: tuple[Moved, ...], *, is_trusted: bool) -> OutputTable:
    """The rows of `sensitivity`."""
    found = [
        (column, np.asarray([getattr(row, column.name) for row in rows]))
        for column in COLUMNS
    ]
    return make_table([*found, (TRUSTED, np.full(len(rows), is_trusted))])


COLUMNS = (
    Column("prior", "", "the prior that was changed, as it is in the fit"),
    Column("factor", "", "of its SD or scale"),
    Column("effect", "", "the number of the group that may move"),
    Column(
        "moved", "posterior SDs", "change of its posterior mean; empty if not known"
    ),
    Column("sd_ratio", "", "its posterior SD over that of the fit; empty if not known"),
    Column("shape", "", "Pareto shape k of the importance weights"),
    Column("limit", "", "of the shape, for this number of draws"),
    Column("draws", "", "effective number of draws of the weights"),
    Column("how", "", "reweighted, refitted or not known"),
)

r"""The hierarchical model of any participant model and any formulas, in NumPyro.

Parameter $p$ of a series $s$ of participant $i$ is

$\theta_{ps} = x_s' \beta_p + z_s' u_{pi}$, $\quad u_{pi} \sim N(0, D_p \Omega_p D_p)$

with normal priors on $\beta_p$, half-normal ones on the standard deviations $D_p$ and
an LKJ prior (Lewandowski, Kurowicka & Joe 2009) on the correlations $\Omega_p$. All is
written non-centred, in standard normals: zero is the prior's centre and one its scale for
every coordinate. What data make of them is the samplers' business (`coordinates`).
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Bool, Float

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.design import (
    Design,
    build_design,
    is_indicator,
    people_mean,
)
from pcmodel.behaviour.hierarchy.formula import NOBODY, Formula, parse_formula
from pcmodel.behaviour.models import Parameter, ParticipantModel
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

NUMPYRO = threading.RLock()
"""Held while a model is run: NumPyro keeps one list of handlers for all threads."""
LKJ_CONCENTRATION = 2.0
CENTRED_PRIOR = 0.5  # an effect's prior SD as a share of the intercept's, at least


class Term(NamedTuple):
    """One parameter that is estimated."""

    parameter: Parameter
    design: Design

    @property
    def effect_sd(self) -> Float[np.ndarray, " effects"]:
        """Prior SD of each common effect, per unit of its column.

        The intercept's is the parameter's own; another's is `effect_scale` for a change
        by one standard deviation of its column, or from 0 to 1.
        """
        sds = self.effect_scale / _unit(self.design.common, self.design.weight)
        return np.where(self.is_intercept, self.parameter.sd, sds)

    @property
    def effect_scale(self) -> float:
        """How large an effect is thought to be."""
        return max(self.parameter.spread, CENTRED_PRIOR * self.parameter.sd)

    @property
    def is_intercept(self) -> Bool[np.ndarray, " effects"]:
        """Which common effect is the intercept."""
        return np.asarray(self.design.common_names) == "Intercept"

    @property
    def spread_scale(self) -> Float[np.ndarray, " varying"]:
        """Prior scale of each SD over participants, per unit of its column."""
        scale = self.parameter.spread or self.effect_scale
        return scale / _unit(self.design.varying, self.design.weight)

    @property
    def effect_mean(self) -> Float[np.ndarray, " effects"]:
        """Prior mean: the parameter's for the intercept, none for the rest."""
        return np.where(self.is_intercept, self.parameter.mean, 0.0)


class Hierarchy(NamedTuple):
    """A model, its data and what is estimated: all that a fit needs."""

    model: ParticipantModel
    data: Any
    terms: tuple[Term, ...]
    held: dict[str, float]
    participant: np.ndarray  # (series,) of each series
    num_participants: int

    @property
    def num_series(self) -> int:
        """Series of trials."""
        return len(self.participant)

    def group_sites(self) -> tuple[str, ...]:
        """Names of the samples that do not belong to one participant."""
        found = []
        for term in self.terms:
            name = term.parameter.name
            found.append(f"{name}.common")
            if term.design.varying_names:
                found.append(f"{name}.scale")
            if _is_correlated(term):
                found.append(f"{name}.root")
        return tuple(found)

    def root_sites(self) -> tuple[str, ...]:
        """Those of them that are Cholesky roots of correlations."""
        terms = filter(_is_correlated, self.terms)
        return tuple(f"{term.parameter.name}.root" for term in terms)

    def people_sites(self) -> tuple[str, ...]:
        """Names of the samples that belong to participants."""
        terms = (term for term in self.terms if term.design.varying_names)
        return tuple(f"{term.parameter.name}.person" for term in terms)


@checked_arguments
def build_hierarchy(
    model: ParticipantModel,
    series: Series,
    *,
    formulas: Sequence[str] = (),
    pooled: bool = False,
) -> Hierarchy:
    """What is to be fitted: `formulas` for some parameters, defaults for the others.

    By default a free parameter varies over participants, `1 + (1 | participant)`, if its
    prior allows a spread. A formula with effects adds them to that, and people differ in
    the parameter, unless it says what varies over them: `(0 | participant)` for nothing.
    `pooled`: nobody differs where no formula says so. Raises UserError for a parameter or
    column that does not exist.
    """
    given = {}
    for text in formulas:
        formula = parse_formula(text)
        name = _find(model, formula.parameter).name
        if name in given:
            raise UserError(f"{name!r} has two formulas", where="formula")
        given[name] = formula
    terms, held = [], {}
    for parameter in model.parameters:
        formula = given.get(parameter.name)
        if formula is None and not parameter.free:
            held[parameter.name] = parameter.mean
            continue
        own = formula or Formula(parameter.name, "1")
        own = _with_people(own, parameter, pooled or series.num_participants < 2)
        terms.append(Term(parameter, _design(own, series)))
    return Hierarchy(
        model,
        model.prepare(series),
        tuple(terms),
        held,
        series.participant,
        series.num_participants,
    )


def _with_people(formula: Formula, parameter: Parameter, pooled: bool) -> Formula:
    """The formula with what varies over participants, where it does not say so itself."""
    if formula.varying is not None:
        return formula
    differs = parameter.spread > 0.0 or formula.common != "1"
    return replace(formula, varying="1" if differs and not pooled else NOBODY)


def _design(formula: Formula, series: Series) -> Design:
    design = build_design(formula, series.covariates, series.participant)
    _check_varying(formula, design, series)
    return design


def _check_varying(formula: Formula, design: Design, series: Series) -> None:
    """What varies over people must be seen to differ: between them and within them."""
    if not design.varying_names:
        return
    what = f"the effects of {formula.parameter!r} cannot vary over participants: "
    if series.num_participants < 2:
        raise UserError(what + "there is one", where="formula")
    if "Intercept" not in design.varying_names:
        return
    first = np.unique(series.participant, return_index=True)[1]
    same = design.varying == design.varying[first][series.participant]
    for name, is_same in zip(design.varying_names, same.all(axis=0), strict=True):
        if is_same and name != "Intercept":
            raise UserError(
                f"{what}{name} is the same in all series of every participant",
                where="formula",
                expected="(1 | participant) for what differs between people only",
            )


def _find(model: ParticipantModel, name: str) -> Parameter:
    for parameter in model.parameters:
        if name in (parameter.name, *parameter.names):
            return parameter
    names = [n for p in model.parameters for n in (p.name, *p.names)]
    raise unknown_name("parameter of this model", name, names, where="formula")


def _unit(
    columns: Float[np.ndarray, "series columns"], weight: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " columns"]:
    """What counts as a change by one: from 0 to 1, or one standard deviation over people."""
    sds = np.sqrt(people_mean((columns - people_mean(columns, weight)) ** 2, weight))
    sds = np.where([is_indicator(column) for column in columns.T], 1.0, sds)
    return np.where(sds > 0.0, sds, 1.0)


def _is_correlated(term: Term) -> bool:
    return term.design.correlated and len(term.design.varying_names) > 1


def sample_term(term: Term, participant: np.ndarray, num_participants: int) -> Array:
    """Draw one parameter for every series."""
    name, design = term.parameter.name, term.design
    size = len(design.common_names)
    raw = numpyro.sample(
        f"{name}.common", dist.Normal(0.0, 1.0).expand([size]).to_event(1)
    )
    scale = jnp.asarray(term.effect_sd)
    effects = jnp.asarray(term.effect_mean) + scale * jnp.asarray(raw)
    numpyro.deterministic(name, effects)
    value = jnp.asarray(design.common) @ effects
    if design.varying_names:
        own = _sample_people(term, num_participants)
        value = value + jnp.sum(jnp.asarray(design.varying) * own[participant], axis=1)
    numpyro.deterministic(f"{name}_series", value)
    return value


def _sample_people(term: Term, num_participants: int) -> Array:
    name, size = term.parameter.name, len(term.design.varying_names)
    raw = numpyro.sample(
        f"{name}.scale", dist.HalfNormal(1.0).expand([size]).to_event(1)
    )
    spread = jnp.asarray(term.spread_scale) * jnp.asarray(raw)
    numpyro.deterministic(f"{name}_sd", spread)
    root = jnp.eye(size)
    if _is_correlated(term):
        law = dist.LKJCholesky(size, LKJ_CONCENTRATION)
        root = jnp.asarray(numpyro.sample(f"{name}.root", law))
        numpyro.deterministic(f"{name}_correlation", root @ root.T)
    shape = [num_participants, size]
    law = dist.Normal(0.0, 1.0).expand(shape).to_event(2)
    normal = jnp.asarray(numpyro.sample(f"{name}.person", law))
    return normal @ (spread[:, None] * root).T


def hierarchical_model(hierarchy: Hierarchy, data: Any = None) -> None:
    """Priors, and the likelihood of all responses; without `data` the priors alone."""
    values = {
        term.parameter.name: sample_term(
            term, hierarchy.participant, hierarchy.num_participants
        )
        for term in hierarchy.terms
    }
    if data is not None:
        numpyro.factor("responses", series_totals(hierarchy, values, data).sum())


def series_log_likelihood(
    hierarchy: Hierarchy, values: Mapping[str, Array], data: Any
) -> Float[Array, "series trials"]:
    """Log likelihood of every response, given each series' estimated parameters."""
    complete = with_held(hierarchy, values)
    return jax.vmap(hierarchy.model.log_likelihood)(complete, data)


def series_totals(
    hierarchy: Hierarchy, values: Mapping[str, Array], data: Any
) -> Float[Array, " series"]:
    """Log likelihood of each series' responses together, differentiated forwards.

    A series depends on a handful of numbers of its own, and their derivatives, carried
    along the trials beside its beliefs, take one pass and no memory; going back through
    the trials takes two, and longer to compile. Once differentiable, in `values` only.
    """
    names = tuple(values)
    held = with_held(hierarchy, {})

    def one(own: Array, fixed: Any, trials: Any) -> Array:
        known = dict(zip(names, own, strict=True)) | fixed
        return hierarchy.model.log_likelihood(known, trials).sum()

    def pushed(own: Array, fixed: Any, trials: Any) -> tuple[Array, Array]:
        def along(direction: Array) -> tuple[Array, Array]:
            return jax.jvp(lambda at: one(at, fixed, trials), (own,), (direction,))

        totals, slopes = jax.vmap(along)(jnp.eye(len(names)))
        return totals[0], slopes

    @jax.custom_vjp
    def totals(own: Array) -> Array:
        return jax.vmap(one)(own, held, data)

    totals.defvjp(
        lambda own: jax.vmap(pushed)(own, held, data),
        lambda slopes, along: (along[:, None] * slopes,),
    )
    return totals(jnp.stack([jnp.asarray(values[name]) for name in names], axis=-1))


def with_held(hierarchy: Hierarchy, values: Mapping[str, Array]) -> dict[str, Array]:
    """The parameters that are not estimated added at their fixed values."""
    size = hierarchy.num_series
    held = {name: jnp.full(size, value) for name, value in hierarchy.held.items()}
    return {**{k: jnp.asarray(v) for k, v in values.items()}, **held}

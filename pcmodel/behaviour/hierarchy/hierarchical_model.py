r"""The hierarchical model of any participant model and any formulas, in NumPyro.

Parameter $p$ of a series $s$ of participant $i$ is

$\theta_{ps} = x_s' \beta_p + z_s' u_{pi}$, $\quad u_{pi} \sim N(0, D_p \Omega_p D_p)$

with normal priors on $\beta_p$, half-normal ones on the standard deviations $D_p$, others where
they are set (`priors.families`), and an LKJ prior (Lewandowski, Kurowicka & Joe 2009) on the correlations
$\Omega_p$. All coordinates are non-centred: zero is the prior's centre and one its scale.
The samplers adapt them to the data (`coordinates`).
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
from pcmodel.behaviour.dataset.origin import Origin
from pcmodel.behaviour.hierarchy.design import (
    Design,
    build_design,
    is_indicator,
    people_mean,
)
from pcmodel.behaviour.hierarchy.formula import NOBODY, Formula, parse_formula
from pcmodel.behaviour.hierarchy.functions import formula_error
from pcmodel.behaviour.hierarchy.priors.families import Law, standard_site
from pcmodel.behaviour.hierarchy.priors.written import SetPrior, of_term, parse_priors
from pcmodel.behaviour.models import Parameter, ParticipantModel
from pcmodel.errors import unknown_name
from pcmodel.inputs.arguments import checked_arguments

NUMPYRO = threading.RLock()
"""Held while a model is run: NumPyro keeps one list of handlers for all threads."""
LKJ_CONCENTRATION = 2.0
CENTRED_PRIOR = 0.5  # an effect's prior SD as a share of the intercept's, at least


class Term(NamedTuple):
    """One parameter that is estimated.

    parameter: with its prior.
    design: the columns of its effects.
    effect_priors: that of each common effect whose prior was set, by place.
    spread_priors: that of each SD over participants whose prior was set, by place.
    """

    parameter: Parameter
    design: Design
    effect_priors: Mapping[int, Law] = {}
    spread_priors: Mapping[int, Law] = {}

    @property
    def effect_sd(self) -> Float[np.ndarray, " effects"]:
        """Prior SD, or scale, of each common effect, per unit of its column.

        The intercept's is the parameter's own; another's is `effect_scale` for a change
        by one standard deviation of its column, or from 0 to 1; unless it was set.
        """
        sds = self.effect_scale / _unit(self.design.common, self.design.weight)
        found = np.where(self.is_intercept, self.parameter.sd, sds)
        return _with(found, {i: law.scale for i, law in self.effect_priors.items()})

    @property
    def effect_scale(self) -> float:
        """Prior SD of an effect per SD of its column, on the parameter's scale."""
        return max(self.parameter.spread, CENTRED_PRIOR * self.parameter.sd)

    @property
    def is_intercept(self) -> Bool[np.ndarray, " effects"]:
        """True for the common effect that is the intercept."""
        return np.asarray(self.design.common_names) == "Intercept"

    @property
    def spread_scale(self) -> Float[np.ndarray, " varying"]:
        """Prior scale of each SD over participants, per unit of its column, unless it was set."""
        scale = self.parameter.spread or self.effect_scale
        found = scale / _unit(self.design.varying, self.design.weight)
        return _with(found, {i: law.scale for i, law in self.spread_priors.items()})

    @property
    def effect_mean(self) -> Float[np.ndarray, " effects"]:
        """Prior centre of each common effect: the parameter's mean for the intercept, else 0, unless it was set."""
        found = np.where(self.is_intercept, self.parameter.mean, 0.0)
        return _with(found, {i: law.centre for i, law in self.effect_priors.items()})

    @property
    def effect_laws(self) -> tuple[Law, ...]:
        """The prior of each common effect."""
        pairs = zip(self.effect_mean, self.effect_sd, strict=True)
        plain = [Law("Normal", float(mean), float(sd)) for mean, sd in pairs]
        return tuple(self.effect_priors.get(i, law) for i, law in enumerate(plain))

    @property
    def spread_laws(self) -> tuple[Law, ...]:
        """The prior of each SD over participants."""
        plain = [Law("HalfNormal", 0.0, float(scale)) for scale in self.spread_scale]
        return tuple(self.spread_priors.get(i, law) for i, law in enumerate(plain))


class Hierarchy(NamedTuple):
    """A model, its data and the parameters to be estimated.

    model: of one participant's responses.
    data: the series as `model.prepare` returns them.
    terms: the parameters that are estimated.
    held: by name the fixed value of each other parameter.
    participant: of each series, counted from 0.
    num_participants: the number of people.
    origin: where the trials stand in the user's table.
    """

    model: ParticipantModel
    data: Any
    terms: tuple[Term, ...]
    held: dict[str, float]
    participant: np.ndarray
    num_participants: int
    origin: Origin

    @property
    def num_series(self) -> int:
        """The number of series of trials."""
        return len(self.participant)

    def group_sites(self) -> tuple[str, ...]:
        """Names of the sample sites of the group."""
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
        """Names of the sample sites of the group that are Cholesky roots of correlations."""
        terms = filter(_is_correlated, self.terms)
        return tuple(f"{term.parameter.name}.root" for term in terms)

    def people_sites(self) -> tuple[str, ...]:
        """Names of the sample sites of the participants."""
        terms = (term for term in self.terms if term.design.varying_names)
        return tuple(f"{term.parameter.name}.person" for term in terms)


@checked_arguments
def build_hierarchy(
    model: ParticipantModel,
    series: Series,
    *,
    formulas: Sequence[str] = (),
    pooled: bool = False,
    priors: Sequence[str] = (),
) -> Hierarchy:
    """The hierarchical model with `formulas` for some parameters, defaults for the others.

    By default a free parameter varies over participants, `1 + (1 | participant)`, if its
    prior allows a spread. A formula with effects adds them to that, and people differ in
    the parameter, unless it says what varies over them: `(0 | participant)` for nothing.
    `pooled`: people differ only where a formula says so. `priors`: those that are set
    (`hierarchy.priors`); what they do not name keeps its own. Raises UserError for a parameter or
    column that does not exist.
    """
    given = {}
    for text in formulas:
        formula = parse_formula(text)
        name = _find(model, formula.parameter).name
        if name in given:
            raise formula_error(f"{name!r} has two formulas")
        given[name] = formula
    terms, held = [], {}
    for parameter in model.parameters:
        formula = given.get(parameter.name)
        if formula is None and not parameter.free:
            held[parameter.name] = parameter.mean
            continue
        own = formula or Formula(parameter.name, "1")
        own = _with_people(own, parameter, pooled or series.num_participants < 2)
        design = build_design(own, series.covariates, series.participant)
        _check_varying(own, design, series)
        terms.append(Term(parameter, design))
    return Hierarchy(
        model,
        model.prepare(series),
        _with_priors(terms, model.parameters, parse_priors(priors)),
        held,
        series.participant,
        series.num_participants,
        series.origins(),
    )


def _with_priors(
    terms: Sequence[Term],
    parameters: Sequence[Parameter],
    priors: Sequence[SetPrior],
) -> tuple[Term, ...]:
    """The terms with the priors that were set; UserError for those that no term has."""
    found = {term.parameter.name: term for term in terms}
    columns = {
        name: (term.design.common_names, term.design.varying_names)
        for name, term in found.items()
    }
    for prior in priors:
        name, is_spread, place = of_term(prior, parameters, columns)
        term = found[name]
        effects, spreads = dict(term.effect_priors), dict(term.spread_priors)
        if place in (spreads if is_spread else effects):
            raise formula_error(f"{prior.target!r} has two priors")
        (spreads if is_spread else effects)[place] = prior.law
        found[name] = term._replace(effect_priors=effects, spread_priors=spreads)
    return tuple(found.values())


def _with(
    values: Float[np.ndarray, " columns"], given: Mapping[int, float]
) -> Float[np.ndarray, " columns"]:
    """Values with those at some places replaced."""
    found = values.astype(float)
    for place, value in given.items():
        found[place] = value
    return found


def _with_people(formula: Formula, parameter: Parameter, pooled: bool) -> Formula:
    """The formula, completed by what varies over participants where it does not say so."""
    if formula.varying is not None:
        return formula
    differs = parameter.spread > 0.0 or formula.common != "1"
    return replace(formula, varying="1" if differs and not pooled else NOBODY)


def _check_varying(formula: Formula, design: Design, series: Series) -> None:
    """UserError for effects that cannot vary over people: of one person, or constant in each."""
    if not design.varying_names:
        return
    what = f"the effects of {formula.parameter!r} cannot vary over participants: "
    if series.num_participants < 2:
        raise formula_error(what + "there is one")
    if "Intercept" not in design.varying_names:
        return
    first = np.unique(series.participant, return_index=True)[1]
    same = design.varying == design.varying[first][series.participant]
    for name, is_same in zip(design.varying_names, same.all(axis=0), strict=True):
        if is_same and name != "Intercept":
            raise formula_error(
                f"{what}{name} is the same in all series of every participant",
                "(1 | participant) for what differs between people only",
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
    """The unit of each column: 1 for indicators, else the SD over people."""
    sds = np.sqrt(people_mean((columns - people_mean(columns, weight)) ** 2, weight))
    sds = np.where([is_indicator(column) for column in columns.T], 1.0, sds)
    return np.where(sds > 0.0, sds, 1.0)


def _is_correlated(term: Term) -> bool:
    return term.design.correlated and len(term.design.varying_names) > 1


def sample_term(term: Term, participant: np.ndarray, num_participants: int) -> Array:
    """Sample one parameter for every series, with its common and varying effects."""
    name, design = term.parameter.name, term.design
    law = standard_site(term.effect_laws, is_spread=False)
    raw = numpyro.sample(f"{name}.common", law)
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
    """Sample the varying effects of each participant."""
    name, size = term.parameter.name, len(term.design.varying_names)
    law = standard_site(term.spread_laws, is_spread=True)
    raw = numpyro.sample(f"{name}.scale", law)
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
    """NumPyro model: priors, and the likelihood of all responses if `data` are given."""
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
    """Log likelihood (nats) of every response, given each series' estimated parameters."""
    complete = with_held(hierarchy, values)
    return jax.vmap(hierarchy.model.log_likelihood)(complete, data)


def series_totals(
    hierarchy: Hierarchy, values: Mapping[str, Array], data: Any
) -> Float[Array, " series"]:
    """Sum of the log likelihoods (nats) of each series; to be differentiated once, in `values`.

    By reverse mode, which takes half the time of forward mode with three parameters. It cannot pass
    a loop whose length depends on the data: there each parameter's derivative is carried forward.
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
    stacked = jnp.stack([jnp.asarray(values[name]) for name in names], axis=-1)
    first = jax.tree.map(_without_series, (stacked, held, data))
    if _has_free_loop(jax.make_jaxpr(one)(*first).jaxpr):
        return totals(stacked)
    return jax.vmap(one)(stacked, held, data)


def _without_series(leaf: Any) -> jax.ShapeDtypeStruct:
    leaf = jnp.asarray(leaf)
    return jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype)


def _has_free_loop(jaxpr: Any) -> bool:
    """Whether a program has a loop of unknown length, at any depth."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "while":
            return True
        for given in jax.tree.leaves(tuple(equation.params.values())):
            inner = getattr(given, "jaxpr", given)
            if getattr(inner, "eqns", None) and _has_free_loop(inner):
                return True
    return False


def with_held(hierarchy: Hierarchy, values: Mapping[str, Array]) -> dict[str, Array]:
    """The parameters of each series, with those that are not estimated at their values."""
    size = hierarchy.num_series
    held = {name: jnp.full(size, value) for name, value in hierarchy.held.items()}
    return {**{k: jnp.asarray(v) for k, v in values.items()}, **held}

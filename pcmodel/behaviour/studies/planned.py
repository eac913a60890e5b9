"""The model of a plan and the columns of its formulas, before it is fitted."""

from dataclasses import replace

import jax

from pcmodel.behaviour.dataset import Series, kind_of
from pcmodel.behaviour.hierarchy.design import INTERCEPT, TermColumns
from pcmodel.behaviour.hierarchy.formula import parse_formula
from pcmodel.behaviour.hierarchy.functions import GROUP
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy
from pcmodel.behaviour.models.catalogue import MODELS
from pcmodel.behaviour.models.interface import ParticipantModel
from pcmodel.behaviour.outputs.told import PriorRow, prior_rows
from pcmodel.behaviour.posterior.caveats import notes_of, takes, varies_in_words
from pcmodel.behaviour.studies.fit import Plan, plan_hierarchy, plan_model
from pcmodel.errors import UserError, unknown_name

MOST_COLUMNS = 8  # columns of one term


def find_design(plan: Plan, series: Series) -> tuple[Plan, Hierarchy | None]:
    """The plan with its model, and the hierarchy that it would fit; UserError where it cannot be fitted.

    A plan without a model is given the first of its task that has the parameters of all
    formulas. Without a model and formulas the hierarchy is None.
    """
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        if not plan.model and plan.formulas:
            plan = replace(plan, model=_first_that_takes(plan, series))
        return plan, plan_hierarchy(plan, series) if plan.model else None


def _first_that_takes(plan: Plan, series: Series) -> str:
    models = _models(plan, series)
    for name, model in models.items():
        if all(takes(model, text) for text in plan.formulas):
            return name
    for text in plan.formulas:
        if not any(takes(model, text) for model in models.values()):
            known = [n for m in models.values() for p in m.parameters for n in p.names]
            known += [p.name for m in models.values() for p in m.parameters]
            raise unknown_name(
                f"parameter of a model of the {plan.task} task",
                parse_formula(text).parameter,
                dict.fromkeys(known),
                where="formula",
            )
    raise UserError(
        f"no model of the {plan.task} task has the parameters of all formulas",
        where="formula",
        expected="formulas of parameters that one model has",
    )


def _models(plan: Plan, series: Series) -> dict[str, ParticipantModel]:
    """Those of the task that support the plan's other options, by name."""
    found, complaint = {}, None
    for name in MODELS[kind_of(plan.task)]:
        try:
            found[name] = plan_model(plan, series, name)
        except UserError as error:  # such as a model without the judged quantity
            complaint = error
    if complaint and not found:
        raise complaint
    return found


def in_words(plan: Plan, hierarchy: Hierarchy) -> tuple[tuple[str, str], ...]:
    """The model, the formulas' terms with their columns, and the notes of a report."""
    rows = [("model", plan.model)]
    asked = {parse_formula(text).parameter for text in plan.formulas}
    for term in hierarchy.terms:
        if asked.isdisjoint((term.parameter.name, *term.parameter.names)):
            continue
        for own in term.design.terms:
            name = "1" if own.name == INTERCEPT else own.name
            name = f"({name} | {GROUP})" if own.varies else name
            rows.append((f"{term.parameter.name} ~ {name}", _columns(own)))
    rows.append(("between people", varies_in_words(hierarchy)))
    rows += [(f"prior of {own.name}", _prior(own)) for own in prior_rows(hierarchy)]
    notes = notes_of(plan.formulas, hierarchy, {})
    return (*rows, *(("note", note) for note in notes))


def _prior(row: PriorRow) -> str:
    """A prior, who set it, and what it says of the average person or of people in natural units."""
    text = f"{row.law.text}, {'as you set it' if row.is_set else 'the default'}"
    if not row.natural or row.is_spread:
        return text
    unit = f" ({row.unit})" if row.unit else ""
    return f"{text}: {row.natural} {row.median:.3g}, 95 % {row.low:.3g} to {row.high:.3g}{unit}"


def _columns(term: TermColumns) -> str:
    names = [
        f"{name}, centred on {centre:.4g}" if centre else name
        for name, centre in zip(term.columns, term.centre, strict=True)
    ]
    rest = len(names) - MOST_COLUMNS
    more = [f"{rest} more columns"] if rest > 0 else []
    return "; ".join([*names[:MOST_COLUMNS], *more])

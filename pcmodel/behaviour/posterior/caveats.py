"""Notes on a fit that its numbers do not show."""

from collections.abc import Iterator, Mapping

import numpy as np

from pcmodel.behaviour.hierarchy.design import INTERCEPT
from pcmodel.behaviour.hierarchy.formula import parse_formula
from pcmodel.behaviour.hierarchy.functions import SEVERAL_COLUMNS
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, Term
from pcmodel.behaviour.models.interface import ParticipantModel

ROUGH = ("bandit", "offered", "selection", "two_step", "go_no_go")
"""Tasks in which what is seen depends on what was done."""


def takes(model: ParticipantModel, formula: str) -> bool:
    """Whether the model has the formula's parameter."""
    names = {n for p in model.parameters for n in (p.name, *p.names)}
    return parse_formula(formula).parameter in names


def varies_in_words(hierarchy: Hierarchy) -> str:
    """Which parameters differ between people and which all share, in one or two sentences."""
    varying, shared = [], []
    for term in hierarchy.terms:
        names = term.design.varying_names
        if not names:
            shared.append(term.parameter.name)
            continue
        slopes = [name for name in names if name != INTERCEPT]
        varying.append(
            term.parameter.name + (f" ({', '.join(slopes)} too)" if slopes else "")
        )
    text = "People do not differ."
    if varying:
        text = f"People differ in {', '.join(varying)}."
    if shared:
        text += f" The same for everybody: {', '.join(shared)}."
    return text


def notes_of(
    formulas: tuple[str, ...],
    hierarchy: Hierarchy,
    rivals: Mapping[str, Hierarchy],
    *,
    is_bandit: bool = False,
) -> tuple[str, ...]:
    """One or two sentences on each limitation that the numbers of a fit do not show.

    formulas: of the fit.
    rivals: by name the other models that were fitted.
    is_bandit: whether the task is a bandit, or another of `ROUGH`, whose replications are rough.
    """
    found = [note for term in hierarchy.terms for note in _about_term(term, hierarchy)]
    for name, rival in rivals.items():
        left = [text for text in formulas if not takes(rival.model, text)]
        if left:
            found.append(
                f"{name} was fitted without {'; '.join(left)}, having no such parameter: "
                "its leave-one-out accuracy differs for that reason too."
            )
    if is_bandit:
        found.append(
            "In replications what was not chosen brings what it brought at other times of "
            "the whole series: reversals are lost there, and the checks are rough."
        )
    return tuple(found)


def _about_term(term: Term, hierarchy: Hierarchy) -> Iterator[str]:
    """Notes on the effects on one parameter."""
    design, name = term.design, term.parameter.name
    effects = [e for e in design.common_names if e != INTERCEPT]
    if effects and not design.varying_names:
        yield (
            f"Nobody differs in {name}. Where people do differ, its intervals are too "
            "narrow."
        )
    elif same := _same_for_all(term, hierarchy):
        yield (
            f"The effects of {', '.join(same)} on {name} are taken to be the same in "
            "everybody. Where they differ, their intervals are too narrow: let them vary, "
            "(effect | participant)."
        )
    alone = [
        e for e in design.varying_names if e not in (INTERCEPT, *design.common_names)
    ]
    if alone:
        which = ", ".join(alone)
        yield (
            f"{which} on {name} varies over people around 0 and has no effect common to all: what is told is how "
            f"people differ in it, not what it does on average; for that add {which} outside the brackets."
        )
    if _absorbs_people(term, hierarchy):
        yield (
            f"The effects on {name} tell every participant apart, so that the data cannot "
            "say how people differ beside them: fewer effects, or (0 | participant)."
        )
    for effect, numbers in zip(design.common_names, design.at_zero_of, strict=True):
        if numbers:
            where = " and ".join(f"{number} = 0" for number in numbers)
            centred = ", ".join(_centred(number) for number in numbers)
            yield (
                f"{name}[{effect}] is the effect where {where}, as an interaction changes "
                f"it; with {centred} it is that at the average over series."
            )


def _absorbs_people(term: Term, hierarchy: Hierarchy) -> bool:
    """Whether each person's own intercept is a combination of the common effects."""
    design, people = term.design, hierarchy.participant
    own = np.unique(people)
    if INTERCEPT not in design.varying_names or design.common.shape[1] < len(own):
        return False
    both = np.column_stack([design.common, people[:, None] == own])
    scale = np.abs(both).max(axis=0)
    rank = int(np.linalg.matrix_rank(both / np.where(scale > 0.0, scale, 1.0)))
    return rank == design.common.shape[1]


def _centred(number: str) -> str:
    """The text of a number as the library centres it; a polynomial is centred unless raw."""
    is_several = number.partition("(")[0] in SEVERAL_COLUMNS
    return f"{number} without raw" if is_several else f"center({number})"


def _same_for_all(term: Term, hierarchy: Hierarchy) -> list[str]:
    """The common effects that change within people and do not vary over them."""
    design, people = term.design, hierarchy.participant
    _, first, place = np.unique(people, return_index=True, return_inverse=True)
    within = (design.common != design.common[first[place]]).any(axis=0)
    return [
        effect
        for effect, changes in zip(design.common_names, within, strict=True)
        if changes and effect not in design.varying_names
    ]

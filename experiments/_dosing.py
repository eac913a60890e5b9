"""Groups of simulated participants, and what a report says about their parameters."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import (
    Course,
    Dose,
    Library,
    Participant,
    Signs,
    duration,
    load_compounds,
    simulate_group,
    typical,
    vital_signs,
)
from pcmodel.neuromodulation.participant import (
    Variation,
    physiology_assumptions,
    typical_variation,
)
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

LIBRARY = load_compounds()
QUICK = {"xla_backend_optimization_level": 1}
"""These programs run for less than they compile."""


@partial(jax.jit, compiler_options=QUICK)
def vitals(course: Course, times, people: Participant) -> Signs:
    """Vital signs of everyone, (people, times)."""
    return jax.vmap(lambda course, person: vital_signs(course, times, person))(
        course, people
    )


def take(
    doses: Sequence[Dose],
    times: np.ndarray,
    *,
    people: int = 0,
    seed: int = 0,
    library: Library = LIBRARY,
    perturbation: Perturbation = UNPERTURBED,
    **options,
) -> tuple[Course, Participant]:
    """The typical participant first, then `people` drawn around them: (1 + people, ...).

    Equal seeds give the same people, whatever they take.
    """
    person = typical(library, *(dose.compound for dose in doses))
    group = simulate_group(
        [adjusted_dose(dose, perturbation) for dose in doses],
        times,
        num_people=people,
        key=jax.random.key(seed),
        library=library,
        person=adjusted_person(person, perturbation),
        variation=adjusted_variation(typical_variation(), perturbation),
        **options,
    )
    return group.course, group.participants


def adjusted_dose(dose: Dose, perturbation: Perturbation) -> Dose:
    """The dose, where a perturbation is about its "dose.mg" or "dose.hours"."""
    part, _, field = perturbation.path.partition(".")
    if part != "dose" or perturbation.owner != dose.compound:
        return dose
    return replace(dose, **{field: getattr(dose, field) * perturbation.factor})


def adjusted_person(person: Participant, perturbation: Perturbation) -> Participant:
    """The person, where a perturbation is about "physiology", "ligands" or "kinetics"."""
    part, _, field = perturbation.path.partition(".")
    if part == "physiology":
        return replace(
            person, physiology=_scaled(person.physiology, field, perturbation)
        )
    if (
        part not in ("ligands", "kinetics")
        or perturbation.owner not in person.compounds
    ):
        return person
    at, ligands = person.compounds.index(perturbation.owner), person.ligands
    if part == "ligands":
        return replace(person, ligands=_scaled(ligands, field, perturbation, at))
    kinetics = _scaled(ligands.kinetics, field, perturbation, at)
    return replace(person, ligands=ligands._replace(kinetics=kinetics))


def adjusted_variation(variation: Variation, perturbation: Perturbation) -> Variation:
    """How people differ, where a perturbation is about "variation"."""
    part, _, field = perturbation.path.partition(".")
    return _scaled(variation, field, perturbation) if part == "variation" else variation


def _scaled(numbers, field: str, perturbation: Perturbation, at: int | None = None):
    value = np.array(getattr(numbers, field), float)
    value[... if at is None else at] *= perturbation.factor
    return numbers._replace(**{field: jnp.asarray(value)})


MIDPOINT = Parameter("second-stage midpoint", "physiology.half")
POWER = Parameter("second-stage power", "physiology.power")
STAGE = (
    MIDPOINT,
    POWER,
    Parameter("slope of the operational model", "physiology.slope"),
)
DIFFERENCES = tuple(
    Parameter(f"variation of {name}", f"variation.{name}")
    for name in ("clearance", "volume", "absorption", "affinity", "onset")
)


def half_life(label: str, compound: str) -> Parameter:
    """A compound's half-life, its volume being as it is."""
    return Parameter(label, "kinetics.elimination", compound, inverse=True)


class Band(NamedTuple):
    """The typical participant, and the middle 90 % of the group."""

    typical: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band(values) -> Band:
    """Over the leading axis, typical first."""
    values = np.asarray(values)
    others = values[1:] if len(values) > 1 else values
    low, high = np.quantile(others, (0.05, 0.95), axis=0)
    return Band(values[0], low, high)


@jax.jit
def _durations(times, effects, least):
    def one(effect, least):
        return duration(times, effect, least=least)

    return jax.vmap(one)(effects, least)


def hours_felt(
    times: np.ndarray, effect, people: Participant | None = None
) -> np.ndarray:
    """Duration above a tenth of each participant's own peak, (people,).

    people: whose effect it is; 0 then where the peak is too small to be felt.
    """
    effect = jnp.asarray(effect)
    least = people.physiology.least if people else jnp.zeros(len(effect))
    return np.asarray(_durations(jnp.asarray(times), effect, least))


def with_number(compound: str, quantity: str, factor: float) -> Library:
    """The library with one number of one compound multiplied."""
    found = LIBRARY[compound]
    value = found.get(quantity, 0.0) * factor
    return LIBRARY.replacing(found.with_value(quantity, value, "varied here"))


def assumed(*compounds: str) -> list[str]:
    """Every number in use that nobody measured, for the report."""
    return [*LIBRARY.assumptions(*compounds), *physiology_assumptions()]

"""Groups of simulated participants, and what a report says about their parameters."""

from collections.abc import Callable, Sequence
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
    check_times,
    draw_participants,
    load_compounds,
    regimen,
    simulate,
    typical,
)
from pcmodel.neuromodulation.participant import physiology_assumptions
from pcmodel.report import Table, Verdict

LIBRARY = load_compounds()
QUICK = {"xla_backend_optimization_level": 1}
"""These programs run for less than they compile."""


@partial(jax.jit, static_argnames="number")
def _group(person: Participant, key, *, number: int) -> Participant:
    middle = jax.tree.map(lambda x: x[None], person)
    if not number:
        return middle
    others = draw_participants(person, key, number)
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), middle, others)


@partial(jax.jit, static_argnames=("transducer", "tolerance"), compiler_options=QUICK)
def _many(doses, times, people, transducer=None, tolerance=False) -> Course:
    def one(person):
        return simulate(
            doses, times, person, transducer=transducer, tolerance=tolerance
        )

    return jax.vmap(one)(people)


def take(
    doses: Sequence[Dose],
    times: np.ndarray,
    *,
    people: int = 0,
    seed: int = 0,
    library: Library = LIBRARY,
    change: Callable[[Participant], Participant] = lambda person: person,
    **options,
) -> tuple[Course, Participant]:
    """The typical participant first, then `people` drawn around them: (1 + people, ...)."""
    checked = regimen(*doses, library=library)
    middle = change(typical(library, *(dose.compound for dose in doses)))
    check_times(times, middle, tolerance=options.get("tolerance", False))
    group = _group(middle, jax.random.key(seed), number=people)
    return _many(checked, jnp.asarray(times), group, **options), group


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


def hours_felt(times: np.ndarray, effect, *, share: float = 0.1) -> np.ndarray:
    """Duration above a share of each participant's own peak, (people,)."""
    from pcmodel.neuromodulation import duration

    one = partial(duration, jnp.asarray(times), share=share)
    return np.asarray(jax.vmap(one)(jnp.asarray(effect)))


def judge(name: str, prediction: str, observed: str, holds, kind: str) -> Verdict:
    """A verdict; None for `holds` is inconclusive."""
    outcome = "inconclusive" if holds is None else "holds" if holds else "fails"
    return Verdict(name, prediction, observed, outcome, kind)


class Turn(NamedTuple):
    """One parameter halved and doubled: does the conclusion stay as it is?"""

    parameter: str
    halved: str
    as_set: str
    doubled: str
    flips: str


def turning_table(turns: Sequence[Turn], conclusion: str) -> Table:
    """What would overturn a conclusion."""
    return Table(
        ("Parameter", "Halved", "As set", "Doubled", "Outcome flips when"),
        [tuple(each) for each in turns],
        f"What overturns: {conclusion}",
    )


def turn(parameter: str, value_at: Callable[[float], float], holds, text) -> Turn:
    """Evaluate a conclusion with one parameter times 1/2, 1 and 2.

    value_at: factor -> number.  holds: number -> bool.  text: number -> cell.
    """
    half, middle, double = (value_at(factor) for factor in (0.5, 1.0, 2.0))
    flips = [
        word
        for word, value in (("halved", half), ("doubled", double))
        if holds(value) != holds(middle)
    ]
    words = " or ".join(flips) or "never"
    return Turn(parameter, text(half), text(middle), text(double), words)


def scaled(path: str, factor: float) -> Callable[[Participant], Participant]:
    """A change that multiplies one field: "physiology.onset", "ligands.k_2a"."""
    part, field = path.split(".")

    def change(person: Participant) -> Participant:
        from dataclasses import replace

        old = getattr(person, part)
        new = old._replace(**{field: getattr(old, field) * factor})
        return replace(person, **{part: new})

    return change


def with_number(compound: str, quantity: str, factor: float) -> Library:
    """The library with one number of one compound multiplied."""
    found = LIBRARY[compound]
    value = found.get(quantity, 0.0) * factor
    return LIBRARY.replacing(found.with_value(quantity, value, "varied here"))


def assumed(*compounds: str) -> list[str]:
    """Every number in use that nobody measured, for the report."""
    return [*LIBRARY.assumptions(*compounds), *physiology_assumptions()]

"""Checks of what a plasticity window is asked for: days, routes, and the courses that open it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import is_number, short
from pcmodel.inputs.arrays import default_dtype, is_traced, is_wide, read_numbers
from pcmodel.neuromodulation.plasticity.constants import PlasticityTable
from pcmodel.neuromodulation.plasticity.drive import (
    HOURS_A_DAY,
    UNFINISHED,
    Administrations,
    Drive,
)
from pcmodel.neuromodulation.plasticity.routes import ENTRIES, PlasticityRoute

TARGETS = {
    "effect_2a": ("receptors",),
    "serotonin_2a": ("receptors", "store"),
    "nmda_block": ("nmda",),
    "trkb": ("trkb",),
}
"""What two courses share that have the same drive; fields of `Acting`."""
NAMES = {
    "receptors": "5-HT2A receptors",
    "store": "the serotonin store",
    "nmda": "NMDA channels",
    "trkb": "TrkB",
}


def check_days(days: Any) -> Array:
    """Days as numbers; UserError unless they are one row of finite ones, 0 or more, that ascend."""
    numbers = read_numbers(days, where="days")
    if numbers.dtype == bool:
        raise UserError("values are of type bool", where="days", expected="days")
    kept = jnp.asarray(numbers, None if is_wide(numbers) else default_dtype())
    if kept.ndim != 1 or not len(kept):
        raise UserError(
            f"have the shape {kept.shape}",
            where="days",
            expected="days in one row, one or more",
        )
    if isinstance(kept, Tracer):
        return kept
    known = np.asarray(kept)
    if known.min() < 0:
        raise UserError(f"hold {known.min():g}", where="days", expected="0 or more")
    if not np.all(np.diff(known) > 0):
        at = int(np.argmin(np.diff(known) > 0)) + 1
        raise UserError(
            f"day {at} is {known[at]:g} after {known[at - 1]:g}",
            where="days",
            expected="days that ascend",
        )
    return kept


def check_routes(routes: Any) -> tuple[PlasticityRoute, ...]:
    """One route or several as a tuple; UserError for anything else, a class, or one of them twice."""
    every = tuple(routes) if isinstance(routes, tuple | list | frozenset) else (routes,)
    expected = "Via2A(), ViaSerotonin(), TrkbDirect() or ViaNmda(), or several of them"
    if not every:
        raise UserError("there are none", where="routes", expected=expected)
    for route in every:
        if isinstance(route, type) or not isinstance(route, PlasticityRoute):
            raise UserError(f"is {short(route)}", where="routes", expected=expected)
        weight = route.weight
        if is_traced(weight) or not is_number(weight) or not 0 <= weight < np.inf:
            raise UserError(
                f"has the weight {short(weight)}",
                where=type(route).__name__,
                expected="a known number, 0 or more",
            )
        if route.entry not in ENTRIES:
            raise UserError(
                f"enters at {short(route.entry)}",
                where="routes",
                expected=" or ".join(map(repr, ENTRIES)),
            )
    kinds = [type(route) for route in every]
    if len(set(kinds)) < len(kinds):
        raise UserError("hold one twice", where="routes", expected="each at most once")
    return every


def check_courses(courses: tuple[Administrations, ...]) -> None:
    """UserError unless there are courses, in order of days and of equally many people."""
    if not courses:
        raise UserError(
            "there are none", where="administrations", expected="those of a course"
        )
    people = {course.num_people for course in courses}
    if len(people) > 1:
        raise UserError(
            f"are of {' and '.join(str(number or 'one') for number in people)} people",
            where="administrations",
            expected="the same people in every course",
        )
    days = [course.day for course in courses]
    if is_traced(days):
        return
    steps = np.diff(np.stack([np.asarray(day, float) for day in days]), axis=0)
    if np.any(steps < 0):
        raise UserError(
            "their courses are not in order of days",
            where="administrations",
            expected="the earliest first: put each on its day with .on(day)",
        )


def check_apart(
    courses: tuple[Administrations, ...], routes: tuple[PlasticityRoute, ...]
) -> None:
    """UserError for a course that begins while an earlier one acts on the same target.

    Each was simulated from rest, and what they do to receptors that they share is not the sum of what each does.
    What they do to different targets is, at any times.
    """
    if is_traced(courses):
        return
    for target in shared_targets(routes):
        until = [
            np.asarray(getattr(course.acting, target), float) for course in courses
        ]
        for number, (course, last) in enumerate(zip(courses, until, strict=True)):
            for later, other in zip(
                courses[number + 1 :], until[number + 1 :], strict=True
            ):
                gap = HOURS_A_DAY * np.asarray(later.day - course.day, float)
                if np.any((other > 0) & (last > gap)):
                    raise UserError(
                        f"{' + '.join(course.compounds)} acts on {NAMES[target]} for {last.max():.3g} h, and "
                        f"{' + '.join(later.compounds)} follows as a course of its own after {gap.min():.3g} h",
                        where="administrations",
                        expected="one course of all doses that meet, with `starts` for the times of each",
                    )


def shared_targets(routes: tuple[PlasticityRoute, ...]) -> list[str]:
    """The targets by which these routes work, fields of `Acting`."""
    found: dict[str, None] = {}
    for name, targets in TARGETS.items():
        # Evaluated at once, also while the caller's program is traced.
        with jax.ensure_compile_time_eval():
            only = Drive(
                *(jnp.full(1, float(field == name)) for field in Drive._fields)
            )
            reached = any(np.any(np.asarray(route.hours(only)) > 0) for route in routes)
        if reached:
            found |= dict.fromkeys(targets)
    return list(found)


def check_drives(
    course: Administrations,
    routes: tuple[PlasticityRoute, ...],
    table: PlasticityTable,
) -> None:
    """UserError for a drive that the course's end cuts off, or whose window is not known to close."""
    if is_traced(course):
        return
    for route in routes:
        last, highest = (
            np.asarray(route.hours(drive)) for drive in (course.last, course.highest)
        )
        cut = last.sum(-1) > UNFINISHED * highest.sum(-1)
        if np.any(cut):
            raise UserError(
                f"the course ends at {np.asarray(course.hours).max():g} h, while the drive by "
                f"{type(route).__name__} is above {UNFINISHED:.0%} of its largest value",
                where="administrations",
                expected="times that go on until it is over",
            )
        for name, own in zip(
            course.compounds, np.moveaxis(highest, -1, 0), strict=True
        ):
            if np.any(own > 0) and name not in table.compounds:
                raise UserError(
                    f"{name} acts by {type(route).__name__}, and when its window closes is not known",
                    where="plasticity",
                    expected=f"a table with the row {name},closing,(days): load_plasticity(file)",
                )

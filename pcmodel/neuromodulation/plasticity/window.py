r"""The plasticity window over days: a fast gain on learning rates, slow structural traces, receptors.

drive -> saturation -> BDNF release -> TrkB signalling -> protein synthesis (mTOR) -> learning-rate gain,
                                                                             -> spines, and SV2A after them.

Each stage is first order (`chain`), so a trace is a sum of exponentials in the days since an administration,
and those of several administrations add.  The gain and the traces are different state variables: a window may
be closed while the spines that it left are still there.

$1 + p(t)$ is a factor on learning rates: `Modulation(plasticity=...)`.  That spines or critical periods of mice
say anything about the learning of beliefs in people is an assumption.  Nothing here is clinical advice.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.inputs.arrays import one_number
from pcmodel.inputs.ranges import NotNegative
from pcmodel.model.modulation import Modulation
from pcmodel.neuromodulation.plasticity.constants import (
    PlasticityTable,
    load_plasticity,
)
from pcmodel.neuromodulation.plasticity.drive import HOURS_A_DAY, Administrations
from pcmodel.neuromodulation.plasticity.kernels import (
    Pace,
    Traces,
    kernels_of,
    pace_of,
)
from pcmodel.neuromodulation.plasticity.receptor_loss import receptors_left
from pcmodel.neuromodulation.plasticity.routes import (
    ROUTES,
    PlasticityRoute,
    saturated,
)
from pcmodel.neuromodulation.plasticity.window_checks import (
    check_apart,
    check_courses,
    check_days,
    check_drives,
    check_routes,
)

Over = Float[Array, "*people days"]


class Window(NamedTuple):
    """The window over days; without plasticity `gain` is exactly 1 and all traces are 0.

    days: since the time origin of the administrations.
    gain: factor on learning rates, 1 + p; p has the peak `peak` after psilocybin 25 mg.
    bdnf: release, in multiples of its peak after the reference drive of the route.
    trkb: signalling, in the same unit.
    mtor: protein synthesis, in the same unit.
    spines: density above rest, share.
    sv2a: synaptic vesicle protein above rest, share.
    receptors: share of 5-HT2A receptors left; 1 = all.
    """

    days: Over
    gain: Over
    bdnf: Over
    trkb: Over
    mtor: Over
    spines: Over
    sv2a: Over
    receptors: Over


@checked_arguments
def plasticity_window(
    given: Administrations | Sequence[Administrations],
    days: Any,
    *,
    routes: Any = ROUTES,
    peak: NotNegative | None = None,
    table: PlasticityTable | None = None,
) -> Window:
    """The plasticity window of one person, or of every person of a group.

    given: of one course or of several, in order of their days (`Administrations.on`).
    days: 0 or more, ascending.
    routes: one or several of `Via2A`, `ViaSerotonin`, `TrkbDirect`, `ViaNmda`, whose actions add.
    peak: of p after psilocybin 25 mg, by default that of the table.
    table: numbers of plasticity, by default the package's.

    Within an administration the drive saturates; the saturated drives of several add, so a week of daily
    doses may pass the ceiling of one.
    Raises UserError for days that are negative, not finite or do not ascend, for things that are no
    routes, a course that ends before its drive does, courses out of order, of unequal groups, or that begin
    while an earlier one acts on the same receptors, channels or store (each was simulated from rest), and a
    compound that acts and whose window is not known to close.
    """
    moments = check_days(days)
    courses = (given,) if isinstance(given, Administrations) else tuple(given)
    steps = check_routes(routes)
    table = load_plasticity() if table is None else table
    check_courses(courses)
    check_apart(courses, steps)
    for course in courses:
        check_drives(course, steps, table)
    size = table.value("stages", "peak") if peak is None else peak
    names = tuple(dict.fromkeys(name for each in courses for name in each.compounds))
    pace, entries = pace_of(names, table), {route.entry for route in steps}
    since = since_each(courses, moments)
    return _window(
        tuple(numbered(course, names) for course in courses),
        moments,
        jnp.asarray(size, float),
        scales_of(steps, table),
        pace.closing,
        {entry: kernels_over(since, pace, entry=entry) for entry in entries},
        routes=steps,
    )


@checked_arguments
def modulation_on(
    day: Any, given: Administrations | Sequence[Administrations], **options: Any
) -> Modulation:
    """The modulation of learning on one day, of one person: `Modulation(plasticity=1 + p)`.

    day: one number, 0 or more.
    given: see `plasticity_window`.
    options: those of `plasticity_window`.
    UserError as there, and for a group, whose people have a modulation each.
    """
    moment = one_number(day, where="day")
    courses = (given,) if isinstance(given, Administrations) else tuple(given)
    if any(course.num_people is not None for course in courses):
        raise UserError(
            "the administrations are those of a group",
            where="modulation_on",
            expected="one person: map over the group with jax.vmap",
        )
    window = plasticity_window(courses, jnp.reshape(moment, 1), **options)
    return Modulation(plasticity=window.gain[0])


def since_each(
    courses: tuple[Administrations, ...], days: Float[Array, " days"]
) -> Float[Array, "*people administrations days"]:
    """Days since every administration of all courses; negative before it."""
    starts = [each.day[..., None] + each.starts / HOURS_A_DAY for each in courses]
    every = jnp.concatenate(starts, axis=-1)[..., None]
    return jnp.reshape(days, (1,) * (every.ndim - 1) + (-1,)) - every


@partial(jax.jit, static_argnames="entry")
def kernels_over(
    since: Float[Array, "*people administrations days"], pace: Pace, *, entry: str
) -> Traces:
    """The kernels of one person or of everyone; a program of its own, as it is the longest to compile."""
    one = partial(kernels_of, entry=entry, pace=pace)
    return one(since) if since.ndim == 2 else jax.vmap(one)(since)


@partial(jax.jit, static_argnames="routes")
def _window(
    courses: tuple[Administrations, ...],
    days: Float[Array, " days"],
    peak: Float[Array, ""],
    scales: Float[Array, "routes 2"],
    closing: Float[Array, " compounds"],
    kernels: dict[str, Traces],
    *,
    routes: tuple[PlasticityRoute, ...],
) -> Window:
    def one(courses: tuple[Administrations, ...], kernels: dict[str, Traces]) -> Window:
        total = Traces(*(jnp.zeros_like(days) for _ in Traces._fields))
        for route, scale in zip(routes, scales, strict=True):
            hours = [_among(route.hours(each.drive), each, closing) for each in courses]
            weights = _weights(jnp.concatenate(hours), route.weight, scale, closing)
            for_each = kernels[route.entry]
            added = (jnp.einsum("ac,cad->d", weights, kernel) for kernel in for_each)
            total = Traces(*map(jnp.add, total, added))
        left = receptors_left(courses, days)
        return Window(days, 1 + peak * total.rise, *total[1:], left)

    alone = courses[0].num_people is None
    return one(courses, kernels) if alone else jax.vmap(one)(courses, kernels)


def numbered(course: Administrations, names: tuple[str, ...]) -> Administrations:
    """The course with places instead of names of compounds, so that one program serves all compounds."""
    places = tuple(str(names.index(name)) for name in course.compounds)
    return replace(course, compounds=places)


def scales_of(
    routes: tuple[PlasticityRoute, ...], table: PlasticityTable
) -> Float[Array, "routes 2"]:
    """The reference drive of each route and that of half saturation, h."""
    for route in routes:
        if not table.has(route.subject, "reference", "half"):
            raise UserError(
                f"has no reference drive and half saturation of {short(route.subject)}",
                where="plasticity table",
                expected="rows with these quantities, h: load_plasticity(file)",
            )
    rows = [
        [table.value(route.subject, name) for name in ("reference", "half")]
        for route in routes
    ]
    return jnp.asarray(np.asarray(rows), float)


def _among(hours: Array, course: Administrations, closing: Array) -> Array:
    """Hours of drive (administrations, compounds), with columns of 0 for compounds of other courses."""
    columns = jnp.asarray([int(place) for place in course.compounds])
    every = jnp.zeros((hours.shape[0], len(closing)), hours.dtype)
    return every.at[:, columns].set(hours)


def _weights(
    hours: Float[Array, "administrations compounds"],
    weight: float,
    scale: Float[Array, "2"],
    closing: Float[Array, " compounds"],
) -> Float[Array, "administrations compounds"]:
    """The saturated drives over that of the reference; NaN where a window is not known to close."""
    weights = weight * jax.vmap(partial(saturated, scale=scale))(hours)
    unknown = jnp.where(hours > 0, jnp.nan, 0.0)
    return jnp.where(jnp.isfinite(closing)[None], weights, unknown)

"""Doors of groups of people who take a drug, and of what a dose leaves behind."""

from typing import Any

import numpy as np

import pcmodel.neuromodulation as nm

from .disguises import KEY
from .door import Door, of, used
from .drug_doors import ARRAY, DOSES, PERSON

HOURS = np.arange(0.0, 73.0, 0.25)
DAYS = np.array([0.0, 1.0, 7.0])
GROUP = nm.simulate_group(nm.Dose("psilocybin", 20.0), HOURS, num_people=1, key=KEY)
ONE = nm.administrations(nm.simulate(DOSES, HOURS, PERSON), HOURS, PERSON)
GIVEN = nm.group_administrations(GROUP)
TIMED = {"days": ARRAY, "hours": ARRAY, "times": ARRAY, "starts": ARRAY | None}


def opened(route: Any) -> Any:
    """The window that one route opens."""
    return nm.plasticity_window(GIVEN, DAYS, routes=(route,)).gain


PLASTICITY = [
    Door(
        "simulate_group",
        lambda **a: nm.simulate_group(**a).course.effect_2a,
        dict(doses=nm.Dose("psilocybin", 20.0), hours=HOURS, num_people=1, key=KEY),
        nm.simulate_group,
        TIMED,
    ),
    Door(
        "administrations",
        lambda **a: nm.administrations(**a).drive,
        dict(course=nm.simulate(DOSES, HOURS, PERSON), times=HOURS, person=PERSON),
        nm.administrations,
        TIMED,
    ),
    Door(
        "group_administrations",
        lambda **a: nm.group_administrations(**a).drive,
        dict(group=GROUP),
        nm.group_administrations,
        TIMED,
    ),
    Door(
        "plasticity_window",
        nm.plasticity_window,
        dict(given=GIVEN, days=DAYS),
        nm.plasticity_window,
        TIMED,
    ),
    Door(
        "modulation_on",
        lambda **a: nm.modulation_on(**a).plasticity,
        dict(day=2.0, given=ONE),
        lambda day, given: None,
        {"day": ARRAY, "given": nm.Administrations},
    ),
    of(nm.carry, group=GROUP, after=2.0),
    of(nm.closing_time_constant, open_at=2.0, closed_by=7.0),
    *(
        used(route, opened, weight=1.0)
        for route in (nm.Via2A, nm.ViaSerotonin, nm.ViaNmda, nm.TrkbDirect)
    ),
    of(nm.load_plasticity, files=()),
]

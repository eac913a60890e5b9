"""Doors of drugs: doses, people, accounts."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import pcmodel.neuromodulation as nm
from pcmodel.model.generative import LinearModel

from .disguises import KEY
from .door import Door, call_in_place, of, used

LIBRARY = nm.load_compounds()
PERSON = nm.typical(LIBRARY, "psilocybin")
DOSES = nm.regimen(nm.Dose("psilocybin", 20.0), library=LIBRARY)
TIMES = np.arange(0.0, 13.0)
COURSE = nm.simulate(DOSES, TIMES, PERSON)
FINE = np.arange(0.0, 1.0, 0.25)
ARRAY = np.ndarray
EFFECTS = jax.tree.map(lambda curve: curve[2], nm.effects(COURSE))
CORTEX = nm.anatomy(*nm.CORTEX)


def taken(dose: Any) -> Any:
    """The effect of a dose."""
    doses = nm.regimen(dose, library=LIBRARY)
    return nm.simulate(doses, TIMES, PERSON).effect_2a


def acting(account: Any) -> Any:
    """What an account makes of an effect."""
    levels = CORTEX.num_levels
    model = LinearModel((2,) * levels, tuple(map(str, range(levels))))
    return account.modulate(EFFECTS, CORTEX).resolve(model, jnp.zeros(()).dtype)


def accounts() -> list[Door]:
    """Each account with its options."""
    return [
        used(type(made), acting)
        for made in (
            made() if isinstance(made, type) else made for made in nm.ACCOUNTS.values()
        )
        if is_dataclass(made) and "accounts" not in vars(made)
    ]


DRUGS = [
    Door(
        "simulate",
        lambda **a: nm.simulate(**a).effect_2a,
        dict(doses=DOSES, times=TIMES, person=PERSON),
        nm.simulate,
        {"times": ARRAY, "doses": tuple[nm.Dose, ...], "transducer": Callable | None},
    ),
    Door(
        "regimen",
        lambda **a: call_in_place(nm.regimen, a),
        dict(doses=(nm.Dose("psilocybin", 20.0),), library=LIBRARY),
        nm.regimen,
        {"doses": nm.Dose},
    ),
    used(nm.Dose, taken, compound="psilocybin", mg=20.0),
    used(
        nm.Infusion,
        lambda made: (
            nm.simulate(
                nm.regimen(nm.Dose("DMT", 10.0, route=made), library=LIBRARY),
                TIMES,
                nm.typical(LIBRARY, "DMT"),
            ).effect_2a
        ),
        hours=0.5,
    ),
    Door(
        "duration",
        nm.duration,
        dict(times=TIMES, effect=COURSE.effect_2a),
        nm.duration,
        {"times": ARRAY, "effect": ARRAY},
    ),
    Door(
        "is_over",
        nm.is_over,
        dict(times=TIMES, effect=COURSE.effect_2a),
        nm.is_over,
        {"times": ARRAY, "effect": ARRAY},
    ),
    of(nm.typical, library=LIBRARY, names=("psilocybin",)),
    of(nm.draw_participants, person=PERSON, key=KEY, number=2),
    of(nm.vital_signs, course=COURSE, times=TIMES, person=PERSON),
    of(nm.effects, course=COURSE),
    of(nm.anatomy, networks=tuple(CORTEX.networks)),
    of(nm.transducer_of, body=PERSON.physiology),
    of(nm.threshold_of, body=PERSON.physiology),
    Door(
        "check_times",
        nm.check_times,
        dict(times=TIMES, person=PERSON, tolerance=False),
        nm.check_times,
        {"times": ARRAY},
    ),
    used(
        nm.WithRates,
        lambda made: nm.simulate(DOSES, FINE, PERSON, exchange=made).effect_2a,
        substeps=1,
    ),
    of(nm.load_compounds, files=()),
    Door(
        "Compound.with_value",
        LIBRARY["psilocybin"].with_value,
        dict(quantity="half_life", value=3.0, why="a test"),
        LIBRARY["psilocybin"].with_value,
        {"value": float},
    ),
    of(LIBRARY["psilocybin"].without, "Compound.without", quantity="lag"),
    of(LIBRARY.replacing, "Library.replacing", compound=LIBRARY["psilocybin"]),
    Door(
        "Library[...]",
        lambda name: LIBRARY[name],
        dict(name="LSD"),
        None,
        {"name": str},
    ),
    used(
        nm.Library,
        lambda made: nm.typical(made, "LSD"),
        compounds={"LSD": LIBRARY["LSD"]},
    ),
    of(
        nm.check_account,
        account=nm.ACCOUNTS["rebus"]()
        if isinstance(nm.ACCOUNTS["rebus"], type)
        else nm.ACCOUNTS["rebus"],
        anatomy=CORTEX,
        names=tuple(map(str, range(CORTEX.num_levels))),
        library=LIBRARY,
        compounds=("psilocybin",),
    ),
    *accounts(),
    used(nm.Together, acting, accounts=(nm.Rebus(), nm.Dimmer())),
]

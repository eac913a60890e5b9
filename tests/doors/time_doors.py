"""Doors of groups of people, of plasticity over days, of hierarchies over time, and of exact EM."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
import pcmodel.learning as learning
import pcmodel.neuromodulation as nm
from pcmodel.brain import measures

from .disguises import KEY
from .door import Door, of, used
from .drug_doors import DOSES, LIBRARY, PERSON

ARRAY = np.ndarray
HOURS = np.arange(0.0, 24.25, 0.25)
DAYS = np.array([0.0, 1.0, 7.0])
COURSE = nm.simulate(DOSES, HOURS, PERSON)
GROUP = nm.simulate_group(DOSES, HOURS, library=LIBRARY, num_people=1, key=KEY)
LEFT = nm.administrations(COURSE, HOURS, PERSON)
TABLE = nm.load_plasticity()


def opened(route: Any) -> Any:
    """The window that a route opens."""
    return nm.plasticity_window(LEFT, DAYS, routes=route).gain


def simulated_group(**options: Any) -> Any:
    """The effects in a group."""
    return nm.simulate_group(**options).course.effect_2a


PLASTICITY = [
    Door(
        "simulate_group",
        simulated_group,
        dict(doses=DOSES, hours=HOURS, num_people=1, key=KEY, library=LIBRARY),
        nm.simulate_group,
        {"hours": ARRAY, "doses": tuple[nm.Dose, ...]},
    ),
    of(nm.carry, group=GROUP),
    Door(
        "administrations",
        nm.administrations,
        dict(course=COURSE, times=HOURS, person=PERSON, starts=np.array([0.0, 12.0])),
        nm.administrations,
        {"times": ARRAY, "starts": ARRAY | None},
    ),
    Door(
        "group_administrations",
        nm.group_administrations,
        dict(group=GROUP, starts=np.array([0.0, 12.0])),
        nm.group_administrations,
        {"starts": ARRAY | None},
    ),
    Door(
        "plasticity_window",
        nm.plasticity_window,
        dict(given=LEFT, days=DAYS, routes=nm.Via2A()),
        nm.plasticity_window,
        {"days": ARRAY, "routes": nm.PlasticityRoute},
    ),
    Door(
        "modulation_on",
        lambda **a: nm.modulation_on(**a).plasticity,
        dict(day=1.0, given=LEFT),
        lambda day, given: None,
        {"day": float, "given": nm.Administrations},
    ),
    *(
        used(route, opened)
        for route in (nm.Via2A, nm.ViaSerotonin, nm.ViaNmda, nm.TrkbDirect)
    ),
    of(nm.closing_time_constant, open_at=7.0, closed_by=21.0),
    of(nm.load_plasticity, files=()),
    used(
        nm.PlasticityTable,
        lambda made: nm.plasticity_window(LEFT, DAYS, table=made).gain,
        numbers=TABLE.numbers,
    ),
]

STEP = {"report": pcmodel.Level(1, parents=["state"])}
STEP["state"] = pcmodel.Level(2, parents=["state[-1]"])
OVER = pcmodel.over_time(STEP, 3, activation=lambda x: x, rngs=nnx.Rngs(0))
SEEN = np.array([[0.5], [1.0], [-0.5]])


def inferred(observations: Any) -> Any:
    """Inference in a hierarchy over time."""
    return pcmodel.infer(OVER, observations).latents


FOUND = inferred(pcmodel.at_steps({"report": SEEN}))
LINE = pcmodel.linear_gaussian([np.array([[2.0, 0.5], [0.5, 1.0]])], [1.0, 1.0])
ROWS = np.array([[0.5, -1.0], [1.0, 0.5], [0.0, 2.0], [-1.0, 0.3]])


def unrolled(**options: Any) -> Any:
    """Inference in a hierarchy over time."""
    network = pcmodel.over_time(**options)
    seen: Any = pcmodel.at_steps({"report": SEEN})
    return pcmodel.infer(network, seen).latents


def learned(**options: Any) -> Any:
    """What exact EM learns."""
    found = pcmodel.linear_em(**options)
    return found.log_evidence, found.network.prior_mean[...]


def taught(**options: Any) -> Any:
    """One step of classical learning."""
    done = pcmodel.train(
        LINE,
        ROWS,
        key=KEY,
        num_epochs=1,
        batch_size=2,
        learning=learning.classical(**options),
    )
    return done.curve.energy


HIERARCHIES = [
    Door(
        "over_time",
        unrolled,
        dict(
            levels=STEP,
            num_steps=3,
            rngs=nnx.Rngs(0),
            initial={"state": pcmodel.Level(2, precision=0.5)},
        ),
        pcmodel.over_time,
    ),
    Door(
        "at_steps, one level",
        lambda series: inferred(pcmodel.at_steps({"report": series})),
        dict(series=SEEN),
        None,
        {"series": ARRAY},
    ),
    Door(
        "at_steps",
        lambda series: inferred(pcmodel.at_steps(series)),
        dict(series={"report": SEEN}),
        pcmodel.at_steps,
    ),
    Door(
        "over_steps",
        pcmodel.over_steps,
        dict(network=OVER, latents=FOUND, level="state"),
        pcmodel.over_steps,
        {"latents": tuple[jnp.ndarray, ...]},
    ),
    Door(
        "linear_em",
        learned,
        dict(network=LINE, observations=ROWS, num_steps=2),
        pcmodel.linear_em,
        {"observations": ARRAY},
    ),
    Door(
        "classical",
        taught,
        dict(optimiser=optax.sgd(0.01)),
        learning.classical,
    ),
]

SERIES = np.random.default_rng(0).normal(size=(2, 2, 5, 60))
NETWORKS = ("a", "a", "b", "b", "b")
PEOPLE = measures.measure_group(
    [*SERIES[0], *SERIES[1]],
    people=("p", "p", "q", "q"),
    conditions=("x", "y", "x", "y"),
    networks=NETWORKS,
    key=KEY,
)
MEASURED = [
    Door(
        "contrast",
        lambda **a: measures.contrast(**a).measures,
        dict(group=PEOPLE, first="x", second="y", key=KEY, num_bootstraps=50),
        measures.contrast,
    ),
    Door(
        "lempel_ziv_count",
        measures.lempel_ziv_count,
        dict(symbols=np.array([0, 1, 0, 1, 1, 0, 0, 1])),
        measures.lempel_ziv_count,
    ),
]
TIMES_AND_PEOPLE = [*PLASTICITY, *HIERARCHIES, *MEASURED]

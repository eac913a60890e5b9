"""Doors of hierarchies over time, their exact learning, and classical settings."""

from typing import Any

import numpy as np
from flax import nnx

import pcmodel
import pcmodel.learning as learning
from pcmodel.brain import measures

from .disguises import KEY
from .door import Door, of
from .inference_doors import BATCH, RNGS
from .network_doors import taught_with
from .paradigm_doors import NETWORKS, SERIES

STEP = {
    "report": pcmodel.Level(1, parents=["state"], precision=2.0),
    "state": pcmodel.Level(1, parents=["state[-1]"], precision=5.0),
}
FIRST = {"state": pcmodel.Level(1, precision=0.5)}


def straight(x: Any) -> Any:
    """A linear hierarchy's activation."""
    return x


WALK = pcmodel.over_time(STEP, 3, initial=FIRST, activation=straight, rngs=nnx.Rngs(0))
REPORTS = np.array([[0.5], [-0.2], [0.1]])
LATENTS = pcmodel.infer(WALK, pcmodel.at_steps({"report": REPORTS})).latents
LINEAR = pcmodel.linear_gaussian([[[2.0, 0.5]] * 4], [2.0, 1.0])
GROUP = measures.measure_group(
    series=[SERIES, SERIES[::-1], SERIES + 1, SERIES**2],
    people=("p", "q", "p", "q"),
    conditions=("a", "a", "b", "b"),
    networks=NETWORKS,
    key=KEY,
)
TIME = [
    of(pcmodel.over_time, levels=STEP, num_steps=3, initial=FIRST, rngs=RNGS),
    Door(
        "at_steps",
        lambda series: pcmodel.infer(WALK, pcmodel.at_steps(series)).latents,
        dict(series={"report": REPORTS}),
        pcmodel.at_steps,
    ),
    Door(
        "over_steps",
        pcmodel.over_steps,
        dict(network=WALK, latents=LATENTS, level="state"),
        pcmodel.over_steps,
        {"latents": pcmodel.Posterior},
    ),
    Door(
        "linear_em",
        lambda **a: pcmodel.linear_em(**a).log_evidence,
        dict(network=LINEAR, observations=BATCH, num_steps=2),
        pcmodel.linear_em,
    ),
    Door(
        "classical",
        lambda **a: taught_with(learning.classical(**a)),
        {},
        learning.classical,
    ),
    of(measures.lempel_ziv_count, symbols="0001101001000101"),
    of(
        measures.contrast,
        group=GROUP,
        first="a",
        second="b",
        key=KEY,
        num_bootstraps=20,
    ),
]

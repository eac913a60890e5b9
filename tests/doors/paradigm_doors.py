"""Doors of perception, oddballs, and measures of the brain."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from pcmodel.brain import measures
from pcmodel.neuromodulation import Effects
from pcmodel.neuromodulation.accounts.accounts import Rebus
from pcmodel.paradigms import oddball, perception

from .disguises import KEY
from .door import Door, of, used

ARRAY = np.ndarray
FELT = Effects(jnp.asarray([0.0, 0.3]), jnp.zeros(2), jnp.zeros(2))
GIVEN = dict(drug=FELT, account=Rebus())
STRIP = perception.Strip(pixels=2, features=2)
ODD = oddball.Oddball(step_ms=20.0)
WALK = dict(key=KEY, runs=2, steps=200)
SERIES = np.random.default_rng(0).normal(size=(5, 60))
CORRELATION = measures.correlations(SERIES)
NETWORKS = ("a", "a", "b", "b", "b")
COVARIANCES = np.stack([np.eye(4), 0.3 * np.eye(4), 0.1 * np.eye(4)])
SYMBOLS = np.array([0, 1, 0, 1, 1, 0, 0, 1])


def arrays(function: Any, *names: str, **good: Any) -> Door:
    """A door some of whose arguments are arrays, whatever their annotation says."""
    return Door(function.__name__, function, good, function, dict.fromkeys(names, ARRAY))  # fmt: skip


PERCEPTION = [
    used(
        perception.SizeIllusion,
        lambda made: perception.size_illusion(made, **GIVEN).illusion,
    ),
    of(perception.size_illusion, illusion=perception.SizeIllusion(), **GIVEN),
    used(
        perception.HollowMask,
        lambda made: perception.hollow_mask(made, **GIVEN).convex,
    ),
    of(perception.hollow_mask, mask=perception.HollowMask(), **GIVEN),
    of(perception.flip_precision, mask=perception.HollowMask()),
    used(perception.Rivalry, lambda made: perception.rivalry(made, **GIVEN).mixed),
    of(perception.rivalry, rival=perception.Rivalry(), **GIVEN),
    used(
        perception.Fatigue,
        lambda made: (
            perception.alternation(
                perception.Rivalry(), **GIVEN, **WALK, fatigue=made
            ).mixed
        ),
    ),
    of(perception.alternation, rival=perception.Rivalry(), **GIVEN, **WALK),
    used(perception.Strip, lambda made: perception.rows(made, KEY, number=2)),
    of(perception.rows, strip=STRIP, key=KEY, number=2),
    of(perception.bar_responses, strip=STRIP, network=STRIP.without_feedback()),
]
ODDBALLS = [
    used(
        oddball.Oddball,
        lambda made: oddball.respond(made, [0, 0], **GIVEN).evoked,
    ),
    Door(
        "respond",
        oddball.respond,
        dict(oddball=ODD, tones=np.array([0, 0, 1]), **GIVEN),
        oddball.respond,
        {"tones": ARRAY},
    ),
    of(oddball.mismatch, oddball=ODD, lengths=(1, 3), **GIVEN),
    of(oddball.oddball_sequence, key=KEY, trials=5),
    of(oddball.roving_sequence, key=KEY, trains=3),
]
BRAIN = [
    arrays(measures.correlations, "series", series=SERIES),
    arrays(measures.regress_global_signal, "series", series=SERIES),
    arrays(measures.mean_coupling, "correlation", correlation=CORRELATION),
    arrays(measures.network_coupling, "correlation", correlation=CORRELATION, networks=NETWORKS),
    arrays(measures.modularity, "correlation", correlation=CORRELATION, key=KEY),
    arrays(measures.modularity_of, "correlation", correlation=CORRELATION, networks=NETWORKS),
    arrays(measures.participation, "correlation", correlation=CORRELATION, networks=NETWORKS),
    arrays(measures.principal_gradient, "correlation", correlation=CORRELATION),
    arrays(measures.eigenspectrum_entropy, "correlation", correlation=CORRELATION),
    arrays(measures.gaussian_entropy, "covariance", covariance=COVARIANCES[0]),
    arrays(measures.lempel_ziv, "series", series=SERIES, key=KEY),
    arrays(measures.transfer_entropy, "source", "target", source=SERIES[0], target=SERIES[1]),
    arrays(measures.covariance_transfer_entropy, "covariances", covariances=COVARIANCES, source=(0, 1), target=(2, 3)),
    arrays(measures.paired_statistics, "a", "b", a=SERIES[0], b=SERIES[1], key=KEY, num_bootstraps=50),
    arrays(measures.measure_person, "series", series=SERIES, networks=NETWORKS, key=KEY),
    of(measures.measure_group, series=[SERIES, SERIES], people=("p", "q"), conditions=("a", "a"), networks=NETWORKS, key=KEY),
    used(measures.MeasureOptions, lambda made: measures.measure_person(SERIES, networks=NETWORKS, key=KEY, options=made)),
    of(measures.gaussian_dwell, mean=0.2, variance=1.0, lagged=0.5, step=2.0),
    arrays(measures.series_dwell, "series", series=SERIES[0], step=2.0),
]  # fmt: skip
PARADIGMS = [*PERCEPTION, *ODDBALLS, *BRAIN]

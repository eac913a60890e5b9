"""Entry points that take an array, each with a good one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
from pcmodel import Belief, Clamp, ImageData, Modulation, UserError

from .disguises import KEY

NET = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
GUESSER = pcmodel.recognition_for(NET, rngs=nnx.Rngs(1))
ONE = np.array([0.5, -1.0, 0.25, 2.0])
BATCH = np.array(
    [[0.5, -1.0, 0.25, 2.0], [1.5, 0.0, -0.75, 1.0], [0.0, 1.0, 0.5, -2.0]]
)
MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])
TOP = np.array([0.5, -1.5])


@dataclass(frozen=True)
class Entry:
    """One argument of one function.

    call: from the argument to a tree of numbers.  good: its generator's kind of value.  masked: what a
    numpy mask must give, where one can be honoured.  takes_nan: whether NaN means missing.
    bears_huge: whether a number of 1e300 is held, in double precision, as one of 1e12 is.
    ignored: places of `good` that are not read, whatever they hold.
    """

    name: str
    call: Callable[[Any], Any]
    good: np.ndarray
    masked: Callable[[np.ndarray, np.ndarray], Any] | None = None
    takes_nan: bool = False
    is_positive: bool = False
    is_quick: bool = True
    bears_huge: bool = False
    ignored: np.ndarray | None = None


def clamped(function, **options):
    """The answer for the units that a mask leaves."""

    def answer(array, mask):
        rows = np.atleast_2d(mask)
        if np.any(rows != rows[0]):
            return None  # masks that differ are to be refused
        return function(NET, clamp={0: Clamp(array, ~rows[0])}, **options)

    return answer


def told(result):
    """As much of an answer as says itself that it is one; not converged is as good as refused."""
    if not isinstance(result.converged, jax.core.Tracer) and not np.all(
        result.converged
    ):
        raise UserError("the mode was not reached, and the answer says so")


def energies(*args, **options):
    return pcmodel.energies(*args, **options).levels.entries


def latents(network, observation=None, **options):
    found = pcmodel.infer(network, observation, **options)
    told(found)
    return found.latents


def evidence(network, observation=None, **options):
    found = pcmodel.posterior(network, observation, **options)
    told(found.result)
    return found.mean, found.log_evidence


def activity(network, observation=None, **options):
    return pcmodel.activity(network, KEY, observation, **options)


def held(belief):
    return latents(NET, ONE, prior=belief)


def belief_parts(belief):
    return belief.mean, belief.log_precision


def trained(observations, **options):
    done = pcmodel.train(
        NET, observations, key=KEY, num_epochs=1, batch_size=2, **options
    )
    return done.network.prior_mean[...], done.curve.energy


def guessed(observations):
    done = pcmodel.train_recognition(
        GUESSER, NET, observations, key=KEY, num_epochs=1, batch_size=2
    )
    return done.loss


def linear(weights=MATRIX, precision=2.0, bias=TOP, prior=TOP):
    network = pcmodel.linear_gaussian(
        [weights], [precision, 1.0], biases=[bias], prior_mean=prior
    )
    return evidence(network, np.array([1.0, 2.0]))


IMAGES = np.random.default_rng(5).integers(0, 256, (6, 3, 3, 1)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def split(images=IMAGES, labels=LABELS):
    from pcmodel.training.examples import load_split
    from pcmodel.training.plan import DataPlan

    data = ImageData(images, labels, IMAGES, LABELS, "mine", 3)
    found = load_split(DataPlan(validation=1), data)
    return tuple(
        np.asarray(part, float)
        for part in (*found.train, *found.validation, *found.standardisation)
    )


def course(times=None, mg=20.0):
    import pcmodel.neuromodulation as nm

    library = nm.load_compounds()
    doses = nm.regimen(nm.Dose("psilocybin", mg, hours=0.5), library=library)
    times = np.arange(0.0, 6.0) if times is None else times
    return nm.simulate(doses, times, nm.typical(library, "psilocybin")).effect_2a


def outcomes(given):
    from pcmodel.behaviour.perception import make_inputs

    return tuple(np.asarray(part, float) for part in make_inputs(given))


def scores(probabilities=None, labels=(0, 1, 1)):
    from pcmodel.calibration import brier_score

    shares = [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]
    return brier_score(shares if probabilities is None else probabilities, labels)


def one_hot(labels):
    from pcmodel.data.digits import one_hot

    return one_hot(labels)


SEEN = np.array([True, True, False, True])

ENTRIES = [
    Entry("infer", lambda a: latents(NET, a), ONE, clamped(latents)),
    Entry("infer, a batch", lambda a: latents(NET, a), BATCH, clamped(latents)),
    Entry(
        "infer, clamp",
        lambda a: latents(NET, ONE, clamp={"top": a}),
        TOP,
        lambda a, m: latents(NET, ONE, clamp={"top": Clamp(a, ~np.atleast_2d(m)[0])}),
    ),
    Entry(
        "infer, initial",
        lambda a: latents(NET, ONE, initial=(ONE, a, TOP)),
        np.array([0.5, 0.25, -1.0]),
    ),
    Entry(
        "energies",
        lambda a: energies(NET, a),
        ONE,
        clamped(energies),
        is_quick=False,
    ),
    Entry(
        "energies, latents",
        lambda a: energies(NET, ONE, latents=(ONE, a, TOP)),
        np.array([0.5, 0.25, -1.0]),
    ),
    Entry("posterior", lambda a: evidence(NET, a), ONE, clamped(evidence)),
    Entry(
        "reconstruct",
        lambda a: pcmodel.reconstruct(NET, a),
        ONE,
        clamped(pcmodel.reconstruct),
        is_quick=False,
    ),
    Entry(
        "activity",
        lambda a: activity(NET, a),
        ONE,
        clamped(activity),
        is_quick=False,
    ),
    Entry("predict", lambda a: pcmodel.predict(NET, a), TOP),
    Entry("recognise", lambda a: pcmodel.recognise(GUESSER, a), BATCH),
    Entry(
        "sample, prior",
        lambda a: pcmodel.sample(NET, KEY, 2, prior=Belief.of(a, 2.0)),
        TOP,
    ),
    Entry(
        "complete",
        lambda a: pcmodel.complete(NET, a, SEEN, key=KEY, num_samples=2),
        ONE,
        lambda a, m: pcmodel.complete(NET, a, SEEN & ~m, key=KEY, num_samples=2),
        is_quick=False,
        takes_nan=True,
        ignored=~np.asarray(SEEN),
    ),
    Entry(
        "log_likelihood",
        lambda a: (
            pcmodel.log_likelihood(
                NET, a, key=KEY, num_steps=2, num_particles=2
            ).log_likelihood
        ),
        ONE,
        lambda a, m: None,
        is_quick=False,
    ),
    Entry("train", trained, BATCH, lambda a, m: None, is_quick=False),
    Entry(
        "train, clamp",
        lambda a: trained(BATCH, clamp={"top": a}),
        np.array([[0.5, 1.0], [0.25, -1.0], [0.0, 1.5]]),
        lambda a, m: None,
        is_quick=False,
    ),
    Entry("train_recognition", guessed, BATCH, is_quick=False),
    Entry("Belief.of, mean", lambda a: held(Belief.of(a, 2.0)), TOP),
    Entry(
        "Belief.of, precision",
        lambda a: held(Belief.of(TOP, a)),
        np.array([0.5, 4.0]),
        is_positive=True,
        bears_huge=True,
    ),
    Entry("Belief", lambda a: latents(NET, ONE, prior=Belief(a, jnp.zeros(()))), TOP),
    Entry(
        "Belief, log precision",
        lambda a: latents(NET, ONE, prior=Belief(jnp.asarray(TOP), a)),
        np.array([0.5, -1.0]),
    ),
    Entry(
        "propagate",
        lambda a: belief_parts(Belief.of(TOP, 2.0).propagate(noise_covariance=a)),
        np.array([0.5, 2.0]),
        is_positive=True,
    ),
    Entry(
        "from_covariance",
        lambda a: belief_parts(Belief.from_covariance(jnp.asarray(TOP), a, ("top",))),
        MATRIX,
        is_positive=True,
    ),
    Entry("linear_gaussian, weights", lambda a: linear(weights=a), MATRIX),
    Entry(
        "linear_gaussian, precision",
        lambda a: linear(precision=a),
        np.array([0.5, 4.0]),
        is_positive=True,
        bears_huge=True,
    ),
    Entry("linear_gaussian, bias", lambda a: linear(bias=a), TOP),
    Entry("linear_gaussian, prior mean", lambda a: linear(prior=a), TOP),
    Entry(
        "gain",
        lambda a: latents(NET, ONE, modulation=Modulation({"top": a})),
        np.array([0.5, 2.0]),
        is_positive=True,
        bears_huge=True,
    ),
    Entry(
        "slope",
        lambda a: latents(NET, ONE, modulation=Modulation(slopes={1: a})),
        np.array([0.5, 2.0, 1.5]),
        is_positive=True,
        bears_huge=True,
    ),
    Entry("images", lambda a: split(images=a), IMAGES, is_positive=True),
    Entry("labels", lambda a: split(labels=a), LABELS, is_positive=True),
    Entry("one_hot", one_hot, LABELS, is_positive=True),
    Entry(
        "probabilities",
        lambda a: scores(a),
        np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]),
        is_positive=True,
    ),
    Entry(
        "labels of probabilities",
        lambda a: scores(labels=a),
        np.array([0, 1, 1]),
        is_positive=True,
    ),
    Entry(
        "times",
        lambda a: course(times=a),
        np.array([0.0, 0.5, 2.0, 4.5]),
        bears_huge=True,
    ),
    Entry("dose", lambda a: course(mg=a), np.asarray(20.0), is_positive=True),
    Entry(
        "outcomes",
        outcomes,
        np.array([0.0, 1.0, 1.0, 0.0]),
        lambda a, m: outcomes(np.where(m, np.nan, a)),
        takes_nan=True,
    ),
]

"""Doors of inference, beliefs and training."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
import pcmodel.learning as learning
from pcmodel.inference import TruncatedNewton

from .disguises import KEY
from .door import Door, of, used

RNGS = nnx.Rngs(0)
NET = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
GUESSER = pcmodel.recognition_for(NET, rngs=nnx.Rngs(1))
ONE = np.array([0.5, -1.0, 0.25, 2.0])
BATCH = np.stack([ONE, ONE + 1, ONE - 1])
TOP = np.array([0.5, -1.5])
SEEN = np.array([True, True, False, True])
MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])
BELIEF = pcmodel.Belief.of(TOP, 2.0)
POSTERIOR = pcmodel.posterior(NET, ONE)
NETWORK = dict(network=NET, observation=ONE)
POINT = pcmodel.infer(NET, ONE).latents
SAMPLING = pcmodel.HmcOptions(burn_in=2, thinning=1, num_leapfrog=1)


def infer(**options: Any) -> Any:
    """Inference, of which an answer that has not converged says so."""
    found = pcmodel.infer(NET, ONE, **options)
    if not np.all(found.converged):
        raise pcmodel.UserError("the mode was not reached, and the answer says so")
    return found.latents


def taught(**options: Any) -> Any:
    """Two steps of learning."""
    done = pcmodel.train(
        NET,
        BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
        learning=learning.Learning(**options),
    )
    return done.network.prior_mean[...], done.curve.energy


def plain(layer: Any) -> Any:
    """A layer's prediction."""
    above = layer.shape_above if hasattr(layer, "shape_above") else (2,)
    return layer(jnp.ones(int(np.prod(above))))


FROZEN = {"precision_step": learning.Frozen()}
CORE = [
    of(pcmodel.infer, **NETWORK),
    of(pcmodel.posterior, **NETWORK),
    of(pcmodel.reconstruct, **NETWORK),
    of(pcmodel.activity, **NETWORK, key=KEY),
    of(pcmodel.predict, network=NET, latent=TOP),
    of(pcmodel.recognise, recognition=GUESSER, observation=ONE),
    of(pcmodel.sample, network=NET, key=KEY),
    of(
        pcmodel.complete,
        network=NET,
        values=ONE,
        mask=SEEN,
        key=KEY,
        num_samples=2,
        sampling=SAMPLING,
    ),
    of(
        pcmodel.log_likelihood,
        network=NET,
        observations=ONE,
        key=KEY,
        num_steps=2,
        num_particles=2,
    ),
    of(
        pcmodel.sample_posterior,
        **NETWORK,
        key=KEY,
        num_samples=4,
        num_chains=2,
        sampling=SAMPLING,
    ),
    of(
        pcmodel.train,
        network=NET,
        observations=BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
    ),
    of(pcmodel.energies, **NETWORK, latents=POINT),
    of(pcmodel.energy_and_gradients, **NETWORK, latents=POINT),
    of(pcmodel.compare_with_backpropagation, **NETWORK, latents=POINT),
    of(pcmodel.inference_steps, **NETWORK, initial=POINT, num_steps=3),
    of(pcmodel.latent_hessian, **NETWORK, latents=POINT),
    of(pcmodel.latent_spectrum, **NETWORK, latents=POINT),
    of(pcmodel.weight_hessian, **NETWORK),
    of(pcmodel.weight_spectrum, **NETWORK),
    of(pcmodel.weights_of, network=NET),
    of(pcmodel.with_weights, network=NET, weights=pcmodel.weights_of(NET)),
    of(
        pcmodel.train_seeds,
        networks=[NET, NET],
        observations=BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
    ),
    of(
        pcmodel.train_recognition,
        recognition=GUESSER,
        network=NET,
        observations=BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
    ),
    Door(
        "relax",
        lambda **a: infer(modulation=pcmodel.relax(**a)),
        dict(level="top", gain=0.5),
        pcmodel.relax,
    ),
    Door(
        "Belief.of",
        lambda **a: infer(prior=pcmodel.Belief.of(**a)),
        dict(mean=TOP, precision=np.array([2.0, 1.0])),
        pcmodel.Belief.of,
    ),
    Door(
        "Belief.from_covariance",
        lambda **a: infer(prior=pcmodel.Belief.from_covariance(**a)),
        dict(mean=TOP, covariance=MATRIX, levels=("top",)),
        pcmodel.Belief.from_covariance,
    ),
    of(BELIEF.propagate, "Belief.propagate", noise_covariance=0.1),
    of(POSTERIOR.sample, "Posterior.sample", key=KEY, num_samples=2),
    of(POSTERIOR.covariance, "Posterior.covariance", first=1, second=2),
    of(POSTERIOR.belief, "Posterior.belief", levels=("top",)),
    of(POSTERIOR.diagnose, "Posterior.diagnose", key=KEY, num_samples=25),
    used(
        pcmodel.Belief,
        lambda made: infer(prior=made),
        mean=TOP,
        log_precision=np.zeros(2),
    ),
    used(pcmodel.Clamp, lambda made: infer(clamp={"top": made}), values=TOP),
    used(
        pcmodel.Modulation,
        lambda made: pcmodel.activity(NET, KEY, ONE, modulation=made),
    ),
    used(pcmodel.GaussNewton, lambda made: infer(solver=made)),
    used(pcmodel.StateDescent, lambda made: infer(solver=made)),
    used(pcmodel.ErrorDescent, lambda made: infer(solver=made)),
    used(
        pcmodel.Exact,
        lambda made: pcmodel.infer(
            pcmodel.linear_gaussian([MATRIX], [1.0, 1.0]), TOP, solver=made
        ),
    ),
    used(
        pcmodel.ConjugateGradient,
        lambda made: infer(solver=pcmodel.GaussNewton(made)),
    ),
    used(
        pcmodel.HmcOptions,
        lambda made: pcmodel.complete(
            NET, ONE, SEEN, key=KEY, num_samples=2, sampling=made
        ),
        burn_in=2,
        thinning=1,
        num_leapfrog=1,
    ),
    used(
        TruncatedNewton,
        lambda made: taught(e_step=learning.PointEstimate(made), **FROZEN),
    ),
]

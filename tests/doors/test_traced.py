"""Doors under jit, vmap and grad: the values they give eagerly, or a sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Belief, Clamp, Modulation, UserError

TANH = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
KEY = jax.random.key(0)


def leaves_of(belief):
    return belief.mean, belief.log_precision


def evidence_of(x):
    network = pcmodel.linear_gaussian(
        [x.reshape(2, 2)], [jnp.exp(x[0]), 2.0], prior_mean=x[:2], biases=[x[2:]]
    )
    return pcmodel.posterior(network, np.array([1.0, 2.0])).log_evidence


GUESSER = pcmodel.recognition_for(TANH, rngs=nnx.Rngs(1))
SEEN = np.array([True, True, False, True])
BINARY = pcmodel.dense((4, 3, 2), likelihood=pcmodel.Bernoulli(), rngs=nnx.Rngs(0))
TRACED = {
    "predict": lambda x: pcmodel.predict(TANH, x[:2]),
    "recognise": lambda x: pcmodel.recognise(GUESSER, x),
    "Belief.of": lambda x: leaves_of(Belief.of(x[:2], jnp.exp(x[2:]))),
    "propagate": lambda x: leaves_of(
        Belief.of(x[:2], jnp.exp(x[2:])).propagate(noise_covariance=x[0] ** 2)
    ),
    "linear_gaussian": evidence_of,
}
TRACED_SLOWLY = {
    "reconstruct": lambda x: pcmodel.reconstruct(TANH, clamp={0: Clamp(x, SEEN)}),
    "variances": lambda x: pcmodel.posterior(TANH, x).variances[1:],
    "log evidence": lambda x: (
        pcmodel.posterior(
            BINARY, jax.nn.sigmoid(x), modulation=Modulation({"top": 0.5})
        ).log_evidence
    ),
    "covariance": lambda x: pcmodel.posterior(TANH, x).covariance(1, 2),
    "posterior samples": lambda x: pcmodel.posterior(TANH, x).sample(KEY, 2),
    "belief": lambda x: leaves_of(pcmodel.posterior(TANH, x).belief()),
    "activity": lambda x: pcmodel.activity(TANH, KEY, x, num_samples=2),
    "sample": lambda x: pcmodel.sample(TANH, KEY, 2, prior=Belief.of(x[:2], 4.0)),
    "initial": lambda x: pcmodel.infer(TANH, x, initial=(x, x[:3], x[:2])).latents,
}
POINT = np.array([0.4, -0.7, 0.9, 0.2])


def summed(tree):
    return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(tree))


def check_traced(function):
    """jit and vmap against eager calls, the gradient against finite differences."""
    points = POINT + np.linspace(-0.3, 0.3, 3)[:, None]
    eager = [function(jnp.asarray(point)) for point in points]
    together = jax.vmap(function)(points)
    for index, one in enumerate(eager):
        for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(one), strict=True):
            np.testing.assert_allclose(a[index], b, rtol=1e-6, atol=1e-8)
    compiled = jax.jit(function)(points[1])
    for a, b in zip(jax.tree.leaves(compiled), jax.tree.leaves(eager[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    slope = jax.grad(lambda x: summed(function(x)))(POINT)
    for unit, direction in enumerate(1e-5 * np.eye(4)):
        ends = [
            float(summed(function(jnp.asarray(POINT + sign * direction))))
            for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(slope[unit], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", TRACED)
def test_doors_are_traced_to_the_values_they_give_eagerly(name):
    """Prevents a traced call from failing in jax's words, or from having another gradient."""
    check_traced(TRACED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACED_SLOWLY)
def test_all_doors_are_traced_to_the_values_they_give_eagerly(name):
    check_traced(TRACED_SLOWLY[name])


UNTRACED = {
    "train": lambda x: pcmodel.train(TANH, jnp.stack([x, x]), key=KEY, batch_size=2),
    "train_recognition": lambda x: pcmodel.train_recognition(
        GUESSER, TANH, jnp.stack([x, x]), key=KEY, batch_size=2
    ),
    "a mask": lambda x: pcmodel.infer(TANH, clamp={0: Clamp(x, x > 0)}).energy,
    "a gain of data": lambda x: (
        pcmodel.posterior(
            BINARY, SEEN * 1.0, modulation=Modulation({"data": x[3]})
        ).log_evidence
    ),
}


@pytest.mark.parametrize("name", UNTRACED)
def test_what_cannot_be_traced_says_so(name):
    """Prevents a page of tracer errors."""
    for transform in (jax.jit,) if name == "a mask" else (jax.jit, jax.grad):
        with pytest.raises(UserError, match=r"cannot run under|traced"):
            transform(UNTRACED[name])(POINT)


def test_chains_refuse_to_be_differentiated():
    """Prevents the gradient of accepted moves from being taken for that of the draws' law."""
    for function in (
        lambda x: pcmodel.complete(TANH, x, SEEN, key=KEY, num_samples=2).sum(),
        lambda x: (
            pcmodel.log_likelihood(
                TANH, x, key=KEY, num_steps=2, num_particles=2
            ).log_likelihood
        ),
    ):
        with pytest.raises(UserError, match="cannot be differentiated"):
            jax.grad(function)(POINT)

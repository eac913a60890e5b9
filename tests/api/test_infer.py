"""The door: batches, samples and predictions as promised; bad input in a sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import RTOL, random_spd

import pcmodel
from pcmodel import Belief, Bernoulli, Categorical, Clamp, Modulation, UserError


def tanh_network(**options):
    return pcmodel.dense((3, 4, 2), rngs=nnx.Rngs(0), **options)


def test_a_batch_is_its_examples_one_by_one():
    """Prevents examples of a batch from leaking into each other."""
    network, data = tanh_network(), np.random.default_rng(0).normal(size=(4, 3))
    beliefs = Belief(
        jnp.array(np.random.default_rng(1).normal(size=(4, 2))), jnp.zeros(())
    )
    together = pcmodel.posterior(network, data, prior=beliefs)
    assert together.result.is_batched
    for index, example in enumerate(data):
        belief = Belief(beliefs.mean[index], beliefs.log_precision)
        alone = pcmodel.posterior(network, example, prior=belief)
        assert not alone.result.is_batched
        for batch, one in zip(together.mean, alone.mean, strict=True):
            np.testing.assert_allclose(batch[index], one, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(
            together.log_evidence[index], alone.log_evidence, rtol=1e-8
        )


@pytest.mark.slow
def test_beliefs_of_a_batch_are_priors_of_the_next():
    """Prevents carrying one example's uncertainty to another one's next trial."""
    network = pcmodel.linear_gaussian([np.array([[1.0, 2.0], [0.0, 1.0]])], [1.0, 2.0])
    first, second = np.random.default_rng(2).normal(size=(2, 3, 2))

    def two_trials(one, other):
        prior = pcmodel.posterior(network, one).belief().propagate(noise_covariance=0.1)
        return pcmodel.posterior(network, other, prior=prior)

    together = two_trials(first, second)
    for index in range(3):
        alone = two_trials(first[index], second[index])
        np.testing.assert_allclose(together.mean[1][index], alone.mean[1], rtol=RTOL)
        np.testing.assert_allclose(
            together.covariance("top", "top")[index],
            alone.covariance("top", "top"),
            rtol=RTOL,
        )


def test_no_drug_and_a_neutral_drug_agree_to_the_bit():
    """Prevents a placebo from having an effect."""
    network, data = tanh_network(), np.ones((2, 3))
    base = pcmodel.infer(network, data)
    neutral = Modulation({"top": 1.0, 1: np.ones(4)})
    for modulation in (Modulation(), Modulation({"top": 1.0}), neutral):
        other = pcmodel.infer(network, data, modulation=modulation)
        if modulation is neutral:  # gains per unit are another compiled program
            np.testing.assert_allclose(other.whitened, base.whitened, atol=1e-9)
            continue
        for a, b in zip(jax.tree.leaves(base), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_starting_elsewhere_ends_in_the_same_place():
    """Prevents the given start from being misplaced among levels or coordinates."""
    network, data = tanh_network(), np.ones(3)
    mode = pcmodel.infer(network, data)
    again = pcmodel.infer(network, data, initial=mode.latents)
    assert again.iterations == 0
    far = tuple(latent + 0.5 for latent in mode.latents)
    back = pcmodel.infer(network, data, initial=far)
    np.testing.assert_allclose(back.latents[2], mode.latents[2], atol=1e-8)


def test_samples_of_the_network_have_its_moments():
    """Prevents simulated data from coming from another model than inference inverts."""
    rng = np.random.default_rng(3)
    weight, noise, prior = (
        rng.normal(size=(2, 2)),
        random_spd(rng, 2),
        random_spd(rng, 2),
    )
    network = pcmodel.linear_gaussian(
        [weight], [noise, prior], prior_mean=np.array([1.0, -2.0])
    )
    gain = 0.5
    data, top = pcmodel.sample(
        network, jax.random.key(0), 40_000, modulation=Modulation({"top": gain})
    )
    spread = np.linalg.inv(prior) / gain
    np.testing.assert_allclose(np.cov(top.T), spread, rtol=0.05, atol=0.02)
    total = weight @ spread @ weight.T + np.linalg.inv(noise)
    np.testing.assert_allclose(np.cov(data.T), total, rtol=0.05, atol=0.05)
    np.testing.assert_allclose(data.mean(0), weight @ [1.0, -2.0], atol=0.1)


@pytest.mark.parametrize(
    "likelihood", [Bernoulli(), Categorical()], ids=lambda k: k.name
)
def test_discrete_samples_follow_their_probabilities(likelihood):
    """Prevents simulated choices from being noisier or surer than the model says."""
    network = tanh_network(likelihood=likelihood, precisions=(None, 1e8, 1e8))
    network.prior_mean[...] = jnp.array([1.0, -0.5])
    data = pcmodel.sample(network, jax.random.key(1), 20_000)[0]
    expected = pcmodel.predict(network, np.array([1.0, -0.5]))
    np.testing.assert_allclose(data.mean(0), expected, atol=0.015)
    if isinstance(likelihood, Categorical):
        np.testing.assert_array_equal(data.sum(1), 1)


def test_completion_predicts_the_missing_part():
    """Prevents the missing part of an image from being read as zeros."""
    rng = np.random.default_rng(4)
    weight = rng.normal(size=(4, 2))
    network = pcmodel.linear_gaussian([weight], [1e6, 1e-3])
    image = weight @ [0.7, -1.2]
    mask = np.array([True, True, True, False])
    seen = np.where(mask, image, np.nan)
    completed = pcmodel.reconstruct(network, clamp={"data": Clamp(seen, mask)})
    np.testing.assert_allclose(completed, image, atol=1e-4)


GAUSSIAN = tanh_network()
BINARY = tanh_network(likelihood=Bernoulli())
CLASSES = tanh_network(likelihood=Categorical())
ONE = np.ones(3)


def infer(network=GAUSSIAN, data=ONE, **options):
    return lambda: pcmodel.infer(network, data, **options)


def dense(*args, **options):
    return lambda: pcmodel.dense(*args, rngs=nnx.Rngs(0), **options)


# what is wrong: (the call, words its one sentence must contain)
BAD = {
    "image too wide": (infer(data=np.ones(5)), ["'data'", "3 units", "(5,)"]),
    "batch too wide": (infer(data=np.ones((2, 4))), ["'data'", "(2, 4)"]),
    "three axes": (infer(data=np.ones((1, 2, 3))), ["'data'"]),
    "NaN image": (infer(data=np.array([1.0, np.nan, 0.0])), ["'data'", "NaN"]),
    "infinite image": (infer(data=np.array([1.0, np.inf, 0.0])), ["'data'"]),
    "empty batch": (infer(data=np.ones((0, 3))), ["'data'", "empty"]),
    "words for numbers": (infer(data=np.array(["a", "b", "c"])), ["numbers"]),
    "batches disagree": (
        infer(data=np.ones((2, 3)), clamp={"top": np.ones((3, 2))}),
        ["batch", "[2, 3]"],
    ),
    "belief batch disagrees": (
        infer(data=np.ones((2, 3)), prior=Belief(jnp.ones((3, 2)), jnp.zeros(()))),
        ["batch", "[2, 3]"],
    ),
    "unknown level clamped": (infer(clamp={"tpo": np.ones(2)}), ["'tpo'", "top"]),
    "level out of range": (infer(clamp={7: np.ones(2)}), ["7", "3 levels"]),
    "level given twice": (infer(clamp={"data": ONE}), ["'data'", "twice"]),
    "top given by two names": (
        infer(clamp={"top": np.ones(2), 2: np.ones(2)}),
        ["'top'", "twice"],
    ),
    "mask of the wrong width": (
        infer(clamp={1: Clamp(np.ones(4), np.array([True]))}),
        ["mask", "(4,)", "(1,)"],
    ),
    "clamp of the wrong width": (
        infer(clamp={1: np.ones(3)}),
        ["'hidden1'", "4 units"],
    ),
    "unknown level modulated": (
        infer(modulation=Modulation({"cortex": 0.5})),
        ["'cortex'", "hidden1"],
    ),
    "zero gain": (lambda: Modulation({"top": 0.0}), ["'top'", "positive"]),
    "negative gain": (lambda: Modulation({"top": -1.0}), ["positive"]),
    "NaN gain": (lambda: Modulation({"top": np.nan}), ["finite"]),
    "gains of the wrong width": (
        infer(modulation=Modulation({"top": np.ones(3)})),
        ["'top'", "(3,)"],
    ),
    "belief of the wrong width": (
        infer(prior=Belief.of(np.zeros(3), 1.0)),
        ["top", "2 units", "(3,)"],
    ),
    "belief precision of the wrong width": (
        infer(prior=Belief.of(np.zeros(2), np.eye(3))),
        ["top", "(3, 3)"],
    ),
    "belief levels out of order": (
        infer(prior=Belief.of(np.zeros(6), 1.0, level=(2, 1))),
        ["ascending"],
    ),
    "belief about an unknown level": (
        infer(prior=Belief.of(np.zeros(2), 1.0, level="tip")),
        ["'tip'"],
    ),
    "two beliefs about the top": (
        infer(prior=[Belief.of(np.zeros(2), 1.0), Belief.of(np.ones(2), 1.0)]),
        ["top"],
    ),
    "Bernoulli data beyond one": (infer(BINARY, 2 * ONE), ["Bernoulli", "[0, 1]"]),
    "categorical data not one-hot": (infer(CLASSES, ONE), ["one-hot"]),
    "categorical data in part": (
        lambda: pcmodel.infer(
            CLASSES, clamp={0: Clamp(ONE, np.array([True, False, True]))}
        ),
        ["categorical", "part"],
    ),
    "negative precision": (
        dense((3, 2), precisions=(1.0, -2.0)),
        ["level 1", "positive", "-2"],
    ),
    "zero precision": (dense((3, 2), precisions=(0.0, 1.0)), ["level 0", "positive"]),
    "precision not positive definite": (
        dense((3, 2), precisions=(1.0, np.array([[1.0, 2.0], [2.0, 1.0]]))),
        ["level 1", "positive definite"],
    ),
    "precision of the wrong width": (
        dense((3, 2), precisions=(np.ones(2), 1.0)),
        ["'data'", "(2,)"],
    ),
    "too few precisions": (dense((3, 2), precisions=(1.0,)), ["2", "1"]),
    "a width of zero": (dense((3, 0)), ["positive"]),
    "one level only": (dense((3,)), ["two levels"]),
    "top below, data above": (
        dense((3, 2), names=("top", "data")),
        ["'data'", "always means level 0", "bottom first"],
    ),
    "data in the middle": (dense((3, 2, 2), names=("a", "data", "b")), ["'data'"]),
    "more than memory": (dense((10**9, 10**9)), ["weights", "3.47 EiB", "GiB"]),
    "more levels than memory": (
        lambda: pcmodel.Dense(10**7, 10**7, rngs=nnx.Rngs(0)),
        ["initial weights", "364 TiB"],
    ),
    "more draws than memory": (
        lambda: pcmodel.sample(GAUSSIAN, jax.random.key(0), 10**12),
        ["num_samples", "memory"],
    ),
    "a scale of NaN": (dense((3, 2), scale=float("nan")), ["scale is nan"]),
    "a negative scale": (dense((3, 2), scale=-1.0), ["scale is -1.0", "0 or more"]),
    "two levels of one name": (dense((3, 2), names=("a", "a")), ["names"]),
    "matrices that do not chain": (
        lambda: pcmodel.linear_gaussian([np.ones((3, 2)), np.ones((4, 1))], [1.0] * 3),
        ["weights[0]", "(3, 2)", "4 units"],
    ),
    "a weight that is not finite": (
        lambda: pcmodel.linear_gaussian([np.array([[np.nan]])], [1.0] * 2),
        ["weights[0]", "finite"],
    ),
    "no samples": (
        lambda: pcmodel.sample(GAUSSIAN, jax.random.key(0), 0),
        ["at least 1"],
    ),
    "prediction from the wrong width": (
        lambda: pcmodel.predict(GAUSSIAN, np.ones(5)),
        ["'top'", "2 units"],
    ),
    "belief about a clamped level": (
        lambda: pcmodel.posterior(GAUSSIAN, ONE).belief("data"),
        ["'data'", "clamped"],
    ),
    "evidence of a tempered likelihood": (
        lambda: (
            pcmodel.posterior(
                BINARY, ONE, modulation=Modulation({"data": 0.5})
            ).log_evidence
        ),
        ["tempered"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_sentence(name):
    """Prevents a mistake in the data from becoming a belief or a page of JAX errors."""
    call, words = BAD[name]
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 250
    for word in words:
        assert word in message, message


def test_one_choice_has_one_gain():
    """Prevents a gain per class, whose curvature is not the one that inference uses."""
    label = np.eye(CLASSES.widths[0])[0]
    with pytest.raises(UserError, match="one gain: it tempers the choice"):
        pcmodel.infer(
            CLASSES, label, modulation=Modulation({0: np.full(len(label), 0.5)})
        )
    assert pcmodel.infer(CLASSES, label, modulation=Modulation({0: 0.5})).converged

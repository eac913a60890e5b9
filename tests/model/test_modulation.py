"""What each word of a `Modulation` does, against networks that have it built in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Modulation, UserError
from pcmodel.api.batching import compiled
from pcmodel.model.modulation import combine

CHAIN = ([np.ones((1, 1))] * 3, [1.0, 4.0, 4.0, 9.0])


def chain():
    """The reference chain: a top belief of -2 meets an observation of 1."""
    return pcmodel.linear_gaussian(*CHAIN, prior_mean=np.full(1, -2.0))


def tanh_network(scale=1.0):
    return pcmodel.dense(
        (5, 4, 3, 2), precisions=[2.0, 1.0, 3.0, 1.5], scale=scale, rngs=nnx.Rngs(3)
    )


def observation():
    return np.asarray([0.7, -0.3, 1.1, 0.2, -0.8])


def test_slopes_are_those_of_a_network_with_dimmer_units():
    """A linear network of weights alpha W infers the same latents and covariances."""
    slopes = {1: 0.5, 2: 0.8, 3: 0.6}
    dimmed = pcmodel.posterior(
        chain(), np.ones(1), modulation=Modulation(slopes=slopes)
    )
    built = pcmodel.linear_gaussian(
        [np.full((1, 1), slope) for slope in slopes.values()],
        CHAIN[1],
        prior_mean=np.full(1, -2.0),
    )
    exact = pcmodel.posterior(built, np.ones(1))
    for got, expected in zip(dimmed.mean, exact.mean, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10)
    for got, expected in zip(dimmed.variances, exact.variances, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10)
    np.testing.assert_allclose(dimmed.log_evidence, exact.log_evidence, rtol=1e-10)


def test_slopes_act_inside_the_activation():
    """f(alpha x), not alpha f(x): the reconstruction shows it."""
    network = tanh_network()
    modulation = Modulation(slopes={"hidden1": np.asarray([0.3, 0.5, 1.0, 2.0])})
    found = pcmodel.infer(network, observation(), modulation=modulation)
    layer = network.layers[0]
    inner = np.tanh(np.asarray([0.3, 0.5, 1.0, 2.0]) * np.asarray(found.latents[1]))
    expected = np.asarray(layer.weight[...]) @ inner + np.asarray(layer.bias[...])
    got = pcmodel.reconstruct(network, observation(), modulation=modulation)
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def settle_with_weak_errors(network, data, passed, *, rate=0.02, steps=20000):
    """Latents under x' = -Pi e + t J' Pi e(below): no energy, just the flow."""
    layers, precisions = network.layers, [2.0, 1.0, 3.0, 1.5]

    def flow(latents, _):
        every = [data, *latents]
        errors = [
            x - (layers[i](every[i + 1]) if i < 3 else network.prior_mean[...])
            for i, x in enumerate(every)
        ]
        moved = []
        for level in (1, 2, 3):
            _, pull = jax.vjp(layers[level - 1], every[level])
            up = pull(precisions[level - 1] * errors[level - 1])[0]
            drive = passed[level - 1] * up - precisions[level] * errors[level]
            moved.append(every[level] + rate * drive)
        return moved, None

    start = [jnp.zeros(width) for width in (4, 3, 2)]
    return jax.lax.scan(flow, start, length=steps)[0]


def test_weak_error_transmission_settles_where_the_flow_does():
    """The identity of `pcmodel.model.modulation`, in a nonlinear network."""
    passed = [0.7, 0.4, 0.9]
    expected = settle_with_weak_errors(
        tanh_network(), jnp.asarray(observation()), passed
    )
    found = pcmodel.infer(
        tanh_network(),
        observation(),
        modulation=Modulation(error_transmission=dict(enumerate(passed))),
    )
    for got, exact in zip(found.latents[1:], expected, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-6, atol=1e-8)


def test_activity_is_the_posterior_without_modulation(getkey):
    key = getkey()
    got = pcmodel.activity(chain(), key, np.ones(1), num_samples=20000)
    exact = pcmodel.posterior(chain(), np.ones(1)).sample(key, 20000)
    for one, other in zip(got, exact, strict=True):
        assert np.array_equal(one, other)


def test_temperature_scales_the_spread_around_the_mode(getkey):
    key, network = getkey(), chain()
    mode = pcmodel.infer(network, np.ones(1)).latents
    cold = pcmodel.activity(network, key, np.ones(1), num_samples=20000)
    hot = pcmodel.activity(
        network,
        key,
        np.ones(1),
        num_samples=20000,
        modulation=Modulation(temperature=4.0),
    )
    for centre, one, other in zip(mode[1:], cold[1:], hot[1:], strict=True):
        np.testing.assert_allclose(
            other - centre[None], 2 * (one - centre[None]), rtol=1e-9
        )


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_top_down_mixing_has_the_moments_of_its_definition(getkey, share):
    """Scalar chain: means and variances by the recursion, done by hand."""
    network = chain()
    belief = pcmodel.posterior(network, np.ones(1))
    draws = pcmodel.activity(
        network,
        getkey(),
        np.ones(1),
        num_samples=20000,
        modulation=Modulation(top_down=share),
    )
    precisions = CHAIN[1]
    mean = -2.0
    for level in (3, 2, 1):
        mean = (1 - share) * float(belief.mean[level][0]) + share * mean
        sample = np.asarray(draws[level][:, 0])
        error = sample.std() / np.sqrt(len(sample))
        assert abs(sample.mean() - mean) < 4 * error
    # The top alone has a variance that needs no covariance between levels.
    kept = (1 - share) ** 2 * float(belief.variances[3][0])
    spread = kept + share**2 / precisions[3]
    np.testing.assert_allclose(np.var(draws[3][:, 0]), spread, rtol=0.05)
    assert np.all(np.asarray(draws[0]) == 1.0)


def test_a_dream_is_a_sample_of_the_generative_model(getkey):
    """Share 1 leaves nothing of the observation above the senses."""
    draws = pcmodel.activity(
        chain(),
        getkey(),
        np.full(1, 50.0),
        num_samples=20000,
        modulation=Modulation(top_down=1.0),
    )
    level1 = np.asarray(draws[1][:, 0])
    assert abs(level1.mean() + 2) < 4 * level1.std() / np.sqrt(20000)
    np.testing.assert_allclose(level1.var(), 1 / 4 + 1 / 4 + 1 / 9, rtol=0.05)


@pytest.mark.parametrize("word", ["top_down", "temperature"])
def test_inference_refuses_what_the_mode_cannot_show(word):
    """Prevents an oneirogen from silently doing nothing."""
    modulation = Modulation(**{word: 0.5})
    for ask in (pcmodel.infer, pcmodel.posterior):
        with pytest.raises(UserError, match=r"pcmodel\.activity"):
            ask(chain(), np.ones(1), modulation=modulation)
    assert pcmodel.infer(
        chain(), np.ones(1), modulation=modulation.in_inference()
    ).converged


NEUTRAL = Modulation(
    {"top": 1.0},
    {"top": 1.0, "hidden1": 1.0},
    {"data": 1.0, "hidden1": 1.0},
    0.0,
    1.0,
    1.0,
)


def test_the_neutral_element_is_no_drug_to_the_bit_and_compiles_nothing():
    base = pcmodel.posterior(tanh_network(), observation())
    assert np.isfinite(base.log_evidence)
    before = compiled._cache_size()
    same = pcmodel.posterior(tanh_network(), observation(), modulation=NEUTRAL)
    assert np.array_equal(base.log_evidence, same.log_evidence)
    assert np.array_equal(base.result.whitened, same.result.whitened)
    assert compiled._cache_size() == before


def test_combining_multiplies():
    both = combine(
        Modulation({0: 2.0, 1: 0.5}, top_down=0.5, temperature=2.0, plasticity=0.5),
        Modulation({1: 0.5}, {1: 0.7}, {0: 0.9}, 0.5, 3.0, 0.5),
    )
    assert both.gains == {0: 2.0, 1: 0.25}
    assert both.slopes == {1: 0.7} and both.error_transmission == {0: 0.9}
    assert (both.top_down, both.temperature, both.plasticity) == (0.75, 6.0, 0.25)


BAD = {
    "slope of level 'data'": {"slopes": {"data": 0.5}},
    "error transmission of level 'top'": {"error_transmission": {"top": 0.5}},
    "must be one number": {"error_transmission": {"hidden1": np.full(4, 0.5)}},
    "level 'hidden1': a gain must be": {"slopes": {"hidden1": 0.0}},
}


@pytest.mark.parametrize("said", BAD)
def test_what_makes_no_sense_is_refused(said):
    with pytest.raises(UserError, match=said):
        modulation = Modulation(**BAD[said])
        pcmodel.infer(tanh_network(), observation(), modulation=modulation)


@pytest.mark.parametrize(
    "words", [{"top_down": 1.5}, {"top_down": -0.1}, {"temperature": float("inf")}]
)
def test_scalars_out_of_range_are_refused(words):
    with pytest.raises(UserError, match=next(iter(words))):
        Modulation(**words)


@pytest.mark.parametrize("word", ["gains", "slopes", "error_transmission"])
def test_a_level_given_by_name_and_by_index_is_refused(word):
    """Prevents one of two factors from being lost when modulations are combined."""
    modulation = combine(
        Modulation(**{word: {1: 0.5}}), Modulation(**{word: {"hidden1": 0.5}})
    )
    with pytest.raises(UserError, match="level 'hidden1' is given twice"):
        pcmodel.infer(tanh_network(), observation(), modulation=modulation)

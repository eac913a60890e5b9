"""A user's likelihood is refused in a sentence where it cannot be one, and where its units are not observed alone."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Bernoulli, Categorical, UserError


@dataclass(frozen=True)
class Counts(Bernoulli):
    """Poisson data with the logarithm of the mean as logit."""

    name = "counts"

    def mean(self, logits):
        return jnp.exp(logits)

    def energy_terms(self, logits, data, gain):
        return gain * (
            jnp.exp(logits) - data * logits + jax.scipy.special.gammaln(data + 1)
        )

    def push_root(self, logits, gain, vector):
        return jnp.sqrt(gain * jnp.exp(logits)) * vector

    def pull_root(self, logits, gain, vector):
        return self.push_root(logits, gain, vector)

    def sample(self, key, logits):
        return jax.random.poisson(key, jnp.exp(logits)).astype(logits.dtype)


@dataclass(frozen=True)
class Choices(Bernoulli):
    """A categorical choice for every `kinds` units, which does not look at how many there are."""

    kinds: int = 2
    name = "choices"

    def each(self, method, *given):
        whole = [jnp.broadcast_to(one, given[0].shape) for one in given]
        rows = [one.reshape(-1, self.kinds) for one in whole]
        return jax.vmap(method)(*rows).ravel()

    def mean(self, logits):
        return self.each(Categorical().mean, logits)

    def energy_terms(self, logits, data, gain):
        return self.each(Categorical().energy_terms, logits, data, gain)

    def push_root(self, logits, gain, vector):
        return self.each(Categorical().push_root, logits, gain, vector)

    def pull_root(self, logits, gain, vector):
        return self.each(Categorical().pull_root, logits, gain, vector)

    def sample(self, key, logits):
        keys = jax.random.split(key, len(logits) // self.kinds)
        rows = logits.reshape(-1, self.kinds)
        return jax.vmap(Categorical().sample)(keys, rows).ravel()


def network_of(likelihood, width=6):
    return pcmodel.dense(
        (width, 3),
        activation=jnp.tanh,
        likelihood=likelihood,
        precisions=[None, 1.0],
        rngs=nnx.Rngs(0),
    )


def observed(units, likelihood, values=None):
    data = np.zeros(6) if values is None else values
    clamp = {"data": pcmodel.Clamp(data, np.isin(np.arange(6), units))}
    return pcmodel.infer(network_of(likelihood), clamp=clamp)


def wrong(name, method):
    return type("Wrong", (Counts,), {name: method})()


@dataclass(frozen=True)
class Unhashable(Counts):
    table: np.ndarray = field(default_factory=lambda: np.ones(6))


WRONG = {
    "a sum": ("energy_terms", lambda s, x, y, g: jnp.sum(x * g), r"shape \(\)"),
    "a column": ("mean", lambda s, x: x[:, None], r"mean returns the shape \(6, 1\)"),
    "too few": ("sample", lambda s, k, x: x[:3], r"sample returns"),
    "a fault of its own": ("push_root", lambda s, x, g, v: v @ x.T @ v, "push_root"),
    "no number": ("energy_terms", lambda s, x, y, g: x / 0 * g, "energy_terms returns"),
    "a name": ("mean", lambda s, x: nothing(x), "mean fails with NameError"),
    "no gain": (
        "energy_terms",
        lambda s, x, y, g: jnp.exp(x) - y * x,
        "one gain for all|four times the gain",
    ),
    "the whole gain": (
        "push_root",
        lambda s, x, g, v: g * jnp.exp(x / 2) * v,
        "four times the gain",
    ),
    "another root": (
        "pull_root",
        lambda s, x, g, v: jnp.sqrt(g) * v,
        "not transposes",
    ),
    "an argument less": ("energy_terms", lambda s, x, y: x, "fails with TypeError"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("door", ["infer", "train"])
def test_a_likelihood_that_is_none_is_told_in_a_sentence(case, door):
    name, method, said = WRONG[case]
    network = network_of(wrong(name, method))
    with pytest.raises(UserError, match=rf"likelihood of level 'data': .*{said}"):
        if door == "infer":
            pcmodel.infer(network, np.zeros(6))
        else:
            pcmodel.train(
                network, np.zeros((4, 6)), key=jax.random.key(0), num_epochs=1
            )


def test_one_that_cannot_be_hashed_is_refused():
    with pytest.raises(UserError, match="cannot be hashed"):
        pcmodel.infer(network_of(Unhashable()), np.zeros(6))


def test_right_ones_are_taken_in_both_precisions_and_any_width():
    for width in (1, 6):
        assert pcmodel.infer(network_of(Counts(), width), np.ones(width)).converged
    with jax.enable_x64(False):
        one = network_of(Counts(), 1)
        assert pcmodel.infer(one, np.ones(1, np.float32)).converged
    ones = np.asarray([1.0, 0.0] * 3)
    jitted = jax.jit(lambda data: pcmodel.infer(network_of(Choices()), data).energy)
    assert np.isfinite(jitted(ones))


@pytest.mark.parametrize("units", [(0,), (0, 2), (1, 2), (0, 1, 2), (0, 1, 2, 4)])
def test_units_that_depend_on_others_are_not_observed_without_them(units):
    """Two of units 0, 2, 4 would be taken for one choice, whose energy is another one."""
    values = np.asarray([1.0, 0.0] * 3)
    with pytest.raises(UserError, match=rf"{len(units)} of 6 units are observed"):
        observed(units, Choices(), values)


def test_units_that_do_not_are_and_so_are_whole_choices():
    """The energy of the part is that of a network with this part alone."""
    values = np.asarray([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    for likelihood, units in (
        (Counts(), (0, 3)),
        (Bernoulli(), (5,)),
        (Choices(), (2, 3)),
    ):
        found = observed(units, likelihood, values)
        whole = network_of(likelihood)
        (layer,) = whole.layers
        logits = np.asarray(layer(found.latents[-1]))[list(units)]
        data = values[list(units)]
        given = map(jnp.asarray, (logits, data, np.ones(len(units))))
        terms = likelihood.energy_terms(*given)
        top = np.asarray(found.latents[-1])
        wanted = np.sum(terms) + 0.5 * np.sum(top**2) + 1.5 * np.log(2 * np.pi)
        np.testing.assert_allclose(found.energy, wanted, rtol=1e-9)

"""Weak error transmission in directed hierarchies, against the flow of latents written out in numpy."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Bernoulli, Level, Modulation, UserError

GRAPHS = {
    "a chain": {"a": "b", "b": "c", "c": "d", "d": ""},
    "two tops": {"a": "bc", "b": "d", "c": "", "d": ""},
    "two ends": {"a": "c", "b": "c", "c": "d", "d": ""},
    "a diamond": {"a": "bc", "b": "d", "c": "d", "d": ""},
    "a skip": {"a": "bc", "b": "c", "c": "d", "d": ""},
}
WIDTHS = {"a": 3, "b": 2, "c": 2, "d": 2}
PRECISIONS = {"a": 2.0, "b": 0.7, "c": 3.0, "d": 1.5}


def network_of(graph, **likelihoods):
    return pcmodel.hierarchy(
        {
            name: Level(
                WIDTHS[name],
                likelihoods.get(name, pcmodel.Gaussian()),
                parents=list(parents),
                precision=1.0 if name in likelihoods else PRECISIONS[name],
            )
            for name, parents in graph.items()
        },
        rngs=nnx.Rngs(5),
    )


def maps_of(network, graph):
    """(matrix, bias, is bent) of the map to each level from each parent."""
    found = {}
    for name, parents in graph.items():
        if not parents:
            continue
        layer = network.layers[network.names.index(name)]
        maps = layer.maps if len(parents) > 1 else [layer]
        for one, parent in zip(maps, parents, strict=True):
            weight = np.asarray(one.weight[...])
            bias = np.zeros(len(weight)) if one.bias is None else one.bias[...]
            found[name, parent] = weight, np.asarray(bias), bool(graph[parent])
    return found


def settle(graph, maps, data, passed, *, rate=0.05, steps=6000):
    """Latents under x' = -Pi e + sum over children of t J' Pi e: no energy, just the flow."""
    x = {name: np.zeros(WIDTHS[name]) for name in graph} | data
    for _ in range(steps):
        bent = {name: np.tanh(x[name]) if graph[name] else x[name] for name in graph}
        errors = {
            name: PRECISIONS[name]
            * (
                x[name]
                - sum(
                    maps[name, p][0] @ bent[p] + maps[name, p][1] for p in graph[name]
                )
            )
            for name in graph
        }
        for name in graph.keys() - data.keys():
            drive = -errors[name]
            for (child, parent), (weight, _, is_bent) in maps.items():
                if parent == name:
                    slope = 1 - bent[name] ** 2 if is_bent else 1.0
                    sent = passed.get(child, 1.0) * errors[child]
                    drive = drive + slope * (weight.T @ sent)
            x[name] = x[name] + rate * drive
    return x


CASES = {
    "a chain": {"a": 0.7, "b": 0.4, "c": 0.9},
    "two tops": {"a": 0.7, "b": 0.4},
    "two ends": {"a": 0.7, "b": 0.2, "c": 0.9},
    "a diamond": {"a": 0.7, "b": 0.4, "c": 0.4},
    # From c to a directly, and through b: 0.7 each.
    "a skip": {"a": 0.7, "b": 1.0, "c": 0.5},
}


@pytest.mark.parametrize("name", CASES)
def test_latents_settle_where_the_flow_does(name):
    graph, passed = GRAPHS[name], CASES[name]
    network = network_of(graph)
    data = {"a": np.asarray([0.7, -0.3, 1.1])}
    if name == "two ends":
        data["b"] = np.asarray([-0.5, 0.9])
    expected = settle(graph, maps_of(network, graph), data, passed)
    modulation = Modulation(error_transmission=passed)
    found = pcmodel.infer(network, data, modulation=modulation)
    assert found.converged
    plain = pcmodel.infer(network, data)
    for level, one in enumerate(network.names):
        np.testing.assert_allclose(
            found.latents[level], expected[one], rtol=1e-6, atol=1e-8
        )
    assert np.max(np.abs(found.latents[2] - plain.latents[2])) > 1e-3


def test_the_equivalent_gains_are_the_products_along_paths():
    network = network_of(GRAPHS["two ends"])
    modulation = Modulation({"d": 3.0}, error_transmission=CASES["two ends"])
    model = pcmodel.networks.pure.as_model(network).model
    gains = modulation.resolve(model, jnp.zeros(()).dtype)
    np.testing.assert_allclose(
        gains, [1, 0.2 / 0.7, 1 / 0.7, 3 / (0.7 * 0.9)], rtol=1e-14
    )


@pytest.mark.parametrize("name", ["a diamond", "a skip"])
def test_different_products_along_two_paths_are_refused(name):
    """Prevents the factors of one path from standing for those of both."""
    network = network_of(GRAPHS[name])
    for factor in (0.5, 1e-8, 1e8, 1 + 1e-6):
        modulation = Modulation(error_transmission={"b": factor})
        with pytest.raises(UserError, match="different products") as caught:
            pcmodel.infer(network, np.ones(3), modulation=modulation)
        assert "\n" not in str(caught.value)


def test_rounding_is_no_difference():
    """1 / 0.1 / 0.7 and 1 / 0.7 / 0.1 differ in the last digit."""
    graph = {"a": "bc", "b": "d", "c": "e", "d": "f", "e": "f", "f": ""}
    widths = dict.fromkeys(graph, 1)
    network = pcmodel.hierarchy(
        {n: Level(widths[n], parents=list(p)) for n, p in graph.items()},
        rngs=nnx.Rngs(0),
    )
    passed = {"b": 0.1, "d": 0.7, "c": 0.7, "e": 0.1}
    modulation = Modulation(error_transmission=passed)
    assert pcmodel.infer(network, np.ones(1), modulation=modulation).converged


def test_traced_factors_that_cannot_agree_give_no_number():
    """Equal ones do; of different ones that turn out equal the result is right, of others it is NaN."""
    network = network_of(GRAPHS["a diamond"])

    @jax.jit
    def top(b, c):
        passed = {"a": 0.7, "b": b, "c": c}
        modulation = Modulation(error_transmission=passed)
        return pcmodel.infer(network, np.ones(3), modulation=modulation).latents[-1]

    same = Modulation(error_transmission={"a": 0.7, "b": 0.4, "c": 0.4})
    expected = pcmodel.infer(network, np.ones(3), modulation=same).latents[-1]
    np.testing.assert_allclose(top(0.4, 0.4), expected, rtol=1e-9)
    np.testing.assert_allclose(
        jax.jit(lambda both: top.__wrapped__(both, both))(0.4), expected, rtol=1e-9
    )
    assert np.all(np.isnan(top(0.4, 0.5)))


def test_a_discrete_end_tempered_by_transmission_has_no_evidence():
    """Errors that another end sends up less make the discrete one's likelihood count for more than once."""
    graph = {"a": "c", "b": "c", "c": ""}
    network = network_of(graph, b=Bernoulli())
    data = {"a": np.ones(3), "b": np.asarray([1.0, 0.0])}
    for passed, is_tempered in (({"a": 0.5, "b": 0.5}, False), ({"a": 0.5}, True)):
        modulation = Modulation(error_transmission=passed)
        found = pcmodel.posterior(network, data, modulation=modulation)
        if is_tempered:
            with pytest.raises(UserError):
                _ = found.log_evidence
        else:
            assert np.isfinite(found.log_evidence)


@pytest.mark.parametrize("factors", [(1e-200, 1e-200), (1e-307, 1e-3)])
def test_products_beyond_the_numbers_are_refused(factors):
    passed = dict(zip("ab", factors, strict=True))
    modulation = Modulation(error_transmission=passed)
    with pytest.raises(UserError, match="gain and error transmission together"):
        pcmodel.infer(network_of(GRAPHS["a chain"]), np.ones(3), modulation=modulation)


def test_slopes_of_every_end_are_refused():
    network = network_of(GRAPHS["two ends"])
    for name in "ab":
        with pytest.raises(UserError, match=f"'{name}'.*predicts nothing"):
            pcmodel.infer(network, modulation=Modulation(slopes={name: 0.5}))


def test_paths_are_followed_from_level_to_level():
    """A chain of ten: the gain of each level is that of the one below over the factor."""
    widths = (1,) * 10
    network = pcmodel.dense(widths, rngs=nnx.Rngs(0))
    passed = dict(enumerate(np.linspace(0.1, 0.9, 9)))
    model = pcmodel.networks.pure.as_model(network).model
    modulation = Modulation(error_transmission=passed)
    gains = modulation.resolve(model, jnp.zeros(()).dtype)
    for level, (below, above) in enumerate(pairwise(gains)):
        np.testing.assert_allclose(above, below / passed[level], rtol=1e-14)

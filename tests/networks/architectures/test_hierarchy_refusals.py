"""What a drawing of a hierarchy may not say is refused in one sentence with the names in it."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel import Bernoulli, Categorical, Level
from pcmodel.networks.layers.dense import identity

TOP = {"top": Level(2)}


def dense(above, below):
    return pcmodel.Dense(above, below, activation=identity, rngs=nnx.Rngs(0))


CASES = {
    "unknown parent": (
        lambda: {"a": Level(2, parents=["b"]), **TOP},
        "level 'a' has parent 'b', which is no level: there are a, top",
    ),
    "a cycle of two": (
        lambda: {
            "a": Level(2, parents=["b"]),
            "b": Level(2, parents=["a", "top"]),
            **TOP,
        },
        "levels a <- b <- a are predicted from each other in a cycle.*unroll the cycle over time",
    ),
    "a longer cycle beside a chain": (
        lambda: {
            "x": Level(1, parents=["a"]),
            "a": Level(2, parents=["b"]),
            "b": Level(2, parents=["c"]),
            "c": Level(2, parents=["a"]),
            **{"y": Level(1, parents=["top"])},
            **TOP,
        },
        "a <- b <- c <- a",
    ),
    "its own parent": (
        lambda: {"a": Level(2, parents=["a", "top"]), **TOP},
        "a <- a",
    ),
    "a parent twice": (
        lambda: {"a": Level(2, parents=["top", "top"]), **TOP},
        "level 'a' names a parent twice: top, top",
    ),
    "linked to none": (
        lambda: {"a": Level(2, parents=["top"]), "b": Level(3), **TOP},
        "level 'b' has no parents and is nobody's parent",
    ),
    "a discrete parent": (
        lambda: {
            "a": Level(2, parents=["b"]),
            "b": Level(3, Categorical(), parents=["top"]),
            **TOP,
        },
        "level 'b' is discrete and the parent of other levels",
    ),
    "a discrete level with a precision": (
        lambda: {"a": Level(2, Bernoulli(), parents=["top"], precision=3.0), **TOP},
        "level 'a' is discrete and has no precision",
    ),
    "a layer of other widths": (
        lambda: {"a": Level(3, parents=["top"], layer=dense(5, 3)), **TOP},
        r"layer 0 cannot take level 1 \('top', 2 units\)",
    ),
    "a layer that predicts another width": (
        lambda: {"a": Level(3, parents=["top"], layer=dense(2, 4)), **TOP},
        r"layer 0 predicts shape \(4,\), but level 0 \('a'\) has 3 units",
    ),
    "a layer for one parent of two": (
        lambda: {
            "a": Level(3, parents=["b", "top"], layer=dense(2, 3)),
            "b": Level(2, parents=["top"]),
            **TOP,
        },
        r"layer 0 cannot take level 1 \('b', 2 units\) and level 2 \('top', 2 units\)",
    ),
    "a shared layer of another shape": (
        lambda: {
            "a": Level(3, parents=["top"], layer="b"),
            "b": Level(4, parents=["top"]),
            **TOP,
        },
        r"level 'a' \(3 units from \[2\]\) shares the layer of 'b' \(4 units from \[2\]\), which has another shape",
    ),
    "a shared layer of nobody": (
        lambda: {"a": Level(3, parents=["top"], layer="c"), **TOP},
        "level 'a' shares the layer of 'c', which is no level",
    ),
    "layers shared in a circle": (
        lambda: {
            "a": Level(2, parents=["top"], layer="b"),
            "b": Level(2, parents=["top"], layer="a"),
            **TOP,
        },
        "levels 'a', 'b' share their layer with each other, and none has one",
    ),
    "the layer of a top": (
        lambda: {"a": Level(2, parents=["top"], layer="top"), **TOP},
        "level 'a' shares the layer of top 'top', which has none",
    ),
    "a top with a layer": (
        lambda: {"a": Level(2, parents=["top"]), "top": Level(2, layer=dense(2, 2))},
        "level 'top' has a layer and no parents",
    ),
    "a shared precision of other units": (
        lambda: {
            "a": Level(3, parents=["top"], precision="top"),
            "top": Level(2, precision=[1.0, 2.0]),
        },
        r"level 'a' \(3 units\) shares the precision of 'top' \(2 units\)",
    ),
    "a negative precision": (
        lambda: {"a": Level(3, parents=["top"], precision=-1.0), **TOP},
        "precision of level 'a'.*must be positive",
    ),
    "a precision of other units": (
        lambda: {"a": Level(3, parents=["top"], precision=[1.0, 2.0]), **TOP},
        "log-precision of level 'a'.*got \\(2,\\)",
    ),
    "a prior mean of other units": (
        lambda: {
            "a": Level(3, parents=["top"]),
            "top": Level(2, prior_mean=[1.0, 2.0, 3.0]),
        },
        r"prior mean of level 'top': expected 2 finite numbers, got shape \(3,\)",
    ),
    "a prior mean that is none": (
        lambda: {
            "a": Level(3, parents=["top"]),
            "top": Level(2, prior_mean=[1.0, np.nan]),
        },
        "prior mean of level 'top'",
    ),
    "no level": (lambda: {}, "a hierarchy needs at least one level"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_drawing_that_cannot_be_is_refused_in_one_sentence(name):
    levels, words = CASES[name]
    with pytest.raises(pcmodel.UserError, match=words) as error:
        pcmodel.hierarchy(levels(), rngs=nnx.Rngs(0))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"width": 0}, "width of a level"),
        ({"width": 2, "parents": ["a"], "prior_mean": [0.0, 0.0]}, "not both"),
    ],
)
def test_a_level_that_cannot_be_is_refused_where_it_is_written(options, words):
    with pytest.raises(pcmodel.UserError, match=words):
        Level(**options)


@pytest.mark.parametrize(
    "parents, words",
    [
        ([(1,), ()], "has 2 entries"),
        ([(1,), (0,), ()], "has parent 0, but levels are numbered bottom first"),
        ([(2,), (), (2,)], "has parent 2, but"),
        ([(2,), (), ()], "between them"),
        ([(), (2,), ()], "levels without parents come last"),
        ([(1, 1), (2,), ()], "names a parent twice"),
        ([(1.5,), (2,), ()], "is 1.5; expected"),
        (3, "parents"),
    ],
)
def test_parents_by_number_are_checked(parents, words):
    layers = [dense(2, 2), dense(2, 2)]
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.Network(layers, (2, 2, 2), log_precisions=[0.0] * 3, parents=parents)


STEP = {
    "y": Level(1, parents=["x"]),
    "x": Level(2, parents=["x[-1]"]),
}


@pytest.mark.parametrize(
    "options, words",
    [
        (
            {"levels": {**STEP, "z": Level(1, parents=["w"])}},
            "has parent 'w', which is no level",
        ),
        (
            {"levels": {"y": Level(1, parents=["x[1]"])}},
            r"a parent at an earlier step is written name\[-1\]",
        ),
        ({"levels": {"y[0]": Level(1)}}, "brackets in a name tell the time step"),
        ({"initial": {"w": Level(1)}}, "initial level 'w' is no level of the step"),
        (
            {"initial": {"x": Level(3)}},
            "level 'x' has 2 units, and 3 at its first step",
        ),
        (
            {"initial": {"y": Level(1)}},
            "initial level 'y' has no parent at an earlier step",
        ),
        ({"levels": {**STEP, "a/b": Level(1, parents=["x"])}}, "a name has no /"),
        ({"constant": {"x": Level(2)}}, "both constant and one of every step"),
        ({"num_steps": 0}, "num_steps"),
        (
            {"initial": {"x": Level(2, precision="x")}},
            r"'x' shares the precision of 'x', which is one at every step.*precision='x\[1\]'",
        ),
        (
            {"initial": {"x": Level(2, precision="y")}},
            r"'x' shares the precision of 'y'.*precision='y\[0\]'",
        ),
        (
            {
                "initial": {"x": Level(2, parents=["c"], layer="x")},
                "constant": {"c": Level(2)},
            },
            r"'x' shares the layer of 'x'.*layer='x\[1\]'",
        ),
        (
            {"constant": {"c": Level(2, precision="x")}},
            r"'c' shares the precision of 'x'.*precision='x\[1\]'",
        ),
    ],
)
def test_steps_that_cannot_be_are_refused(options, words):
    given = {"levels": STEP, "num_steps": 3, **options}
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.over_time(rngs=nnx.Rngs(0), **given)


def test_what_is_advised_for_an_initial_level_works():
    """The first state shares the precision of the transitions where this is said of a step."""
    initial = {"x": Level(2, parents=["c"], precision="x[1]", layer="x[1]")}
    network = pcmodel.over_time(
        STEP, 3, initial=initial, constant={"c": Level(2)}, rngs=nnx.Rngs(0)
    )
    at = {name: number for number, name in enumerate(network.names)}
    first, later = at["x[0]"], at["x[1]"]
    assert network.log_precision[first] is network.log_precision[later]
    assert network.layers[first] is network.layers[later]


def test_readers_of_series_say_what_there_is():
    network = pcmodel.over_time(STEP, 3, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="this network has x, y"):
        pcmodel.over_steps(network, [np.zeros(w) for w in network.widths], "z")
    with pytest.raises(pcmodel.UserError, match="over_steps: latents: holds 2 arrays"):
        pcmodel.over_steps(network, [np.zeros(1)] * 2, "x")
    with pytest.raises(pcmodel.UserError, match="latents: is NoneType"):
        pcmodel.over_steps(network, None, "x")
    with pytest.raises(pcmodel.UserError, match=r"level 'y\[2\]': has shape \(2,\)"):
        pcmodel.over_steps(network, [np.zeros(2)] * 6, "x")
    at = {name: network.widths[place] for place, name in enumerate(network.names)}
    right = [np.arange(float(width)) for width in at.values()]
    found = pcmodel.over_steps(network, right, "x")
    np.testing.assert_array_equal(found, np.tile(np.arange(at["x[0]"]), (3, 1)))
    first = list(at).index("x[0]")
    wrong = {
        "more units": np.zeros(at["x[0]"] + 1),
        "a unit short": jnp.zeros(at["x[0]"] - 1),
        "NaN": np.full(at["x[0]"], np.nan),
        "words": "words",
    }
    for value in wrong.values():
        with pytest.raises(pcmodel.UserError, match=r"latents: level 'x\[0\]'"):
            pcmodel.over_steps(
                network, [*right[:first], value, *right[first + 1 :]], "x"
            )
    with pytest.raises(pcmodel.UserError, match="series of level 'y'"):
        pcmodel.at_steps({"y": np.array([["abc"]])})
    with pytest.raises(pcmodel.UserError, match=r"\(times, width\)"):
        pcmodel.at_steps({"y": np.zeros(3)})
    tanh = pcmodel.over_time(
        {"y": Level(1, parents=["x"]), "x": Level(2, parents=["x[-1]"])},
        3,
        rngs=nnx.Rngs(0),
    )
    with pytest.raises(pcmodel.UserError, match="nonlinear"):
        pcmodel.linear_em(tanh, pcmodel.at_steps({"y": np.zeros((4, 3, 1))}))
    linear = pcmodel.over_time(STEP, 3, activation=identity, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="linear_em: there are no data"):
        pcmodel.linear_em(linear, {})
    with pytest.raises(pcmodel.UserError, match="data that no level fits exactly"):
        pcmodel.linear_em(linear, pcmodel.at_steps({"y": np.zeros((4, 3, 1))}))


def test_the_state_of_a_series_is_read_through_the_activation_at_every_step():
    """Prevents the first step, at which the state is a top, from making the layers of all steps linear."""
    network = pcmodel.over_time(STEP, 3, rngs=nnx.Rngs(0))
    assert not network.is_linear
    assert all(layer.activation.__name__ == "tanh" for layer in network.layers)
    known = {"y": Level(1, parents=["u"]), "u": Level(2)}
    assert pcmodel.over_time(known, 3, rngs=nnx.Rngs(0)).is_linear


def test_top_means_no_one_of_several_tops():
    """Prevents a belief, a gain or a clamp of "the top" from acting on the last of several tops alone."""
    levels = {
        "a": Level(1, parents=["one", "two"]),
        "one": Level(1),
        "two": Level(1),
    }
    network = pcmodel.hierarchy(levels, rngs=nnx.Rngs(0))
    found = pcmodel.posterior(network, np.ones(1))
    for ask in (
        lambda: pcmodel.infer(network, clamp={"top": np.ones(1)}),
        lambda: pcmodel.infer(network, modulation=pcmodel.relax("top", 0.5)),
        lambda: pcmodel.infer(network, prior=pcmodel.Belief.of(np.ones(1), 1.0)),
        lambda: pcmodel.predict(network, np.ones(1)),
        found.belief,
        found.evidence,
    ):
        with pytest.raises(pcmodel.UserError, match="expected one of 'one', 'two'"):
            ask()
    assert found.belief("one", "two").levels == (1, 2)

"""What is said of a part that cannot be meant is refused in one sentence."""

import jax
import numpy as np
import pytest
from flax import nnx
from hierarchies import ask
from part_problems import (
    IMAGE,
    assert_same,
    linear_network,
)

import pcmodel
from pcmodel import Belief, Clamp, Level, Modulation, UserError, relax


@pytest.fixture(scope="module")
def problem():
    return linear_network(np.random.default_rng(4))


def told(**options):
    return lambda network: pcmodel.posterior(network, **options)


WRONG = {
    "a part that is none": (
        told(clamp={"hidden/sel": np.ones(1)}),
        ["'sel'", "visual, self"],
    ),
    "a level without parts": (
        told(clamp={"body/self": np.ones(1)}),
        ["'body'", "no parts"],
    ),
    "a level that is none": (told(clamp={"tpo/self": np.ones(1)}), ["'tpo'", "image"]),
    "a name that is nothing": (
        told(clamp={"sel": np.ones(1)}),
        ["level or part 'sel'", "hidden/self"],
    ),
    "a name of two parts": (
        told(modulation=relax("self", 0.5)),
        ["hidden/self or top/self"],
    ),
    "values of another width": (
        told(clamp={"hidden/self": np.ones(5)}),
        ["part 'hidden/self' has 2 units", "(5,)"],
    ),
    "a unit clamped twice": (
        told(clamp={"hidden": np.ones(5), "hidden/self": np.ones(2)}),
        ["unit 1 of level 'hidden'", "twice", "part 'hidden/self'"],
    ),
    "a part clamped by two names": (
        told(clamp={"visual": np.ones(3), "hidden/visual": np.ones(3)}),
        ["unit 0 of level 'hidden'", "twice"],
    ),
    "a part observed and clamped": (
        told(observation=IMAGE, clamp={"image/left": np.ones(2)}),
        ["unit 0 of level 'image'", "twice"],
    ),
    "batches of parts that disagree": (
        told(observation={"left": np.ones((2, 2)), "right": np.ones((3, 2))}),
        ["batch sizes", "[2, 3]"],
    ),
    "a NaN in a part": (
        told(clamp={"hidden/self": np.asarray([1.0, np.nan])}),
        ["hidden/self", "NaN"],
    ),
    "a mask of the level's width": (
        told(clamp={"hidden/self": Clamp(np.ones(2), np.ones(5, bool))}),
        ["part 'hidden/self'", "(2,)", "(5,)"],
    ),
    "a level and its part modulated": (
        told(modulation=Modulation({"hidden": 0.5, "hidden/self": 0.2})),
        ["unit 1 of level 'hidden'", "level 'hidden'", "part 'hidden/self'"],
    ),
    "a part modulated by two names": (
        told(modulation=Modulation({"visual": 0.5, "hidden/visual": 0.2})),
        ["unit 0 of level 'hidden'", "twice"],
    ),
    "gains of the level's width": (
        told(modulation=relax("hidden/self", np.ones(5))),
        ["part 'hidden/self'", "2 (one per unit)", "(5,)"],
    ),
    "the slope of a part of an end": (
        told(modulation=Modulation(slopes={"image/left": 0.5})),
        ["part 'image/left'", "predicts nothing"],
    ),
    "the slope of an end above level 0": (
        told(modulation=Modulation(slopes={"report": 0.5})),
        ["'report'", "predicts nothing"],
    ),
    "error transmission of a part": (
        told(modulation=Modulation(error_transmission={"hidden/self": 0.5})),
        ["error transmission", "whole level", "'hidden'"],
    ),
    "error transmission of another top": (
        told(modulation=Modulation(error_transmission={"body": 0.5})),
        ["'body'", "a top"],
    ),
    "a belief of the level's width": (
        told(prior=Belief.of(np.ones(5), 1.0, level="hidden/self")),
        ["part 'hidden/self'", "2 units"],
    ),
    "a belief about a level and its part": (
        told(prior=Belief.of(np.ones(7), 1.0, level=("hidden", "hidden/self"))),
        ["ascending and different"],
    ),
    "a belief whose levels descend": (
        told(prior=Belief.of(np.ones(3), 1.0, level=("top/self", "hidden/self"))),
        ["ascending"],
    ),
    "two beliefs about a unit of a top": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0),
                Belief.of(np.ones(2), 1.0, level="world"),
            ]
        ),
        ["unit 1 of level 'top'", "join or drop"],
    ),
    "two joint beliefs about a top and the same lower level": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0, level=("body", "top/self")),
                Belief.of(np.ones(7), 1.0, level=("hidden", "top/world")),
                Belief.of(np.ones(4), 1.0, level=("hidden/self", "body")),
            ]
        ),
        ["two beliefs speak of level 'body'"],
    ),
    "two joint beliefs about parts of a top and of one lower level": (
        told(
            prior=[
                Belief.of(np.ones(3), 1.0, level=("hidden/self", "top/self")),
                Belief.of(np.ones(7), 1.0, level=("hidden", "top/world")),
            ]
        ),
        ["level 'hidden'", "one joint belief"],
    ),
    "batches of beliefs that disagree": (
        told(
            prior=[
                Belief.of(np.ones((2, 1)), 1.0, level="top/self"),
                Belief.of(np.ones((3, 2)), 1.0, level="world"),
            ]
        ),
        ["batch sizes", "[2, 3]"],
    ),
    "a covariance with a part that is none": (
        lambda network: pcmodel.posterior(network).covariance("hidden/x", "top"),
        ["'x'"],
    ),
    "the belief about clamped units": (
        lambda network: pcmodel.posterior(network, IMAGE).belief("left"),
        ["part 'image/left'", "clamped"],
    ),
    "the belief about units twice": (
        lambda network: pcmodel.posterior(network, IMAGE).belief("top", "world"),
        ["part 'top/world'", "in common"],
    ),
    "the evidence about clamped units": (
        lambda network: pcmodel.posterior(network, IMAGE).evidence("left"),
        ["part 'image/left'", "no free units"],
    ),
    "latents of a part": (
        lambda network: pcmodel.predict(network, np.ones(1), level="top/self"),
        ["whole level", "'top'"],
    ),
    "results of another network": (
        lambda network: pcmodel.by_name(network, [np.ones(4)]),
        ["1 array", "image, report"],
    ),
    "results of another width": (
        lambda network: pcmodel.by_name(network, [np.ones(4)] * 5),
        ["'report'", "(4,)", "(..., 2)"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(problem, name):
    call, said = WRONG[name]
    with pytest.raises(UserError) as caught:
        call(problem[0])
    assert "\n" not in str(caught.value)
    for words in said:
        assert words in str(caught.value), str(caught.value)


def test_a_part_of_a_top_with_a_full_precision_has_no_prior_of_its_own():
    network = pcmodel.hierarchy(
        {
            "data": Level(2, parents=["top"]),
            "top": Level(
                2,
                precision=np.asarray([[2.0, 0.5], [0.5, 1.0]]),
                parts={"self": 1, "rest": 1},
            ),
        },
        rngs=nnx.Rngs(0),
    )
    belief = Belief.of(np.zeros(1), 1.0, level="self")
    with pytest.raises(UserError, match=r"full matrix.*all of level 'top'"):
        pcmodel.infer(network, np.ones(2), prior=belief)
    both = [belief, Belief.of(np.full(1, 0.5), 2.0, level="rest")]
    got = ask(network, np.ones(2), prior=both)
    whole = Belief.of(np.asarray([0.0, 0.5]), np.asarray([1.0, 2.0]))
    assert_same(got, ask(network, np.ones(2), prior=whole))


def test_precisions_are_frozen_by_whole_levels(problem):
    learning = pcmodel.Learning(frozen_precisions="hidden/self")
    with pytest.raises(UserError, match=r"frozen_precisions.*whole level"):
        pcmodel.train(
            problem[0],
            np.ones((4, 4)),
            key=jax.random.key(0),
            learning=learning,
            batch_size=2,
        )

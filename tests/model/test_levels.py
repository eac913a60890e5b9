"""One way to call a level: by name, by index, by index from the top; anything else is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.inference import TruncatedNewton
from pcmodel.learning import Learning, PosteriorSamples
from pcmodel.learning.em import level_rules
from pcmodel.model.generative import LinearModel
from pcmodel.model.levels import level_index, level_indices
from pcmodel.model.problem import Structure
from pcmodel.networks.pure import as_model

NAMES = ("image", "maps", "label")
MODEL = LinearModel((1, 1, 1), NAMES)
SAME = [2, -1, "label", "top", np.int64(2), np.int32(-1), np.array(2), jnp.array(-1)]
NONE = [
    True,
    False,
    np.True_,
    1.0,
    np.float64(2),
    None,
    "Top",
    "3",
    3,
    -4,
    b"top",
    (1,),
    np.array([1]),
]


@pytest.mark.parametrize("level", SAME, ids=repr)
def test_a_level_is_found_by_each_of_its_names(level):
    """Prevents a number that numpy made from being no level."""
    assert level_index(level, NAMES) == 2
    assert level_indices(level, MODEL) == (2,)


@pytest.mark.parametrize("level", NONE, ids=repr)
def test_what_names_no_level_is_refused(level):
    """Prevents True from being level 1, and a level that is not there from being passed over."""
    with pytest.raises(pcmodel.UserError):
        level_index(level, NAMES)


def test_several_levels_are_each_taken_once():
    assert level_indices(["top", 0, -1, "maps"], MODEL) == (0, 1, 2)


LINEAR = pcmodel.linear_gaussian(
    [np.array([[0.5]]), np.array([[2.0]])], [1, 4, 9], prior_mean=np.array([-2.0])
)


def frozen(level):
    structure = Structure(as_model(LINEAR).model, ((), (), ()), ())
    rules = level_rules(Learning(frozen_precisions=level), structure, None)
    return [rule.rate is None for rule in rules]


@pytest.mark.parametrize(
    "level", ["top", -1, 2, np.int64(2), ("top",), (-1,), [np.int64(2)]], ids=repr
)
def test_a_precision_is_frozen_whatever_its_level_is_called(level):
    """Prevents ("top",) and (-1,) from freezing nothing."""
    assert frozen(level) == [False, False, True]


def ways():
    """Every part of the package that takes a level, as a function of it that gives numbers."""
    data = np.array([1.0])

    def posterior(**options):
        return pcmodel.posterior(LINEAR, data, **options)

    return {
        "gain": lambda level: posterior(modulation=pcmodel.relax(level, 0.3)).mean,
        "slope": lambda level: (
            posterior(modulation=pcmodel.Modulation(slopes={level: 0.3})).mean
        ),
        "error": lambda level: (
            posterior(
                modulation=pcmodel.Modulation(error_transmission={level: 0.5})
            ).mean
        ),
        "clamp": lambda level: posterior(clamp={level: np.array([0.7])}).mean,
        "belief": lambda level: (
            posterior(prior=pcmodel.Belief.of(np.array([0.7]), 2.0, level=level)).mean
        ),
        "beliefs": lambda level: (
            posterior(prior=pcmodel.Belief.of(np.array([0.7]), 2.0, level=[level])).mean
        ),
        "covariance": lambda level: posterior().covariance(level, "top"),
        "posterior belief": lambda level: posterior().belief(level).mean,
        "predict": lambda level: pcmodel.predict(LINEAR, np.array([0.7]), level=level),
    }


@pytest.mark.parametrize("way", ways())
def test_every_part_calls_levels_alike(way):
    """The middle level by name, index, negative index and numpy's numbers; True and 7 nowhere."""
    take = ways()[way]
    wanted = take("hidden1")
    for level in (1, -2, np.int64(1), np.int32(-2)):
        jax.tree.map(np.testing.assert_array_equal, take(level), wanted)
    for level in (True, 7, "hidden7"):
        with pytest.raises(pcmodel.UserError):
            take(level)


@pytest.mark.parametrize("level", [7, "hidden7", True])
def test_freezing_a_level_that_is_not_there_is_refused_before_training(level):
    """Prevents a misspelt name from letting a precision be learned."""
    network = pcmodel.dense((2, 2), rngs=nnx.Rngs(0))
    solver = PosteriorSamples(solver=TruncatedNewton(1))
    with pytest.raises(pcmodel.UserError, match="level"):
        learning = Learning(frozen_precisions=(level,), e_step=solver)
        pcmodel.train(
            network,
            np.ones((4, 2)),
            key=jax.random.key(0),
            learning=learning,
            batch_size=2,
        )

"""Trials: what is refused, and padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memory.cause_designs import (
    as_parameters,
    as_trials,
    random_design,
)

from pcmodel.errors import UserError
from pcmodel.memory import (
    CauseOptions,
    CauseParameters,
    Soft,
    learn_causes,
    make_trials,
    stack_trials,
)
from pcmodel.memory.trials import pad_trials

SHARP = CauseOptions()
SOFT = CauseOptions(assignment=Soft())


def words(error):
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([0, 0], [1, 1], [1, 1]), "trial 2 is at 0, trial 1 at 0"),
        (([0, -1], [1, 1], [1, 1]), "ascending times"),
        (([], [], []), "there are no trials"),
        (([0, np.nan], [1, 1], [1, 1]), "time: values contain NaN"),
        (([0, 1], [1, np.inf], [1, 1]), "outcome: values contain NaN or infinity"),
        (([0, 1], [1], [1, 1]), "outcome: has the shape (1,); expected 2 values"),
        (([0, 1], [1, 1], [[1, 1]]), "stimuli: has the shape (1, 2)"),
        (([0, 1], [1, 1], np.ones((2, 0))), "stimuli: has the shape (2, 0)"),
        ((0.0, [1], [1]), "time: has the shape ()"),
        ((["a"], [1], [1]), "time: values must be numbers"),
    ],
)
def test_bad_trials_are_refused_in_one_sentence(given, message):
    with pytest.raises(UserError) as error:
        make_trials(*given)
    assert message in words(error)


@pytest.mark.parametrize(
    ("factor", "value", "message"),
    [
        ("outcome_gain", 0.0, "outcome_gain: trial 1 has 0; expected above 0"),
        ("learning_gain", -1.0, "learning_gain: trial 1 has -1; expected 0 or more"),
        ("amnesia", 1.5, "amnesia: trial 1 has 1.5; expected 0 to 1"),
        ("present", [0, 2], "present: holds 2"),
        ("present", [0, 0], "no trial is present"),
        ("scored", [1], "scored: has the shape (1,)"),
    ],
)
def test_bad_factors_are_refused(factor, value, message):
    with pytest.raises(UserError) as error:
        make_trials([0, 1], [1, 1], [1, 1], **{factor: value})
    assert message in words(error)


def test_times_that_float32_cannot_tell_apart_are_refused():
    with jax.enable_x64(False), pytest.raises(UserError, match="are lost in float32"):
        make_trials([1e9, 1e9 + 1], [1, 1], [1, 1])
    make_trials([1e9, 1e9 + 1], [1, 1], [1, 1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concentration", -0.1),
        ("temporal_decay", -1.0),
        ("learning_rate", np.nan),
        ("stimulus_variance", 0.0),
        ("response_scale", 0.0),
        ("outcome_log_precision", 1e3),
        ("initial_weight", [0.0, 0.0]),
        ("concentration", "much"),
    ],
)
def test_bad_parameters_are_refused(name, value):
    trials = make_trials([0.0], [1.0], [1.0])
    with pytest.raises(UserError, match=name):
        learn_causes(trials, CauseParameters()._replace(**{name: value}))


def test_animals_are_not_taken_for_trials():
    one = make_trials([0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
    with pytest.raises(UserError, match="1 leading axes"):
        learn_causes(stack_trials([one, one]))
    two = make_trials([0.0], [1.0], [[1.0, 1.0]])
    with pytest.raises(UserError, match="cannot be stacked"):
        stack_trials([one, two])
    with pytest.raises(UserError, match="no designs"):
        stack_trials([])
    with pytest.raises(UserError, match="do not fit"):
        pad_trials(one, 1)
    with pytest.raises(UserError):
        CauseOptions(num_causes=0)


def test_padding_keeps_types_values_and_gains_of_one():
    for wide in (True, False):
        with jax.enable_x64(wide):
            design, _ = random_design(np.random.default_rng(6), features=3)
            trials = as_trials(design)
            count = trials.time.size
            longer = pad_trials(trials, count + 2)
            for name, rows in longer._asdict().items():
                given = getattr(trials, name)
                assert isinstance(rows, jax.Array) and rows.dtype == given.dtype
                np.testing.assert_array_equal(rows[:count], given)
            assert not longer.present[count:].any()
            assert (longer.outcome_gain[count:] == 1).all()
            assert (longer.learning_gain[count:] == 1).all()
            traced = jax.jit(lambda t, n=count + 2: pad_trials(t, n))(trials)
            for a, b in zip(traced, longer, strict=True):
                np.testing.assert_array_equal(a, b)


def test_absent_trials_change_nothing_whatever_they_hold():
    """Bit for bit: at the end, in the middle and before."""
    rng = np.random.default_rng(2)
    design, oracle = random_design(rng, least=6)
    trials, parameters = as_trials(design), as_parameters(oracle)
    for options in (SHARP, SOFT):
        plain = learn_causes(trials, parameters, options=options)
        count = len(design["time"])
        places = np.sort(rng.choice(count + 4, count, replace=False))

        def spread(rows, fill, places=places, count=count):
            wide = np.full((count + 4, *rows.shape[1:]), fill, np.asarray(rows).dtype)
            wide[places] = rows
            return jnp.asarray(wide)

        for junk in (0.0, 7.5, -1e6):
            loose = trials._replace(
                **{
                    name: spread(rows, junk)
                    for name, rows in trials._asdict().items()
                    if name not in ("present", "scored")
                },
                present=spread(trials.present, False),
                scored=spread(trials.scored, False),
            )
            found = learn_causes(loose, parameters, options=options)
            for name in ("prediction", "response", "before", "posterior", "weights"):
                got = np.asarray(getattr(found, name))
                np.testing.assert_array_equal(got[places], getattr(plain, name), name)
            others = np.setdiff1d(np.arange(count + 4), places)
            assert not np.any(np.asarray(found.prediction)[others])
            assert np.all(np.asarray(found.assignment)[others] == -1)
            assert found.num_causes == plain.num_causes

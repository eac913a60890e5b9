"""The latent-cause model against loops, published numbers, closed limits and finite differences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memory.cause_designs import (
    as_parameters,
    as_trials,
    clock,
    differences,
    random_design,
    shocks,
)
from memory.cause_oracle import walk

from pcmodel.memory import (
    CauseOptions,
    CauseParameters,
    Map,
    Soft,
    learn_causes,
    make_trials,
    stack_trials,
)
from pcmodel.memory.trials import pad_trials

SHARP = CauseOptions()
SOFT = CauseOptions(assignment=Soft())

# ---- against loops


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("chunk", range(4))
def test_equals_loops_over_random_designs(soft, chunk):
    """200 designs in all: a slip in the clock, in an index or a variance shows in some."""
    rng = np.random.default_rng(100 * soft + chunk)
    learn = jax.jit(partial(learn_causes, options=SOFT if soft else SHARP))
    for _ in range(25):
        design, oracle = random_design(rng)
        told = walk(**design, **oracle, soft=soft)
        found = learn(pad_trials(as_trials(design), 12), as_parameters(oracle))
        assert differences(told, found) < 1e-10
        assert not found.truncated and not found.diverged
        causes = sum(1 - np.prod(1 - np.array(told["z"]), axis=0))
        np.testing.assert_allclose(found.num_causes, causes, atol=1e-10)


def test_equals_loops_where_places_run_out():
    rng = np.random.default_rng(5)
    told_of = []
    options = CauseOptions(num_causes=2, max_iterations=2)
    for _ in range(25):
        design, oracle = random_design(rng, most=6, features=1)
        oracle["alpha"], oracle["sr"] = 5.0, 0.05
        told = walk(**design, **oracle, slots=2, most=2)
        found = learn_causes(
            pad_trials(as_trials(design), 6), as_parameters(oracle), options=options
        )
        assert differences(told, found) < 1e-10
        used = np.cumsum(told["z"], axis=0) > 0
        told_of.append((bool(found.truncated), bool(used[:-1].all(1).any())))
    assert all(a == b for a, b in told_of) and {a for a, _ in told_of} == {True, False}


def test_one_place_is_always_told_after_the_first_trial():
    trials = make_trials([0, 1], [1, 0], [1, 1])
    history = learn_causes(trials, options=CauseOptions(num_causes=1))
    assert history.truncated
    alone = make_trials([0], [1], [1])
    assert not learn_causes(alone, options=CauseOptions(num_causes=1)).truncated


def test_one_place_is_enough_where_no_new_cause_can_arise():
    """A concentration of 0 is one cause for all; the least above it is not."""
    trials = make_trials([0, 1, 2], [1, 0, 0], [1, 1, 1])
    for assignment in (Map(), Soft()):
        few = CauseOptions(num_causes=1, assignment=assignment)
        many = CauseOptions(num_causes=4, assignment=assignment)
        never = CauseParameters(concentration=0.0)
        one, four = (learn_causes(trials, never, options=each) for each in (few, many))
        assert not one.truncated and not four.truncated
        np.testing.assert_allclose(one.prediction, four.prediction, rtol=1e-12)
        seldom = CauseParameters(concentration=1e-8)
        assert learn_causes(trials, seldom, options=few).truncated


def test_soft_tells_when_places_run_out():
    rng = np.random.default_rng(3)
    design, _ = random_design(rng)
    design = {k: np.resize(v, (40, *v.shape[1:])) for k, v in design.items()}
    design["time"] = np.arange(40.0)
    trials = as_trials(design)
    parameters = CauseParameters(concentration=3.0)
    few = learn_causes(
        trials, parameters, options=CauseOptions(num_causes=3, assignment=Soft())
    )
    assert few.truncated and few.full[-1] > 0.5
    # A place for every trial is always enough.
    assert not learn_causes(
        trials, parameters, options=CauseOptions(num_causes=41, assignment=Soft())
    ).truncated


# ---- the published figures' settings


NO_RETRIEVAL = ([3, 19, 1], [20, 200])


@pytest.mark.parametrize(
    ("interval", "response", "value"),
    [
        (0, 0.991, None),
        (1, 0.078, None),
        (3, 0.067, 0.0050),
        (10, 0.065, None),
        (30, 0.062, None),
        (100, 0.847, 0.0303),
        (150, 0.777, None),
    ],
)
def test_the_window_of_retrieval_before_extinction(interval, response, value):
    """Both edges are sharp: reference values from an independent program."""
    time = clock([3, 1, 18, 1], [20, interval, 200])
    history = learn_causes(make_trials(time, shocks(3, 20), np.ones(23)))
    np.testing.assert_allclose(history.response[-1], response, atol=0.0006)
    if value is not None:
        np.testing.assert_allclose(history.prediction[-1], value, atol=0.0001)


def test_what_happens_to_the_memory_in_the_interval():
    """The acquisition cause is unlearned while the animal reconsiders its retrieval."""
    time = clock([3, 1, 18, 1], [20, 3, 200])
    history = learn_causes(make_trials(time, shocks(3, 20), np.ones(23)))
    weight = history.weights[:, :, 0, 0]
    np.testing.assert_allclose(weight[2, -1], 0.826, atol=6e-4)
    np.testing.assert_allclose(weight[3], [0.707, 0.593, 0.489], atol=6e-4)
    np.testing.assert_allclose(
        history.posterior[3, :, 0], [0.480, 0.537, 0.582], atol=6e-4
    )
    np.testing.assert_allclose(history.posterior[4, 0, 0], 0.815, atol=6e-4)
    assert history.num_causes == 1 and abs(weight[-1, -1]) < 0.001


# ---- limits


def test_without_concentration_there_is_one_cause_that_learns_as_delta_rule():
    rng = np.random.default_rng(8)
    for assignment in (Map(), Soft()):
        design, oracle = random_design(rng)
        oracle["alpha"] = 0.0
        options = CauseOptions(assignment=assignment)
        found = learn_causes(as_trials(design), as_parameters(oracle), options=options)
        weights, expected = np.full(design["stimuli"].shape[1], oracle["w0"]), []
        for t, x in enumerate(design["stimuli"]):
            expected.append(x @ weights)
            for _ in range(int(found.iterations[t])):
                rate = oracle["eta"] * design["plasticity"][t]
                weights = weights + rate * x * (design["outcome"][t] - x @ weights)
                weights = weights * (1 - design["amnesia"][t])
        np.testing.assert_allclose(found.prediction, expected, atol=1e-12)
        assert found.num_causes == 1


def test_a_certain_posterior_makes_soft_equal_to_hard():
    """Outcomes 50 SD apart: whose cause a trial is leaves no doubt."""
    time = np.arange(8.0)
    outcome = np.array([5.0, 5, 5, 5, -5, -5, 5, -5])
    parameters = CauseParameters(
        learning_rate=0.9, outcome_log_precision=4.6, initial_weight=0.0
    )
    trials = make_trials(time, outcome, np.ones(8))
    sharp, soft = (learn_causes(trials, parameters, options=o) for o in (SHARP, SOFT))
    certain = np.asarray(sharp.posterior[:, -1]).max(1)
    if certain.min() < 1 - 1e-12:
        pytest.fail(f"the design leaves doubts: {certain.min()}")
    np.testing.assert_allclose(sharp.prediction, soft.prediction, atol=1e-9)
    assert sharp.num_causes == 2


def test_full_amnesia_erases_what_is_active():
    trials = make_trials([0, 1, 2], [1, 1, 1], [1, 1, 1], amnesia=[0, 0, 1])
    history = learn_causes(trials, CauseParameters(concentration=0.0))
    assert history.weights[1, -1, 0, 0] > 0.4
    assert history.weights[2, -1, 0, 0] == 0.0


# ---- batches


def test_vmap_over_designs_and_animals_equals_a_loop():
    rng = np.random.default_rng(4)
    pairs = []
    for _ in range(5):
        design, oracle = random_design(rng, features=1)
        pairs.append((as_trials(design), as_parameters(oracle)))
    stacked = stack_trials([trials for trials, _ in pairs])
    parameters = jax.tree.map(lambda *a: jnp.asarray(a), *[p for _, p in pairs])
    found = jax.vmap(learn_causes)(stacked, parameters)
    for i, (trials, own) in enumerate(pairs):
        alone = learn_causes(pad_trials(trials, 12), own)
        count = trials.time.size
        np.testing.assert_allclose(
            found.prediction[i, :count], alone.prediction[:count], atol=1e-13
        )
        np.testing.assert_array_equal(
            found.assignment[i, :count], alone.assignment[:count]
        )
        assert not np.any(np.asarray(found.prediction[i, count:]))


# ---- derivatives


@jax.jit
@partial(jax.value_and_grad, argnums=1)
def weighted(trials, parameters):
    """A sum in which every trial counts differently."""
    history = learn_causes(trials, parameters, options=SOFT)
    places = jnp.arange(1.0, trials.time.size + 1)
    return jnp.sum(history.prediction * places) + jnp.sum(history.response)


@pytest.mark.parametrize("seed", range(6))
def test_derivatives_of_soft_equal_finite_differences(seed):
    rng = np.random.default_rng(40 + seed)
    design, oracle = random_design(rng, least=4, features=1)
    trials = pad_trials(as_trials(design), 12)
    parameters = CauseParameters(*map(jnp.asarray, as_parameters(oracle)))

    def total(p):
        return weighted(trials, p)[0]

    slope = weighted(trials, parameters)[1]
    for name in CauseParameters._fields:
        value, step = getattr(parameters, name), 1e-6
        up, down = (
            total(parameters._replace(**{name: value + sign * step}))
            for sign in (1, -1)
        )
        measured = (up - down) / (2 * step)
        np.testing.assert_allclose(
            getattr(slope, name), measured, rtol=2e-5, atol=2e-6, err_msg=name
        )


@pytest.mark.parametrize("alpha", [0.0, 1e-30])
@pytest.mark.parametrize("options", [SHARP, SOFT], ids=["hard", "soft"])
def test_derivatives_are_numbers_where_causes_are_impossible(options, alpha):
    trials = make_trials([0, 1, 2, 9], [1, 1, 0, 0], [1, 1, 1, 0])
    start = CauseParameters(*map(jnp.asarray, CauseParameters()))
    start = start._replace(concentration=jnp.asarray(alpha))
    slope = jax.grad(
        lambda p: learn_causes(trials, p, options=options).prediction.sum()
    )(start)
    assert all(np.isfinite(each) for each in slope._replace(concentration=0.0))


@pytest.mark.parametrize("wide", [True, False], ids=["float64", "float32"])
def test_derivatives_of_soft_are_numbers_at_extremes(wide):
    """A fit walks through them; one NaN ends it."""
    ranges = {
        "concentration": (1e-8, 1e8),
        "temporal_decay": (0.0, 1e-8, 1e3),
        "learning_rate": (0.0, 1e-8, 1.0),
        "initial_weight": (-1e4, 1e4),
        "outcome_log_precision": (-18.0, 18.0),
        "stimulus_variance": (1e-8, 1e8),
        "response_scale": (1e-8, 1e8),
    }
    rng = np.random.default_rng(12)
    design, _ = random_design(rng, least=8, features=1)
    with jax.enable_x64(wide):
        trials = pad_trials(as_trials(design), 12)
        for name, values in ranges.items():
            for value in values:
                p = CauseParameters()._replace(**{name: value})
                total, slope = weighted(trials, CauseParameters(*map(jnp.asarray, p)))
                assert np.isfinite(total), (name, value)
                assert all(np.isfinite(each) for each in slope), (name, value)


# ---- extremes


EXTREMES = (1e-8, 1e-3, 1.0, 1e3, 1e8)


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize(
    "name", ["alpha", "g", "sr", "sx", "gain", "time", "outcome", "w0"]
)
def test_extreme_numbers_equal_loops(name, soft):
    rng = np.random.default_rng(len(name) + soft)
    learn = jax.jit(partial(learn_causes, options=SOFT if soft else SHARP))
    for size in EXTREMES:
        for _ in range(3):
            design, oracle = random_design(rng, most=6, features=3)
            if name in design:
                design[name] = design[name] * size
            else:
                oracle[name] = size
            told = walk(**design, **oracle, soft=soft)
            found = learn(pad_trials(as_trials(design), 6), as_parameters(oracle))
            here = len(told["V"])
            scale = 1 + np.abs(told["V"]).max()
            assert not found.diverged
            np.testing.assert_allclose(
                np.asarray(found.prediction)[:here] / scale,
                np.array(told["V"]) / scale,
                atol=1e-9,
            )


def is_delicate(design, oracle, told):
    """Whether a change in the seventh digit, as rounding makes, changes what is predicted."""
    for factor in (1 - 3e-7, 1 + 3e-7):
        near = design | {"outcome": design["outcome"] * factor}
        other = walk(**near, **oracle | {"eta": oracle["eta"] / factor})["V"]
        scale = 1 + np.abs(told["V"]).max()
        if np.abs(np.subtract(other, told["V"])).max() > 5e-5 * scale:
            return True
    return False


@pytest.mark.parametrize(
    "name", ["alpha", "g", "sr", "sx", "gain", "time", "outcome", "w0"]
)
def test_float32_agrees_where_no_assignment_hangs_by_a_thread(name):
    rng = np.random.default_rng(70 + len(name))
    compared = 0
    with jax.enable_x64(False):
        learn = jax.jit(learn_causes)
        for size in EXTREMES:
            for _ in range(4):
                design, oracle = random_design(rng, most=6, features=3)
                if name in design:
                    design[name] = design[name] * size
                else:
                    oracle[name] = size
                told = walk(**design, **oracle)
                found = learn(pad_trials(as_trials(design), 6), as_parameters(oracle))
                assert found.prediction.dtype == jnp.float32
                assert not found.diverged
                if is_delicate(design, oracle, told):
                    continue
                compared += 1
                here = len(told["V"])
                scale = 1 + np.abs(told["V"]).max()
                np.testing.assert_allclose(
                    np.asarray(found.prediction)[:here] / scale,
                    np.array(told["V"]) / scale,
                    atol=2e-4,
                )
    assert compared >= 10


def test_a_rate_that_overshoots_is_told():
    trials = make_trials(np.arange(60.0), np.tile([1.0, 0.0], 30), np.full(60, 1e8))
    rash = CauseParameters(learning_rate=1e8, concentration=0.0)
    assert learn_causes(trials, rash).diverged
    assert not learn_causes(make_trials([0.0], [1.0], [1.0])).diverged

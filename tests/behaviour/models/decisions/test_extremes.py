"""Models of decisions at amounts and delays of 1e-8 to 1e8, of one trial, of one person, and of people who always do the same."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.catalogue import MODELS, find_model, setting_of
from pcmodel.behaviour.models.decisions.designs import DESIGNS
from pcmodel.behaviour.models.decisions.discounting import DiscountingModel
from pcmodel.behaviour.models.decisions.outcomes import (
    in_range,
    largest,
    potential_outcomes,
)
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError

CASES = [(task, name) for task in DESIGNS for name in MODELS[task]]
QUICK = {
    ("two_step", "hybrid"),
    ("selection", "kalman"),
    ("discounting", "constant_sensitivity"),
    ("ultimatum", "norm_bayes"),
    ("go_no_go", "pavlovian_two_sizes"),
}
MARKED = [
    pytest.param(t, n, marks=() if (t, n) in QUICK else pytest.mark.slow)
    for t, n in CASES
]
AMOUNTS = ("outcome", "amount_later", "amount_sooner", "offer", "total")


def series_of(task, *, people=1, trials=12, scale=1.0, delay=1.0, same=False):
    """A simulated study with its amounts, or delays, in other units."""
    made = make_up(task, num_participants=people, num_trials=trials, num_arms=3)
    values = {n: v for n, v in made.values.items() if not n.startswith("potential")}
    values = {n: v * (scale if n in AMOUNTS else 1.0) for n, v in values.items()}
    values = {
        n: v * (delay if n.startswith("delay") else 1.0) for n, v in values.items()
    }
    if same:
        for name in ("first_choice", "second_choice", "choice", "response", "accept"):
            if name in values:
                values[name] = np.full_like(values[name], 1.0)
        if "option_1" in values:
            values["option_1"] = values["choice"]
    return made._replace(values=values)


def value_and_slopes(model, series, shift=0.0, kind=None):
    """The log likelihoods of the first series and the slopes of their sum, away from the priors' means by some SDs."""
    values = {p.name: jnp.asarray(p.mean + shift * p.sd) for p in model.parameters}
    data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    if kind is not None:
        cast = {jnp.float64: kind, jnp.dtype("float64"): kind}
        data = jax.tree.map(lambda x: x.astype(cast.get(x.dtype, x.dtype)), data)
        values = {n: v.astype(kind) for n, v in values.items()}

    def total(own):
        each = model.log_likelihood(own, data)
        return each.sum(), each

    (_, each), slopes = jax.jit(jax.value_and_grad(total, has_aux=True))(values)
    return np.asarray(each), {n: float(s) for n, s in slopes.items()}


@pytest.mark.parametrize(("task", "name"), MARKED)
def test_the_unit_of_outcomes_and_amounts_is_no_matter(task, name):
    """Down to rounding: amounts are counted in units of the data set."""
    plain = series_of(task)
    model = find_model(task, name, setting_of(plain))
    run = jax.jit(lambda data: model.log_likelihood(values, data))
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}

    def of(series):
        data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
        return np.asarray(run(data))

    expected = of(plain)
    assert np.isfinite(expected).all() and (expected <= 0.0).all()
    for scale in (1e-8, 1e-3, 1e8):
        found = of(series_of(task, scale=scale))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("task", "name"), MARKED)
def test_numbers_and_slopes_are_finite_at_the_edges(task, name):
    for trials, same, shift in ((1, False, 0.0), (12, True, 0.0), (12, False, 8.0)):
        series = series_of(task, trials=trials, same=same)
        model = find_model(task, name, setting_of(series))
        each, slopes = value_and_slopes(model, series, shift)
        assert np.isfinite(each).all(), (trials, same, shift)
        assert all(map(np.isfinite, slopes.values())), (trials, same, shift, slopes)


@pytest.mark.parametrize("form", MODELS["discounting"])
def test_delays_and_amounts_of_any_size(form):
    """In double and in single precision, against the formula where that can be computed."""
    model = DiscountingModel(form)
    sizes = (0.0, 1e-8, 1.0, 1e8)
    rows = np.asarray(list(product(sizes, (1e-8, 1.0, 1e8), sizes[:3])))
    values = {
        "choice": np.arange(len(rows)) % 2.0,
        "delay_later": rows[:, 0] + rows[:, 2],
        "amount_later": rows[:, 1],
        "amount_sooner": 0.5 * rows[:, 1],
        "delay_sooner": rows[:, 2],
    }
    shape = (1, len(rows))
    values = {n: v.reshape(shape) for n, v in values.items()}
    series = Series(values, np.ones(shape, bool), np.zeros(1, int), {}, {})
    for shift in (-3.0, 0.0, 3.0):
        for kind in (None, jnp.float32):
            each, slopes = value_and_slopes(model, series, shift, kind)
            assert np.isfinite(each).all()
            assert all(map(np.isfinite, slopes.values()))
    own = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    factor = np.exp(model.log_factor(own, jnp.asarray([0.0, 1e-8, 1e8])))
    assert factor[0] == 1.0
    assert factor[2] < 1e-5
    near = 1.0 / (1.0 + np.exp(-1.5)) if form == "quasi_hyperbolic" else 1.0
    assert factor[1] == pytest.approx(near, abs=1e-6)


def test_an_offer_above_its_sum_and_an_option_not_offered_are_refused():
    series = series_of("ultimatum")
    series.values["offer"][0, 3] = 30.0
    model = find_model("ultimatum", "fehr_schmidt")
    with pytest.raises(UserError, match=r"more than the sum .* trial 4 of series 1"):
        model.prepare(series)
    series = series_of("offered")
    model = find_model("offered", "kalman", setting_of(series))
    series.values["option_1"][:] = series.values["option_2"]
    with pytest.raises(UserError, match="not among the options offered"):
        model.prepare(series)


def test_transitions_the_wrong_way_round_are_refused():
    series = series_of("two_step", trials=60)
    model = find_model("two_step", "hybrid")
    series.values["first_choice"] = 3.0 - series.values["first_choice"]
    with pytest.raises(UserError, match="the other way round"):
        model.prepare(series)


@pytest.mark.parametrize("pair", [11.0, 12.5, 5.0, 10.0])
def test_a_pair_that_is_none_is_refused(pair):
    series = series_of("selection")
    series.values["pair"][0, 2] = pair
    with pytest.raises(UserError, match=r"no pair of two options in trial 3"):
        find_model("selection", "two_rates").prepare(series)


def test_outcomes_count_from_the_least_to_the_greatest_with_nothing_among_them():
    def scaled(*numbers):
        return in_range(np.asarray([numbers], float))[0].tolist()

    assert scaled(0, 1, 1) == [0, 1, 1]
    assert scaled(-1, 1) == [0, 1]
    assert scaled(-1, 0) == [0, 1]
    assert scaled(1, 1) == [1, 1]
    assert scaled(0, 0) == [0, 0]
    assert scaled(20, 50, 100) == [0.2, 0.5, 1.0]
    assert scaled(-1e308, 1e308) == [0, 1]
    with pytest.raises(UserError, match="outcome: is infinite"):
        scaled(np.inf, 1)
    assert largest(np.asarray([np.nan, 0.0]), where="outcome") == 1.0


def test_what_was_not_done_is_drawn_from_what_it_brought():
    cell = np.asarray([[0, 0, 1, 0, -1]])
    outcome = np.asarray([[1.0, 1.0, 0.0, 1.0, np.nan]])
    every = np.broadcast_to(np.arange(3), (1, 5, 3))
    found = potential_outcomes(cell, every, outcome)
    assert (found[0, :, 0] == 1.0).all() and (found[0, :, 1] == 0.0).all()
    assert set(found[0, :, 2]) <= {0.0, 1.0}  # never done: any outcome of the series
    nothing = potential_outcomes(cell, every, np.full((1, 5), np.nan))
    assert (nothing == 0.0).all()


@pytest.mark.parametrize("task", DESIGNS)
def test_simulated_people_meet_the_task_and_not_what_others_found(task):
    """Actions bring what the design says, and the likelihood scores what was drawn."""
    series = make_up(task, num_participants=1, num_trials=30, num_arms=3)
    name = next(iter(MODELS[task]))
    model = find_model(task, name, setting_of(series))
    data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    drawn = jax.jit(model.simulate)(jax.random.key(1), values, data)
    each = np.asarray(model.log_likelihood(values, drawn))
    assert np.isfinite(each).all() and (each < 0.0).all()
    if task == "two_step":
        np.testing.assert_array_equal(
            np.asarray(drawn.second) // 2 == np.asarray(drawn.first), data.is_common
        )
        picked = np.take_along_axis(data.potential, drawn.second[:, None], 1)[:, 0]
        np.testing.assert_array_equal(drawn.outcome, picked)
    if task in ("selection", "offered"):
        arm = np.asarray(drawn.inputs.arm)
        assert np.take_along_axis(data.offered, arm[:, None], 1).all()
    if task == "go_no_go":
        went = np.asarray(drawn.response).astype(int)
        picked = np.take_along_axis(data.potential, went[:, None], 1)[:, 0]
        np.testing.assert_array_equal(drawn.outcome, picked)

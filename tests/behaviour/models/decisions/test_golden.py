"""Models of decisions against plain Python written from the papers and from hBayesDM's formulas."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.catalogue import find_model, setting_of
from tests.behaviour.models.decisions import golden

RNG = np.random.default_rng(7)


def logit(p):
    return math.log(p / (1 - p))


def series_of(**columns):
    """Two series, of which the second is the first backwards."""
    values = {n: np.stack([np.asarray(v, float)] * 2) for n, v in columns.items()}
    values = {n: np.stack([v[0], v[1][::-1]]) for n, v in values.items()}
    present = np.ones(next(iter(values.values())).shape, bool)
    return Series(values, present, np.arange(2), {}, {})


def likelihoods(task, name, series, values):
    """The model's log likelihoods of each series, at these parameters and the priors' means."""
    model = find_model(task, name, setting_of(series))
    known = {p.name for p in model.parameters}
    assert set(values) <= known, set(values) - known
    every = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    every |= {n: jnp.asarray(float(v)) for n, v in values.items()}
    own = jax.jit(jax.vmap(lambda data: model.log_likelihood(every, data)))
    return np.asarray(own(model.prepare(series)))


def of_series(series, i):
    return {name: values[i] for name, values in series.values.items()}


def agree(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def two_step_trials(n=40):
    first = RNG.integers(1, 3, n).astype(float)
    state = np.where(RNG.random(n) < 0.75, first, 3 - first)
    second = 2 * (state - 1) + RNG.integers(1, 3, n)
    outcome = RNG.integers(0, 2, n).astype(float)
    first[5] = second[9] = outcome[12] = np.nan
    return series_of(first_choice=first, second_choice=second, outcome=outcome)


PAR7 = {
    "first_rate_logit": logit(0.6),
    "second_rate_logit": logit(0.3),
    "log_beta_first": math.log(3.1),
    "log_beta_second": math.log(2.2),
    "stickiness": 0.4,
    "model_based_logit": logit(0.35),
    "trace_logit": logit(0.55),
}
NATURAL7 = {
    "alpha1": 0.6,
    "alpha2": 0.3,
    "beta1": 3.1,
    "beta2": 2.2,
    "pi": 0.4,
    "w": 0.35,
    "lambda": 0.55,
    "common": 0.7,
}


@pytest.mark.parametrize(
    ("name", "left_out", "changed"),
    [
        ("hybrid", (), {}),
        ("hybrid_without_trace", ("trace_logit",), {"lambda": 1.0}),
        ("model_free", ("model_based_logit",), {"w": 0.0}),
        (
            "model_based",
            ("model_based_logit", "trace_logit", "first_rate_logit"),
            {"w": 1.0},
        ),
    ],
)
def test_the_two_step_models_are_those_of_the_paper(name, left_out, changed):
    series = two_step_trials()
    values = {n: v for n, v in PAR7.items() if n not in left_out}
    found = likelihoods("two_step", name, series, values)
    for i in range(2):
        agree(found[i], golden.two_step(NATURAL7 | changed, of_series(series, i)))


def test_one_rate_is_shared_by_both_stages():
    series = two_step_trials()
    values = {
        "learning_rate_logit": logit(0.4),
        "log_beta": math.log(2.5),
        "stickiness": 0.2,
        "model_based_logit": logit(0.6),
    }
    found = likelihoods("two_step", "hybrid_one_rate", series, values)
    own = {"alpha1": 0.4, "alpha2": 0.4, "beta1": 2.5, "beta2": 2.5}
    own |= {"pi": 0.2, "w": 0.6, "lambda": 1.0, "common": 0.7}
    agree(found[0], golden.two_step(own, of_series(series, 0)))


def test_the_trace_of_hbayesdm_is_that_of_the_paper_over_one_less_the_second_rate():
    series = two_step_trials()
    lam = 0.9 * (1 - NATURAL7["alpha2"])
    found = likelihoods(
        "two_step", "hybrid", series, PAR7 | {"trace_logit": logit(lam)}
    )
    theirs = golden.two_step(
        NATURAL7 | {"lambda": 0.9}, of_series(series, 0), as_hbayesdm=True
    )
    agree(found[0], theirs)
    paper = golden.two_step(NATURAL7 | {"lambda": 0.9}, of_series(series, 0))
    assert np.abs(theirs - paper).max() > 1e-3  # the two do differ


def test_second_choices_may_be_counted_anew_in_each_state():
    series = two_step_trials()
    second = series.values["second_choice"]
    anew = series._replace(
        values=series.values
        | {
            "second_choice": (second - 1) % 2 + 1,
            "second_state": np.ceil(second / 2),
        }
    )
    found = [likelihoods("two_step", "hybrid", s, PAR7) for s in (series, anew)]
    np.testing.assert_array_equal(found[0], found[1])


def discounting_trials(n=40):
    choice = RNG.integers(0, 2, n).astype(float)
    choice[3] = np.nan
    return series_of(
        choice=choice,
        amount_later=RNG.uniform(10, 90, n),
        amount_sooner=RNG.uniform(5, 40, n),
        delay_later=RNG.choice([1.0, 7.0, 30.0, 365.0], n),
        delay_sooner=RNG.choice([0.0, 0.0, 5.0], n),
    )


@pytest.mark.parametrize(
    "form", ["hyperbolic", "exponential", "quasi_hyperbolic", "constant_sensitivity"]
)
def test_discounting_is_that_of_the_papers(form):
    series = discounting_trials()
    tau, unit = 0.13, series.values["amount_later"].mean()
    values = {"log_discount": math.log(0.03), "log_beta": math.log(tau * unit)}
    values |= {"lapse_logit": -1e3}
    more = {
        "quasi_hyperbolic": {"present_logit": logit(0.8)},
        "constant_sensitivity": {"log_sensitivity": math.log(0.7)},
    }
    found = likelihoods("discounting", form, series, values | more.get(form, {}))
    own = {"k": 0.03, "tau": tau, "s": 0.7, "beta_present": 0.8}
    for i in range(2):
        agree(found[i], golden.discounting(form, own, of_series(series, i)))


def ultimatum_trials(n=40):
    offer = RNG.integers(1, 19, n).astype(float)
    accept = RNG.integers(0, 2, n).astype(float)
    accept[4] = offer[8] = np.nan
    return series_of(offer=offer, accept=accept, total=np.full(n, 20.0))


@pytest.mark.parametrize(
    ("name", "norm", "own"),
    [
        ("fehr_schmidt", "equal", {"alpha": 0.8, "beta": 0.3, "tau": 0.4}),
        ("norm_bayes", "bayes", {"alpha": 1.8, "beta": 0.3, "tau": 0.2}),
        ("norm_delta", "delta", {"alpha": 1.8, "ep": 0.15, "tau": 0.2}),
    ],
)
def test_offers_are_accepted_as_in_the_papers(name, norm, own):
    series = ultimatum_trials()
    values = {"log_envy": math.log(own["alpha"]), "lapse_logit": -1e3}
    values |= {"log_beta": math.log(20 * own["tau"])}
    if "beta" in own:
        values |= {"log_guilt": math.log(own["beta"])}
    if "ep" in own:
        values |= {"norm_rate_logit": logit(own["ep"])}
    found = likelihoods("ultimatum", name, series, values)
    for i in range(2):
        agree(found[i], golden.ultimatum(norm, own, of_series(series, i)))


def go_no_go_trials(n=60):
    response = RNG.integers(0, 2, n).astype(float)
    outcome = RNG.integers(-1, 2, n).astype(float)
    response[4] = outcome[8] = np.nan
    return series_of(cue=RNG.integers(1, 5, n), response=response, outcome=outcome)


FULL = {"ep": 0.25, "xi": 0.08, "b": 0.5, "pi": 0.7, "rho_rew": 4.0, "rho_pun": 2.5}


@pytest.mark.parametrize(
    ("name", "more", "changed"),
    [
        (
            "pavlovian_two_sizes",
            {"go_bias": 0.5, "pavlovian_bias": 0.7},
            {},
        ),
        ("pavlovian", {"go_bias": 0.5, "pavlovian_bias": 0.7}, {"rho_pun": 4.0}),
        ("go_bias", {"go_bias": 0.5}, {"rho_pun": 4.0, "pi": 0.0}),
        ("no_bias", {}, {"rho_pun": 4.0, "pi": 0.0, "b": 0.0}),
    ],
)
def test_go_no_go_is_that_of_the_papers(name, more, changed):
    series = go_no_go_trials()
    sizes = {"log_outcome_size": math.log(4.0)}
    if name == "pavlovian_two_sizes":
        sizes = {"log_gain_size": math.log(4.0), "log_loss_size": math.log(2.5)}
    values = {"learning_rate_logit": logit(0.25), "noise_logit": logit(0.08)}
    found = likelihoods("go_no_go", name, series, values | sizes | more)
    for i in range(2):
        agree(found[i], golden.go_no_go(FULL | changed, of_series(series, i)))


def selection_trials(n=60):
    pair = RNG.choice([12.0, 34.0, 56.0, 14.0, 26.0], n)
    choice = RNG.integers(0, 2, n).astype(float)
    outcome = RNG.choice([-1.0, 1.0], n)
    outcome[45:] = np.nan
    choice[7] = np.nan
    return series_of(pair=pair, choice=choice, outcome=outcome)


CHOOSER = {"beta": 3.0, "sticky": 0.3, "lapse": 0.02}
CHOOSER_VALUES = {
    "log_beta": math.log(3.0),
    "stickiness": 0.3,
    "lapse_logit": logit(0.02),
}


def pairs_of(columns):
    """The trials of pairs, for the plain Python; outcomes of -1 and 1 as 0 and 1."""
    for pair, choice, outcome in zip(
        columns["pair"], columns["choice"], columns["outcome"], strict=True
    ):
        one, other = int(pair) // 10 - 1, int(pair) % 10 - 1
        chosen = None if np.isnan(choice) else one if choice else other
        yield (one, other), chosen, (outcome + 1) / 2


def test_selection_learns_gains_and_losses_at_rates_of_their_own():
    series = selection_trials()
    values = {
        "reward_rate_logit": logit(0.4),
        "punishment_rate_logit": logit(0.1),
        **CHOOSER_VALUES,
    }
    found = likelihoods("selection", "two_rates", series, values)
    for i in range(2):
        trials = pairs_of(of_series(series, i))
        learn = golden.two_rates(0.4, 0.1)
        agree(found[i], golden.offered(CHOOSER | {"start": 0.5}, trials, 6, learn))


def test_selection_is_hbayesdm_at_values_that_begin_at_the_worst_outcome():
    """`pst_gainloss_Q` begins at 0 with outcomes of 0 and 1, and has neither stickiness nor lapses."""
    series = selection_trials()
    wins = np.where(series.values["outcome"] > 0, 1.0, series.values["outcome"] * 0.0)
    series = series._replace(values=series.values | {"outcome": wins})
    values = {"reward_rate_logit": logit(0.4), "punishment_rate_logit": logit(0.1)}
    values |= {"log_beta": math.log(3.0), "stickiness": 0.0, "lapse_logit": -1e3}
    found = likelihoods("selection", "two_rates", series, values | {"initial_value": 0})
    q, expected, columns = np.zeros(6), [], of_series(series, 0)
    rows = zip(columns["pair"], columns["choice"], columns["outcome"], strict=True)
    for pair, choice, reward in rows:
        if np.isnan(choice):
            expected.append(0.0)
            continue
        one, other = int(pair) // 10 - 1, int(pair) % 10 - 1
        expected.append(golden.of_two(3.0 * (q[one] - q[other]), choice))
        chosen = one if choice else other
        if np.isfinite(reward):
            error = reward - q[chosen]
            q[chosen] += (0.4 if error >= 0 else 0.1) * error
    agree(found[0], expected)


def offered_trials(n=50, arms=4):
    order = RNG.permuted(np.tile(np.arange(1.0, arms + 1), (n, 1)), axis=1)
    option_3 = np.where(RNG.random(n) < 0.5, order[:, 2], np.nan)
    choice, outcome = order[:, 0].copy(), RNG.uniform(0, 100, n)
    choice[6] = outcome[11] = np.nan
    return series_of(
        choice=choice,
        outcome=outcome,
        option_1=order[:, 1],
        option_2=order[:, 0],
        option_3=option_3,
    )


def offers_of(columns, unit):
    options = np.stack([columns[f"option_{k}"] for k in (1, 2, 3)], axis=1)
    for row, choice, outcome in zip(
        options, columns["choice"], columns["outcome"], strict=True
    ):
        shown = [int(k) - 1 for k in row if np.isfinite(k)]
        chosen = None if np.isnan(choice) else int(choice) - 1
        yield shown, chosen, outcome / unit


@pytest.mark.parametrize("name", ["kalman", "kalman_decay", "rescorla_wagner"])
def test_options_that_are_not_offered_play_no_part(name):
    series = offered_trials()
    unit = np.nanmax(
        np.where(np.isfinite(series.values["choice"]), series.values["outcome"], np.nan)
    )
    values = {**CHOOSER_VALUES, "initial_value": 0.3}
    if name == "rescorla_wagner":
        values |= {"learning_rate_logit": logit(0.2)}
    else:
        values |= {"log_step_variance": math.log(0.2), "log_first_variance": 1.0}
    if name == "kalman_decay":
        values |= {"decay_logit": logit(0.9), "decay_centre": 0.6}
    found = likelihoods("offered", name, series, values)
    decay = {"decay": 0.9, "centre": 0.6} if name == "kalman_decay" else {}
    for i in range(2):
        learn = golden.Kalman(4, q=0.2, first=math.e, **decay)
        if name == "rescorla_wagner":
            learn = golden.two_rates(0.2, 0.2)
        trials = offers_of(of_series(series, i), unit)
        agree(found[i], golden.offered(CHOOSER | {"start": 0.3}, trials, 4, learn))


def test_the_kalman_filter_is_hbayesdms_up_to_the_step_before_the_first_trial():
    n = 40
    choice, outcome = RNG.integers(1, 5, n).astype(float), RNG.uniform(1, 99, n)
    choice[:4], outcome[0] = np.arange(1, 5), 100.0
    series = series_of(choice=choice, outcome=outcome)
    own = {
        "lambda": 0.9,
        "theta": 50.0,
        "beta": 0.11,
        "mu0": 70.0,
        "s0": 8.0,
        "sD": 2.5,
    }
    first = (own["s0"] ** 2 - own["sD"] ** 2) / own["lambda"] ** 2 / 16
    values = {
        "log_step_variance": math.log(own["sD"] ** 2 / 16),
        "log_first_variance": math.log(first),
        "decay_logit": logit(0.9),
        "decay_centre": 0.5,
        "initial_value": (70.0 - 0.1 * 50.0) / 0.9 / 100,
        "log_beta": math.log(11.0),
        "stickiness": 0.0,
        "lapse_logit": -1e3,
    }
    found = likelihoods("offered", "kalman_decay", series, values)
    trials = [(int(c) - 1, o) for c, o in zip(choice, outcome, strict=True)]
    agree(found[0], golden.hbayesdm_kalman(own, trials))

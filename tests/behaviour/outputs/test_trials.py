"""The table of trials, against learners written here from their papers, draw by draw."""

import csv
import io

import jax
import numpy as np
import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import MODELS, find_model
from pcmodel.behaviour.models.judged import judged
from pcmodel.behaviour.outputs import trials as module
from pcmodel.behaviour.outputs.participants import participants
from pcmodel.behaviour.outputs.trials import trials
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import draw_prior
from pcmodel.behaviour.studies.simulate import make_up
from tests.behaviour.gaussian import GaussianModel, make_series

NAN = np.nan
PARTS = "intercept", "slope"


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        yield


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def fitted(model, series, draws, *, chains=1, **options):
    """Draws of the prior stand for a posterior."""
    hierarchy = build_hierarchy(model, series, **options)
    sites = draw_prior(jax.random.key(1), hierarchy, draws * chains)
    shaped = {
        k: np.asarray(v).reshape(chains, draws, *v.shape[1:]) for k, v in sites.items()
    }
    return Posterior(hierarchy, shaped, {}, None, "prior")


def read(table):
    """The table as a statistics program reads its text."""
    return list(csv.DictReader(io.StringIO(table.csv())))


def column(table, name):
    return np.asarray(table.values[name], float)


@pytest.fixture
def bandit(tmp_path):
    """Two people, of whom one has one trial, another a choice and an outcome that are missing; rows are mixed."""
    path = tmp_path / "bandit.csv"
    path.write_text(
        "id,group,trial,choice,outcome\n"
        '"007, ""x""",a,1,1,1\n'
        '"007, ""x""",a,2,2,0\n'
        "Zoë,b,1,2,1\n"
        '"007, ""x""",a,4,1,n/a\n'
        '"007, ""x""",a,3,n/a,n/a\n'
        '"007, ""x""",a,5,1,0\n',
        "utf-8",
    )
    return load_series(path, find_task("bandit"), covariates=("group",))


def rescorla_wagner(values, choices, outcomes):
    """Rows of (predicted, error, belief, chance of option 1, chance of the choice), trial by trial."""
    q, last, rows = np.full(2, values["initial_value"]), -1, []
    alpha = logistic(values["learning_rate_logit"])
    beta, lapse = np.exp(values["log_beta"]), logistic(values["lapse_logit"])
    for c, o in zip(choices, outcomes, strict=True):
        drive = beta * q + values["stickiness"] * (np.arange(2) == last)
        soft = np.exp(drive - drive.max())
        p = (1 - lapse) * soft / soft.sum() + lapse / 2
        if np.isnan(c):
            rows.append((NAN, NAN, NAN, p[0], NAN, q[0]))
            continue
        k = int(c) - 1
        error = o - q[k]
        before = q[k]
        if not np.isnan(o):
            q[k] += alpha * error
        rows.append((before, error, q[k], p[0], p[k], q[0]))
        last = k
    return np.asarray(rows)


def test_a_learner_of_two_options_is_what_its_equations_say(bandit):
    posterior = fitted(find_model("bandit", "rescorla_wagner"), bandit, 1)
    table = trials(posterior)
    person = read(table)
    assert [row["id"] for row in person] == ['007, "x"'] * 2 + ["Zoë"] + [
        '007, "x"'
    ] * 3
    assert [row["trial"] for row in person] == ["1", "2", "1", "4", "3", "5"]
    assert [row["outcome"] for row in person][3:5] == ["n/a", "n/a"]
    held = posterior.hierarchy.held
    for series, (name, choices, outcomes) in enumerate(
        (('007, "x"', [1, 2, NAN, 1, 1], [1, 0, NAN, NAN, 0]), ("Zoë", [2], [1]))
    ):
        values = held | {
            term.parameter.name: posterior.parameter(term.parameter.name)[0, 0, series]
            for term in posterior.hierarchy.terms
        }
        wanted = rescorla_wagner(values, choices, outcomes)
        own = np.flatnonzero([row["id"] == name for row in person])
        own = own[np.argsort([int(person[i]["trial"]) for i in own])]
        for place, key in enumerate(
            (
                "predicted_outcome",
                "prediction_error",
                "belief_level1",
                "predicted_response_option1",
                "probability_of_response",
                "belief_level1_option1",
            )
        ):
            found = column(table, key)[own]
            np.testing.assert_allclose(found, wanted[:, place], rtol=1e-10, err_msg=key)
            for end in ("_low", "_high"):  # of one draw
                np.testing.assert_array_equal(column(table, key + end)[own], found)
        rate = np.where(
            np.isnan(wanted[:, 1]), NAN, logistic(values["learning_rate_logit"])
        )
        np.testing.assert_allclose(column(table, "learning_rate")[own], rate)


def hgf3(u, v):
    """Mathys et al. 2011, equations 21 to 31, trial by trial; rows of what the table tells."""
    mu2, pi2 = v["mu2_0"], np.exp(v["log_pi2_0"])
    mu3, pi3 = v["mu3_0"], np.exp(v["log_pi3_0"])
    kappa, theta, rows = np.exp(v["log_kappa2"]), np.exp(v["omega3"]), []
    for outcome in u:
        step = np.exp(kappa * mu3 + v["omega2"])
        hat2, hat3 = 1 / (1 / pi2 + step), 1 / (1 / pi3 + theta)
        p, before2 = logistic(mu2), mu2
        rate, error = NAN, NAN
        if np.isnan(outcome):
            pi2, pi3 = hat2, hat3
        else:
            error = outcome - p
            old2 = pi2
            pi2 = hat2 + p * (1 - p)
            mu2 = mu2 + error / pi2
            w = step * hat2
            delta = (1 / pi2 + (mu2 - before2) ** 2) * hat2 - 1
            pi3 = hat3 + 0.5 * kappa**2 * w * (w + (2 * w - 1) * delta)
            mu3 = mu3 + 0.5 * kappa * w * delta / pi3
            rate = (logistic(mu2) - p) / error
            assert old2 > 0
        chance = np.exp(v["log_zeta"]) * np.log(p / (1 - p))
        rows.append(
            (
                p,
                error,
                rate,
                mu2,
                pi2,
                mu3,
                pi3,
                hat2,
                hat3,
                mu2 - before2,
                logistic(chance),
            )
        )
    return np.asarray(rows)


HGF_NAMES = (
    *("predicted_outcome", "prediction_error", "learning_rate", "belief_level2"),
    *("belief_precision_level2", "belief_level3", "belief_precision_level3"),
    *("prediction_precision_level2", "prediction_precision_level3"),
    *("weighted_error_level2", "predicted_response"),
)


def test_a_filter_of_three_levels_is_what_its_equations_say():
    rng = np.random.default_rng(3)
    u = (rng.random((3, 30)) < 0.7).astype(float)
    u[0, 4] = NAN
    y = (rng.random((3, 30)) < 0.6).astype(float)
    y[1, 7] = NAN
    series = make_series(y)
    series.values["outcome"] = u
    posterior = fitted(find_model("binary", "hgf3"), series, 7, chains=2)
    # Near the prior's centre, where the filter's approximation holds.
    near = dict(posterior.sites)
    for term in posterior.hierarchy.terms:
        name = f"{term.parameter.name}_series"
        near[name] = term.parameter.mean + 0.2 * (near[name] - term.parameter.mean)
    posterior = posterior._replace(sites=near)
    table = trials(posterior, num_draws=1000)  # all 14 of them
    total = np.zeros((14, 3, 30, len(HGF_NAMES)))
    for draw in range(14):
        for s in range(3):
            own = dict(posterior.hierarchy.held)
            for term in posterior.hierarchy.terms:
                name = term.parameter.name
                own[name] = posterior.parameter(name).reshape(14, 3)[draw, s]
            total[draw, s] = hgf3(u[s], own)
    for place, name in enumerate(HGF_NAMES):
        each = total[..., place].reshape(14, -1)
        known = ~np.isnan(each[0])
        if name == "weighted_error_level2":
            known = ~np.isnan(u.ravel())
        low, high = np.quantile(each, (0.025, 0.975), axis=0)
        for end, wanted in (("", each.mean(axis=0)), ("_low", low), ("_high", high)):
            found = column(table, name + end)
            np.testing.assert_allclose(
                found[known], wanted[known], rtol=1e-7, atol=1e-12, err_msg=name + end
            )
            assert np.isnan(found[~known]).all(), name
    given = column(table, "probability_of_response").reshape(3, 30)
    assert np.isnan(given[1, 7]) and np.isfinite(np.delete(given.ravel(), 37)).all()
    with np.errstate(invalid="ignore"):
        assert (given[~np.isnan(given)] > 0).all() and (
            given[~np.isnan(given)] < 1
        ).all()


def test_pieces_of_the_data_are_put_together_as_the_whole(monkeypatch):
    """Prevents a person's trials from standing beside another's where the data are taken in pieces."""
    rng = np.random.default_rng(0)
    series = make_series((rng.random((5, 6)) < 0.5).astype(float))
    series.values["outcome"] = (rng.random((5, 6)) < 0.5).astype(float)
    posterior = fitted(find_model("binary", "hgf2"), series, 30)
    whole = trials(posterior)
    monkeypatch.setattr(module, "MEMORY", 2 * 8 * 30 * 6 * 11)  # two people at once
    pieces = trials(posterior)
    for name, values in whole.values.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(pieces.values[name], values, rtol=1e-12)


def test_fewer_draws_are_told_and_evenly_taken():
    series = make_series(np.ones((1, 1)))
    series.values["outcome"] = np.zeros((1, 1))
    posterior = fitted(find_model("binary", "rescorla_wagner"), series, 1000)
    table = trials(posterior, num_draws=1000)
    rate = logistic(posterior.parameter("learning_rate_logit")).ravel()
    np.testing.assert_allclose(column(table, "learning_rate"), rate.mean())
    np.testing.assert_allclose(
        column(table, "learning_rate_low"), np.quantile(rate, 0.025)
    )
    about = {own.name: own.about for own in table.about}
    assert "over 1000 draws" in about["learning_rate"]
    about = {own.name: own.about for own in trials(posterior, num_draws=10).about}
    assert "over 10 draws" in about["learning_rate"]


def test_a_model_that_tells_nothing_more_tells_its_beliefs():
    posterior = fitted(GaussianModel(), make_series(np.ones((2, 3))), 1)
    table = trials(posterior)
    level = posterior.parameter("level")[0, 0]
    np.testing.assert_allclose(column(table, "belief_level1"), np.repeat(level, 3))
    assert table.values["participant"].tolist() == list("111222")


def test_a_column_of_the_user_is_not_overwritten(tmp_path):
    path = tmp_path / "named.csv"
    path.write_text(
        "id,surprise,trial,response,outcome\n"
        + "".join(f"p{i % 2},{i % 2},{i},{i % 2},{i // 4}\n" for i in range(8))
    )
    series = load_series(path, find_task("binary"), covariates=("surprise",))
    posterior = fitted(find_model("binary", "hgf2"), series, 2)
    table = trials(posterior)
    assert table.values["surprise (table)"].tolist() == [str(i % 2) for i in range(8)]
    assert (column(table, "surprise") > 0).all()
    assert len(table.about) == len(table.values)


@pytest.mark.parametrize("task", ["helicopter", "conditioning", "bandit"])
def test_every_task_tells_its_trials(task):
    series = make_up(task, num_participants=1, num_trials=6)
    name = list(MODELS[task])[-1]
    posterior = fitted(find_model(task, name), series, 2)
    table = trials(posterior)
    assert "predicted_outcome" in table.values and "prediction_error" in table.values
    error = column(table, "prediction_error") + column(table, "predicted_outcome")
    seen = np.isfinite(error)
    np.testing.assert_allclose(error[seen], series.values["outcome"].ravel()[seen])
    assert seen.any()


def test_people_have_their_names_means_and_intervals(bandit):
    posterior = fitted(find_model("bandit", "rescorla_wagner"), bandit, 40, chains=2)
    table = participants(posterior)
    assert table.values["id"].tolist() == ['007, "x"', "Zoë"]
    assert table.values["group"].tolist() == ["a", "b"]
    draws = posterior.parameter("learning_rate_logit").reshape(80, 2)
    natural = logistic(draws)
    for name, own in (("learning_rate_logit", draws), ("learning_rate", natural)):
        np.testing.assert_allclose(column(table, f"{name}_mean"), own.mean(axis=0))
        np.testing.assert_allclose(column(table, f"{name}_sd"), own.std(axis=0))
        low, high = np.quantile(own, (0.025, 0.975), axis=0)
        np.testing.assert_allclose(column(table, f"{name}_low"), low)
        np.testing.assert_allclose(column(table, f"{name}_high"), high)
    assert (column(table, "learning_rate_logit_ess_bulk") > 10).all()
    assert (column(table, "initial_value_sd") == 0.0).all()
    row = read(table)[0]
    assert row["initial_value_rhat"] == "" and row["trusted"] == "true"
    frame = posterior.participants()
    assert frame.shape == (2, len(table.values)) and frame["id"][1] == "Zoë"
    one = fitted(find_model("bandit", "rescorla_wagner"), bandit, 40)
    assert np.isnan(column(participants(one), "log_beta_rhat")).all()


def test_judgements_are_predicted_from_the_belief_before_the_outcome():
    rng = np.random.default_rng(5)
    series = make_series((rng.random((2, 6)) < 0.5).astype(float))
    series.values["outcome"] = (rng.random((2, 6)) < 0.5).astype(float)
    series.values["confidence"] = rng.normal(size=(2, 6))
    model = judged(find_model("binary", "hgf2"), ["confidence"])
    posterior = fitted(model, series, 1)
    table = trials(posterior)
    precision = column(table, "belief_precision_level2").reshape(2, 6)
    level = np.log(precision[:, :-1])
    own = [posterior.parameter(f"confidence_{name}")[0, 0] for name in PARTS]
    usual = float(posterior.hierarchy.data.usual[0])
    wanted = own[0][:, None] + own[1][:, None] * (level - usual)
    found = column(table, "predicted_confidence").reshape(2, 6)
    np.testing.assert_allclose(found[:, 1:], wanted, rtol=1e-9)
    assert np.isnan(found[:, 0]).all()  # nothing was learned before the first trial
    known = column(table, "response_log_precision").reshape(2, 6)
    np.testing.assert_allclose(known[:, 1:], level, rtol=1e-9)


def test_a_trial_of_which_nothing_is_known_is_not_expected_to_be_zero():
    """Prevents the 0 of a learner's masked trials from being taken for an expectation."""
    series = make_up("conditioning", num_participants=1, num_trials=6)
    series.values["outcome"][0, 2] = NAN
    posterior = fitted(find_model("conditioning", "rescorla_wagner"), series, 1)
    found = column(trials(posterior), "predicted_outcome").reshape(2, 6)
    assert np.isnan(found[0, 2]) and np.isfinite(found).sum() == 11

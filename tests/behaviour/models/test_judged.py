"""Confidence and reaction times join any model, and tell what responses alone cannot."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from pcmodel.behaviour.dataset import find_task, load_series, with_judgements
from pcmodel.behaviour.models import JudgedModel, find_model, judged
from pcmodel.behaviour.posterior.identifiability import invariances
from pcmodel.behaviour.sampling.map_estimates import fit_modes
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError


def study(*, num_series=24, num_trials=80):
    """Made-up trials with place holders for both judgements; one rating is missing."""
    series = make_up("binary", num_participants=num_series // 2, num_trials=num_trials)
    shape = series.present.shape
    rating = np.zeros(shape)
    rating[0, 4] = np.nan
    values = series.values | {"confidence": rating, "reaction_time": np.ones(shape)}
    return series._replace(values=values)


def drawn_people(model, data, rng):
    free = [p for p in model.parameters if p.free]
    values = {p.name: np.full(24, p.mean) for p in model.parameters}
    truth = {
        p.name: p.mean + 0.5 * np.hypot(p.sd, p.spread) * rng.normal(size=24)
        for p in free
    }
    values = {n: jnp.asarray(v) for n, v in (values | truth).items()}
    keys = jax.random.split(jax.random.key(3), 24)
    return truth, jax.jit(jax.vmap(model.simulate))(keys, values, data)


def test_a_judgement_is_scored_by_the_belief_before_the_outcome():
    """By hand from the course of beliefs; a missing rating adds nothing."""
    inner = find_model("binary", "hgf2")
    model = JudgedModel(inner, reaction_time=True)
    series = study(num_series=2, num_trials=12)
    rng = np.random.default_rng(0)
    rating, seconds = rng.normal(size=(2, 12)), rng.uniform(0.3, 2.0, (2, 12))
    rating[0, 4] = np.nan
    values = {"confidence": rating, "reaction_time": seconds}
    data = model.prepare(series._replace(values=series.values | values))
    one = jax.tree.map(lambda leaf: leaf[0], data)
    person = {p.name: jnp.asarray(p.mean + 0.1) for p in model.parameters}
    found = np.asarray(jax.jit(model.log_likelihood)(person, one))
    level = np.asarray(inner.course(person, one.own).log_precision[0])
    x = np.concatenate([[0.0], level[:-1]]) - float(one.usual)
    expected = np.asarray(inner.log_likelihood(person, one.own))
    z = (rating - np.nanmean(rating)) / np.nanstd(rating)
    own = norm.logpdf(z[0], 0.1 + 0.6 * x, np.exp(-0.4))
    own = np.where(np.isnan(own), 0.0, own)
    log_time = np.log(seconds[0])
    own = own + norm.logpdf(log_time, 0.1 + 0.1 * x, np.exp(-0.6)) - log_time
    own[0] = 0.0  # no belief has met an outcome yet
    np.testing.assert_allclose(found, expected + own, rtol=1e-9)


@pytest.mark.slow
def test_people_who_judge_are_found_again():
    """Errors of the modes are as large as Laplace says, judgements' parameters included."""
    model = JudgedModel(find_model("binary", "hgf2"))
    data = model.prepare(study())
    truth, drawn = drawn_people(model, data, np.random.default_rng(5))
    found = fit_modes(model, drawn)
    assert found.settled.mean() > 0.9
    errors = np.stack([found.column(n) - truth[n] for n in found.names], axis=1)
    squares = ((errors / found.sd) ** 2)[found.settled]
    # Truths are half as wide as the prior, so that errors are a little smaller than said.
    assert 0.4 < squares.mean() < 1.3


def test_confidence_unties_a_kalman_agents_conditions_but_not_its_level():
    kalman = find_model("helicopter", "kalman")
    assert ("prior_log_precision",) in invariances(kalman)
    groups = invariances(JudgedModel(kalman))
    assert ("prior_log_precision", "confidence_intercept") in groups
    assert invariances(JudgedModel(find_model("helicopter", "change_point"))) == ()


def test_judgements_are_read_where_they_are_asked_for(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(
        "subject,trial,outcome,response,confidence,rt\n"
        "a,1,0,1,3,0.5\na,2,1,1,n/a,0.4\nb,1,1,0,2,\nb,2,0,0,1,0.9\n"
    )
    task = with_judgements(find_task("binary"), ("confidence", "reaction_time"))
    values = load_series(path, task).values
    np.testing.assert_array_equal(values["confidence"], [[3, np.nan], [2, 1]])
    np.testing.assert_array_equal(values["reaction_time"], [[0.5, 0.4], [np.nan, 0.9]])
    assert "confidence" not in load_series(path, find_task("binary")).values
    path.write_text(path.read_text().replace("0.9", "-1"))
    with pytest.raises(UserError, match="'rt', row 5 '-1': is no time"):
        load_series(path, task)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(UserError, match="no precision"):
        judged(find_model("binary", "rescorla_wagner"), ("confidence",))
    with pytest.raises(UserError, match="did you mean 'confidence'"):
        with_judgements(find_task("binary"), ("confidnce",))

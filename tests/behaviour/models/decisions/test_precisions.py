"""Where a model of decisions has a belief's precision, confidence reads it; the others refuse to be asked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.models.catalogue import MODELS, find_model, setting_of
from pcmodel.behaviour.models.decisions.designs import DESIGNS
from pcmodel.behaviour.models.judged import has_precision, judged, shown_outcomes
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError

HAVE = {
    ("ultimatum", "norm_bayes"),
    ("selection", "kalman"),
    ("offered", "kalman"),
    ("offered", "kalman_decay"),
}


def study(task):
    series = make_up(task, num_participants=1, num_trials=12, num_arms=3)
    zeros = np.linspace(-1, 1, series.present.size).reshape(series.present.shape)
    return series._replace(values=series.values | {"confidence": zeros})


@pytest.mark.parametrize("task", DESIGNS)
def test_models_with_a_precision_are_those_that_say_so(task):
    for name in MODELS[task]:
        model = find_model(task, name, setting_of(study(task)))
        assert has_precision(model) == ((task, name) in HAVE), name
        if (task, name) not in HAVE:
            with pytest.raises(UserError, match="no precision that could be judged"):
                judged(model, ("confidence",))


def test_the_norms_precision_grows_by_one_offer_a_trial():
    series = study("ultimatum")
    model = judged(find_model("ultimatum", "norm_bayes"), ("confidence",))
    data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    level = np.asarray(model._certainty(values, data.own))
    np.testing.assert_allclose(level[1:], np.log(4.0 + np.arange(1, 12)), rtol=1e-12)

    def total(slope):
        own = values | {"confidence_slope": slope}
        return model.log_likelihood(own, data).sum()

    assert float(jax.grad(total)(jnp.asarray(0.1))) != 0.0


def test_confidence_reads_the_precision_of_the_option_chosen():
    """An option that was seen is known better than one that was not."""
    series = study("offered")
    model = judged(find_model("offered", "kalman", setting_of(series)), ("confidence",))
    data = jax.tree.map(lambda leaf: leaf[0], model.prepare(series))
    values = {p.name: jnp.asarray(float(p.mean)) for p in model.parameters}
    level = np.asarray(model._certainty(values, data.own))
    arms = np.asarray(data.own.inputs.arm)
    q, r, precision = np.exp(-2.0), 1.0, np.full(3, np.exp(-1.0))
    for t, arm in enumerate(arms):
        if t:
            assert level[t] == pytest.approx(np.log(precision[arm]))
        precision = 1.0 / (1.0 / precision + q)
        precision[arm] += 1.0 / r


def test_outcomes_are_shown_in_the_unit_of_the_beliefs():
    series = study("offered")
    points = series._replace(
        values=series.values | {"outcome": 80.0 * series.values["outcome"]}
    )
    model = find_model("offered", "kalman", setting_of(points))
    for own in (model, judged(model, ("confidence",))):
        found = shown_outcomes(own, own.prepare(points), points)
        top = points.values["outcome"].max()
        np.testing.assert_allclose(found, points.values["outcome"] / top, rtol=1e-6)
    offers = study("ultimatum")
    model = find_model("ultimatum", "norm_bayes")
    found = shown_outcomes(model, model.prepare(offers), offers)
    np.testing.assert_allclose(found, offers.values["offer"] / 20.0, rtol=1e-6)
    binary = study("binary")
    model = find_model("binary", "hgf2")
    found = shown_outcomes(model, model.prepare(binary), binary)
    np.testing.assert_array_equal(found, binary.values["outcome"])

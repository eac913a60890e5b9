"""The stay mixture is a probability and its draws follow it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.change_point.report import draw_report, report_log_likelihood


@pytest.mark.parametrize(
    ("predicted", "previous", "tolerance"), [(120.0, 90.0, 1e-8), (4.0, 4.0, 1e-3)]
)
def test_report_probabilities_sum_to_one(parameters, predicted, previous, tolerance):
    reports = jnp.arange(301.0)
    values = report_log_likelihood(
        parameters,
        predicted=jnp.full(301, predicted),
        previous=jnp.full(301, previous),
        report=reports,
    )
    assert float(jnp.exp(values).sum()) == pytest.approx(1.0, abs=tolerance)


def test_draws_follow_the_likelihood(parameters, getkey):
    predicted, previous = jnp.asarray(110.0), jnp.asarray(104.0)
    draws = np.asarray(
        jax.vmap(
            lambda key: draw_report(
                key, parameters, predicted=predicted, previous=previous
            )
        )(jax.random.split(getkey(), 20000))
    )
    counts = np.bincount(draws.astype(int), minlength=301)
    expected = 20000 * np.exp(
        report_log_likelihood(
            parameters,
            predicted=jnp.full(301, predicted),
            previous=jnp.full(301, previous),
            report=jnp.arange(301.0),
        )
    )
    common = expected > 20
    z = (counts - expected)[common] / np.sqrt(expected[common])
    assert np.abs(z).max() < 4.5
    assert counts[104] > 3 * counts[103]


def test_repeats_become_rare_as_the_update_grows(parameters):
    def repeat(update):
        return report_log_likelihood(
            parameters,
            predicted=jnp.asarray(100.0 + update),
            previous=jnp.asarray(100.0),
            report=jnp.asarray(100.0),
        )

    assert repeat(0.0) > repeat(10.0) > repeat(60.0)

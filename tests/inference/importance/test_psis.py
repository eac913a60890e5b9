"""PSIS-LOO against exact leave-one-out and a known Pareto shape."""

import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.inference.importance.psis import fit_generalised_pareto, psis_loo


def test_loo_of_a_conjugate_normal_is_exact():
    rng = np.random.default_rng(0)
    values, precision = rng.normal(size=40), 40 + 0.01
    draws = values.sum() / precision + rng.normal(size=8000) / np.sqrt(precision)
    loo = psis_loo(-0.5 * ((values - draws[:, None]) ** 2 + np.log(2 * np.pi)))
    left = precision - 1
    mean, variance = (values.sum() - values) / left, 1 / left + 1
    exact = -0.5 * ((values - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    np.testing.assert_allclose(loo.pointwise, exact, atol=0.01)
    assert loo.total == pytest.approx(exact.sum(), abs=0.03)
    assert loo.num_untrusted == 0


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.5, 0.9])
def test_pareto_fit_finds_the_shape(shape):
    place = (np.arange(2000) + 0.5) / 2000
    excess = 2.0 * ((1 - place) ** -shape - 1) / shape
    found, scale = fit_generalised_pareto(excess[None])
    assert found[0] == pytest.approx(shape, abs=0.01)
    assert scale[0] == pytest.approx(2.0, abs=0.01)


def test_an_observation_that_moves_the_posterior_is_not_trusted():
    """Ratios exp(a x^2 / 2) under a standard normal have Pareto shape a."""
    draws = np.random.default_rng(1).normal(size=4000)
    loo = psis_loo(-0.5 * np.array([0.2, 1.5]) * draws[:, None] ** 2)
    np.testing.assert_allclose(loo.pareto_shape, (0.2, 1.5), atol=0.25)
    assert loo.num_untrusted == 1


def test_an_observation_that_says_nothing_is_trusted():
    """A first choice is as likely under all draws, up to rounding; it has no tail."""
    noise = 1e-16 * np.random.default_rng(2).normal(size=400)
    loo = psis_loo(np.stack([np.full(400, np.log(0.5)), np.log(0.5) + noise], axis=-1))
    np.testing.assert_allclose(loo.pointwise, np.log(0.5), rtol=1e-12)
    assert loo.num_untrusted == 0


def test_few_draws_are_trusted_less_far_and_not_a_number_never():
    values = -0.5 * 0.65 * np.random.default_rng(3).normal(size=(400, 1)) ** 2
    loo = psis_loo(values)
    assert loo.trusted_shape == pytest.approx(1.0 - 1.0 / np.log10(400.0))
    assert loo._replace(pareto_shape=np.asarray([0.65])).num_untrusted == 1
    assert loo._replace(pareto_shape=np.asarray([np.nan])).num_untrusted == 1


def test_too_few_draws_are_refused_in_a_sentence():
    with pytest.raises(UserError, match=r"24 draws.*expected 25 or more"):
        psis_loo(np.zeros((24, 3)))
    assert psis_loo(np.zeros((25, 3))).total == 0.0

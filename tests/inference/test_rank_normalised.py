"""R-hat and effective sample size against what they are for independent and correlated draws."""

import numpy as np
import pytest
from numpyro.diagnostics import effective_sample_size, gelman_rubin

from pcmodel.inference.rank_normalised import (
    normal_scores,
    ranked_ess,
    ranked_rhat,
    split,
)


@pytest.fixture
def draws():
    return np.random.default_rng(0).normal(size=(4, 1000, 2))


def test_scores_of_gaussian_draws_are_the_draws(draws):
    """And the classic numbers then are the ranked ones."""
    halves = split(draws)
    gap = normal_scores(halves) - halves
    assert np.sqrt(np.mean(gap**2)) < 0.05
    classic = gelman_rubin(halves)
    assert np.all(ranked_rhat(draws) >= np.asarray(classic) - 2e-3)
    assert np.all(ranked_rhat(draws) < 1.01)


def test_any_monotone_change_of_the_draws_leaves_both_alone(draws):
    np.testing.assert_allclose(ranked_ess(np.exp(3.0 * draws)), ranked_ess(draws))
    np.testing.assert_allclose(ranked_rhat(draws + 7.0), ranked_rhat(draws), rtol=1e-12)


@pytest.mark.parametrize("carried", [0.0, 0.9])
def test_correlated_draws_count_as_their_theory_says(carried):
    """An AR(1) chain of share r: (1 - r) / (1 + r) of the draws in the bulk."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4, 20000)) * np.sqrt(1.0 - carried**2)
    values = np.empty_like(noise)
    values[:, 0] = rng.normal(size=4)
    for t in range(1, noise.shape[1]):
        values[:, t] = carried * values[:, t - 1] + noise[:, t]
    expected = values.size * (1.0 - carried) / (1.0 + carried)
    bulk = effective_sample_size(normal_scores(split(values)))
    assert bulk == pytest.approx(expected, rel=0.1)
    assert ranked_ess(values) <= bulk * (1.0 + 1e-9)


def test_a_chain_of_another_scale_shows_only_when_folded(draws):
    draws[0] *= 3.0
    assert np.all(np.asarray(gelman_rubin(split(draws))) < 1.01)
    assert np.all(ranked_rhat(draws) > 1.1)

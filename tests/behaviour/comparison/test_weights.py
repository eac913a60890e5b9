"""Stacking against a search over the simplex and closed forms; pseudo-BMA+; the line of each person."""

import numpy as np
import pytest
from scipy.stats import norm

from pcmodel.behaviour.comparison.people import choose_for_people
from pcmodel.behaviour.comparison.weights import pseudo_bma, stack_models
from pcmodel.errors import UserError


def mixture(log_density, weights):
    top = log_density.max(axis=1)
    return (top + np.log(np.exp(log_density - top[:, None]) @ weights)).sum()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 20.0])
def test_no_mixture_on_a_fine_grid_predicts_better(seed, scale):
    log_density = np.random.default_rng(seed).normal(0.0, scale, (15, 3))
    found = stack_models(log_density)
    assert found.converged and found.weights.sum() == pytest.approx(1.0)
    assert found.log_density == pytest.approx(mixture(log_density, found.weights))
    steps = np.linspace(0.0, 1.0, 101)
    best = max(
        mixture(log_density, np.maximum([a, b, 1.0 - a - b], 1e-300))
        for a in steps
        for b in steps
        if a + b <= 1.0
    )
    # The reported gap is a bound on what the best mixture could gain.
    assert found.log_density >= best - 1e-9 - found.gap


def test_people_certain_of_a_model_weigh_it_by_their_number():
    """Then the density is that of a multinomial, whose maximum is the shares."""
    log_density = np.where(np.arange(8)[:, None] < 6, [0.0, -1e8], [-1e8, 0.0])
    np.testing.assert_allclose(
        stack_models(log_density).weights, [0.75, 0.25], atol=1e-5
    )


@pytest.mark.parametrize("models", [1, 2, 6])
def test_ties_and_single_models(models):
    found = stack_models(np.full((5, models), -3.0))
    assert found.converged and found.log_density == pytest.approx(-15.0)
    np.testing.assert_allclose(pseudo_bma(np.zeros((5, models))), 1.0 / models)


def test_a_model_worse_for_everybody_gets_nothing():
    found = stack_models(np.asarray([[0.0, -5.0], [2.0, 1.0], [-7.0, -9.0]]))
    np.testing.assert_allclose(found.weights, [1.0, 0.0], atol=1e-5)


def test_pseudo_bma_of_one_person_is_a_softmax_and_of_many_is_unsure():
    np.testing.assert_allclose(pseudo_bma(np.log([[1.0, 3.0]])), [0.25, 0.75])
    # Of many the bootstrapped sum is nearly normal, so that its mean weight is a probability.
    gaps = np.random.default_rng(0).normal(0.0, 30.0, 400)
    gaps += 60.0 * 30.0 / 20.0 / 20.0 - gaps.mean()
    found = pseudo_bma(np.stack([gaps, np.zeros(400)], axis=1), num_bootstrap=20_000)
    sd = np.sqrt((gaps**2).mean() - gaps.mean() ** 2) / np.sqrt(401)
    assert found[0] == pytest.approx(norm.cdf(gaps.mean() / sd), abs=0.01)


def test_the_line_of_each_person():
    density = np.asarray([[-10.0, -12.0, -30.0], [-5.0, -5.0, -5.0]])
    pointwise = [
        np.asarray([[-5.0, -6.5, -9.0], [-5.0, -5.5, -21.0]]),
        np.asarray([[-5.0, -5.0, -5.0]]),
    ]
    first, tied = choose_for_people(
        density, ["a", "b", "c"], people=["Ann", "Bo"], pointwise=pointwise
    )
    assert first[:3] == ("Ann", "a", "b") and first.difference == 2.0
    # Differences 1.5 and 0.5: SD 0.707 times the root of 2.
    assert first.standard_error == pytest.approx(1.0) and not first.distinguished
    assert tied.best == "a" and tied.difference == 0.0 and not tied.distinguished
    alone = choose_for_people(np.asarray([[-3.0]]), ["a"])[0]
    assert (alone.person, alone.second, alone.difference) == ("1", "", 0.0)
    with pytest.raises(UserError, match="models: are 2; expected 3"):
        choose_for_people(density, ["a", "b"])

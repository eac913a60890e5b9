"""Random-effects model selection against enumeration over all assignments, the Beta distribution and sampling."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, logsumexp
from scipy.stats import beta

from pcmodel.behaviour.comparison.dirichlet import exceedance
from pcmodel.behaviour.comparison.frequencies import sample_frequencies
from pcmodel.behaviour.comparison.random_effects import select_models
from pcmodel.errors import UserError


def exact(evidence, prior_count=1.0):
    """Log evidence and expected frequencies, summed over every assignment of people to models."""
    num_people, size = evidence.shape
    terms, counts = [], []
    for models in product(range(size), repeat=num_people):
        n = np.bincount(models, minlength=size)
        polya = gammaln(size * prior_count) - gammaln(size * prior_count + num_people)
        polya += (gammaln(prior_count + n) - gammaln(prior_count)).sum()
        terms.append(evidence[np.arange(num_people), list(models)].sum() + polya)
        counts.append(n)
    weights = np.exp(np.asarray(terms) - logsumexp(terms))
    mean = (weights @ np.asarray(counts) + prior_count) / (
        num_people + size * prior_count
    )
    return float(logsumexp(terms)), mean


def by_the_paper(evidence, steps):
    """The iteration as published, one person and one model at a time."""
    from scipy.special import psi

    alpha = np.ones(evidence.shape[1])
    for _ in range(steps):
        count = np.zeros_like(alpha)
        for row in evidence:
            u = np.exp(row - row.max() + psi(alpha) - psi(alpha.sum()))
            count += u / u.sum()
        alpha = 1.0 + count
    return alpha


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_is_below_the_exact_evidence_and_near_it(seed, scale):
    """The bound enters the omnibus risk; an error of its constants shows here."""
    evidence = np.random.default_rng(seed).normal(0.0, scale, (6, 3))
    found = select_models(evidence)
    log_evidence, mean = exact(evidence)
    equal = (logsumexp(evidence, axis=1) - np.log(3)).sum()
    assert found.log_bayes_factor <= log_evidence - equal + 1e-9
    if scale == 5.0:  # where each person's evidence is strong it is near
        assert found.log_bayes_factor == pytest.approx(log_evidence - equal, abs=0.5)
        np.testing.assert_allclose(found.frequency, mean, atol=0.03)
    drawn = sample_frequencies(evidence)
    assert drawn.converged and drawn.standard_error < 0.03
    wanted = pytest.approx(log_evidence - equal, abs=5 * drawn.standard_error + 1e-3)
    assert drawn.log_bayes_factor == wanted
    np.testing.assert_allclose(drawn.frequency, mean, atol=0.02)


@pytest.mark.parametrize(("people", "models"), [(1, 1), (1, 4), (60, 3), (2000, 2)])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e8])
def test_draws_of_frequencies_reweight_well(people, models, scale):
    evidence = np.random.default_rng(people).normal(0.0, scale, (people, models))
    found = sample_frequencies(evidence)
    assert found.converged, found.effective_draws
    for chance in (found.frequency, found.exceedance, found.protected_exceedance):
        assert chance.sum() == pytest.approx(1.0)
    if scale == 0.0:  # nothing is known: the prior, and even odds
        assert found.log_bayes_factor == pytest.approx(0.0, abs=0.05)
        np.testing.assert_allclose(found.frequency, 1 / models, atol=0.02)
        sd = np.sqrt((models - 1) / models**2 / (models + 1))
        np.testing.assert_allclose(found.frequency_sd, sd, atol=0.02)
    if scale == 1e8:  # everybody is assigned: a Dirichlet distribution of counts
        alpha = 1.0 + np.bincount(evidence.argmax(axis=1), minlength=models)
        np.testing.assert_allclose(found.frequency, alpha / alpha.sum(), atol=0.01)
        norm = gammaln(alpha).sum() - gammaln(alpha.sum()) + gammaln(models)
        wanted = norm + people * np.log(models)
        assert found.log_bayes_factor == pytest.approx(wanted, abs=0.05)


def test_two_models_by_quadrature():
    """Forty people with weak evidence, where the variational frequencies are too certain."""
    evidence = np.random.default_rng(5).normal(0.3, 0.5, (40, 2)) * [1.0, 0.0]
    found = sample_frequencies(evidence)
    grid = (np.arange(20_000) + 0.5) / 20_000
    log = np.log(np.exp(evidence) @ np.stack([grid, 1.0 - grid])).sum(axis=0)
    weights = np.exp(log - logsumexp(log))
    mean = weights @ grid
    assert found.frequency[0] == pytest.approx(mean, abs=0.01)
    sd = np.sqrt(weights @ (grid - mean) ** 2)
    assert found.frequency_sd[0] == pytest.approx(sd, rel=0.05)
    assert select_models(evidence).frequency_sd[0] < 0.5 * sd
    assert found.exceedance[0] == pytest.approx(weights[grid > 0.5].sum(), abs=0.01)


@pytest.mark.parametrize(("people", "models"), [(1, 2), (7, 3), (40, 5), (3, 1)])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 30.0, 1e8])
def test_newton_steps_lead_where_the_published_iteration_does(people, models, scale):
    evidence = np.random.default_rng(people).normal(0.0, scale, (people, models))
    found = select_models(evidence)
    assert found.converged and found.residual < 1e-9
    np.testing.assert_allclose(found.alpha, by_the_paper(evidence, 3000), rtol=1e-6)
    np.testing.assert_allclose(found.alpha.sum(), models + people)
    for chance in (found.frequency, found.exceedance, found.protected_exceedance):
        assert chance.sum() == pytest.approx(1.0) and (chance >= 0.0).all()
    np.testing.assert_allclose(found.attribution.sum(axis=1), 1.0)


@pytest.mark.parametrize("models", [1, 2, 5])
def test_equal_evidences_say_nothing(models):
    found = select_models(np.full((12, models), -1e8))
    np.testing.assert_allclose(found.frequency, 1.0 / models)
    np.testing.assert_allclose(found.exceedance, 1.0 / models)
    np.testing.assert_allclose(found.protected_exceedance, 1.0 / models)
    # The frequencies' volume is a cost without a gain; of one model there is none.
    assert found.omnibus_risk == 0.5 if models == 1 else found.omnibus_risk > 0.5


def test_thousands_of_tied_people_converge():
    found = select_models(np.zeros((4000, 3)))
    assert found.converged
    np.testing.assert_allclose(found.alpha, 1.0 + 4000 / 3)


def test_certain_people_are_counted():
    """With evidence of 1e8 nats everyone is assigned, so that alpha is 1 plus a count."""
    evidence = np.where(np.arange(10)[:, None] < 7, [1e8, 0.0], [0.0, 1e8])
    found = select_models(evidence)
    np.testing.assert_allclose(found.alpha, [8.0, 4.0])
    assert found.exceedance[0] == pytest.approx(beta.sf(0.5, 8.0, 4.0), rel=1e-12)
    log_evidence = gammaln([8.0, 4.0]).sum() - gammaln(12.0)
    risk = 1.0 / (1.0 + np.exp(log_evidence - 10 * np.log(0.5)))
    assert found.omnibus_risk == pytest.approx(risk)
    wanted = found.exceedance[0] * (1 - risk) + risk / 2
    assert found.protected_exceedance[0] == pytest.approx(wanted)


def test_only_differences_within_a_person_matter():
    evidence = np.random.default_rng(1).normal(0.0, 2.0, (9, 3))
    moved = evidence + 1e3 * np.arange(9)[:, None]
    np.testing.assert_allclose(
        select_models(moved).alpha, select_models(evidence).alpha, rtol=1e-9
    )


@pytest.mark.parametrize(
    "alpha",
    [[1.0, 1.0, 1.0], [11.75, 2.25, 3.0], [0.2, 0.5, 3.0, 1.0], [900.0, 905.0, 880.0]],
)
def test_exceedance_against_draws(alpha):
    draws = np.random.default_rng(0).dirichlet(alpha, 200_000)
    shares = np.bincount(draws.argmax(axis=1), minlength=len(alpha)) / 200_000
    np.testing.assert_allclose(exceedance(np.asarray(alpha)), shares, atol=0.005)


def test_exceedance_of_many_equal_models_and_of_two():
    np.testing.assert_allclose(exceedance(np.full(40, 3.0)), 1 / 40, rtol=1e-9)
    two = exceedance(np.asarray([11.75, 2.25]))
    density = quad(beta(11.75, 2.25).pdf, 0.5, 1.0)[0]
    assert two[0] == pytest.approx(density) and two.sum() == pytest.approx(1.0)
    # A third model that nobody follows takes almost nothing.
    three = exceedance(np.asarray([11.75, 2.25, 1e-2]))
    np.testing.assert_allclose(three[:2], two, atol=2e-3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros(3), "has the shape (3,)"),
        (np.zeros((0, 2)), "has the shape (0, 2)"),
        (np.asarray([[0.0, np.nan]]), "log_evidence"),
        (np.asarray([[0.0, -np.inf]]), "log_evidence"),
    ],
)
def test_what_is_no_table_is_refused(given, said):
    with pytest.raises(UserError) as caught:
        select_models(given)
    assert said in str(caught.value)

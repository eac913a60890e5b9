"""The scoring of size illusions against direct integration, and what is read of a table."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal

from experiments.illusions_under_psilocybin.claims import (
    TABLES,
    WORDS,
    is_more_likely,
    score_in_words,
    summarise,
)
from experiments.illusions_under_psilocybin.figures import FIGURES
from experiments.illusions_under_psilocybin.measured import NOBODY, read_people
from experiments.illusions_under_psilocybin.score import (
    BROAD,
    LEAST,
    MOST,
    best_possible,
    leaving_one_out,
    log_bayes_factor,
    scaled,
    within,
)
from experiments.illusions_under_psilocybin.simulate import (
    CONTRAST,
    Curve,
    Results,
    accounts,
    scored,
)
from pcmodel.errors import UserError

RNG = np.random.default_rng(0)
PEOPLE = np.array([-6.0, -7.0, -9.0]) + RNG.normal(size=(5, 3)) * 2.0
RATIO = np.array([1.1, 1.4])
SPAN = np.log(MOST / LEAST)


def test_within_is_the_integral_over_the_noise():
    differences = PEOPLE[:, 1:] - PEOPLE[:, :1]
    mean = PEOPLE[:, 0].mean() * (RATIO - 1)

    def at(log_sigma):
        covariance = np.exp(2 * log_sigma) * np.array([[2.0, 1.0], [1.0, 2.0]])
        of_people = multivariate_normal(mean, covariance).logpdf(differences)
        return np.exp(of_people.sum()) / SPAN

    by_hand = np.log(quad(at, np.log(LEAST), np.log(MOST), epsabs=0)[0])
    assert within(PEOPLE, RATIO) == pytest.approx(by_hand, abs=1e-4)


def test_scaled_is_the_integral_over_noise_people_and_mean():
    """The mean illusion is integrated by writing it into one covariance of all people's sessions."""
    whole = np.array([1.0, *RATIO])
    number = len(PEOPLE)

    def at(log_tau, log_sigma):
        tau, sigma = np.exp(log_tau), np.exp(log_sigma)
        own = tau**2 * np.outer(whole, whole) + sigma**2 * np.eye(3)
        together = np.kron(np.eye(number), own) + BROAD**2 * np.kron(
            np.ones((number, number)), np.outer(whole, whole)
        )
        found = multivariate_normal(np.zeros(3 * number), together)
        return np.exp(found.logpdf(PEOPLE.ravel())) / SPAN**2

    ends = (np.log(LEAST), np.log(MOST))
    integral = dblquad(at, *ends, *ends, epsabs=0, epsrel=1e-5)[0]
    assert scaled(PEOPLE, RATIO) == pytest.approx(np.log(integral), abs=1e-2)


def test_people_who_change_as_predicted_favour_the_prediction():
    rng = np.random.default_rng(1)
    true = -6.0 * np.array([1.0, 1.2, 1.6])
    people = true + rng.normal(size=(1, 1)) + rng.normal(size=(200, 3))
    favoured = log_bayes_factor(people, np.array([1.2, 1.6]))
    assert favoured > 50 > -50 > log_bayes_factor(people, np.array([0.8, 0.4]))
    assert log_bayes_factor(people, np.array([1.2, 1.6]), scaled) > 50
    low, high = leaving_one_out(people[:20], np.array([1.2, 1.6]))
    assert low < high


def test_no_change_is_no_evidence_and_nobody_is_not_a_number():
    assert log_bayes_factor(PEOPLE, np.ones(2)) == 0.0
    for likelihood in (within, scaled):
        assert np.isnan(log_bayes_factor(NOBODY, RATIO, likelihood))
    assert np.isnan(best_possible(NOBODY))
    assert np.isnan(leaving_one_out(NOBODY, RATIO)).all()


def test_no_prediction_beats_the_best_curve():
    best = best_possible(PEOPLE)
    for ratio in RNG.uniform(0.2, 2.5, size=(200, 2)):
        assert log_bayes_factor(PEOPLE, ratio) <= best + 1e-9


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("likelihood", [within, scaled])
def test_scores_stay_finite_at_extremes(size, likelihood):
    for people in (PEOPLE * size, PEOPLE[:1] * size):
        for ratio in (RATIO, np.array([1e-8, 1e8]), np.zeros(2)):
            assert np.isfinite(likelihood(people, ratio))


def table(folder, *lines):
    text = "participant,session,dose_mg,size_illusion_percent\n" + "\n".join(lines)
    (folder / "size_illusion.csv").write_text(text)
    return str(folder)


def test_a_table_is_read_by_dose_whatever_its_order(tmp_path):
    folder = table(
        tmp_path,
        "a,1,10,-9",
        "b,1,0,-1",
        "a,2,0,-6",
        "b,2,5,-2",
        "a,3,5,-7",
        "b,3,10,-3",
    )
    np.testing.assert_array_equal(read_people(folder), [[-6, -7, -9], [-1, -2, -3]])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["a,1,0,-6", "a,2,0,-7", "a,3,10,-9"], "line 3: dose 0 mg of a"),
        (["a,1,0,-6", "a,2,5,-7"], "a has 2 of 3 doses"),
        (["a,1,0,-6", "a,2,7,-7"], "dose 7 mg"),
        (["a,1,0,nan"], "size_illusion_percent is 'nan'"),
        (["a,1,,-6"], "dose_mg is ''"),
        ([], "other columns"),
    ],
)
def test_a_doubtful_table_is_refused(tmp_path, lines, said):
    with pytest.raises(UserError, match=said):
        read_people(table(tmp_path, *lines))


def test_without_data_everything_is_told_but_no_score():
    """Prevents a page, figure or verdict that needs people from failing where there are none."""
    curve = Curve(np.linspace(1, 2, 6), np.ones(6), np.ones(6), -0.2)
    names = (*accounts(2.0),)
    curves = {each: dict.fromkeys(names, curve) for each in CONTRAST}
    measured = curve._replace(ratio=curve.ratio[[0, 2, 4]])
    score = scored(NOBODY, measured)
    scores = {each: dict.fromkeys(names, score) for each in CONTRAST}
    results = Results(np.arange(6.0), NOBODY, curves, scores)
    summary = summarise(results)
    assert summary.scored == 0 and np.isnan(summary.best) and np.isnan(score.within)
    assert score.ten == pytest.approx(0.8)
    assert "no data" in score_in_words(score)
    assert "--data" in WORDS["data"](results, summary)
    assert WORDS["wins"](results) == WORDS["losses"](results) == "nothing was scored"
    assert len(TABLES["bayes"](results, summary).rows) == len(names)
    assert all(draw(results) for draw in FIGURES.values())


def test_a_verdict_needs_three_to_one():
    score = scored(PEOPLE, Curve(np.array([1.0, 1.2, 1.5]), NOBODY, NOBODY, -0.2))
    for size, told in ((1.2, True), (-1.2, False), (0.5, None), (-1.0, None)):
        both = score._replace(within=size, scaled=1.5 * size)
        assert is_more_likely(both) is told
        assert is_more_likely(both._replace(scaled=-size)) is None


def test_a_folder_without_the_table_is_refused_only_where_it_was_named(tmp_path):
    with pytest.raises(UserError):
        read_people(str(tmp_path))

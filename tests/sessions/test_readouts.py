"""Read-outs of cohorts whose outcomes are known by hand."""

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from pcmodel.errors import UserError
from pcmodel.sessions import readouts
from pcmodel.sessions.cohort import Cohort
from pcmodel.sessions.person.traits import Traits


def cohort(belief, log_precision=None, days=None, arms=("drug", "control")):
    belief = np.asarray(belief, float)
    log_precision = np.zeros_like(belief) if log_precision is None else log_precision
    days = np.arange(belief.shape[-1], dtype=float) if days is None else days
    none = np.zeros((*belief.shape[:2], 1))
    return Cohort(
        arms, days, belief, log_precision, none, days[:1], none, none[..., None]
    )


# Two arms, three people, three days: everybody begins at -2, 25 points.
KNOWN = cohort(
    [
        [[-2, -1, -0.5], [-2, -0.5, -2], [-2, 0, 1]],
        [[-2, -2, -2], [-2, -1.5, -2], [-2, -1, -1]],
    ]
)


def test_symptoms_improvement_and_response_by_hand():
    assert readouts.symptoms(KNOWN)[0, 2].tolist() == [25, 5, 0]
    np.testing.assert_allclose(
        readouts.improvement(KNOWN, day=1), [[10, 15, 20], [0, 5, 10]]
    )
    # Half of 25 points are 12.5.
    assert readouts.responded(KNOWN, day=1).tolist() == [
        [False, True, True],
        [False, False, False],
    ]


def test_people_without_symptoms_cannot_respond():
    well = cohort([[[1, 1, 1]] * 2] * 2)
    assert not readouts.responded(well, day=2).any()


def test_an_effect_by_hand():
    found = readouts.effect(KNOWN, "drug", "control", day=1)
    assert found.points.value == pytest.approx(10)
    assert found.points.low == pytest.approx(10)  # everybody gains 10 more
    assert found.standardised == pytest.approx(10 / 5)
    assert found.response.value == pytest.approx(2 / 3)


def test_an_effect_without_any_spread_has_no_standardised_size():
    """Prevents that an effect of ten points, the same in everybody, is told as none."""
    alike = cohort([[[-2, -1]] * 3, [[-2, -2]] * 3])
    found = readouts.effect(alike, "drug", "control", day=1)
    assert found.points.value == pytest.approx(10)
    assert np.isnan(found.standardised)


def test_a_share_by_hand():
    gained = cohort(
        [[[-2, -1]] * 3, [[-2, -1.5]] * 3, [[-2, -1.8]] * 3], arms=("a", "b", "c")
    )
    found = readouts.share_of(gained, "b", "a", day=1, untreated="c")
    assert found.of_change.value == pytest.approx(0.5)
    assert found.beyond_untreated.value == pytest.approx(3 / 8)
    assert np.isnan(readouts.share_of(gained, "b", "a", day=1).beyond_untreated.value)
    with pytest.raises(UserError, match="arm 'a': does not improve"):
        readouts.share_of(gained, "b", "a", day=0)


def test_confidence_is_the_probability_below_zero():
    log_precision = np.full((2, 3, 3), np.log(4.0))
    told = readouts.negative_confidence(KNOWN._replace(log_precision=log_precision))
    np.testing.assert_allclose(told[0, 0], norm.cdf([4, 2, 1]), rtol=1e-6)


def test_relapse_by_hand():
    found = readouts.relapse(KNOWN, before=1, after=2)
    assert found.responders.tolist() == [2, 0]
    assert found.relapsed[0] == pytest.approx(0.5)
    assert np.isnan(found.relapsed[1])
    with pytest.raises(UserError, match="day 1 is not after day 2"):
        readouts.relapse(KNOWN, before=2, after=1)


def test_rank_correlations_are_spearman_s():
    rng = np.random.default_rng(0)
    trait = np.round(rng.normal(size=50), 1)  # with ties
    belief = np.stack([np.full(50, -2.0), trait + rng.normal(size=50)], axis=1)
    people = Traits(*[np.arange(50.0)] * 10)._replace(suggestibility=trait)
    found = readouts.correlations(
        cohort([belief, belief]), people, "drug", day=1, traits=["suggestibility"]
    )["suggestibility"]
    gained = readouts.improvement(cohort([belief, belief]), day=1)[0]
    assert found.value == pytest.approx(spearmanr(trait, gained).statistic)
    assert found.low < found.value < found.high


def test_what_cannot_be_read_is_refused():
    people = Traits(*[np.ones(3)] * 10)
    with pytest.raises(UserError, match="no arm is called 'placebo'"):
        readouts.effect(KNOWN, "drug", "placebo", day=1)
    with pytest.raises(UserError, match=r"no reading of day 1\.5"):
        readouts.improvement(KNOWN, day=1.5)
    with pytest.raises(UserError, match="3 people; expected four"):
        readouts.correlations(KNOWN, people, "drug", day=1)
    alone = cohort(np.asarray(KNOWN.belief)[:, :1])
    with pytest.raises(UserError, match="1 person; expected two"):
        readouts.effect(alone, "drug", "control", day=1)
    alike = cohort(np.repeat(np.asarray(KNOWN.belief)[:, :1], 5, axis=1))
    with pytest.raises(UserError, match="everybody has the same suggestibility"):
        readouts.correlations(alike, Traits(*[np.ones(5)] * 10), "drug", day=1)

"""When verdicts on percepts hold, and what is read of dominance times."""

import numpy as np
import pytest

from experiments.perception.alternating import (
    doses,
    interval,
    paradigm,
    shape_over_runs,
)
from experiments.perception.claims import Mask, is_veridical
from experiments.perception.rivalry_claims import (
    Change,
    Propositions,
    Times,
    is_exponential,
    is_fourth,
    is_gamma_like,
    is_half,
    is_second,
    is_slower_and_mixed,
    survives_ketanserin,
)
from pcmodel.report import Perturbation


def change(rate=(-0.5, -0.6, -0.4), mixed=(0.1, 0.05, 0.15), blocked=(0.0, 0.0, 0.0)):
    return Change(*rate, *mixed, 0.1, *blocked)


def test_a_percept_is_veridical_only_if_it_was_not():
    assert is_veridical(Mask(0.9, 0.2)) and not is_veridical(Mask(0.4, 0.2))
    assert not is_veridical(Mask(0.9, 0.6))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (change(), True),
        (change(rate=(0.5, 0.4, 0.6)), False),
        (change(mixed=(-0.02, -0.04, -0.01)), False),
        (change(rate=(0.0, 0.0, 0.0)), False),
        (change(mixed=(0.0, 0.0, 0.0)), False),
        (change(rate=(-0.2, -0.5, 0.1)), None),
        (change(mixed=(0.01, -0.02, 0.04)), None),
        (change(rate=(0.01, -0.03, 0.05)), False),  # within little of none
    ],
)
def test_slower_and_more_mixed_needs_both_intervals(found, told):
    assert is_slower_and_mixed(found) is told


@pytest.mark.parametrize(
    ("blocked", "told"),
    [
        ((-0.4, -0.5, -0.3), True),
        ((-0.2, -0.25, -0.15), False),
        ((0.0, 0.0, 0.0), False),
        ((-0.2, -0.6, 0.1), None),
    ],
)
def test_half_of_the_slowing_is_to_be_left(blocked, told):
    assert survives_ketanserin(change(blocked=blocked)) is told


def test_times_and_propositions_hold_where_they_say():
    assert is_half(Times(0.5, 2, 0, 9)) and not is_half(Times(0.7, 2, 0, 9))
    assert is_gamma_like(Times(0.5, 2, 0.05, 9))
    assert not is_gamma_like(Times(0.5, 0.5, 0.05, 9))
    assert not is_gamma_like(Times(0.5, 2, 0.4, 9))
    assert is_exponential(Times(0.9, 2, 0, 400))
    assert not is_exponential(Times(0.8, 2, 0, 400))
    assert is_second(Propositions(0.1, 0.2, -0.3, -0.2, 0.1, 0.05))
    assert not is_second(Propositions(0.4, 0.5, -0.3, -0.2, 0.1, 0.05))
    assert not is_second(Propositions(0.1, 0.2, -0.3, 0.1, 0.1, 0.05))
    assert is_fourth(Propositions(0, 0, 0, 0, 0.1, 0.05))
    assert not is_fourth(Propositions(0, 0, 0, 0, 0.1, -0.05))


def test_the_interval_is_student_s_over_the_runs_that_have_a_value():
    found = interval(np.array([1.0, 2.0, 3.0, np.nan]))
    assert found.mean == 2.0
    assert found.high - 2.0 == pytest.approx(4.30265 / np.sqrt(3), rel=1e-4)
    assert np.isnan(interval(np.array([1.0, np.nan]))).all()


def test_the_shape_of_gamma_times_over_runs():
    draws = np.random.default_rng(0).gamma(4.0, 2.0, (50, 400))
    draws[:, 300:] = np.nan
    found = shape_over_runs(draws)
    assert found.number == 15_000
    assert found.variation == pytest.approx(0.5, abs=0.02)
    assert found.ratio == pytest.approx(2.0, abs=0.2) and abs(found.serial) < 0.03
    alternating = np.tile([1.0, 3.0], (4, 10))
    assert shape_over_runs(alternating).serial == pytest.approx(-1.0)
    assert np.isnan(shape_over_runs(np.full((3, 2), np.nan)).variation)


def test_a_perturbation_reaches_eyes_and_fatigue():
    rival, fatigue = paradigm(Perturbation("rivalry.causes", "", 2.0))
    assert rival.precisions == (1.0, 4.0, 28.0) and fatigue.time == 3.0
    rival, fatigue = paradigm(Perturbation("rivalry.time", "", 0.5), 2.0, 1.0)
    assert fatigue.time == 1.5 and rival.strengths == (2.0, 1.0)


def test_ketanserin_takes_5_ht2a_and_leaves_5_ht1a():
    alone, blocked = doses()
    assert float(blocked.effect_2a) < 0.2 * float(alone.effect_2a)
    assert float(blocked.response_1a) == pytest.approx(
        float(alone.response_1a), rel=0.05
    )

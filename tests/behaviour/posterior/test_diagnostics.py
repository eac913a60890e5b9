"""A sample that must not be believed is not: apart, frozen, not finite, too short."""

import numpy as np
import pytest

from pcmodel.behaviour.posterior.diagnostics import BRIEF, STRICT, diagnose, settle


def diagnosed(values, *, limits=STRICT, num_divergent=0, num_steps=7):
    shape = values.shape[:2]
    diverging = np.zeros(shape, bool)
    diverging.ravel()[:num_divergent] = True
    return diagnose(
        values,
        diverging=diverging,
        num_steps=np.full(shape, num_steps),
        accept_prob=np.full(shape, 0.9),
        max_tree_depth=3,
        limits=limits,
    )


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(4, 400, 3))


def test_independent_draws_are_believed(values):
    found = diagnosed(values, num_steps=3)
    assert found.complaints == () and found.rhat < 1.01 and found.ess > 800
    assert found.accept_prob == pytest.approx(0.9) and found.num_draws == 1600


@pytest.mark.parametrize("fault", ["apart", "frozen", "one frozen", "nan", "inf"])
def test_each_fault_is_noticed_in_one_coordinate_of_three(values, fault):
    if fault == "apart":
        values[0, :, 1] += 1.0
    elif fault == "frozen":
        values[..., 1] = 0.3
    elif fault == "one frozen":
        values, values[..., 1] = values[:1], 0.3
    else:
        values[2, 7, 1] = float(fault)
    found = diagnosed(values)
    assert not found.converged and "R-hat" in found.complaints[0]


def test_counts_of_the_sampler_are_complained_of(values):
    words = " ".join(diagnosed(values, num_divergent=3).complaints)
    assert "3 of 1600 transitions diverged" in words and "depth limit" in words


def test_the_brief_limits_are_looser_and_said(values):
    short = values[:2, :120]
    assert any("below 400" in c for c in diagnosed(short, num_steps=3).complaints)
    assert diagnosed(short, limits=BRIEF).complaints == ()


STEPS = np.arange(1000)


@pytest.mark.parametrize(
    ("loss", "settled"),
    [
        (500.0 + 300.0 * np.exp(-STEPS / 40.0), True),
        (500.0 + 300.0 * np.exp(-STEPS / 400.0), False),  # flattened by its rate only
        (900.0 - 0.3 * STEPS, False),  # ends at its lowest, and is still falling
        (500.0 + np.where(STEPS > 800, 50.0, 0.0), False),
        (np.full(1000, np.nan), False),
    ],
)
def test_a_loss_has_settled_when_it_had_before_the_rate_fell(loss, settled):
    assert (settle(loss).complaints == ()) == settled


def test_tails_that_hide_from_means_are_seen(values):
    """Chains of one centre and another scale, and a Cauchy draw that no variance survives."""
    values[0, :, 1] *= 4.0
    assert not diagnosed(values).converged
    cauchy = np.random.default_rng(1).standard_cauchy((4, 400, 1))
    cauchy[0] += 3.0
    assert diagnosed(cauchy).rhat > 1.1


def test_one_lost_participant_among_two_hundred_is_complained_of(values):
    lost = np.zeros((4, 400, 200), bool)
    lost[:, ::10, 7] = True
    found = diagnose(
        values,
        diverging=np.zeros((4, 400), bool),
        num_steps=np.full((4, 400), 3),
        accept_prob=np.full((4, 400), 0.9),
        max_tree_depth=3,
        people_lost=lost,
    )
    assert found.people_lost == pytest.approx(0.1)
    assert "10.0% of a participant's" in " ".join(found.complaints)

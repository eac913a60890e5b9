"""A design counts rightly, and says where no study can tell."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.sampling.map_estimates import place_values
from pcmodel.behaviour.studies.attribution import (
    best_size,
    power_curve,
    success_curve,
    widened,
)
from pcmodel.behaviour.studies.power import (
    DesignPlan,
    ProfilePair,
    check_plan,
    grid_of,
    run_design,
)
from pcmodel.behaviour.studies.profile_likelihood import draw_pool, profile_pool
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError

GRID = np.linspace(-2.0, 2.0, 11)
PLAN = DesignPlan(
    "helicopter",
    "kalman",
    "top_precision=-1",
    ("log_report_sd", "sensory_precision"),
    participants=(5, 20),
    trials=(20,),
    pool=60,
    studies=200,
)


def profiles(rng, *, size, information, num=60, height=0.0):
    """People's log likelihoods of one size: parabolas around estimates of it."""
    found = size + rng.normal(size=(num, 1)) / np.sqrt(information)
    return height - 0.5 * information * (GRID[None, :] - found) ** 2


def test_power_is_that_of_a_z_test():
    """An effect of 1 with information 0.5 a person: z = sqrt(10) among twenty."""
    rng = np.random.default_rng(0)
    own = profiles(rng, size=1.0, information=0.5, num=4000)
    power = power_curve(own, participants=(5, 20), num_studies=2000, rng=rng)
    exact = [0.352, 0.885]  # 1 - normal(1.96 - z), z = sqrt(0.5 n)
    np.testing.assert_allclose(power, exact, atol=0.04)


def test_a_rival_that_is_behind_is_told_apart_and_one_that_is_level_is_not():
    rng = np.random.default_rng(0)
    own = profiles(rng, size=1.0, information=4.0)
    behind = np.full_like(own, own.max(axis=1).mean() - 3.0)
    nothing = profiles(rng, size=0.0, information=4.0)
    ahead = np.full_like(own, 1.0)
    pairs = np.stack([own, behind], axis=1), np.stack([nothing, ahead], axis=1)
    told = success_curve(pairs, participants=(5, 20), num_studies=300, rng=rng)
    assert np.all(told[0] > 0.97)
    same = np.stack([own, own[:, ::-1]], axis=1)
    told = success_curve((same, same), participants=(20,), num_studies=300, rng=rng)
    assert told[0, 0] == pytest.approx(0.5, abs=1e-12)


def test_the_best_size_lies_between_grid_points():
    assert best_size(-((GRID[None, :] - 0.33) ** 2), GRID) == pytest.approx(0.33)


def test_kept_work_is_taken_and_a_level_rival_is_ratio_only():
    """Nothing is simulated where all is kept: this runs in a moment."""
    rng = np.random.default_rng(0)
    assert len(grid_of(PLAN, -1.0)) == len(GRID)
    own = profiles(rng, size=-1.0, information=2.0)
    other = np.full_like(own, -5.0)
    apart = ProfilePair(
        np.stack([own, other], axis=1),
        np.stack([other, np.zeros_like(own)], axis=1),
        np.asarray(0.1),
        np.asarray(2.0),
    )
    mirrored = np.stack([own, own[:, ::-1]], axis=1)
    level = ProfilePair(mirrored, mirrored, np.asarray(1.0), np.asarray(2.0))
    found = run_design(PLAN, seed=0, stored={0: apart, 1: level})
    words = {told.rival: told.verdict for told in found.told}
    assert words == {"log_report_sd": "told apart", "sensory_precision": "ratio only"}
    assert [told.needed for told in found.told][1] == 0
    assert found.told[0].needed in (5, 20)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "is_one"),
    [("kalman", True), ("change_point", False)],
)
def test_a_kalman_agents_drug_effects_are_one_and_a_change_point_agents_are_two(
    name, is_one
):
    """The theorem behind `ratio only`: stiffness lowered by d or senses raised by d."""
    series = make_up("helicopter", num_participants=1, num_trials=30)
    model = find_model("helicopter", name)
    one = jax.tree.map(lambda leaf: leaf[1], model.prepare(series))
    values = place_values(model, jnp.zeros(sum(p.free for p in model.parameters)))
    relaxed = values | {"prior_log_precision": values["prior_log_precision"] - 1.0}
    raised = values | {"sensory_log_precision": values["sensory_log_precision"] + 1.0}
    likelihood = jax.jit(model.log_likelihood)
    gap = np.abs(likelihood(relaxed, one) - likelihood(raised, one)).max()
    assert (gap < 1e-10) == is_one


@pytest.mark.slow
def test_a_kalman_agent_comes_out_as_ratio_only_and_confidence_unties_it():
    plan = DesignPlan(
        "helicopter",
        "kalman",
        "top_precision=-1",
        ("sensory_precision",),
        participants=(8,),
        trials=(40,),
        confidence=True,
        pool=8,
        studies=50,
    )
    alone, asked = run_design(plan, seed=0).told
    assert alone.verdict == "ratio only" and alone.largest < 1e-8
    assert asked.verdict != "ratio only" and asked.nats > 0.5


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"effect": "top_precision"}, "cannot be read"),
        ({"effect": "top_precision=0"}, "other than 0"),
        ({"effect": "top_precison=1"}, "did you mean 'top_precision'"),
        ({"rivals": ("nois",)}, "no parameter of this model"),
        ({"rivals": ("prior_precision",)}, "no rival"),
    ],
)
def test_what_cannot_be_asked_is_refused(change, part):
    from dataclasses import replace

    with pytest.raises(UserError, match=part):
        check_plan(replace(PLAN, **change))


def test_a_study_cannot_be_larger_than_its_pool():
    with pytest.raises(UserError, match="cannot be drawn from 10"):
        DesignPlan("binary", "hgf2", "omega2=1", participants=(20,), pool=10)


def test_a_rivals_sizes_are_widened_until_the_best_lies_within():
    """A rival counted in another unit needs more than the effect's own sizes."""

    def profile(sizes):
        return -((sizes[None, :] - 9.0) ** 2)

    grid, found = widened(profile, GRID)
    assert grid[-1] == 16.0 and len(grid) == len(GRID)
    assert best_size(found, grid) == pytest.approx(9.0)
    grid, found = widened(lambda sizes: sizes[None, :], GRID)
    assert best_size(found, grid) == grid[-1]  # for ever rising: told by the page


@pytest.mark.slow
def test_people_whom_the_model_excludes_are_not_in_the_pool():
    """The standard filter fails at parameters that its prior allows."""
    model = find_model("binary", "hgf3")
    series = make_up("binary", num_participants=24, num_trials=60)
    data = jax.tree.map(
        lambda leaf: leaf.reshape(24, 2, *leaf.shape[1:]), model.prepare(series)
    )
    free = {p.name: jnp.asarray(0.0) for p in model.parameters}
    shift = free | {"omega2": jnp.asarray(1.0)}
    pool = draw_pool(model, jax.random.key(0), data, shift)
    assert bool(pool.possible.all())
    sure = jnp.ones(60, bool)
    own = profile_pool(model, pool, shift, jnp.asarray([1.0]), sure)
    assert np.all(np.asarray(own) > -1e3)

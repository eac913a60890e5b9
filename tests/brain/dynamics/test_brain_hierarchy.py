"""The hierarchy and what it learned, against exact EM; accounts on its modules; regions and the self against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brain_modules import (
    PLAN,
    SMALL,
    joint_covariance,
    maps_of,
    precisions_of,
    small_brain,
    units_of,
)
from brain_series import exact_series

import pcmodel
import pcmodel.neuromodulation as nm
from pcmodel.brain.dynamics import (
    BrainPlan,
    EyesClosed,
    FixedStimulus,
    Module,
    Task,
    as_correlation,
    brain_anatomy,
    brain_hierarchy,
    brain_modulation,
    linear_activity,
    read_regions,
    self_hold,
    without_global,
)
from pcmodel.brain.dynamics.plan import MODULES, ranks
from pcmodel.brain.dynamics.teaching import draw_streams, make_world, regress
from pcmodel.brain.measures import correlations, regress_global_signal
from pcmodel.brain.measures.random_numbers import generator
from pcmodel.errors import UserError

BRAIN = small_brain()
FULL = nm.Effects(*(jnp.asarray(0.7),) * 3)


def test_what_it_learned_is_what_exact_em_learns():
    """Every cause given, one step of EM from the learned network changes nothing."""
    rng = generator(jax.random.key(0))
    world = make_world(SMALL, PLAN, rng, squashed=False)
    streams = draw_streams(world, SMALL, PLAN.examples, rng)
    again = pcmodel.linear_em(BRAIN.network, streams, num_steps=1).network
    np.testing.assert_allclose(maps_of(again), maps_of(BRAIN.network), atol=1e-8)
    np.testing.assert_allclose(
        precisions_of(again), precisions_of(BRAIN.network), rtol=1e-7, atol=1e-7
    )


def test_many_examples_teach_the_world_itself():
    plan = BrainPlan(units=1, examples=100_000, mean_weight=0.3)
    rng = generator(jax.random.key(3))
    world = make_world(SMALL, plan, rng, squashed=True)
    brain = brain_hierarchy(jax.random.key(3), modules=SMALL, plan=plan, squashed=True)
    level = brain.network.names.index("visual")
    for own, truth in zip(
        brain.network.layers[level].maps, world.weights["visual"].values(), strict=True
    ):
        np.testing.assert_allclose(own.weight[...], truth, atol=0.03)
    assert not brain.network.is_linear


def test_the_plan_is_what_the_streams_show():
    """Variance 1, the planned share explained, correlation of what is left."""
    plan = BrainPlan(explained=0.4, shared=0.25, units=1)
    world = make_world(SMALL, plan, np.random.default_rng(0), squashed=False)
    streams = draw_streams(world, SMALL, 50_000, np.random.default_rng(1))
    for name in ("visual", "somatomotor"):
        np.testing.assert_allclose(streams[name].var(axis=0), 1, atol=0.04)
        left = np.linalg.inv(
            regress(
                name, streams[name], [streams[p] for p in SMALL[name].parents]
            ).precision
        )
        np.testing.assert_allclose(np.diag(left), 0.6, atol=0.03)
        np.testing.assert_allclose(left[0, 1] / left[0, 0], 0.25, atol=0.02)


def test_senses_alone_teach_too():
    learned = small_brain(sense_steps=3)
    assert np.abs(maps_of(learned.network) - maps_of(BRAIN.network)).max() > 1e-4


def test_paths_to_the_senses_have_one_length():
    """So that weaker transmission of errors has an equivalent in gains."""
    height = ranks(MODULES)
    for name, module in MODULES.items():
        assert {height[p] - height[name] for p in module.parents} <= {1}


@pytest.mark.parametrize("name", sorted(nm.ACCOUNTS))
def test_every_account_acts_on_the_modules(name):
    given = brain_modulation(BRAIN, nm.ACCOUNTS[name](), FULL)
    activity = linear_activity(BRAIN, FixedStimulus(), modulation=given)
    assert np.all(np.linalg.eigvalsh(activity.covariance) > -1e-10)
    plain = linear_activity(BRAIN, FixedStimulus())
    changed = np.abs(activity.activity_covariance() - plain.activity_covariance())
    assert changed.max() > 1e-3


def test_rebus_relaxes_networks_by_their_receptors_and_spares_the_senses():
    given = brain_modulation(BRAIN, nm.ACCOUNTS["rebus"](2.0), FULL)
    gains = dict(
        zip(BRAIN.network.names, map(float, given.gains.values()), strict=True)
    )
    table = {"visual": 0.951, "somatomotor": 0.864, "control": 1.074, "default": 1.102}
    mean = np.mean([0.908, *table.values()])  # two senses count as one level
    for sense in BRAIN.senses:
        assert gains[sense] == 1.0
    for network, density in table.items():
        expected = np.exp(-2.0 * 0.7 * density / mean)
        assert gains[network] == pytest.approx(expected)


def test_selectivity_favours_the_top():
    """Weights by hand: density times (height / highest)^selectivity, over their mean with the senses as one level."""
    steep = nm.ACCOUNTS["rebus"](2.0, selectivity=3.0)
    given = brain_modulation(BRAIN, steep, FULL)
    gains = dict(
        zip(BRAIN.network.names, map(float, given.gains.values()), strict=True)
    )
    density = {
        "visual": 0.951,
        "somatomotor": 0.864,
        "control": 1.074,
        "default": 1.102,
    }
    height = {"visual": 0.5, "somatomotor": 0.5, "control": 1.0, "default": 1.0}
    weights = {name: density[name] * height[name] ** 3 for name in density}
    mean = sum(weights.values()) / 5
    for name, weight in weights.items():
        expected = np.exp(-2.0 * 0.7 * weight / mean)
        assert gains[name] == pytest.approx(expected)
    assert gains["default"] < gains["visual"]


def test_the_anatomy_has_the_hierarchys_levels_and_parents():
    found = brain_anatomy(BRAIN)
    assert found.parents == BRAIN.network.parents
    assert [BRAIN.network.names[level] for level in found.ends] == list(BRAIN.senses)
    assert found.networks[0] == "sensory" and found.networks[-1] == "default"


def test_no_effect_is_no_drug_to_the_bit():
    none = nm.Effects(*(jnp.asarray(0.0),) * 3)
    plain = linear_activity(BRAIN, EyesClosed())
    for name in ("rebus", "sensory", "noise", "uniform", "oneirogen"):
        given = brain_modulation(BRAIN, nm.ACCOUNTS[name](), none)
        found = linear_activity(BRAIN, EyesClosed(), modulation=given)
        np.testing.assert_array_equal(found.covariance, plain.covariance)


def test_regions_are_means_of_their_units():
    activity = linear_activity(BRAIN, EyesClosed())
    read = read_regions(BRAIN, activity)
    assert read.names[:2] == ("visual 1", "visual 2")
    joint = joint_covariance(BRAIN.network)
    means = np.zeros((len(read.names), len(joint)))
    row = 0
    for name in BRAIN.networks:
        for pair in units_of(BRAIN.network, name).reshape(-1, 2):
            means[row, pair] = 0.5
            row += 1
    np.testing.assert_allclose(
        read.covariance(activity), means @ joint @ means.T, atol=1e-9
    )


def test_errors_of_a_region_have_the_inverse_precision_as_covariance():
    """At rest errors are what the hierarchy adds at every level."""
    activity = linear_activity(BRAIN, EyesClosed())
    found = activity.read_errors @ activity.covariance @ activity.read_errors.T
    np.testing.assert_allclose(
        found, np.linalg.inv(precisions_of(BRAIN.network)), atol=1e-8
    )
    assert read_regions(BRAIN, activity, of="errors").names[0] == "visual 1"


def test_a_goal_leaves_its_region_out():
    goal = Task({"control/region 1": np.ones(2)}, FixedStimulus())
    read = read_regions(BRAIN, linear_activity(BRAIN, goal))
    assert read.held == ("control 1",) and "control 2" in read.names


def test_the_global_signal_is_taken_out_as_from_a_series():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 7))
    covariance = root @ root.T
    size = np.sqrt(np.diag(covariance))
    series = size[:, None] * exact_series(as_correlation(covariance), 400)
    expected = correlations(regress_global_signal(series).series)
    np.testing.assert_allclose(
        as_correlation(without_global(covariance)), expected, atol=1e-9
    )


def test_the_selfs_share_is_that_of_a_regression():
    activity = linear_activity(BRAIN, EyesClosed())
    found = self_hold(BRAIN, activity)
    joint = joint_covariance(BRAIN.network)
    own = units_of(BRAIN.network, "default")[:2]
    others = np.setdiff1d(units_of(BRAIN.network, *BRAIN.networks), own)
    drawn = np.random.default_rng(0).multivariate_normal(
        np.zeros(len(joint)), joint, 200_000
    )
    fitted, *_ = np.linalg.lstsq(drawn[:, own], drawn[:, others], rcond=None)
    left = (drawn[:, others] - drawn[:, own] @ fitted).var(axis=0)
    share = np.mean(1 - left / drawn[:, others].var(axis=0))
    assert found.share == pytest.approx(share, abs=0.004)
    body = units_of(BRAIN.network, "somatomotor")
    both = np.concatenate([own, body])
    logs = [np.linalg.slogdet(joint[np.ix_(p, p)])[1] for p in (own, body, both)]
    assert found.self_body == pytest.approx((logs[0] + logs[1] - logs[2]) / 2)


def test_a_self_that_predicts_nothing_holds_nothing():
    brain = small_brain()
    plan = dict(zip(brain.network.names, brain.network.layers, strict=False))
    for name in ("visual", "somatomotor"):
        first = plan[name].maps[0]  # from the default mode
        first.weight[...] = first.weight[...].at[:, :2].set(0.0)
    top = brain.network.log_precision[-1]
    top[...] = jnp.zeros_like(top[...])  # the self is independent of the world
    found = self_hold(brain, linear_activity(brain, EyesClosed()))
    assert found.share < 1e-12 and found.information < 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: small_brain(plan=BrainPlan(examples=5)), "examples"),
        (lambda: BrainPlan(explained=1.0), "explained"),
        (lambda: BrainPlan(units=0), "units"),
        (lambda: Module(0), "regions"),
        (lambda: Module(2, network="nose"), "network"),
        (lambda: Module(2, parts={"self": (2,)}), "parts"),
        (lambda: Module(2, time_constant=-1.0), "time_constant"),
        (
            lambda: brain_hierarchy(
                jax.random.key(0), modules={"a": Module(1, ("b",))}
            ),
            "parent",
        ),
        (
            lambda: brain_hierarchy(
                jax.random.key(0),
                modules={"a": Module(1, ("b",)), "b": Module(1, ("a",))},
            ),
            "circle",
        ),
        (lambda: small_brain(squashed=True, sense_steps=1), "sense_steps"),
        (
            lambda: self_hold(
                BRAIN, linear_activity(BRAIN, EyesClosed()), self_part="ego"
            ),
            "ego",
        ),
        (lambda: as_correlation(np.zeros((2, 2))), "variance"),
        (lambda: without_global(np.array([[1.0, -1.0], [-1.0, 1.0]])), "global"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call, words):
    with pytest.raises(UserError, match=words):
        call()

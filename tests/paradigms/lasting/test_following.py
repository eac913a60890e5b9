"""A belief over days: against its recursion by hand, and against what cannot be."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy.stats import norm

import pcmodel
import pcmodel.neuromodulation as nm
from pcmodel.errors import UserError
from pcmodel.networks.pure import as_model
from pcmodel.paradigms.lasting import (
    LinearLearning,
    Probe,
    Retention,
    Session,
    TopLearning,
    Training,
    follow,
    modulation_at,
)

KEY = jax.random.key(0)
follow = partial(follow, key=KEY)
SEEN = np.array([[1.0], [2.0], [0.5]])
NOISE, PRIOR, MEAN = 0.8, 4.0, -2.0
RETENTION = Retention(labile_days=3.0, consolidation=0.6, forgetting_per_day=0.02)
STILL = {"fixed_layers": ("data",), "fixed_precisions": ("data",)}


def belief():
    """One unit that is believed, and one that is seen."""
    return pcmodel.linear_gaussian(
        [np.ones((1, 1))], [NOISE, PRIOR], prior_mean=np.array([MEAN])
    )


def met(mean, variance, seen, gain, rate):
    """Prior mean and variance after one session, by hand."""
    precision = gain / variance
    spread = 1 / (precision + NOISE)
    posterior = spread * (precision * mean + NOISE * seen)
    moved = mean + rate * (posterior.mean() - mean)
    errors = spread + np.mean((posterior - moved) ** 2)
    kept = (1 - rate) * (variance + gain * (moved - mean) ** 2)
    return moved, kept + rate * gain * errors


def waited(current, slow, start, days):
    """Current and slow numbers after some days, by many small steps of the equations."""
    labile, number = current - slow, 20000
    for _ in range(number):
        step = days / number
        half = labile * np.exp(-step / 2 / RETENTION.labile_days)
        slow = slow + step * (
            RETENTION.consolidation * half / RETENTION.labile_days
            - RETENTION.forgetting_per_day * (slow - start)
        )
        labile = labile * np.exp(-step / RETENTION.labile_days)
    return slow + labile, slow


@pytest.mark.parametrize(
    "learning",
    [TopLearning(0.25), LinearLearning(0.25, **STILL)],
    ids=["of the top", "linear"],
)
def test_it_is_the_recursion_by_hand(learning):
    """Two sessions, the first under a drug, a window between days, and time that passes in logarithms of precision."""
    sessions = [
        Session(4.0, SEEN, rate=0.5),
        Session(1.0, SEEN, modulation=pcmodel.Modulation({"top": 0.1}, plasticity=2)),
    ]
    told = follow(
        belief(),
        sessions,
        days=[0.0, 1.0, 5.0, 9.0],
        learning=learning,
        retention=RETENTION,
        window=[1.0, 1.5, 1.0, 1.0],
        probes={"good": Probe(np.array([1.0]))},
        hypothesis=lambda top: top[0] < -1.0,
    )
    start = np.array([MEAN, np.log(PRIOR)])
    now, slow = start.copy(), start.copy()
    expected = [start]

    def session(now, gain, rate):
        mean, variance = met(now[0], np.exp(-now[1]), SEEN[:, 0], gain, rate)
        return np.array([mean, -np.log(variance)])

    now = session(now, 0.1, 0.25 * 1.5 * 2)
    expected.append(now)
    now, slow = waited(now, slow, start, 3.0)
    now = session(now, 1.0, 0.25 * 0.5 * (1.5 - 0.5 * 3 / 4))
    now, slow = waited(now, slow, start, 1.0)
    expected.append(now)
    now, slow = waited(now, slow, start, 4.0)
    expected.append(now)
    expected = np.array(expected)
    np.testing.assert_allclose(told.mean[:, 0], expected[:, 0], rtol=1e-5)
    np.testing.assert_allclose(told.log_precision[:, 0], expected[:, 1], rtol=1e-5)
    precision = np.exp(expected[:, 1])
    revised = NOISE / (NOISE + precision)
    np.testing.assert_allclose(told.revision["good"], revised, rtol=1e-5)
    after = expected[:, 0] + revised * (1 - expected[:, 0])
    np.testing.assert_allclose(told.probe_mean["good"][:, 0], after, rtol=1e-5)
    true = norm.cdf((-1.0 - expected[:, 0]) * np.sqrt(precision))
    np.testing.assert_allclose(told.belief, true, atol=4 * 0.0112)
    true = norm.cdf((-1.0 - after) * np.sqrt(precision + NOISE))
    np.testing.assert_allclose(told.probe_belief["good"], true, atol=4 * 0.0112)
    assert told.converged.all()
    np.testing.assert_array_equal(told.distance, 0)
    np.testing.assert_allclose(told.labile[:2], [0, 1])


@pytest.mark.parametrize(
    "learning",
    [TopLearning(1.0), LinearLearning(1.0), Training(pcmodel.Learning())],
    ids=["of the top", "linear", "gradients"],
)
def test_a_dose_alone_moves_nothing(learning):
    """The theorem: without evidence the belief of the day after is that of the day before, to the last bit."""
    drug = pcmodel.Modulation({"top": 0.01}, plasticity=20.0)
    told = follow(
        belief(),
        [Session(day, modulation=drug) for day in (0.0, 1.0, 2.0)],
        days=range(8),
        learning=learning,
        retention=RETENTION,
        window=lambda day: 5.0,
    )
    np.testing.assert_array_equal(told.mean, MEAN)
    assert np.ptp(told.log_precision) == 0
    np.testing.assert_array_equal(told.labile, 0)


def test_evidence_under_a_relaxed_belief_lasts_longer_than_either_alone():
    """The prediction for one unit, at equal rates: more of the shift is learned where the prior gave way."""
    ends = {}
    for name, seen, gain in (
        ("both", SEEN, 0.1),
        ("evidence", SEEN, 1.0),
        ("dose", None, 0.1),
    ):
        session = Session(0.0, seen, modulation=pcmodel.relax("top", gain))
        told = follow(belief(), [session], days=[0.0, 30.0], retention=RETENTION)
        ends[name] = told.mean[-1, 0] - MEAN
    # By hand: rate (0.1), share of the evidence, times what 30 days keep.
    kept = waited(1.0, 0.0, 0.0, 30.0)[0]
    shift = 0.1 * (SEEN.mean() - MEAN)
    np.testing.assert_allclose(
        ends["both"], kept * shift * NOISE / (NOISE + 0.1 * PRIOR), rtol=1e-5
    )
    np.testing.assert_allclose(
        ends["evidence"], kept * shift * NOISE / (NOISE + PRIOR), rtol=1e-5
    )
    assert ends["dose"] == 0


def test_a_plain_gradient_learns_less_from_a_relaxed_prior():
    """It is g Pi (E[x] - m), which falls with g, where the shift itself rises: rules differ in what lasts."""
    learning = Training(
        pcmodel.Learning(
            optax.sgd(0.01),
            precision_step=pcmodel.learning.Frozen(),
            e_step=pcmodel.learning.PointEstimate(pcmodel.Exact()),
            gauge=pcmodel.learning.FixedHiddenPrecision(),
        )
    )
    moved = {}
    for gain in (1.0, 0.1):
        session = Session(0.0, SEEN, modulation=pcmodel.relax("top", gain))
        told = follow(belief(), [session], days=[0.0], learning=learning)
        moved[gain] = told.mean[0, 0] - MEAN
        pull = gain * PRIOR * NOISE / (NOISE + gain * PRIOR)
        expected = 0.01 * pull * (SEEN.mean() - MEAN)
        np.testing.assert_allclose(moved[gain], expected, rtol=1e-5)
    assert moved[0.1] < 0.5 * moved[1.0]


def test_tops_of_a_wide_network_are_learned_by_what_linear_em_learns():
    """Several tops, one in parts of its own, full precisions, gains of single units: the two ways are one for linear ones."""
    full = np.array([[2.0, 0.4], [0.4, 1.0]])
    network = pcmodel.hierarchy(
        {
            "seen": pcmodel.Level(4, parents=["self", "therapist"], precision=3.0),
            "self": pcmodel.Level(2, precision=full, prior_mean=np.array([-1.0, 0.5])),
            "therapist": pcmodel.Level(3, precision=np.array([1.0, 4.0, 0.2])),
        },
        activation=pcmodel.networks.layers.dense.identity,
        rngs=nnx.Rngs(3),
    )
    seen = np.random.default_rng(0).normal(size=(5, 4))
    drug = pcmodel.Modulation({"self": np.array([0.1, 0.6]), "therapist": 3.0})
    sessions = [Session(0.0, seen, modulation=drug)]
    fixed = {"fixed_layers": ("seen",), "fixed_precisions": ("seen",)}
    one = follow(network, sessions, days=[0.0], learning=TopLearning(0.3))
    other = follow(network, sessions, days=[0.0], learning=LinearLearning(0.3, **fixed))
    for got, expected in zip(
        jax.tree.leaves(as_model(one.network)[1:]),
        jax.tree.leaves(as_model(other.network)[1:]),
        strict=True,
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9)
    assert np.abs(one.mean).max() > 1e-3


def test_how_often_it_is_read_changes_nothing():
    sessions = [Session(1.0, SEEN), Session(2.5, SEEN)]
    rare = follow(belief(), sessions, days=[0.0, 20.0], retention=RETENTION)
    often = follow(belief(), sessions, days=np.linspace(0, 20, 41), retention=RETENTION)
    np.testing.assert_allclose(often.mean[-1], rare.mean[-1], rtol=1e-10)
    np.testing.assert_allclose(
        often.log_precision[-1], rare.log_precision[-1], rtol=1e-10
    )


def test_without_retention_everything_stays():
    told = follow(belief(), [Session(0.0, SEEN)], days=[0.0, 1.0, 1e6])
    np.testing.assert_array_equal(told.mean[1:], told.mean[:1].repeat(2, 0))
    assert np.all(told.labile == 1)


def test_what_is_forgotten_returns_to_the_baseline():
    """A person whose belief had been another one returns there."""
    other = pcmodel.linear_gaussian(
        [np.ones((1, 1))], [NOISE, 1.0], prior_mean=np.array([5.0])
    )
    told = follow(belief(), [], days=[0.0, 1e4], retention=RETENTION, baseline=other)
    np.testing.assert_allclose(told.mean[:, 0], [MEAN, 5.0])
    np.testing.assert_allclose(told.log_precision[:, 0], [np.log(PRIOR), 0], atol=1e-9)


def test_weights_move_when_they_are_learned_and_their_distance_is_told():
    told = follow(
        belief(), [Session(0.0, SEEN)], days=[0.0], learning=LinearLearning(0.5)
    )
    own, start = as_model(told.network).weights, as_model(belief()).weights
    layer, before = own["layers"][0], start["layers"][0]
    squares = sum(np.sum((layer[name] - before[name]) ** 2) for name in before)
    scale = sum(np.sum(before[name] ** 2) for name in before)
    np.testing.assert_allclose(told.distance, np.sqrt(squares / scale), rtol=1e-9)
    assert told.distance[0] > 0.01


def test_a_dose_gives_the_modulation_of_its_hour():
    """The account's modulation of the interpolated effects, without what acts on activity alone."""
    hours = np.linspace(0, 6, 25)
    person = nm.typical(nm.load_compounds(), "psilocybin")
    course = nm.simulate((nm.Dose("psilocybin", 25.0),), hours, person)
    network = pcmodel.linear_gaussian([np.ones((1, 1))] * 3, [1.0, 4.0, 4.0, 9.0])
    account = nm.ACCOUNTS["rebus"]()
    given = {"times": hours, "account": account, "network": network}
    found = modulation_at(course, 2.1, **given)
    felt = nm.Effects(*(jnp.interp(2.1, hours, each) for each in nm.effects(course)))
    places = nm.anatomy(*nm.CORTEX)
    expected = account.modulate(felt, places)
    for level, gain in expected.gains.items():
        np.testing.assert_allclose(found.gains[level], gain)
    assert float(np.min(list(found.gains.values()))) < 0.9
    with pytest.raises(pcmodel.UserError, match="outside"):
        modulation_at(course, 7.0, **given)
    with pytest.raises(pcmodel.UserError, match="hour, and the times"):
        modulation_at(course, account=account, network=network)
    with pytest.raises(pcmodel.UserError, match="several moments"):
        modulation_at(nm.effects(course), account=account, network=network)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": [0.0, 0.0]}, "do not ascend"),
        ({"days": []}, "do not ascend"),
        ({"days": [0.0, np.nan]}, "days"),
        ({"days": [0.0]}, "after the last day"),
        ({"window": lambda day: -1.0}, "0 or more"),
        ({"window": [1.0, 2.0]}, "one number for each of days"),
        ({"hypothesis": lambda top: top}, "one truth value"),
        ({"hypothesis": lambda top: top[0] + "a"}, "function of the top"),
        ({"probes": Probe(SEEN)}, "one|batch"),
        (
            {"baseline": pcmodel.linear_gaussian([np.ones((1, 2))], [1.0, 1.0])},
            "architecture",
        ),
        ({"retention": 3.0}, "retention"),
        ({"learning": pcmodel.Learning()}, "learning"),
        ({"sessions": [Session(1.0, np.ones((2, 3)))]}, "width|3"),
        (
            {
                "sessions": [
                    Session(1.0, SEEN, modulation=pcmodel.Modulation(temperature=2.0))
                ]
            },
            "in_inference",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(options, words):
    given = {"sessions": [Session(1.0, SEEN)], "days": [0.0, 1.0, 2.0]} | options
    with pytest.raises(pcmodel.UserError, match=words):
        follow(belief(), given.pop("sessions"), **given)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"day": np.inf}, "day"),
        ({"rate": -1.0}, "rate is -1"),
        ({"day": "Monday"}, "day"),
    ],
)
def test_what_is_no_session_is_refused(options, words):
    with pytest.raises(pcmodel.UserError, match=words):
        Session(**({"day": 0.0, "observations": SEEN} | options))


def test_a_precision_without_bound_is_refused():
    """One example at a whole rate, with the top itself given: no variance is left."""
    session = Session(3.0, SEEN[:1], clamp={"top": np.array([[0.5]])})
    with pytest.raises(pcmodel.UserError, match="day 3 leaves parameters"):
        follow(belief(), [session], days=[3.0], learning=TopLearning(1.0))


def test_the_draws_of_a_hypothesis_are_the_same_on_all_days():
    """Prevents noise from looking like a belief that moves."""
    told = follow(belief(), [], days=range(3), hypothesis=lambda top: top[0] < MEAN)
    assert np.ptp(told.belief) == 0
    assert abs(told.belief[0] - 0.5) < 4 * 0.0112
    assert jnp.isnan(follow(belief(), [], days=[0.0]).belief).all()


@pytest.mark.parametrize("window", [lambda day: 1 / 0, lambda day: "open"])
def test_a_window_that_fails_is_told_with_its_day(window):
    with pytest.raises(UserError, match="window: fails on day 3"):
        follow(
            belief(),
            [Session(3.0, np.ones((1, 1)))],
            days=[0, 4],
            window=window,
            key=jax.random.key(0),
        )

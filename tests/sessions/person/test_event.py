"""One event against an independent implementation in numpy, and its theorems."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.learning.linear.linear_em import linear_em_step
from pcmodel.learning.linear.maximisation import Plan, Regression
from pcmodel.model.modulation import Modulation
from pcmodel.model.slopes import factors_of
from pcmodel.neuromodulation import ACCOUNTS, Effects, anatomy
from pcmodel.sessions.person.dynamics import Dynamics
from pcmodel.sessions.person.event import Event, State, at_rest, learn, meet, passed
from pcmodel.sessions.person.hierarchy import (
    STREAMS,
    self_anatomy,
    self_model,
    self_parameters,
    self_structure,
    self_values,
)
from pcmodel.sessions.person.threat_and_trust import ThreatAndTrust
from pcmodel.sessions.person.traits import Traits
from tests.sessions import person_oracle

DYNAMICS = Dynamics(mean_rate=0.3, precision_rate=0.2, forgetting=0.03)
EMPTY = jnp.zeros(len(STREAMS))


def drawn_person(rng):
    return Traits(
        belief=rng.normal(-1, 1),
        log_precision=rng.normal(1, 1),
        suggestibility=rng.gamma(2, 0.5),
        expectancy=rng.gamma(2, 0.5),
        avoidance=rng.uniform(),
        rumination=rng.gamma(2, 0.5),
        alliance=rng.uniform(),
        alliance_growth=rng.gamma(2, 0.5),
        validity=rng.uniform(0.05, 0.95),
        learning=rng.gamma(2, 0.5),
    )


def drawn_event(rng):
    return Event(
        mean=rng.normal(size=5),
        precision=rng.gamma(1, 1, size=5) * rng.integers(0, 2, size=5),
        replays_belief=bool(rng.integers(2)),
        is_chosen=bool(rng.integers(2)),
        alliance_building=rng.uniform(0, 0.5),
        released=0.0,
        believed=rng.uniform(),
        learning=rng.uniform(0, 4),
    )


def arrays(tree, dtype=float):
    return jax.tree.map(
        lambda leaf: jnp.asarray(leaf, bool if isinstance(leaf, bool) else dtype), tree
    )


def state_of(rng, person):
    return State(
        person.belief + rng.normal(),
        person.log_precision + rng.normal(),
        person.belief + rng.normal(),
        person.log_precision + rng.normal(),
        rng.uniform(),
    )


meet_compiled = jax.jit(meet)
passed_compiled = jax.jit(passed)


@pytest.mark.parametrize("seed", range(20))
def test_an_event_is_that_of_the_equations(seed):
    """Prevents a wrong sign, gain or stream, which any cohort would hide."""
    rng = np.random.default_rng(seed)
    person, event = drawn_person(rng), drawn_event(rng)
    state, days = state_of(rng, person), rng.exponential(2)
    top, middle, ends = np.exp(rng.normal(size=3))
    expected, (mu, variance, r) = person_oracle.meet(
        state, event, person, DYNAMICS, top_gain=top, middle_gain=middle, ends=ends
    )
    found, info = meet_under(
        arrays(state), arrays(event), arrays(person), [ends, middle, top]
    )
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(info.posterior, mu, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(info.variance, variance, rtol=1e-9)
    np.testing.assert_allclose(info.validity, r, rtol=1e-8)
    later = passed_compiled(
        found, jnp.asarray(days), arrays(person), DYNAMICS.numbers()
    )
    np.testing.assert_allclose(
        np.stack(later),
        person_oracle.passed(expected, days, person, DYNAMICS),
        rtol=1e-9,
        atol=1e-11,
    )


def test_blocked_errors_leave_attribution_as_it_is():
    """Errors that a feeling sends up less move the belief less; what is predicted, and so dismissed, is the same.

    Prevents that the equivalent gains, whose common scale is a convention, decide what is believed.
    """
    rng = np.random.default_rng(3)
    person, event = drawn_person(rng), drawn_event(rng)
    event = event._replace(precision=np.array([1.0, 0.5, 2.0, 3.0, 0.7]))
    state, share = state_of(rng, person), 0.3
    _, (_, _, r) = person_oracle.meet(state, event, person, DYNAMICS)
    blocked = Modulation(error_transmission={"feeling": jnp.asarray(share)})
    given = (arrays(state), arrays(event), arrays(person), DYNAMICS.numbers())
    _, info = meet(*given, blocked)
    np.testing.assert_allclose(info.validity, r, rtol=1e-8)
    # Where the errors balance: those of the feeling at the self count for a share.
    y, precision = person_oracle.streams(state, event, person)
    own, middle = np.exp(state.log_precision), DYNAMICS.feeling_precision
    felt, told = r * precision * person_oracle.FELT, r * precision * ~person_oracle.FELT
    balance = [
        [own + share * middle + told.sum(), -share * middle],
        [-middle, middle + felt.sum()],
    ]
    sent = [own * state.belief + (told * y).sum(), (felt * y).sum()]
    np.testing.assert_allclose(info.posterior, np.linalg.solve(balance, sent)[0])


def test_the_two_oracles_of_the_posterior_agree():
    rng = np.random.default_rng(0)
    for _ in range(100):
        y, precision = rng.normal(size=5), rng.gamma(1, size=5)
        at = dict(zip(("mean", "top", "middle"), rng.gamma(2, size=3), strict=True))
        np.testing.assert_allclose(
            person_oracle.posterior(y, precision, **at),
            person_oracle.joint_posterior(y, precision, **at),
            rtol=1e-10,
        )


def by_level(gains):
    """Gains of the streams, the feeling and the self."""
    streams, feeling, own = gains
    return Modulation({**dict.fromkeys(range(5), streams), 5: feeling, 6: own})


@jax.jit
def meet_under(state, event, person, gains):
    modulation = by_level(gains)
    return meet(state, event, person, DYNAMICS.numbers(), modulation)


def quiet_event(learning=3.0):
    return arrays(
        Event(EMPTY, EMPTY, False, True, 0.0, 1.0, 0.7, learning),
    )


@pytest.mark.parametrize("name", ACCOUNTS)
def test_without_evidence_nothing_changes_under_any_account(name):
    """The theorem that the drug is not the therapy: gains, slopes, mixing, temperature and plasticity move nothing."""
    person = arrays(drawn_person(np.random.default_rng(0)))
    account = ACCOUNTS[name]()

    @jax.jit
    def after(state):
        effects = Effects(*jnp.array([0.8, 0.5, 0.6]))
        modulation = account.modulate(effects, self_anatomy())
        found, _ = meet(state, quiet_event(), person, DYNAMICS.numbers(), modulation)
        return passed(found, jnp.asarray(2.0), person, DYNAMICS.numbers())

    state = at_rest(person)
    found = after(state)
    np.testing.assert_allclose(np.stack(found), np.stack(state), rtol=1e-13)
    # The same event with evidence does move the belief: the test could fail.
    spoken = quiet_event()._replace(precision=EMPTY.at[0].set(1.0))
    moved, _ = meet(state, spoken, person, DYNAMICS.numbers())
    assert abs(moved.belief - state.belief) > 0.01


@pytest.mark.parametrize("name", ACCOUNTS)
def test_no_effect_is_no_drug_to_the_last_bit(name):
    rng = np.random.default_rng(3)
    person, event = arrays(drawn_person(rng)), arrays(drawn_event(rng))
    state, account = at_rest(person), ACCOUNTS[name]()

    def under(effect):
        acting = account.modulate(Effects(effect, effect, effect), self_anatomy())
        return meet(state, event, person, DYNAMICS.numbers(), acting)[0]

    none = meet(state, event, person, DYNAMICS.numbers(), Modulation())[0]
    for one, other in zip(under(jnp.zeros(())), none, strict=True):
        assert np.asarray(one) == np.asarray(other)


@pytest.mark.parametrize("seed", range(5))
def test_learning_is_the_package_s_stepwise_em(seed):
    """The closed form for one unit against `linear_em_step`, whose rates are one for each parameter."""
    rng = np.random.default_rng(seed)
    belief, log_precision, middle = rng.normal(-1), rng.normal(1), rng.gamma(2)
    values, own = rng.normal(size=5), rng.normal(size=5)
    gains = np.exp(rng.normal(size=3))
    modulation = by_level(gains)
    parameters = self_parameters(
        jnp.asarray(belief),
        jnp.asarray(log_precision),
        log_precisions=jnp.asarray(own),
        feeling=jnp.asarray(middle),
    )
    options = dict(
        structure=self_structure(),
        factors=factors_of(
            modulation, self_model().model, parameters.log_precisions[0].dtype
        ),
    )
    batch = tuple(value[None] for value in self_values(jnp.asarray(values)))
    shift, variance = person_oracle.joint_posterior(
        values,
        gains[0] * np.exp(own),
        mean=belief,
        top=gains[2] * np.exp(log_precision),
        middle=gains[1] * middle,
    )
    shift -= belief
    square = gains[2] * np.exp(log_precision) * (shift**2 + variance)
    numbers = DYNAMICS.numbers()
    state = State(*map(jnp.asarray, (belief, log_precision, 0.0, 0.0, 0.0)))
    learned = learn(
        state,
        shift=jnp.asarray(shift),
        square=jnp.asarray(square),
        learning=jnp.asarray(1.0),
        numbers=numbers,
    )
    regressions = kept_layers()
    moved = [
        linear_em_step(
            parameters, batch, plan=Plan(regressions, *what), rate=rate, **options
        ).parameters
        for what, rate in (
            (((), (6,)), DYNAMICS.mean_rate),
            ((((6,),), ()), DYNAMICS.precision_rate),
        )
    ]
    np.testing.assert_allclose(
        learned.belief, moved[0].weights["prior_mean"][0], rtol=1e-10
    )
    np.testing.assert_allclose(
        learned.log_precision, moved[1].log_precisions[6], rtol=1e-10
    )


def kept_layers():
    return tuple(
        Regression((end,), ((5 if end < 3 else 6,),), (1,), False, False)
        for end in range(6)
    )


EXTREMES = (1e-8, 1e-4, 1.0, 1e4, 1e8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_precisions_stay_finite_and_right(dtype):
    """Every combination of precisions of belief, feeling link (by its gain) and evidence, at the largest rates."""
    fast = Dynamics(mean_rate=1.0, precision_rate=1.0)
    person = drawn_person(np.random.default_rng(1))
    event = drawn_event(np.random.default_rng(2))._replace(
        replays_belief=False, is_chosen=False, learning=2.0
    )

    def found(belief, link, item):
        state = State(-2.0, jnp.log(belief), -2.0, jnp.log(belief), 1.0)
        given = event._replace(precision=jnp.full(5, item))
        with_gain = by_level((1.0, link, 1.0))
        numbers = jax.tree.map(lambda leaf: leaf.astype(dtype), fast.numbers())
        state, info = meet(
            arrays(state, dtype),
            arrays(given, dtype),
            arrays(person, dtype),
            numbers,
            with_gain,
        )
        return jnp.stack([state.belief, state.log_precision, info.posterior])

    cases = np.array([(a, b, c) for a in EXTREMES for b in EXTREMES for c in EXTREMES])
    compiled = jax.jit(jax.vmap(found))(*jnp.asarray(cases.T, dtype))
    assert compiled.dtype == dtype
    assert np.all(np.isfinite(compiled))
    for case, told in zip(cases, np.asarray(compiled, float), strict=True):
        state = (-2.0, np.log(case[0]), -2.0, np.log(case[0]), 1.0)
        given = event._replace(precision=np.full(5, case[2]))
        expected, (mu, _, _) = person_oracle.meet(
            state, given, person, fast, middle_gain=case[1]
        )
        want = np.array([expected[0], expected[1], mu])
        tolerance = 2e-5 if dtype == np.float32 else 1e-7
        np.testing.assert_allclose(
            told, want, rtol=tolerance, atol=tolerance, err_msg=str(case)
        )


def test_moderate_surprises_move_most():
    """Attribution: the update is not monotone in how good the news is (Kube et al.)."""
    person = arrays(drawn_person(np.random.default_rng(0)))._replace(
        belief=jnp.asarray(-2.0), log_precision=jnp.log(8.0), validity=jnp.asarray(0.7)
    )
    news = jnp.linspace(-2, 12, 57)

    def shift(value):
        event = quiet_event(1.0)._replace(
            mean=EMPTY.at[0].set(value),
            precision=EMPTY.at[0].set(1.0),
            is_chosen=jnp.asarray(False),
        )
        return (
            meet(at_rest(person), event, person, Dynamics().numbers())[1].posterior + 2
        )

    shifts = np.asarray(jax.jit(jax.vmap(shift))(news))
    assert 4 < shifts.argmax() < 50
    assert shifts[-1] < 0.5 * shifts.max()


def test_released_serotonin_makes_bad_feelings_weaker_and_good_evidence_credible():
    rng = np.random.default_rng(4)
    person, state = drawn_person(rng), (-2.0, np.log(9.0), -2.0, np.log(9.0), 0.7)
    event = drawn_event(rng)._replace(
        mean=np.array([-1.0, 0.8, -0.2, 0.6, 0.5]),
        precision=np.full(5, 1.5),
        replays_belief=False,
        released=0.8,
    )
    expected = {}
    for released in (0.0, 0.8):
        good = np.array([False, True, False, True, False])
        odds = np.log(person.validity / (1 - person.validity)) + 2.0 * released * good
        bad = np.array([True, False, True, False, False])
        given = event._replace(
            precision=event.precision * np.exp(-1.3 * released * bad)
        )
        prior = person._replace(validity=1 / (1 + np.exp(-odds)))
        expected[released], _ = person_oracle.meet(state, given, prior, DYNAMICS)
    account = ThreatAndTrust(threat=1.3, trust=2.0)

    @jax.jit
    def found(released):
        given = arrays(event)._replace(released=released)
        now = arrays(State(*state))
        return meet(now, given, arrays(person), DYNAMICS.numbers(), None, account)[0]

    for released, want in expected.items():
        told = found(jnp.asarray(released))
        np.testing.assert_allclose(np.stack(told), want, rtol=1e-9)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_stream_is_a_sense_of_a_chain_of_three_levels(name):
    """The directed hierarchy has the chain's receptors: five streams of evidence are one level of senses."""
    chain = anatomy("sensory", "control", "default")
    effects = Effects(*jnp.array([0.8, 0.5, 0.6]))
    one, own = (
        ACCOUNTS[name]().modulate(effects, at) for at in (chain, self_anatomy())
    )
    for factors, told in ((one.gains, own.gains), (one.slopes, own.slopes)):
        assert set(told) <= set(range(7))
        for level in range(7):
            role = max(level - 4, 0)
            np.testing.assert_allclose(
                np.asarray(told.get(level, 1.0)),
                np.asarray(factors.get(role, 1.0)),
                rtol=1e-12,
            )

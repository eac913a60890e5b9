"""Linear activity against the joint Gaussian by hand, scalar closed forms, and the moments of mixed activity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from brain_modules import (
    given_senses,
    joint_covariance,
    maps_of,
    one_brain,
    precisions_of,
    small_brain,
    units_of,
)

import pcmodel
from pcmodel import Modulation
from pcmodel.api.pose import pose
from pcmodel.brain.dynamics import (
    EyesClosed,
    Film,
    FixedStimulus,
    Task,
    lagged_covariances,
    linear_activity,
)
from pcmodel.brain.dynamics.sampling import transition
from pcmodel.errors import UserError
from pcmodel.inference.activity import activity_moments
from pcmodel.inference.infer import infer_one
from pcmodel.inference.solvers.gauss_newton import GaussNewton

BRAIN = small_brain()


def close(found, expected, rtol=1e-8):
    np.testing.assert_allclose(
        found, expected, rtol=rtol, atol=rtol * np.abs(expected).max()
    )


def test_at_rest_activity_is_distributed_as_the_hierarchy_generates_it():
    found = linear_activity(BRAIN, EyesClosed()).activity_covariance()
    close(found, joint_covariance(BRAIN.network))


@pytest.mark.parametrize("temperature", [1e-8, 0.3, 1.0, 1e8])
def test_under_a_stimulus_it_is_the_posterior_at_that_temperature(temperature):
    values = {"sight": np.array([0.5, -1.0]), "touch": np.array([2.0, 0.0])}
    activity = linear_activity(BRAIN, FixedStimulus(values), temperature=temperature)
    joint = joint_covariance(BRAIN.network)
    expected = given_senses(BRAIN.network, joint, BRAIN.senses)
    close(activity.activity_covariance(), temperature * expected)
    mode = pcmodel.infer(BRAIN.network, values).latents
    close(activity.activity, np.concatenate(mode[2:]), rtol=1e-6)


@pytest.mark.parametrize("gain", [1e-4, 1e-3, 0.25, 1e3, 1e4])
def test_gains_far_apart_keep_the_stationary_law(gain):
    gains = {"default": gain, "visual": 1 / gain}
    activity = linear_activity(BRAIN, EyesClosed(), modulation=Modulation(gains))
    close(activity.activity_covariance(), joint_covariance(BRAIN.network, gains), 1e-6)


def test_gains_too_far_apart_for_rounding_are_refused():
    """Sixteen orders between two levels: the sum of their precisions has lost the weaker."""
    gains = {"default": 1e-8, "visual": 1e8}
    with pytest.raises(UserError, match="too far apart"):
        linear_activity(BRAIN, EyesClosed(), modulation=Modulation(gains))


@pytest.mark.parametrize("gain", [1e-7, 1e-6, 1e-5, 1e6, 1e8])
def test_gains_further_apart_are_right_or_refused(gain):
    gains = {"default": gain, "visual": 1 / gain}
    try:
        found = linear_activity(BRAIN, EyesClosed(), modulation=Modulation(gains))
    except UserError:
        return
    close(found.activity_covariance(), joint_covariance(BRAIN.network, gains), 1e-3)


@pytest.mark.parametrize("gain", [1e-8, 1e8])
def test_one_scale_for_all_is_never_too_far(gain):
    gains = dict.fromkeys(BRAIN.network.names, gain)
    found = linear_activity(BRAIN, EyesClosed(), modulation=Modulation(gains))
    close(found.activity_covariance(), joint_covariance(BRAIN.network, gains))


def test_a_film_of_one_unit_has_the_textbooks_variance():
    """dx = -a (x - b u / a): Var = T-part + b^2 v / (a (a + 1/tau)); cross = b v / (a + 1/tau)."""
    brain = one_brain()
    variance, tau = 3.0, 0.7
    film = Film(variance=1.0, time_constant=tau, covariance=[[variance]])
    found = linear_activity(brain, film)
    weight = float(maps_of(brain.network)[0, 1])
    low, high = np.diag(precisions_of(brain.network))
    mobility = 1 / (0.5 * high)
    a, b = mobility * (high + weight**2 * low), mobility * weight * low
    close(found.covariance[0, 1], b * variance / (a + 1 / tau))
    expected = mobility / a + b**2 * variance / (a * (a + 1 / tau))
    close(found.covariance[0, 0], expected)


def test_a_film_without_variance_is_a_fixed_stimulus_and_a_slow_one_moves_the_mode():
    still = linear_activity(BRAIN, Film(variance=0.0)).activity_covariance()
    close(still, linear_activity(BRAIN, FixedStimulus()).activity_covariance())
    slow = linear_activity(BRAIN, Film(variance=2.0, time_constant=1e6))
    joint = joint_covariance(BRAIN.network)
    seen = units_of(BRAIN.network, *BRAIN.senses)
    rest = np.setdiff1d(np.arange(len(joint)), seen)
    to_mode = joint[np.ix_(rest, seen)] @ np.linalg.inv(joint[np.ix_(seen, seen)])
    moved = 2.0 * to_mode @ BRAIN.sense_covariance @ to_mode.T
    close(slow.activity_covariance(), still + moved, rtol=1e-4)


def test_a_lyapunov_solution_is_the_integral_of_what_is_added():
    """Sum over many exact steps, from nothing."""
    activity = linear_activity(BRAIN, Film(variance=1.5))
    move = transition(activity, 0.05)
    total, factor = move.covariance, move.factor
    for _ in range(14):
        total = total + factor @ total @ factor.T
        factor = factor @ factor
    close(total, activity.covariance, rtol=1e-7)


def test_time_constants_change_lagged_covariances_and_not_those_at_rest():
    slow = {"default": 3.0, "sight": 0.001}
    first = linear_activity(BRAIN, EyesClosed())
    second = linear_activity(BRAIN, EyesClosed(), time_constants=slow)
    close(first.activity_covariance(), second.activity_covariance())
    lagged = [lagged_covariances(one, 0.1, lags=2)[2] for one in (first, second)]
    assert np.abs(lagged[0] - lagged[1]).max() > 0.05


def test_lagged_covariances_decay_with_the_drift():
    activity = linear_activity(BRAIN, Film())
    found = lagged_covariances(activity, 0.13, lags=3)
    for lag in range(4):
        move = scipy.linalg.expm(-activity.drift * 0.13 * lag)
        expected = activity.read @ move @ activity.covariance @ activity.read.T
        close(found[lag], expected)


def test_gains_may_leave_time_constants_as_they_are():
    """The same law at one moment; all gains alike then change no speed either."""
    alike = Modulation(dict.fromkeys(BRAIN.network.names, 0.2))
    plain = linear_activity(BRAIN, EyesClosed())
    slow, kept = (
        linear_activity(BRAIN, EyesClosed(), modulation=alike, keeps=one)
        for one in ("mobility", "time constant")
    )
    close(kept.drift, plain.drift)
    close(slow.drift, 0.2 * plain.drift)
    close(kept.covariance, slow.covariance)
    close(kept.covariance, 5 * plain.covariance)


def test_gains_alike_at_their_own_temperature_change_nothing_but_speed():
    alike = Modulation(dict.fromkeys(BRAIN.network.names, 0.2), temperature=0.2)
    plain, cooled = (
        linear_activity(BRAIN, FixedStimulus(), modulation=one) for one in (None, alike)
    )
    close(cooled.activity_covariance(), plain.activity_covariance())
    close(cooled.drift, 0.2 * plain.drift)


def test_weaker_errors_are_a_drift_of_their_own():
    """Each level's own error in full, its children's times their factor; noise as without."""
    factors = {"sight": 0.5, "touch": 0.5, "visual": 0.3, "somatomotor": 0.3}
    activity = linear_activity(
        BRAIN, EyesClosed(), modulation=Modulation(error_transmission=factors)
    )
    network = BRAIN.network
    maps, precision = maps_of(network), precisions_of(network)
    sent = np.concatenate(
        [
            np.full(w, factors.get(n, 1.0))
            for n, w in zip(network.names, network.widths, strict=True)
        ]
    )
    errors = precision @ (np.eye(len(maps)) - maps)
    by_hand = errors - maps.T @ (sent[:, None] * errors)
    mobility = np.diag(activity.diffusion) / 2
    close(activity.drift, mobility[:, None] * by_hand)
    expected = scipy.linalg.solve_continuous_lyapunov(
        activity.drift, activity.diffusion
    )
    close(activity.covariance, expected)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_generated_activity_has_the_moments_of_mixed_activity(share):
    values = {"sight": np.array([0.5, -1.0]), "touch": np.array([2.0, 0.0])}
    modulation = Modulation(top_down=share, temperature=0.6)
    found = linear_activity(BRAIN, FixedStimulus(values), modulation=modulation)
    problem = pose(BRAIN.network, values).problem
    mode = infer_one(problem, GaussNewton()).whitened
    moments = activity_moments(problem, mode, jnp.asarray(share), jnp.asarray(0.6))
    close(found.activity_covariance(), np.asarray(moments.covariance))
    close(found.activity, np.concatenate(moments.mean[2:]), rtol=1e-6)


def test_a_task_holds_its_goal():
    found = linear_activity(BRAIN, Task({"control": np.ones(4)}, FixedStimulus()))
    joint = joint_covariance(BRAIN.network)
    held = (*BRAIN.senses, "control")
    close(found.activity_covariance(), given_senses(BRAIN.network, joint, held))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: linear_activity(small_brain(squashed=True), EyesClosed()),
            "not linear",
        ),
        (lambda: linear_activity(BRAIN, EyesClosed(), temperature=0.0), "temperature"),
        (
            lambda: linear_activity(BRAIN, EyesClosed(), temperature=np.nan),
            "temperature",
        ),
        (
            lambda: linear_activity(
                BRAIN, EyesClosed(), modulation=Modulation(temperature=0.0)
            ),
            "temperature",
        ),
        (
            lambda: linear_activity(BRAIN, EyesClosed(), time_constants={"eye": 1.0}),
            "eye",
        ),
        (
            lambda: linear_activity(
                BRAIN, EyesClosed(), time_constants={"visual": 0.0}
            ),
            "seconds",
        ),
        (lambda: linear_activity(BRAIN, FixedStimulus({"visual": [1.0]})), "senses"),
        (
            lambda: linear_activity(BRAIN, FixedStimulus({"sight": np.ones((3, 2))})),
            "shape",
        ),
        (lambda: linear_activity(BRAIN, FixedStimulus({"sight": [np.nan, 0]})), "nan"),
        (lambda: linear_activity(BRAIN, Film(covariance=np.eye(3))), "covariance"),
        (lambda: linear_activity(BRAIN, Film(covariance=-np.eye(4))), "eigenvalue"),
        (lambda: Film(variance=-1.0), "variance"),
        (lambda: Film(time_constant=0.0), "time_constant"),
        (lambda: linear_activity(BRAIN, Task({})), "goal"),
        (lambda: linear_activity(BRAIN, Task({"sight": [1.0, 1.0]})), "sense"),
        (lambda: linear_activity(BRAIN, "rest"), "condition"),
        (lambda: linear_activity(BRAIN.network, EyesClosed()), "brain"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call, words):
    with pytest.raises(UserError, match=f"(?i){words}"):
        call()


def test_single_precision_agrees_with_double():
    found = linear_activity(BRAIN, Film()).activity_covariance()
    with jax.enable_x64(False):
        single = small_brain()
        assert single.network.prior_mean[...].dtype == jnp.float32
        close(linear_activity(single, Film()).activity_covariance(), found, rtol=1e-4)

"""Gaussian transfer entropy: closed forms of autoregressive processes, and estimates of them."""

import numpy as np
import pytest
from brain_series import SCALES, smooth_series
from scipy.linalg import solve_discrete_lyapunov

from pcmodel import UserError
from pcmodel.brain.measures import covariance_transfer_entropy, transfer_entropy
from pcmodel.brain.measures.transfer_entropy import network_transfer

A, B, C = 0.5, 0.4, 0.3  # x follows itself, y itself, y follows x


def coupling(c=C):
    return np.asarray([[A, 0.0], [c, B]])


def lagged(matrix, noise, lags):
    """Covariances of x_t with x_(t - k) of an autoregression of the first order."""
    now = solve_discrete_lyapunov(matrix, noise)
    return np.asarray(
        [np.linalg.matrix_power(matrix, k) @ now for k in range(lags + 1)]
    )


def simulated(matrix, times, *, seed=0, noise=(1.0, 1.0)):
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((times + 200, len(matrix))) * np.asarray(noise)
    state, states = np.zeros(len(matrix)), []
    for shock in drawn:
        state = matrix @ state + shock
        states.append(state)
    return np.asarray(states[200:]).T


def moments(c, sy):
    """Stationary variances and covariance by hand, with noise of variance 1 on x."""
    vx = 1 / (1 - A**2)
    cxy = c * A * vx / (1 - A * B)
    return vx, cxy, (c**2 * vx + 2 * B * c * cxy + sy**2) / (1 - B**2)


def stationary(c, *, sy=1.0):
    vx, cxy, vy = moments(c, sy)
    now = np.asarray([[vx, cxy], [cxy, vy]])
    return np.asarray([now, coupling(c) @ now])


def closed_form(c, *, sy=1.0):
    """V(y_t | y) / V(y_t | y, x) of one lag: x's variance given y's last value, beside y's noise."""
    vx, cxy, vy = moments(c, sy)
    return 0.5 * np.log1p(c**2 * (vx - cxy**2 / vy) / sy**2)


@pytest.mark.parametrize("c", [0.0, 1e-4, 0.3, 2.0, 1e3])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("sy", [1e-2, 1.0, 1e2])
def test_first_order_autoregression(c, scale, sy):
    size = np.asarray([scale, 1.0])
    blocks = stationary(c, sy=sy) * np.outer(size, size)
    forth = covariance_transfer_entropy(blocks, source=[0], target=[1])
    # The covariances themselves hold what the past leaves of y to so many digits only.
    held = 1e-15 * moments(c, sy)[2] / sy**2
    assert forth == pytest.approx(closed_form(c, sy=sy), rel=1e-8, abs=1e-13 + held)
    back = covariance_transfer_entropy(blocks, source=[1], target=[0])
    assert back == pytest.approx(0.0, abs=1e-8)


def test_more_lags_of_the_target_leave_less():
    """The past of y tells of x; in the limit the ratio is that of the Kalman filter of y alone."""
    few, many = (
        covariance_transfer_entropy(
            lagged(coupling(), np.eye(2), lags), source=[0], target=[1]
        )
        for lags in (1, 40)
    )
    from scipy.linalg import solve_discrete_are

    # y_(t+1) - B y_t = C x_t + noise observes x_t: the variance of x_t given all of it before.
    error = solve_discrete_are([[A]], [[C]], [[1.0]], [[1.0]])[0, 0]
    limit = 0.5 * np.log(C**2 * error + 1.0)
    assert few > many == pytest.approx(limit, rel=1e-8)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_estimates_find_the_truth(scale, dtype):
    x, y = simulated(coupling(), 20_000)
    x, y = (x * scale).astype(dtype), (y / scale).astype(dtype)
    forth, back = transfer_entropy(x, y), transfer_entropy(y, x)
    # Three standard errors of a log ratio of variances.
    assert forth.nats == pytest.approx(closed_form(C), abs=3 * np.sqrt(0.08 / 20_000))
    assert forth.p < 1e-10 < back.p and back.p > 0.01
    assert abs(back.corrected) < 3e-4 and forth.samples == 19_999


def test_the_regression_is_least_squares():
    x, y = smooth_series(2, 60)
    lags = 3
    now = y[lags:]
    own = np.column_stack([np.ones(57), *(y[lags - k : 60 - k] for k in (1, 2, 3))])
    both = np.column_stack([own, *(x[lags - k : 60 - k] for k in (1, 2, 3))])
    alone, joint = (np.linalg.lstsq(d, now, rcond=None)[1][0] for d in (own, both))
    found = transfer_entropy(x, y, lags=lags)
    assert found.nats == pytest.approx(0.5 * np.log(alone / joint), rel=1e-8)
    assert (found.degrees, found.samples) == (3, 57)
    assert found.corrected == pytest.approx(found.nats - 3 / 114)


def test_under_none_the_test_is_level():
    p = [
        transfer_entropy(*simulated(coupling(0.0), 100, seed=s), lags=2).p
        for s in range(300)
    ]
    assert 0.02 < np.mean(np.asarray(p) < 0.05) < 0.09


def test_several_units_and_what_depends_on_others():
    matrix = np.asarray([[0.5, 0, 0], [0, 0.5, 0], [0.4, 0.4, 0.2]])
    blocks = lagged(matrix, np.eye(3), 1)
    exact = covariance_transfer_entropy(blocks, source=[0, 1], target=[2])
    states = simulated(matrix, 20_000, noise=(1, 1, 1))
    found = transfer_entropy(states[:2], states[2])
    assert found.nats == pytest.approx(exact, abs=0.01)
    doubled = transfer_entropy(np.vstack([states[:2], states[:1]]), states[2])
    assert doubled.nats == pytest.approx(found.nats, abs=1e-10)
    own = transfer_entropy(states[2], states[2])
    assert own.nats == pytest.approx(0.0, abs=1e-12)


def test_a_target_without_noise_is_undefined():
    x = np.random.default_rng(0).standard_normal(50)
    later = np.roll(x, 1)
    copy = transfer_entropy(x, later)
    assert np.isnan(copy.nats) and "without remainder" in copy.undefined
    assert transfer_entropy(later, x).nats < 0.1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: transfer_entropy(np.arange(9.0), np.arange(8.0)), "has 9 samples"),
        (lambda: transfer_entropy(*smooth_series(2, 5), lags=2), "have 5 samples"),
        (lambda: transfer_entropy(*smooth_series(2, 50), lags=0), "1 or more|at least"),
        (lambda: transfer_entropy(np.ones(9), np.arange(9.0)), "source: region 0 is"),
        (
            lambda: covariance_transfer_entropy(
                np.zeros((2, 2, 2)), source=[0], target=[1]
            ),
            "variance of 0",
        ),
        (
            lambda: covariance_transfer_entropy(
                np.ones((2, 2, 2)), source=[0], target=[1]
            ),
            "singular",
        ),
        (
            lambda: covariance_transfer_entropy(
                lagged(coupling(), np.eye(2), 1), source=[0], target=[2]
            ),
            "places from 0 to 1",
        ),
        (
            lambda: covariance_transfer_entropy(
                lagged(coupling(), np.eye(2), 1), source=[0, 1], target=[1]
            ),
            "shares",
        ),
        (
            lambda: covariance_transfer_entropy(np.eye(2), source=[0], target=[1]),
            "shape",
        ),
    ],
)
def test_what_is_wrong_is_refused(call, said):
    with pytest.raises(UserError, match=said):
        call()


def test_between_networks_it_is_that_of_their_means():
    states = simulated(coupling(0.8), 500)
    rng = np.random.default_rng(1)
    series = np.repeat(states, 3, axis=0) + 1e-3 * rng.standard_normal((6, 500))
    found = network_transfer(series, list("xxxyyy"))
    assert found.names == ("x", "y") and np.isnan(np.diag(found.nats)).all()
    z = (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)
    direct = transfer_entropy(z[:3].mean(0), z[3:].mean(0))
    assert found.nats[0, 1] == pytest.approx(direct.nats, rel=1e-8)
    assert found.corrected[0, 1] > 0.1 > found.corrected[1, 0]

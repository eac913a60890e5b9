r"""How likely people's differences are under a predicted dose curve, with nothing fitted to the drug.

A prediction is a ratio r_d: the illusion at dose d over that at none.  Two likelihoods, which treat a person's
own size of the illusion differently:

`within`: differences from placebo, $d_i = M (r - 1) + \varepsilon_i$, with M the placebo mean of the group and
$\varepsilon_i \sim N(0, \sigma^2 (I + 1 1^\top))$, because both differences of a person share one placebo session.
`scaled`: all sessions, $y_i = m_i r + \varepsilon_i$, $m_i \sim N(M, \tau^2)$, $\varepsilon_i \sim N(0, \sigma^2 I)$,
$M \sim N(0, 10^2)$: a drug multiplies each person's own illusion.

Session noise sigma and the spread of people tau are not known beforehand: both are integrated over a log-uniform
prior from 0.5 to 20 per cent points.  No change is r = 1 in either.
"""

import numpy as np
from scipy.special import logsumexp

LEAST, MOST = 0.5, 20.0
"""Limits of the log-uniform priors of sigma and tau, per cent points."""
BROAD = 10.0
"""s.d. of the prior of the mean illusion, per cent points."""


def average_over_log(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Log of the average of exp(values) over an even grid of log sigma, by the trapezoidal rule."""
    size = values.shape[axis]
    weights = np.full(size, 1.0 / (size - 1))
    weights[[0, -1]] /= 2
    shape = [1] * values.ndim
    shape[axis] = size
    return np.asarray(logsumexp(values, axis=axis, b=weights.reshape(shape)))


def within(people: np.ndarray, ratio: np.ndarray, points: int = 801) -> float:
    """Log likelihood, nats, of differences from the first column.

    people: illusions, (people, 1 + doses), placebo first.
    ratio: predicted, (doses,).
    """
    differences = people[:, 1:] - people[:, :1]
    return shifted(differences, people[:, 0].mean() * (ratio - 1), points)


def shifted(differences: np.ndarray, shift: np.ndarray, points: int = 801) -> float:
    """Log likelihood, nats, of differences (people, doses) whose mean is `shift`."""
    number, doses = differences.shape
    shape = np.eye(doses) + np.ones((doses, doses))
    left = differences - shift
    squares = np.einsum("id,de,ie->", left, np.linalg.inv(shape), left)
    log_sigma = np.linspace(np.log(LEAST), np.log(MOST), points)
    constant = number * (doses * np.log(2 * np.pi) + np.linalg.slogdet(shape)[1])
    values = (
        -0.5 * constant
        - number * doses * log_sigma
        - 0.5 * squares * np.exp(-2 * log_sigma)
    )
    return float(average_over_log(values))


def scaled(people: np.ndarray, ratio: np.ndarray, points: int = 101) -> float:
    """Log likelihood, nats, of all sessions; arguments as for `within`."""
    number, sessions = people.shape
    whole = np.concatenate([[1.0], ratio])
    grid = np.exp(np.linspace(np.log(LEAST), np.log(MOST), points))
    tau, sigma = (each[..., None, None] for each in np.meshgrid(grid, grid))
    spread = tau**2 * np.outer(whole, whole)[None, None] + sigma**2 * np.eye(sessions)
    inverse, (_, log_det) = np.linalg.inv(spread), np.linalg.slogdet(spread)
    along = np.einsum("d,...de->...e", whole, inverse)
    squares = np.einsum("id,...de,ie->...", people, inverse, people)
    precision = number * along @ whole + BROAD**-2
    pull = along @ people.sum(axis=0)
    values = 0.5 * (
        -squares
        - number * (log_det + sessions * np.log(2 * np.pi))
        + pull**2 / precision
        - np.log(precision * BROAD**2)
    )
    return float(average_over_log(average_over_log(values)))


def log_bayes_factor(people: np.ndarray, ratio: np.ndarray, likelihood=within) -> float:
    """Log likelihood of a prediction minus that of no change, nats; NaN without people."""
    if not len(people):
        return float("nan")
    return likelihood(people, ratio) - likelihood(people, np.ones_like(ratio))


def leaving_one_out(people: np.ndarray, ratio: np.ndarray) -> tuple[float, float]:
    """Lowest and highest log Bayes factor (`within`) when one person is left out; NaN with fewer than three."""
    if len(people) < 3:
        return float("nan"), float("nan")
    rest = [np.delete(people, each, axis=0) for each in range(len(people))]
    found = [log_bayes_factor(each, ratio) for each in rest]
    return min(found), max(found)


def best_possible(people: np.ndarray) -> float:
    """The largest log Bayes factor that any dose curve could have (`within`), nats; it is fitted, no prediction."""
    if not len(people):
        return float("nan")
    differences = people[:, 1:] - people[:, :1]
    free = shifted(differences, differences.mean(axis=0))
    return free - shifted(differences, np.zeros(differences.shape[1]))

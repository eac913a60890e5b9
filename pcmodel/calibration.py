"""Is the confidence of a model justified? Coverage, calibration error, scores of its probabilities.

Measures of a trained network's predictions for data it has not seen, computed in float64 on the host.
Every function takes the examples along its first axis (samples: the second) and returns unrounded
numbers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers

CHUNK = 32  # examples at a time; sorting copies their samples several times
SUM_TOLERANCE = 1e-3  # float32 probabilities of a thousand classes sum to 1 within this


class Coverage(NamedTuple):
    """Share of true values inside central predictive intervals; all fields (levels,).

    level: stated probability of the interval.
    share: share of values inside it.
    standard_error: of the share, over examples and not over units, since the errors of one example's units
        are dependent; 0 where all or none of the values are covered, however few the examples.
    """

    level: Float[np.ndarray, " levels"]
    share: Float[np.ndarray, " levels"]
    standard_error: Float[np.ndarray, " levels"]


class Reliability(NamedTuple):
    """The occupied bins of a reliability diagram, in rising order; all fields (bins,).

    low: lower edge of the confidences, not in the bin.
    high: upper edge, in the bin.
    confidence: mean probability of the predicted class.
    accuracy: share of examples whose predicted class is right.
    count: number of examples.
    """

    low: Float[np.ndarray, " bins"]
    high: Float[np.ndarray, " bins"]
    confidence: Float[np.ndarray, " bins"]
    accuracy: Float[np.ndarray, " bins"]
    count: Int[np.ndarray, " bins"]


def coverage(
    samples: ArrayLike, truth: ArrayLike, levels: Sequence[float] = (0.5, 0.8, 0.95)
) -> Coverage:
    """How often the truth lies in central predictive intervals computed from samples.

    samples: (samples, examples, units), draws of the predictive distribution of `truth`: of
        data with their noise, not of the mean alone.
    truth: (examples, units).
    levels: stated probabilities of the intervals.

    Interval ends are the quantiles at rank p (samples + 1), interpolated, so that a truth drawn from
    the same distribution as the samples is covered with exactly the stated probability where that
    rank is whole. Ends belong to the interval: values that many samples equal (black pixels) make coverage exceed
    its level. Raises UserError for shapes that do not fit, for numbers that are not finite, and for
    too few samples or examples.
    """
    drawn, true = np.asarray(_finite("samples", samples)), _finite("truth", truth)
    if drawn.ndim != 3 or drawn.shape[1:] != true.shape:
        raise UserError(
            f"samples of shape {drawn.shape} for truth of shape {true.shape}",
            where="coverage",
            expected="(samples, examples, units) and (examples, units)",
        )
    wanted = np.asarray(levels, float)
    _check_numbers(wanted, *drawn.shape[:2])
    chunks = [slice(i, i + CHUNK) for i in range(0, len(true), CHUNK)]
    covered = [_covered(drawn[:, chunk], true[chunk], wanted) for chunk in chunks]
    inside = np.concatenate(covered, axis=1)
    error = inside.std(axis=1, ddof=1) / np.sqrt(inside.shape[1])
    return Coverage(wanted, inside.mean(axis=1), error)


def _covered(samples: np.ndarray, truth: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Share of each example's units inside each interval: (levels, examples)."""
    tails = np.stack([(1 - levels) / 2, (1 + levels) / 2])
    drawn = _finite("samples", samples)
    low, high = np.quantile(drawn, tails, axis=0, method="weibull")
    return ((low <= truth) & (truth <= high)).mean(axis=-1)


def _check_numbers(levels: np.ndarray, num_samples: int, num_examples: int) -> None:
    if levels.size == 0 or not np.all((levels > 0) & (levels < 1)):
        raise UserError(
            f"levels are {levels.tolist()}", where="coverage", expected="0 < level < 1"
        )
    needed = int(np.ceil(2 / (1 - levels.max()) - 1 - 1e-9))
    if num_samples < needed:
        raise UserError(
            f"{num_samples} samples",
            where=f"coverage at {levels.max():g}",
            expected=f"{needed} or more, or the interval's ends lie beyond them",
        )
    if num_examples < 2:
        raise UserError(
            f"{num_examples} examples", where="coverage", expected="2 or more"
        )


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, num_bins: int = 15
) -> Reliability:
    """Accuracy against confidence, in `num_bins` bins of equal width over (0, 1].

    probabilities: (examples, classes), each row summing to 1.
    labels: (examples,), 0 to classes - 1.

    Confidence is the highest probability of a row, and the predicted class the first that has it.
    Guo et al. 2017 (arXiv:1706.04599), section 2. Raises UserError for invalid probabilities or labels.
    """
    shares, true = _probabilities(probabilities, labels)
    if num_bins < 1:
        raise UserError(f"num_bins is {num_bins}", expected="1 or more")
    confidence = shares.max(axis=1)
    is_right = shares.argmax(axis=1) == true
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    bins = np.clip(np.searchsorted(edges, confidence) - 1, 0, num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    occupied = count > 0
    return Reliability(
        edges[:-1][occupied],
        edges[1:][occupied],
        np.bincount(bins, confidence, num_bins)[occupied] / count[occupied],
        np.bincount(bins, is_right, num_bins)[occupied] / count[occupied],
        count[occupied],
    )


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, num_bins: int = 15
) -> float:
    r"""Mean distance of accuracy from confidence, $\sum_m \frac{n_m}{n} |acc_m - conf_m|$.

    Guo et al. 2017, equation 3; arguments as for `reliability`. It is positive even for perfectly
    calibrated predictions, by about the standard error of a bin's accuracy: compare at equal
    numbers of examples.
    """
    bins = reliability(probabilities, labels, num_bins)
    gap = np.abs(bins.accuracy - bins.confidence)
    return float(np.sum(bins.count * gap) / np.sum(bins.count))


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    r"""Mean of $\sum_k (p_k - [k = \text{label}])^2$: 0 is perfect, 2 is certain and wrong.

    Brier 1950, summed over all classes; half of it is the form common for two. Arguments as
    for `reliability`.
    """
    shares, true = _probabilities(probabilities, labels)
    rows = np.arange(len(true))
    # |p - one_hot|^2 = |p|^2 - 2 p_label + 1
    return float(np.mean(np.sum(shares**2, axis=1) - 2 * shares[rows, true] + 1))


def auroc(scores_in: ArrayLike, scores_out: ArrayLike) -> float:
    """Area under the ROC curve of a score that detects out-of-distribution examples.

    scores_in: (examples,), of in-distribution examples.
    scores_out: (examples,), of out-of-distribution examples.

    The probability that a random out-of-distribution example scores higher than a random in-distribution one,
    ties counting half (Mann-Whitney): 1 when all do, 1/2 for a score without information. Higher must mean
    further out of distribution, as with the free energy. Raises UserError for no scores or scores that are not finite.
    """
    return float(np.mean(_placements(scores_in, scores_out)[1]))


def auroc_standard_error(scores_in: ArrayLike, scores_out: ArrayLike) -> float:
    """Standard error of `auroc`, over both kinds of examples (DeLong et al. 1988); needs 2 of each."""
    parts = _placements(scores_in, scores_out)
    if min(map(len, parts)) < 2:
        raise UserError("fewer than 2 scores of a kind", where="auroc_standard_error")
    return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)))


def _placements(
    scores_in: ArrayLike, scores_out: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """For each in-distribution score the share of the others above it; and the reverse, below."""
    inside = _finite("scores_in", scores_in).ravel()
    outside = _finite("scores_out", scores_out).ravel()
    return 1 - _share_below(outside, inside), _share_below(inside, outside)


def _share_below(scores: np.ndarray, points: np.ndarray) -> np.ndarray:
    ordered = np.sort(scores)
    sides = [np.searchsorted(ordered, points, side) for side in ("left", "right")]
    return (sides[0] + sides[1]) / (2 * len(ordered))


def _finite(name: str, values: ArrayLike) -> np.ndarray:
    numbers = read_numbers(values, where=name, finite=False)
    if isinstance(numbers, Tracer):
        raise UserError(
            "is traced by jit, grad or vmap", where=name, expected="known numbers"
        )
    array = np.asarray(numbers, float)
    if array.size == 0 or not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise UserError(
            f"{count} of {array.size} values are not finite",
            where=name,
            expected="none",
        )
    return array


def _labels(labels: ArrayLike) -> np.ndarray:
    """The labels as an array; UserError for masked or traced ones."""
    _finite("labels", labels)
    return np.asarray(labels)


def _probabilities(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    shares, true = _finite("probabilities", probabilities), _labels(labels)
    if shares.ndim != 2 or true.shape != shares.shape[:1]:
        raise UserError(
            f"probabilities of shape {shares.shape} for labels of shape {true.shape}",
            expected="(examples, classes) and (examples,)",
        )
    wrong = np.abs(shares.sum(axis=1) - 1) > SUM_TOLERANCE
    wrong |= np.any(shares < 0, axis=1)
    if wrong.any():
        raise UserError(
            f"row {np.argmax(wrong)} is no distribution",
            where="probabilities",
            expected="values of 0 or more that sum to 1",
        )
    if true.dtype.kind not in "iu" or true.min() < 0 or true.max() >= shares.shape[1]:
        raise UserError(
            f"labels of type {true.dtype} from {true.min()} to {true.max()}",
            expected=f"whole numbers 0 to {shares.shape[1] - 1}",
        )
    return shares, true

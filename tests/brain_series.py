"""Series of regions for the tests of brain measures: with a given correlation, exactly; smooth; at any scale."""

import numpy as np

SCALES = (1e-8, 1e-3, 1.0, 1e8)


def exact_series(correlation, times, *, seed=0):
    """Series (regions, times) whose sample correlation is exactly the given one, to rounding."""
    rng = np.random.default_rng(seed)
    number = len(correlation)
    drawn = rng.standard_normal((times, number))
    basis, _ = np.linalg.qr(drawn - drawn.mean(axis=0))
    root = np.linalg.cholesky(correlation)
    return root @ basis.T * np.sqrt(times)


def block_correlation(sizes, within, between):
    """One correlation inside every network, another between any two; and the labels."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    matrix = np.where(labels[:, None] == labels[None, :], within, between)
    np.fill_diagonal(matrix, 1.0)
    return matrix, [f"net{label}" for label in labels]


def smooth_series(regions, times, *, seed=0, share=0.7):
    """Autoregressive series that share a part."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((regions, times)) + rng.standard_normal(times) * share
    series = np.zeros_like(noise)
    for t in range(times):
        series[:, t] = (0.6 * series[:, t - 1] if t else 0.0) + noise[:, t]
    return series

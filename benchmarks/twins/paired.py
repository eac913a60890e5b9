"""Differences between two rules that were trained from the same seeds and judged on the same images."""

from typing import Any

import numpy as np
from scipy import stats


def paired(one: np.ndarray, twin: np.ndarray) -> dict[str, Any]:
    """Mean difference over seeds with its 95 % t interval; no interval of a single seed.

    one, twin: (seeds, images), whether each image was classified rightly; every seed has the same images.

    `image_standard_error` is the error of the same difference over images, with these networks.
    """
    by_image = np.asarray(one, float) - np.asarray(twin, float)
    by_seed = by_image.mean(axis=1)
    seeds, images = by_image.shape
    low, high = None, None
    if seeds > 1:
        half = stats.t.ppf(0.975, seeds - 1) * by_seed.std(ddof=1) / seeds**0.5
        low, high = float(by_seed.mean() - half), float(by_seed.mean() + half)
    spread = by_image.mean(axis=0).std(ddof=1) if images > 1 else float("nan")
    return {
        "difference": float(by_seed.mean()),
        "low": low,
        "high": high,
        "by_seed": by_seed.tolist(),
        "image_standard_error": float(spread / images**0.5),
    }

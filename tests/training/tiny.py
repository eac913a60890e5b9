"""Images small enough to train on in a moment: two kinds of stripes with noise."""

from dataclasses import replace

import numpy as np

from pcmodel.data.images import ImageData
from pcmodel.training.plan import (
    DataPlan,
    EStepPlan,
    LearningPlan,
    NetworkPlan,
    TrainingPlan,
)


def stripes(num=64, seed=0):
    """Images of 4 x 4 in grey: label 0 lies, label 1 stands."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num) % 2
    lying = np.tile([[255], [0], [255], [0]], (1, 4))
    images = np.where(labels[:, None, None] == 0, lying, lying.T)
    noisy = np.clip(images + rng.normal(0, 60, images.shape), 0, 255)
    noisy = noisy.astype(np.uint8)[..., None]
    half = num // 2
    return ImageData(
        noisy[:half], labels[:half], noisy[half:], labels[half:], "stripes", 2
    )


PLAN = TrainingPlan(
    data=DataPlan(validation=8),
    network=NetworkPlan(hidden=(3,)),
    learning=LearningPlan(rate=0.02),
    epochs=2,
    batch_size=4,
    chunk=3,
    checkpoint_every=0.0,
)

GENERATIVE = replace(
    PLAN,
    network=NetworkPlan(direction="generate", likelihood="gaussian", hidden=(3,)),
    learning=LearningPlan(
        precision_rate=0.1,
        variance_floor=0.01,
        rate=0.02,
        e_step=EStepPlan(kind="samples", products=5),
    ),
)

"""Doors of networks, their layers, and the ways they learn."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
import pcmodel.learning as learning

from .disguises import KEY
from .door import Door, of, used
from .inference_doors import (
    BATCH,
    FROZEN,
    GUESSER,
    MATRIX,
    NET,
    ONE,
    RNGS,
    TOP,
    plain,
    taught,
)

IMAGE = dict(image_shape=(32, 32, 1), num_classes=2, rngs=RNGS)
BUILDERS = [
    of(pcmodel.dense, widths=(4, 3, 2), rngs=RNGS),
    of(pcmodel.linear_gaussian, weights=[MATRIX], precisions=[2.0, 1.0]),
    of(pcmodel.mlp_classifier, width_in=4, hidden=(3,), num_classes=2, rngs=RNGS),
    of(pcmodel.residual_mlp, width_in=4, width=3, depth=2, num_classes=2, rngs=RNGS),
    of(pcmodel.vgg4, **IMAGE, channels=(2, 2, 2)),
    of(pcmodel.vgg5, **IMAGE, channels=(2, 2, 2, 2)),
    of(pcmodel.vgg6, **IMAGE, channels=(2, 2, 2, 2, 2)),
    of(pcmodel.vgg7, **IMAGE, channels=(2, 2, 2, 2, 2, 2)),
    of(pcmodel.resnet18, **IMAGE, channels=(2, 2, 2, 2)),
    of(
        pcmodel.convolutional_generator,
        image_shape=(8, 8, 1),
        width=2,
        channels=(2, 2),
        rngs=RNGS,
    ),
    of(
        pcmodel.hierarchy,
        levels={
            "data": pcmodel.Level(4, parents=["top"]),
            "top": pcmodel.Level(2, parts={"self": 1, "rest": 1}),
        },
        rngs=RNGS,
    ),
    used(pcmodel.Level, lambda made: above(made), width=2),
    Door(
        "Part",
        lambda **a: pcmodel.by_name(divided([pcmodel.Part(**a)]), [ONE, TOP]),
        dict(name="self", level=1, units=(0,)),
        pcmodel.Part,
    ),
    of(pcmodel.by_name, network=NET, arrays=[ONE, np.ones(3), TOP]),
    used(
        pcmodel.Additive,
        lambda made: made(jnp.ones(2), jnp.ones(3)),
        maps=[pcmodel.Dense(2, 4, rngs=RNGS), pcmodel.Dense(3, 4, rngs=RNGS)],
    ),
    of(pcmodel.recognition_for, network=NET, rngs=RNGS),
    of(pcmodel.learning_rates, network=NET),
    of(pcmodel.scale_by_depth, network=NET),
    used(pcmodel.Dense, plain, width_above=2, width=3, rngs=RNGS),
    used(pcmodel.Convolution, plain, shape_above=(4, 4, 1), channels=2, rngs=RNGS),
    used(
        pcmodel.TransposedConvolution,
        plain,
        shape_above=(4, 4, 1),
        channels=2,
        rngs=RNGS,
    ),
    used(pcmodel.Residual, plain, branch=pcmodel.Dense(2, 2, rngs=RNGS)),
    used(pcmodel.Sequential, plain, layers=[pcmodel.Dense(2, 3, rngs=RNGS)]),
    used(
        pcmodel.Recognition,
        lambda made: pcmodel.recognise(made, ONE),
        layers=list(GUESSER.layers),
    ),
    used(
        pcmodel.Scaling,
        lambda made: plain(pcmodel.Dense(2, 3, scaling=made, rngs=nnx.Rngs(0))),
    ),
    used(pcmodel.MaxPool, lambda made: made(jnp.ones((4, 4, 1)))),
    used(pcmodel.AveragePool, lambda made: made(jnp.ones((4, 4, 1)))),
    used(
        pcmodel.Network,
        lambda made: pcmodel.predict(made, TOP),
        layers=[pcmodel.Dense(2, 4, rngs=RNGS)],
        widths=(4, 2),
        log_precisions=[0.0, 0.0],
    ),
]


def above(level: pcmodel.Level) -> Any:
    """A hierarchy with this top."""
    data = pcmodel.Level(4, parents=["top"])
    return pcmodel.hierarchy({"data": data, "top": level}, rngs=nnx.Rngs(0))


def divided(parts: Any) -> pcmodel.Network:
    """A network with these parts."""
    layers = [pcmodel.Dense(2, 4, rngs=nnx.Rngs(0))]
    return pcmodel.Network(layers, (4, 2), log_precisions=[0.0, 0.0], parts=parts)


CHAIN = learning.Hmc(num_leapfrog=1)
LEARNING = [
    used(learning.Learning, lambda made: taught_with(made)),
    used(learning.PosteriorSamples, lambda made: taught(e_step=made)),
    used(learning.PointEstimate, lambda made: taught(e_step=made, **FROZEN)),
    used(learning.MovingAverage, lambda made: taught(precision_step=made)),
    used(learning.GradientStep, lambda made: taught(precision_step=made)),
    used(learning.Hmc, lambda made: taught(e_step=made), num_leapfrog=1),
    used(
        learning.NaturalGradient,
        lambda made: taught(precision_step=made, e_step=CHAIN),
    ),
    used(learning.Nudged, lambda made: classified(made)),
    used(learning.NudgedLoss, lambda made: classified(made)),
    used(
        learning.FixedPoint,
        lambda made: classified(learning.NudgedLoss(inference=made)),
    ),
    used(
        learning.EvenOdd, lambda made: classified(learning.NudgedLoss(inference=made))
    ),
    used(learning.Incremental, lambda made: taught(rule=made, **FROZEN), num_steps=2),
]


def taught_with(options: Any) -> Any:
    """Learning with options that are made already."""
    done = pcmodel.train(
        NET, BATCH, key=KEY, num_epochs=1, batch_size=2, learning=options
    )
    return done.curve.energy


def classified(rule: Any) -> Any:
    """A rule that needs both ends."""
    options = learning.Learning(rule=rule, e_step=learning.PointEstimate(), **FROZEN)
    labels = np.array([[0.5, 1.0], [0.25, -1.0], [0.0, 1.5]])
    done = pcmodel.train(
        NET,
        BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
        clamp={"top": labels},
        learning=options,
    )
    return done.curve.energy

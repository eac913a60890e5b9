"""`run`: everything the main job computes."""

from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.data.digits import DigitsSplit, load_digits_split
from pcmodel.networks.network import as_model
from pcmodel.report.laplace import LaplaceSummary
from pcmodel.runtime.progress import Progress

from .behaviour import simulate_behaviour
from .config import Config
from .network import Trained, accuracy, readout_accuracy, train_digits
from .presenting import as_float64
from .sweeps import (
    Established,
    Order,
    Settling,
    Sweeps,
    Trials,
    diagnose_some,
    draw_trials,
    establish_then_contradict,
    evidence_scale,
    monotone_in_a_linear_network,
    order_effect,
    relax_without_evidence,
    run_sweeps,
    settling,
)


class Learned(NamedTuple):
    """How training went; energies in nats per example.

    readout_accuracy: by the largest unit of the inferred top, which is the belief that is studied.
    """

    accuracy: float
    untrained_accuracy: float
    readout_accuracy: float
    energy: np.ndarray
    residual: np.ndarray
    log_precisions: np.ndarray


class Scales(NamedTuple):
    """Evidence precision that reaches the top, and the prior precision set from it."""

    evidence: float
    prior: float


class Results(NamedTuple):
    """Everything measured; see the parts.

    laplace: how far the first pairs' Laplace posteriors are from the posterior, as trained and with the top relaxed
    the furthest.
    """

    learned: Learned
    trials: Trials
    scales: Scales
    untrained_scales: Scales
    trained: Sweeps
    untrained: Sweeps
    linear_revision: np.ndarray
    no_evidence: np.ndarray
    order: Order
    linear_order: Order
    established: Established
    settling: Settling
    laplace: LaplaceSummary
    behaviour: Any


def run(config: Config, *, seed: int, progress: Progress) -> Results:
    """Train, sweep, control, fit."""
    data = load_digits_split()
    networks = train_digits(data, config.training, seed=seed, progress=progress)
    learned = judge_learning(networks, data, progress)
    trials = draw_trials(data, config.pairs, config.established_by, seed)
    # Controls are stated to 1e-5 and better: double precision, wherever the job runs.
    with jax.enable_x64(True):
        revised = revise_beliefs(
            networks, data.train_images[: config.pairs], trials, config, seed, progress
        )
    behaviour = simulate_behaviour(
        settings=config.behaviour, seed=seed, progress=progress
    )
    return Results(learned, trials, *revised, behaviour=behaviour)


def judge_learning(networks: Trained, data: DigitsSplit, progress: Progress) -> Learned:
    """What the network knows of held-out images, and how it came to."""
    held_out = data.test_images, data.test_labels
    with progress.stage("naming held-out digits", 3) as stage:
        shares = []
        for judge, network in (
            (accuracy, networks.network),
            (accuracy, networks.untrained),
            (readout_accuracy, networks.network),
        ):
            shares.append(judge(network, *held_out))
            stage.advance()
    named, untrained, read_out = shares
    return Learned(
        named,
        untrained,
        read_out,
        networks.energy,
        networks.residual,
        networks.log_precisions,
    )


def revise_beliefs(
    networks: Trained,
    images: np.ndarray,
    trials: Trials,
    config: Config,
    seed: int,
    progress: Progress,
) -> tuple:
    """The sweeps and controls, in the order of `Results`."""
    key = jax.random.key(seed)
    trained = as_float64(as_model(networks.network))
    untrained = as_float64(as_model(networks.untrained))
    linear = as_float64(as_model(networks.linear))
    with progress.stage("revising beliefs", 9) as stage:

        def done(value):
            stage.advance()
            return value

        def scales(network) -> Scales:
            evidence = evidence_scale(network, images, key)
            return Scales(evidence, config.prior_ratio * evidence)

        scale, untrained_scale = scales(trained), scales(untrained)
        linear_scale = scales(linear)
        return (
            scale,
            untrained_scale,
            done(run_sweeps(trained, trials, scale.prior, config, key)),
            done(run_sweeps(untrained, trials, untrained_scale.prior, config, key)),
            done(
                monotone_in_a_linear_network(
                    linear, trials, linear_scale.prior, config, key
                )
            ),
            done(relax_without_evidence(trained, trials, scale.prior, config, key)),
            done(order_effect(trained, trials, scale.prior, config, key)),
            done(order_effect(linear, trials, linear_scale.prior, config, key)),
            done(establish_then_contradict(trained, trials, config, key)),
            done(settling(trained, trials, scale.prior, config)),
            done(diagnose_some(trained, trials, scale.prior, config, key)),
        )

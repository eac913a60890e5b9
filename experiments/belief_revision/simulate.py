"""What is simulated: a trained network, beliefs that meet evidence, and people."""

from typing import Any, NamedTuple

import jax
import numpy as np

from pcmodel.data.digits import DigitsSplit, load_digits_split
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.report.laplace import LaplaceSummary
from pcmodel.runtime.progress import Progress

from .behaviour import BehaviourResults, simulate_behaviour
from .config import Config
from .network import Trained, accuracy, readout_accuracy, train_digits
from .presenting import as_float64
from .sweeps import (
    Case,
    Established,
    Order,
    Scales,
    Settling,
    Sweeps,
    Trials,
    diagnose_some,
    draw_trials,
    establish_then_contradict,
    evidence_scale,
    order_effect,
    relax_without_evidence,
    revision_by_gain,
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
    behaviour: BehaviourResults


def simulate(config: Config, *, seed: int, progress: Progress) -> Results:
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
    return Results(learned=learned, trials=trials, behaviour=behaviour, **revised)


def judge_learning(networks: Trained, data: DigitsSplit, progress: Progress) -> Learned:
    """What the network knows of held-out images, and how it came to."""
    judged = (
        (accuracy, networks.network),
        (accuracy, networks.untrained),
        (readout_accuracy, networks.network),
    )
    named, untrained, read_out = (
        judge(network, data.test_images, data.test_labels)
        for judge, network in progress.track(judged, "naming held-out digits")
    )
    course = networks.energy, networks.residual, networks.log_precisions
    return Learned(named, untrained, read_out, *course)


def revise_beliefs(
    networks: Trained,
    images: np.ndarray,
    trials: Trials,
    config: Config,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """The sweeps and controls, by the names of `Results`."""
    key = jax.random.key(seed)

    def case(network: Network) -> Case:
        precise = as_float64(as_model(network))
        evidence = evidence_scale(precise, images, key)
        scales = Scales(evidence, config.prior_ratio * evidence)
        return Case(precise, trials, scales, config, key)

    trained, untrained, linear = (
        case(each) for each in (networks.network, networks.untrained, networks.linear)
    )
    parts = {
        "trained": (run_sweeps, trained),
        "untrained": (run_sweeps, untrained),
        "linear_revision": (revision_by_gain, linear),
        "no_evidence": (relax_without_evidence, trained),
        "order": (order_effect, trained),
        "linear_order": (order_effect, linear),
        "established": (establish_then_contradict, trained),
        "settling": (settling, trained),
        "laplace": (diagnose_some, trained),
    }
    found = {
        name: compute(which)
        for name, (compute, which) in progress.track(parts.items(), "revising beliefs")
    }
    return dict(scales=trained.scales, untrained_scales=untrained.scales, **found)

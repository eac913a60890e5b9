"""The network and the learning options of a plan."""

from collections.abc import Callable
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import optax

from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.solvers.descent import ErrorDescent, StateDescent
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.solvers.truncated_newton import TruncatedNewton
from pcmodel.learning.e_step import EStep, PointEstimate, PosteriorSamples
from pcmodel.learning.em import Learning, Rule
from pcmodel.learning.gauge import FixedHiddenPrecision, FixedWeightNorm
from pcmodel.learning.incremental import Incremental
from pcmodel.learning.nudging import EvenOdd, FixedPoint, Nudged, NudgedLoss
from pcmodel.learning.persistent_hmc import Hmc
from pcmodel.learning.precisions.m_step import Frozen, MovingAverage, PrecisionStep
from pcmodel.learning.precisions.natural_gradient import NaturalGradient
from pcmodel.learning.rules import Backpropagation, Equilibrium
from pcmodel.model.likelihood import Bernoulli, Categorical, Gaussian
from pcmodel.networks.architectures import classifiers as builders
from pcmodel.networks.architectures import resnet
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.layers.rates import scale_by_depth
from pcmodel.networks.network import Network, dense, initial_weights_of
from pcmodel.training.plan import EStepPlan, LearningPlan, NetworkPlan

ACTIVATIONS: dict[str, Callable] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": jax.nn.gelu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "identity": identity,
}
LIKELIHOODS = {
    "gaussian": Gaussian(),
    "bernoulli": Bernoulli(),
    "categorical": Categorical(),
}
GAUGES = {
    "weight_norm": FixedWeightNorm(),
    "hidden_precision": FixedHiddenPrecision(),
}
CONVOLUTIONAL = {
    "vgg4": builders.vgg4,
    "vgg5": builders.vgg5,
    "vgg6": builders.vgg6,
    "vgg7": builders.vgg7,
    "resnet18": resnet.resnet18,
}
SIGNS = {"positive": (1,), "negative": (-1,), "centred": (1, -1)}
SETTLING = {"fixed_point": FixedPoint, "even_odd": EvenOdd}


def build_network(
    plan: NetworkPlan,
    image_shape: tuple[int, int, int],
    num_classes: int,
    *,
    seed: int = 0,
) -> Network:
    """The network for images of (height, width, channels), with the initial weights of `seed`.

    Raises UserError where the builder does not support such images.
    """
    if plan.direction == "generate":
        return _generator(plan, prod(image_shape), num_classes, seed)
    options: dict[str, Any] = {
        "activation": ACTIVATIONS[plan.activation],
        "likelihood": LIKELIHOODS[plan.likelihood],
        "rngs": initial_weights_of(seed),
    }
    if plan.builder in CONVOLUTIONAL:
        build = CONVOLUTIONAL[plan.builder]
        channels = {"channels": plan.channels} if plan.channels else {}
        network = build(image_shape, num_classes, **channels, **options)
    elif plan.builder == "residual_mlp":
        network = builders.residual_mlp(
            prod(image_shape), plan.width, plan.depth, num_classes, **options
        )
    else:
        network = builders.mlp_classifier(
            prod(image_shape), plan.hidden, num_classes, **options
        )
    return _with_precisions(network, plan)


def _generator(plan: NetworkPlan, pixels: int, num_classes: int, seed: int) -> Network:
    hidden = [f"hidden{level + 1}" for level in range(len(plan.hidden))]
    network = dense(
        (pixels, *plan.hidden, num_classes),
        activation=ACTIVATIONS[plan.activation],
        likelihood=LIKELIHOODS[plan.likelihood],
        names=["image", *hidden, "label"],
        rngs=initial_weights_of(seed),
    )
    return _with_precisions(network, plan)


def _with_precisions(network: Network, plan: NetworkPlan) -> Network:
    """The network with the plan's initial precisions; level 0 may have one of its own."""
    dtype = network.prior_mean[...].dtype
    bottom = plan.precision if plan.bottom_precision is None else plan.bottom_precision
    wanted = [bottom] + [plan.precision] * (len(network.widths) - 1)
    for level, variable in enumerate(network.log_precision):
        if variable is not None:
            value = jnp.log(jnp.asarray(wanted[level], dtype))
            shape = (network.widths[level],) if plan.per_unit else ()
            variable[...] = jnp.broadcast_to(value, shape)
    return network


def build_learning(plan: LearningPlan, network: Network, num_batches: int) -> Learning:
    """The learning options of a plan, for a run of `num_batches` batches."""
    steps = plan.e_step.steps if plan.rule == "incremental" else 1
    return Learning(
        optimiser=build_optimiser(plan, network, steps * num_batches),
        rule=build_rule(plan),
        e_step=build_e_step(plan.e_step),
        precision_step=build_precision_step(plan),
        variance_floor=plan.variance_floor,
        gauge=GAUGES[plan.gauge],
    )


def build_rule(plan: LearningPlan) -> Rule:
    """The rule that gives the gradient of the weights."""
    if plan.rule == "backprop":
        return Backpropagation()
    if plan.rule == "nudged":
        return Nudged(plan.nudging, SIGNS[plan.nudge])
    if plan.rule == "nudged_loss":
        inference = SETTLING[plan.settling](plan.settling_steps)
        return NudgedLoss(plan.nudging, plan.nudge, inference)
    if plan.rule == "incremental":
        return Incremental(plan.e_step.steps, build_descent(plan.e_step))
    return Equilibrium()


def build_precision_step(plan: LearningPlan) -> PrecisionStep:
    """The update of the precisions; frozen at a rate of 0."""
    if not plan.precision_rate:
        return Frozen()
    if plan.precision_step == "natural":
        return NaturalGradient(plan.precision_rate)
    return MovingAverage(plan.precision_rate)


def build_optimiser(
    plan: LearningPlan, network: Network, num_steps: int
) -> optax.GradientTransformation:
    """The optimiser of the weights, with its learning-rate schedule and the muPC factors."""
    rate = build_schedule(plan, num_steps)
    if plan.optimiser == "adam":
        return optax.chain(optax.adam(rate), scale_by_depth(network))
    if plan.optimiser == "adamw":
        decayed = optax.adamw(rate, weight_decay=plan.weight_decay)
        return optax.chain(decayed, scale_by_depth(network))
    return optax.chain(
        optax.add_decayed_weights(plan.weight_decay),
        optax.sgd(rate, momentum=plan.momentum or None, nesterov=plan.nesterov),
    )


def build_schedule(plan: LearningPlan, num_steps: int) -> optax.Schedule:
    """The learning rate at each step: a linear warm-up, then constant or half a cosine."""
    warmup = round(plan.warmup * num_steps)
    rest = max(num_steps - warmup, 1)
    if plan.schedule == "cosine":
        main = optax.cosine_decay_schedule(plan.rate, rest, alpha=plan.final)
    else:
        main = optax.constant_schedule(plan.rate)
    if warmup == 0:
        return main
    rise = optax.linear_schedule(plan.rate / warmup, plan.rate, max(warmup - 1, 1))
    return optax.join_schedules([rise, main], [warmup])


def build_e_step(plan: EStepPlan) -> EStep:
    """The inference of latents during learning."""
    if plan.kind == "hmc":
        return Hmc(num_chains=plan.draws, num_leapfrog=plan.steps)
    solver = build_solver(plan)
    if plan.kind == "samples":
        return PosteriorSamples(plan.draws, solver)
    return PointEstimate(solver)


def build_solver(plan: EStepPlan) -> Solver:
    """The solver that finds the mode."""
    if plan.solver == "newton":
        return TruncatedNewton(plan.products, plan.tolerance, measured=False)
    if plan.solver == "gauss_newton":
        linear = ConjugateGradient(plan.products) if plan.products else None
        return GaussNewton(
            linear,
            tolerance=plan.tolerance,
            max_iterations=plan.iterations,
            checked=False,
        )
    descend = StateDescent if plan.solver == "state" else ErrorDescent
    return descend(build_descent(plan), tolerance=0.0, max_steps=plan.steps)


def build_descent(plan: EStepPlan) -> optax.GradientTransformation:
    """The optimiser of gradient descent on the latents."""
    return optax.sgd(plan.rate, momentum=plan.momentum or None)

"""Nonlinear hierarchies against SciPy's minimiser of an energy and gradient written by hand in float64."""

import itertools
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.accuracy.linear import forget_programs

if TYPE_CHECKING:
    from pcmodel import Network

ACTIVATIONS = ("tanh", "relu", "leaky_relu", "gelu", "square", "abs")


def activation_of(name: str):
    """In JAX, and by hand: the function and its derivative in numpy."""
    import jax
    import jax.numpy as jnp
    from scipy.special import erf

    def gelu(x):
        return 0.5 * x * (1 + erf(x / np.sqrt(2)))

    def gelu_slope(x):
        return 0.5 * (1 + erf(x / np.sqrt(2))) + x * np.exp(-(x**2) / 2) / np.sqrt(
            2 * np.pi
        )

    return {
        "tanh": (jnp.tanh, np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        "relu": (jax.nn.relu, lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
        "leaky_relu": (
            jax.nn.leaky_relu,
            lambda x: np.where(x > 0, x, 0.01 * x),
            lambda x: np.where(x > 0, 1.0, 0.01),
        ),
        "gelu": (partial(jax.nn.gelu, approximate=False), gelu, gelu_slope),
        "square": (jnp.square, np.square, lambda x: 2 * x),
        "abs": (jnp.abs, np.abs, np.sign),
    }[name]


class Bent(NamedTuple):
    """A small nonlinear hierarchy, clamped at the bottom; x_l = W_l act(x_{l+1}) + b_l, linear from the top."""

    activation: str
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    precisions: np.ndarray
    prior_mean: np.ndarray
    data: np.ndarray


def draw_bent(
    rng: np.random.Generator, widths: tuple[int, ...], activation: str
) -> Bent:
    """Ratios of precisions up to 1e4; half of them with zero biases and prior mean, where corners are."""
    plain = rng.choice([0, 1])
    span = rng.uniform(0, 4)
    return Bent(
        activation,
        [
            rng.normal(size=(below, above)) * np.sqrt(2 / above)
            for below, above in itertools.pairwise(widths)
        ],
        [rng.normal(size=width) * plain for width in widths[:-1]],
        10 ** rng.uniform(-span / 2, span / 2, size=len(widths)),
        rng.normal(size=widths[-1]) * plain,
        10 ** rng.uniform(-0.5, 0.5) * rng.normal(size=widths[0]),
    )


def bent_energy(bent: Bent, state: np.ndarray) -> tuple[float, np.ndarray]:
    """Half the precision-weighted squared errors, and their gradient, by hand in float64."""
    _, act, slope = activation_of(bent.activation)
    widths = [len(bias) for bias in bent.biases] + [len(bent.prior_mean)]
    parts = np.split(state, np.cumsum(widths[1:])[:-1])
    latents, last = [bent.data, *parts], len(widths) - 1
    value, gradients = 0.0, [np.zeros(width) for width in widths]
    for level, latent in enumerate(latents):
        if level == last:
            error = latent - bent.prior_mean
        else:
            linear = level == last - 1
            above = latents[level + 1]
            sent = above if linear else act(above)
            error = latent - bent.weights[level] @ sent - bent.biases[level]
        pull = bent.precisions[level] * error
        value += 0.5 * error @ pull
        gradients[level] += pull
        if level < last:
            steep = np.ones(len(above)) if linear else slope(above)
            gradients[level + 1] -= steep * (bent.weights[level].T @ pull)
    return value, np.concatenate(gradients[1:])


def descend_by_hand(bent: Bent, state: np.ndarray) -> float:
    """Energy where SciPy's BFGS ends, in latents scaled by their own precisions."""
    from scipy.optimize import minimize

    scale = np.concatenate(
        [
            np.full(len(bias), 1 / np.sqrt(precision))
            for bias, precision in zip(
                [*bent.biases[1:], bent.prior_mean], bent.precisions[1:], strict=True
            )
        ]
    )

    def scaled(point: np.ndarray):
        value, gradient = bent_energy(bent, scale * point)
        return value, scale * gradient

    found = minimize(
        scaled, state / scale, jac=True, method="BFGS", options={"maxiter": 2000}
    )
    return float(found.fun)


class BentVerdict(NamedTuple):
    """Energies, nats.  found: the package's.  beside: the lowest reached by hand from within 1% (and 0.1%) of it.
    best: the lowest of all starts.  moved: whether any latent left the top-down sweep by more than 1%.
    """

    activation: str
    found: float
    beside: float
    best: float
    certified: bool
    residual: float
    moved: bool
    iterations: int


def judge_bent(
    bent: Bent, result, rng: np.random.Generator, num_starts: int
) -> BentVerdict:
    """Compare one answer with what is reached by hand from beside it, and from elsewhere."""
    state = np.concatenate([np.asarray(x, float) for x in result.latents[1:]])
    found = bent_energy(bent, state)[0]
    beside = descend_beside(bent, state, rng, 1e-2)
    if beside < found:
        # A long first step of BFGS can leave the basin of a narrow mode, but not of one a tenth as far away.
        close = descend_beside(bent, state, np.random.default_rng(0), 1e-3)
        beside = max(beside, close)
    starts = [
        descend_by_hand(bent, rng.normal(size=state.size)) for _ in range(num_starts)
    ]
    sweep = bent_sweep(bent)
    return BentVerdict(
        bent.activation,
        found,
        beside,
        min([*starts, beside]),
        bool(result.converged),
        float(result.residual),
        bool(np.any(np.abs(state - sweep) > 1e-2 * np.maximum(1, np.abs(sweep)))),
        int(result.iterations),
    )


def descend_beside(
    bent: Bent, state: np.ndarray, rng: np.random.Generator, share: float
) -> float:
    """The lowest energy of three descents from within a share of the latents (of 1, where they are less)."""
    jitter = share * np.maximum(1, np.abs(state))
    starts = [state + jitter * rng.normal(size=state.size) for _ in range(3)]
    return min(descend_by_hand(bent, start) for start in starts)


def bent_sweep(bent: Bent) -> np.ndarray:
    """Free latents of the top-down pass."""
    _, act, _ = activation_of(bent.activation)
    above, latents = bent.prior_mean, [bent.prior_mean]
    for level in reversed(range(1, len(bent.weights))):
        sent = above if level == len(bent.weights) - 1 else act(above)
        above = bent.weights[level] @ sent + bent.biases[level]
        latents.insert(0, above)
    return np.concatenate(latents)


def bent_word(verdict: BentVerdict) -> str:
    """right / another minimum / no mode but certified / not certified."""
    allowed = 1e-3 + 1e-5 * abs(verdict.found)
    if not verdict.certified:
        return "not certified"
    if verdict.found > verdict.beside + allowed:
        return "certified, no mode"
    if verdict.found > verdict.best + allowed:
        return "another minimum" if verdict.moved else "did not move"
    return "right"


def set_numbers(network: "Network", bent: Bent) -> None:
    """Give a dense network the numbers of a problem."""
    import jax.numpy as jnp

    from pcmodel.networks.layers.dense import Dense

    for layer, weight, bias in zip(
        network.layers, bent.weights, bent.biases, strict=True
    ):
        assert isinstance(layer, Dense) and layer.bias is not None
        layer.weight[...] = jnp.asarray(weight)
        layer.bias[...] = jnp.asarray(bias)
    network.prior_mean[...] = jnp.asarray(bent.prior_mean)
    for own, precision in zip(network.log_precision, bent.precisions, strict=True):
        assert own is not None  # Gaussian at every level
        own[...] = jnp.asarray(np.log(precision))


def bent_battery(
    count: int,
    seed: int,
    *,
    each: int = 10,
    num_starts: int = 20,
    activations: tuple[str, ...] = ACTIVATIONS,
    report=print,
) -> list[BentVerdict]:
    """Verdicts of `count` nonlinear problems, `each` of every shape."""
    from flax import nnx

    import pcmodel

    rng = np.random.default_rng(seed)
    verdicts: list[BentVerdict] = []
    while len(verdicts) < count:
        depth = int(rng.integers(2, 4))
        widths = tuple(int(w) for w in rng.integers(1, 7, size=depth + 1))
        name = activations[(len(verdicts) // each) % len(activations)]
        network = pcmodel.dense(
            widths, activation=activation_of(name)[0], rngs=nnx.Rngs(0)
        )
        for _ in range(min(each, count - len(verdicts))):
            bent = draw_bent(rng, widths, name)
            set_numbers(network, bent)
            result = pcmodel.infer(network, bent.data)
            verdicts.append(judge_bent(bent, result, rng, num_starts))
        forget_programs(20 * len(verdicts))
        report(len(verdicts))
    return verdicts

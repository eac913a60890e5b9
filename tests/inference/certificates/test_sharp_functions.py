"""A generated battery of predictions that bend sharply, lie flat or misstate their derivative; oracle: the energy itself.

One unit of precision p1 predicts one datum of precision p0 by f(x).  Certified means that the energy, computed in
double precision by NumPy, has a local minimum within a tenth of the posterior's standard deviation of the answer.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import mixed

from pcmodel import GaussNewton
from pcmodel.api.pose import pose
from pcmodel.inference import infer_one
from pcmodel.inference.certificates.smooth_operations import is_smooth
from pcmodel.model.problem import Problem


class Function(NamedTuple):
    """The same function twice.  certified: whether answers can be (not where its derivative is not its own)."""

    jax: Callable
    numpy: Callable
    certified: bool = True


def straight_through(x):
    return x + jax.lax.stop_gradient(jnp.round(x) - x)


FUNCTIONS = {
    "tanh": Function(jnp.tanh, np.tanh),
    "steep tanh": Function(lambda x: jnp.tanh(20 * x), lambda x: np.tanh(20 * x)),
    "sine": Function(lambda x: jnp.sin(5 * x), lambda x: np.sin(5 * x)),
    "cube": Function(lambda x: x**3, lambda x: x**3),
    "fourth power": Function(lambda x: x**4, lambda x: x**4),
    "product of four": Function(lambda x: x * x * x * x, lambda x: x**4),
    "square of squares": Function(lambda x: jnp.square(jnp.square(x)), lambda x: x**4),
    "square of a product": Function(lambda x: (x * x) ** 2, lambda x: x**4),
    "softplus": Function(
        lambda x: jax.nn.softplus(50 * x) / 50,
        lambda x: np.logaddexp(0, 50 * x) / 50,
    ),
    "exponential": Function(jnp.exp, np.exp),
    "shifted relu": Function(
        lambda x: jax.nn.relu(x - 0.3), lambda x: np.maximum(x - 0.3, 0)
    ),
    "clip": Function(lambda x: jnp.clip(x, -1, 1), lambda x: np.clip(x, -1, 1)),
    "no derivative": Function(jax.lax.stop_gradient, lambda x: x, certified=False),
    "straight through": Function(straight_through, np.round, certified=False),
}


def generated(name, dtype, count=200):
    """Answers, and the numbers they belong to: data of 1e-2 to 1e4, precisions of 1e-4 to 1e8."""
    rng = np.random.default_rng(sum(map(ord, name)))
    ys, means = rng.normal(size=(2, count)) * 10 ** rng.uniform(
        [[-2], [-1]], [[4], [1]], (2, count)
    )
    logs = rng.uniform(np.log(1e-4), np.log(1e8), size=(count, 2))
    problem = pose(mixed(FUNCTIONS[name].jax), np.zeros(1)).problem

    def solve(y, mean, log_precision):
        inputs = problem.inputs._replace(
            values=(y[None], *problem.inputs.values[1:]),
            weights={**problem.inputs.weights, "prior_mean": mean[None]},
            log_precisions=tuple(
                jnp.broadcast_to(own, was.shape)
                for own, was in zip(
                    log_precision, problem.inputs.log_precisions, strict=True
                )
            ),
        )
        inputs = jax.tree.map(
            lambda leaf: (
                leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf
            ),
            inputs,
        )
        return infer_one(Problem(problem.structure, inputs), GaussNewton())

    numbers = [np.asarray(each, dtype) for each in (ys, means, logs)]
    found = jax.jit(jax.vmap(solve))(*numbers)
    return found, [np.asarray(each, float) for each in numbers]


def minimum_near(function, x, slope, y, mean, precisions):
    """Whether in some window within a tenth of a standard deviation the energy is lower inside than at both ends."""
    p0, p1 = precisions
    reach = 0.1 / np.sqrt(p0 * slope**2 + p1)
    places = x + reach * np.geomspace(1e-9, 1, 19)[:, None] * np.linspace(-1, 1, 401)
    f, here = function.numpy(places), function.numpy(x)
    change = 0.5 * p0 * (f - here) * (f + here - 2 * y)
    change += 0.5 * p1 * (places - x) * (places + x - 2 * mean)
    ends = np.minimum(change[:, 0], change[:, -1])
    return bool(np.any(np.min(change, axis=1) < ends))


QUICK = ("product of four", "shifted relu", "clip", "straight through")
LEAST = {"float32": 0.5, "float64": 0.65}
"""Share that is certified: energies reach 1e16 nats, whose rounding in single precision hides the mode; those
of clip lie on corners of a mixture.
"""
SATURATED = 0.01
"""Share certified wrong where 1 - tanh(x)^2 is rounding in single precision and its errors are huge: a limit that the
page on certificates names.
"""


def cases():
    for name in FUNCTIONS:
        marks = () if name in QUICK else pytest.mark.slow
        yield pytest.param(name, "float32", marks=marks)
        yield pytest.param(name, "float64", marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "dtype"), list(cases()))
def test_what_is_certified_is_a_mode(name, dtype):
    function = FUNCTIONS[name]
    found, (ys, means, logs) = generated(name, dtype)
    certified = np.flatnonzero(np.asarray(found.converged))
    answers = np.asarray(found.latents[1][:, 0], float)
    slopes = np.asarray(jax.vmap(jax.grad(function.jax))(answers))
    wrong = []
    for number in certified:
        case = answers[number], slopes[number], ys[number], means[number]
        if not minimum_near(function, *case, np.exp(logs[number])):
            wrong.append((*case, np.exp(logs[number])))
    saturates = name == "steep tanh" and dtype == "float32"
    assert len(wrong) <= saturates * SATURATED * len(ys), (len(wrong), wrong[:3])
    if function.certified:
        assert len(certified) >= LEAST[dtype] * len(ys), len(certified)


def test_a_product_of_four_counts_as_the_fourth_power():
    assert not is_smooth(pose(mixed(lambda x: 1 / (x + 1)), np.zeros(1)).problem)
    for name in (
        "fourth power",
        "product of four",
        "square of squares",
        "square of a product",
    ):
        assert not is_smooth(pose(mixed(FUNCTIONS[name].jax), np.zeros(1)).problem), (
            name
        )
    for smooth in (
        jax.nn.gelu,
        partial(jax.nn.gelu, approximate=False),
        jax.nn.silu,
        lambda x: x * x * x,
        lambda x: jnp.tanh(x) * x * x,
    ):
        assert is_smooth(pose(mixed(smooth), np.zeros(1)).problem)

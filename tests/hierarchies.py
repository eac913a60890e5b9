"""Random hierarchies, posed once to the package and once to the oracles."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from oracles import Conditioned, KnownUnits, LinearHierarchy

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import GaussNewton, InferenceResult, infer_one
from pcmodel.inference import posterior as laplace
from pcmodel.model.problem import Problem

RTOL = 1e-9
"""Agreement with a closed form in double precision (1e-6 is what is promised)."""

DEFAULT = GaussNewton()


def random_spd(rng: np.random.Generator, size: int, scale: float = 1.0) -> np.ndarray:
    """A well-conditioned random positive definite matrix."""
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    return scale * (root @ root.T + 0.5 * np.eye(size))


def random_precision(rng: np.random.Generator, kind: str, width: int):
    """A precision between about 0.1 and 10: "scalar", "unit" or "full"."""
    scale = 10 ** rng.uniform(-1, 1)
    if kind == "scalar":
        return np.asarray(scale)
    if kind == "unit":
        return scale * 10 ** rng.uniform(-0.5, 0.5, size=width)
    return random_spd(rng, width, scale)


def random_hierarchy(
    rng: np.random.Generator, widths: tuple[int, ...], kinds: tuple[str, ...]
) -> LinearHierarchy:
    """Random weights, biases, prior mean and precisions of the given kinds."""
    return LinearHierarchy(
        [
            rng.normal(size=(below, above)) / np.sqrt(above)
            for below, above in pairwise(widths)
        ],
        [rng.normal(size=width) for width in widths[:-1]],
        [
            random_precision(rng, kind, width)
            for kind, width in zip(kinds, widths, strict=True)
        ],
        rng.normal(size=widths[-1]),
    )


def network_of(hierarchy: LinearHierarchy) -> pcmodel.Network:
    """The same hierarchy as a network of the package."""
    return pcmodel.linear_gaussian(
        hierarchy.weights,
        hierarchy.precisions,
        biases=hierarchy.biases,
        prior_mean=hierarchy.prior_mean,
    )


def random_clamps(
    rng: np.random.Generator, widths: tuple[int, ...], masks: Mapping[int, tuple]
) -> tuple[dict, list[KnownUnits]]:
    """Random values for the masked units of some levels: for the package, for the
    oracle.

    An empty mask clamps the whole level.
    """
    clamps, known = {}, []
    for level, units in masks.items():
        units = np.asarray(units or range(widths[level]))
        values = rng.normal(size=widths[level])
        mask = np.isin(np.arange(widths[level]), units)
        clamps[level] = pcmodel.Clamp(values, mask)
        known.append(KnownUnits(level, units, values[units]))
    return clamps, known


class Answer(NamedTuple):
    """What inference says about one problem; the covariance is of its free units."""

    result: InferenceResult
    covariance: np.ndarray
    log_evidence: np.ndarray
    free: np.ndarray


@jax.jit(static_argnames="solver")
def _answer(problem: Problem, solver):
    start = jnp.zeros((problem.structure.num_free,))
    result = infer_one(problem, solver, start)
    root = laplace.covariance_root(problem, result.whitened)
    return result, root @ root.T, -laplace.free_energy(problem, result.whitened)


def ask(network, *args, solver=DEFAULT, **kwargs) -> Answer:
    """Mode, joint covariance and log evidence; arguments as for `pcmodel.infer`."""
    problem = pose(network, *args, **kwargs).problem
    starts = np.cumsum([0, *problem.structure.model.widths])
    free = [
        start + problem.structure.free_units(level)
        for level, start in enumerate(starts[:-1])
    ]
    return Answer(*_answer(problem, solver), np.concatenate(free))


def assert_exact(got: Answer, exact: Conditioned, rtol: float = RTOL) -> None:
    """Mode, covariances and evidence agree, and inference says it converged."""
    assert got.result.converged
    mode = np.concatenate(got.result.latents)
    atol = rtol * np.abs(exact.mean).max()
    np.testing.assert_allclose(mode, exact.mean, rtol=rtol, atol=atol)
    expected = exact.covariance[np.ix_(got.free, got.free)]
    atol = rtol * np.abs(expected).max()
    np.testing.assert_allclose(got.covariance, expected, rtol=rtol, atol=atol)
    np.testing.assert_allclose(
        got.log_evidence, exact.log_evidence, rtol=rtol, atol=1e-12
    )


class Mixed(nnx.Module):
    """A function of a mixture of units, f(W x), as in other packages."""

    def __init__(self, weight, function):
        self.weight = nnx.Param(jnp.asarray(weight, float))
        self.function = function

    def __call__(self, x):
        return self.function(self.weight[...] @ x)


def mixed(function, weight=((1.0,),)):
    sizes = [len(weight), len(weight[0])]
    return pcmodel.Network([Mixed(weight, function)], sizes, log_precisions=[0.0, 0.0])

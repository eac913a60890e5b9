"""Random directed hierarchies as networks of the package, and its answers beside the oracle's."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from directed import Numbers, Shape
from directed_oracles import Factors, Truth, free_of, stored_factor, truth
from flax import nnx
from hierarchies import Answer

import pcmodel
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Posed, pose
from pcmodel.api.posterior import Posterior
from pcmodel.inference import GaussNewton
from pcmodel.model.problem import Problem
from pcmodel.networks.layers.dense import identity


def levels_of(shape: Shape, numbers: Numbers) -> dict:
    """The levels as `pcmodel.hierarchy` takes them; ties by the name of the owner."""
    names, levels = shape.names, {}
    for level, width in enumerate(shape.widths):
        above, options = shape.parents[level], {}
        owner = shape.precision_of[level]
        own = numbers.precisions[level]
        options["precision"] = own if owner == level else names[owner]
        if not above:
            options["prior_mean"] = numbers.offsets[level]
        elif shape.layer_of[level] != level:
            options["layer"] = names[shape.layer_of[level]]
        parents = [names[parent] for parent in above]
        levels[names[level]] = pcmodel.Level(width, parents=parents, **options)
    return levels


def network_of(shape: Shape, numbers: Numbers):
    """The hierarchy as a network with these numbers."""
    network = pcmodel.hierarchy(
        levels_of(shape, numbers), rngs=nnx.Rngs(0), activation=identity
    )
    for level, above in enumerate(shape.parents):
        if not above or shape.layer_of[level] != level:
            continue
        layer = network.layers[network.names.index(shape.names[level])]
        maps = layer.maps if len(above) > 1 else [layer]
        for number, (own, weight) in enumerate(
            zip(maps, numbers.weights[level], strict=True)
        ):
            own.weight[...] = jnp.asarray(weight)
            if own.bias is not None:
                bias = numbers.offsets[level] * (number == 0)
                own.bias[...] = jnp.asarray(bias)
    return network


def question(shape: Shape, numbers: Numbers) -> dict:
    """Clamps, beliefs and gains as `pcmodel.infer` takes them."""
    names = shape.names
    beliefs = [
        pcmodel.Belief.of(mean, precision, level=[names[level] for level in group])
        for group, (mean, precision) in zip(shape.beliefs, numbers.beliefs, strict=True)
    ]
    return {
        "clamp": {
            names[level]: pcmodel.Clamp(numbers.values[level], mask)
            for level, mask in shape.masks.items()
        },
        "prior": beliefs or None,
        "modulation": pcmodel.Modulation(
            {names[level]: gain for level, gain in numbers.gains.items()}
        ),
    }


def where_in(network, shape: Shape) -> np.ndarray:
    """For each unit of the shape its place among the concatenated units of the network."""
    order = [network.names.index(name) for name in shape.names]
    starts = np.cumsum([0, *network.widths])
    return np.concatenate([np.arange(starts[i], starts[i + 1]) for i in order])


def posed_in(network, shape: Shape, numbers: Numbers, dtype) -> Posed:
    """The problem with every array of it in one precision of floats."""
    posed = pose(network, **question(shape, numbers))
    problem = posed.problem
    inputs = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), problem.inputs)
    return posed._replace(problem=Problem(problem.structure, inputs))


def factors_stored(network, shape: Shape, problem: Problem) -> Factors:
    """The factors from the log-precisions that a problem holds."""
    stored = problem.inputs.log_precisions
    levels = []
    for level, width in enumerate(shape.widths):
        owner = shape.names[shape.precision_of[level]]
        levels.append(stored_factor(stored[network.names.index(owner)], width))
    beliefs = [
        stored_factor(belief.log_precision, belief.mean.shape[-1])
        for belief in problem.inputs.beliefs
    ]
    return Factors(levels, beliefs)


def assert_is(got: Answer, exact: Truth, where: np.ndarray, rtol: float) -> None:
    """Mode, covariance of the free units and evidence agree, and inference says that it converged."""
    assert got.result.converged
    mode = np.concatenate(got.result.latents)[where]
    expected = exact.mean.astype(float)
    atol = rtol * np.abs(expected).max()
    np.testing.assert_allclose(mode, expected, rtol=rtol, atol=atol)
    place = {int(unit): index for index, unit in enumerate(got.free)}
    rows = [place[int(where[unit])] for unit in exact.free]
    assert len(rows) == len(got.free)
    covariance = np.asarray(got.covariance)[np.ix_(rows, rows)]
    expected = exact.covariance.astype(float)
    atol = rtol * np.abs(expected).max()
    np.testing.assert_allclose(covariance, expected, rtol=rtol, atol=atol)
    np.testing.assert_allclose(
        got.log_evidence, exact.log_evidence, rtol=rtol, atol=1e-9
    )
    np.testing.assert_allclose(got.result.energy, exact.energy, rtol=rtol, atol=1e-9)


class Verdict(NamedTuple):
    """One answer.

    distance: of the mode, in posterior standard deviations (all units together).  misfit: root of twice the energy
    without normalisers, the size of what rounding is relative to.  deviations: largest relative error of a standard
    deviation.  evidence: error of the log evidence, nats.  scale: the size of its terms.
    """

    distance: float
    misfit: float
    deviations: float
    evidence: float
    scale: float
    certified: bool

    @property
    def right(self) -> bool:
        """Within a tenth of a standard deviation; a NaN is not."""
        return self.distance <= 0.1

    def right_to(self, rtol: float) -> bool:
        """Every number to a relative accuracy; the mode relative to the spread and to the whitened errors."""
        near = self.distance <= rtol * max(1.0, self.misfit)
        known = self.deviations <= rtol and self.evidence <= rtol * max(1.0, self.scale)
        return near and known


def judge(network, shape: Shape, numbers: Numbers, dtype) -> Verdict:
    """Ask the package in one precision of floats, and compare with the oracle from the very numbers it holds."""
    posed = posed_in(network, shape, numbers, dtype)
    exact = truth(shape, numbers, factors_stored(network, shape, posed.problem))
    result = run_inference(posed, GaussNewton())
    found = Posterior(posed, result)
    where = where_in(network, shape)[free_of(shape)]
    latents = np.concatenate([np.asarray(x, np.longdouble) for x in result.latents])
    error = latents[where] - exact.mean[exact.free]
    variances = np.concatenate([np.asarray(v, float) for v in found.variances])
    ratio = np.sqrt(variances[where]) / exact.deviations.astype(float)
    return Verdict(
        float(np.sqrt(np.sum((exact.curvature @ error) ** 2))),
        exact.misfit,
        float(np.max(np.abs(ratio - 1))),
        float(np.abs(float(found.log_evidence) - exact.log_evidence)),
        abs(exact.log_evidence) + exact.misfit**2,
        bool(result.converged),
    )

"""A linear hierarchy with parts, and what inference must give in it, derived in numpy from a list of residuals.

Every level, belief and gain is a term (A x - b)' P (A x - b) / 2 over the concatenated units of all levels; what is known
is put in, and the rest is one Gaussian integral.  None of the package's code is used.
"""

from typing import NamedTuple

import numpy as np
from flax import nnx

import pcmodel
from pcmodel import Level

NAMES = ("image", "report", "hidden", "body", "top")
WIDTHS = (4, 2, 5, 2, 3)
STARTS = np.cumsum([0, *WIDTHS])
PARENTS = {"image": ("hidden",), "report": ("hidden", "body"), "hidden": ("top",)}
IMAGE = np.asarray([0.7, -1.1, 0.4, 2.0])
PARTS = {
    "image/left": (0, (0, 1)),
    "image/right": (0, (2, 3)),
    "hidden/visual": (2, (0, 2, 3)),
    "hidden/self": (2, (1, 4)),
    "top/self": (4, (0,)),
    "top/world": (4, (1, 2)),
}


class Term(NamedTuple):
    """The residual A x - b with precision P."""

    matrix: np.ndarray
    value: np.ndarray
    precision: np.ndarray


class Answer(NamedTuple):
    """Posterior of all units (known ones with variance 0) and log evidence."""

    mean: np.ndarray
    covariance: np.ndarray
    log_evidence: float


def spd(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T / size + 0.3 * np.eye(size)


def precisions(rng, scale=1.0):
    """By level: of the image one per unit, of hidden a full matrix, of the top one per unit."""
    return {
        "image": scale * rng.uniform(0.5, 2, 4),
        "report": scale * np.asarray(1.7),
        "hidden": scale * spd(rng, 5),
        "body": scale * np.asarray(0.6),
        "top": scale * rng.uniform(0.5, 2, 3),
    }


def linear_network(rng, scale=1.0, **options):
    """The network, and its precisions by level."""
    own = precisions(rng, scale)
    means = {"body": rng.normal(size=2), "top": rng.normal(size=3)}
    parts = {
        "image": {"left": 2, "right": 2},
        "hidden": {"visual": [0, 2, 3], "self": [1, 4]},
        "top": {"self": 1, "world": 2},
    }
    network = pcmodel.hierarchy(
        {
            name: Level(
                width,
                parents=PARENTS.get(name, ()),
                precision=own[name],
                prior_mean=means.get(name),
                parts=parts.get(name),
            )
            for name, width in zip(NAMES, WIDTHS, strict=True)
        },
        activation=pcmodel.networks.layers.dense.identity,
        rngs=nnx.Rngs(int(rng.integers(1000))),
        **options,
    )
    assert network.names == NAMES and network.is_linear
    return network, own, means


def units(place):
    """Indices of a level or part in the concatenated units."""
    level, own = PARTS.get(place) or (NAMES.index(place), None)
    own = range(WIDTHS[level]) if own is None else own
    return STARTS[level] + np.asarray(own)


def as_matrix(precision, size):
    precision = np.asarray(precision, float)
    if precision.ndim == 2:
        return precision
    return np.diag(np.broadcast_to(precision, (size,)))


def gained(precision, gain):
    root = np.sqrt(gain)
    return root[:, None] * precision * root[None, :]


def hierarchy_terms(network, own, means, *, gains=None, without=()):
    """The terms of the levels; `without`: units whose own prior a belief replaces."""
    gains = np.ones(STARTS[-1]) if gains is None else gains
    terms = []
    for level, name in enumerate(NAMES):
        place = units(name)
        matrix, size = np.eye(STARTS[-1])[place], WIDTHS[level]
        value = means.get(name)
        if name in PARENTS:
            layer = network.layers[level]
            maps = layer.maps if len(PARENTS[name]) > 1 else [layer]
            value = np.zeros(size)
            for one, parent in zip(maps, PARENTS[name], strict=True):
                matrix[:, units(parent)] -= np.asarray(one.weight[...], float)
                if one.bias is not None:
                    value = value + np.asarray(one.bias[...], float)
        kept = np.asarray([unit not in without for unit in place])
        precision = gained(as_matrix(own[name], size), gains[place])
        terms.append(Term(matrix[kept], value[kept], precision[np.ix_(kept, kept)]))
    return terms


def belief_term(places, mean, precision, gains=None):
    """The term of a belief about some levels or parts, in their order."""
    place = np.concatenate([units(one) for one in places])
    gain = np.ones(len(place)) if gains is None else gains[place]
    matrix = np.eye(STARTS[-1])[place]
    return Term(matrix, mean, gained(as_matrix(precision, len(place)), gain))


def answer(terms, known):
    """known: values by index of the concatenated units."""
    given = np.asarray(sorted(known), int)
    free = np.setdiff1d(np.arange(STARTS[-1]), given)
    values = np.asarray([known[unit] for unit in given])
    hessian = np.zeros((len(free), len(free)))
    slope, constant = np.zeros(len(free)), 0.0
    for matrix, value, precision in terms:
        value = value - matrix[:, given] @ values
        own = matrix[:, free]
        hessian += own.T @ precision @ own
        slope += own.T @ precision @ value
        constant += 0.5 * value @ precision @ value
        log_det = np.linalg.slogdet(precision)[1]
        constant += 0.5 * (len(value) * np.log(2 * np.pi) - log_det)
    covariance = np.linalg.inv(hessian)
    mean, spread = np.zeros(STARTS[-1]), np.zeros((STARTS[-1],) * 2)
    mean[given], mean[free] = values, covariance @ slope
    spread[np.ix_(free, free)] = covariance
    log_det = np.linalg.slogdet(hessian)[1]
    evidence = 0.5 * slope @ covariance @ slope - constant - 0.5 * log_det
    return Answer(mean, spread, evidence + 0.5 * len(free) * np.log(2 * np.pi))


def known(*given):
    """The argument of `answer` from (level or part, values) pairs."""
    return {
        int(unit): float(value)
        for place, values in given
        for unit, value in zip(units(place), values, strict=True)
    }


def assert_same(got, expected):
    """To the bit: the same program on the same numbers."""
    for one, other in zip(got.result.latents, expected.result.latents, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(got.log_evidence, expected.log_evidence)
    np.testing.assert_array_equal(got.covariance, expected.covariance)

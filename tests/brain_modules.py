"""Small brain hierarchies for the tests, and their covariances by hand."""

import jax
import numpy as np

from pcmodel.brain.dynamics import BrainPlan, Module, brain_hierarchy

SMALL = {
    "sight": Module(1, ("visual",), 0.05),
    "touch": Module(1, ("somatomotor",), 0.05),
    "visual": Module(2, ("default", "control"), 0.1, "visual"),
    "somatomotor": Module(2, ("default", "control"), 0.2, "somatomotor"),
    "control": Module(2, (), 0.3, "control"),
    "default": Module(3, (), 0.5, "default", {"self": (0,), "world": (1, 2)}),
}
PLAN = BrainPlan(units=2, examples=200, mean_weight=0.3)
ONE = {
    "sight": Module(1, ("visual",), 0.5),
    "visual": Module(1, (), 0.5, "visual"),
}
"""One unit a level: everything about it fits on a line."""


def small_brain(seed=0, **options):
    return brain_hierarchy(
        jax.random.key(seed), modules=SMALL, plan=options.pop("plan", PLAN), **options
    )


def one_brain(squashed=False, seed=0):
    plan = BrainPlan(units=1, examples=500)
    return brain_hierarchy(
        jax.random.key(seed), modules=ONE, plan=plan, squashed=squashed
    )


def maps_of(network):
    """W of every level on all units, (units, units), from the layers' arrays; linear hierarchies."""
    ends = np.cumsum([0, *network.widths])
    whole = np.zeros((ends[-1], ends[-1]))
    for level, layer in enumerate(network.layers):
        own = list(layer.maps) if hasattr(layer, "maps") else [layer]
        for parent, one in zip(network.parents[level], own, strict=True):
            rows, columns = (
                slice(*ends[level : level + 2]),
                slice(*ends[parent : parent + 2]),
            )
            whole[rows, columns] = np.asarray(one.weight[...], float)
    return whole


def precisions_of(network, gains=None):
    """Precision of every level's errors on all units, block diagonal; gains by level name."""
    blocks = []
    for name, variable in zip(network.names, network.log_precision, strict=True):
        stored = np.asarray(variable[...], float)
        lower = np.tril(stored, -1) + np.diag(np.exp(np.diag(stored) / 2))
        blocks.append((gains or {}).get(name, 1.0) * lower @ lower.T)
    size = sum(map(len, blocks))
    whole, start = np.zeros((size, size)), 0
    for block in blocks:
        end = start + len(block)
        whole[start:end, start:end] = block
        start = end
    return whole


def joint_covariance(network, gains=None):
    """Covariance of all units as the hierarchy generates them: (I - W)^-1 Pi^-1 (I - W)^-T."""
    maps = maps_of(network)
    spread = np.linalg.inv(np.eye(len(maps)) - maps)
    return spread @ np.linalg.inv(precisions_of(network, gains)) @ spread.T


def units_of(network, *levels):
    """Places of some levels' units among all."""
    ends = np.cumsum([0, *network.widths])
    picked = [network.names.index(name) for name in levels]
    return np.concatenate([np.arange(ends[i], ends[i + 1]) for i in picked])


def given_senses(network, covariance, senses):
    """Covariance of the other units given the senses (Schur complement)."""
    seen = units_of(network, *senses)
    rest = np.setdiff1d(np.arange(len(covariance)), seen)
    cross = covariance[np.ix_(rest, seen)]
    own = covariance[np.ix_(seen, seen)]
    return covariance[np.ix_(rest, rest)] - cross @ np.linalg.solve(own, cross.T)

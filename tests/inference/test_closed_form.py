"""Inference in linear-Gaussian hierarchies against the closed form.

The oracle conditions one joint Gaussian in covariance form (`oracles.py`).  Relative
agreement to 1e-9 at once fixes the error's sign, every half, every normaliser, where
each precision and gain acts, what clamping does, and the posterior that learning and
revision stand on.
"""

import numpy as np
import optax
import pytest
from hierarchies import (
    ask,
    assert_exact,
    network_of,
    random_clamps,
    random_hierarchy,
)
from oracles import exact_posterior

from pcmodel import Modulation
from pcmodel.inference import (
    BlockTridiagonal,
    ConjugateGradient,
    Dual,
    ErrorDescent,
    GaussNewton,
    Primal,
    StateDescent,
)

DUAL, PRIMAL = GaussNewton(Dual()), GaussNewton(Primal())
GRADIENTS, BLOCKS = GaussNewton(ConjugateGradient()), GaussNewton(BlockTridiagonal())

# name: (widths, precision kinds, clamped units by level (empty: the whole level),
# solver). Dual, primal and conjugate gradients work in whitened errors, blocks in the
# states.
DEAR = ("four latent levels", "five latent levels", "part of the data, full precision")
HIERARCHIES = {
    "top directly above data": ((3, 2), ("scalar", "scalar"), {0: ()}, PRIMAL),
    "one level between": ((3, 3, 2), ("unit", "scalar", "unit"), {0: ()}, GRADIENTS),
    "full precision everywhere": ((3, 4, 2), ("full", "full", "full"), {0: ()}, BLOCKS),
    "three latent levels": (
        (4, 3, 3, 2),
        ("scalar", "full", "unit", "full"),
        {0: ()},
        DUAL,
    ),
    "four latent levels": (
        (2, 3, 2, 3, 1),
        ("unit", "scalar", "full", "unit", "scalar"),
        {0: ()},
        GRADIENTS,
    ),
    "five latent levels": (
        (3, 2, 3, 2, 2, 1),
        ("scalar", "unit", "full", "scalar", "unit", "full"),
        {0: ()},
        GaussNewton(),
    ),
    "part of the data": ((4, 3, 2), ("unit", "unit", "scalar"), {0: (0, 3)}, DUAL),
    "part of the data, full precision": (
        (4, 3, 2),
        ("full", "scalar", "full"),
        {0: (2, 1)},
        GRADIENTS,
    ),
    "parts of every level, full precision": (
        (4, 4, 3, 2),
        ("full", "full", "unit", "full"),
        {0: (0, 1, 3), 1: (0, 2), 3: (1,)},
        BLOCKS,
    ),
    "parts of every level, whitened": (
        (4, 4, 3, 2),
        ("full", "full", "unit", "full"),
        {0: (0, 1, 3), 1: (0, 2), 3: (1,)},
        DUAL,
    ),
    "top clamped, bottom free": (
        (3, 3, 2),
        ("full", "unit", "scalar"),
        {2: ()},
        GaussNewton(),
    ),
    "top and bottom clamped": (
        (3, 4, 2),
        ("unit", "full", "unit"),
        {0: (), 2: ()},
        BLOCKS,
    ),
    "nothing clamped": ((2, 3, 2), ("full", "scalar", "unit"), {}, GaussNewton()),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name
        for name in HIERARCHIES
    ],
)
def test_posterior_and_evidence_equal_the_closed_form(name):
    """Prevents a belief, an uncertainty or a model comparison that is simply wrong."""
    widths, kinds, masks, solver = HIERARCHIES[name]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        hierarchy = random_hierarchy(rng, widths, kinds)
        clamps, known = random_clamps(rng, widths, masks)
        gains = [10 ** rng.uniform(-1, 1, size=width) for width in widths]
        got = ask(
            network_of(hierarchy),
            clamp=clamps,
            modulation=Modulation(dict(enumerate(gains))),
            solver=solver,
        )
        assert_exact(got, exact_posterior(hierarchy, known, gains=gains))
        assert got.result.iterations <= 1


@pytest.mark.parametrize("coordinates", [StateDescent, ErrorDescent])
def test_gradient_descent_settles_where_newton_does(coordinates):
    """Prevents the literature's dynamics and ours from having different equilibria.

    The step is the largest stable one of this hierarchy, so that no case is lucky.
    """
    rng = np.random.default_rng(7)
    widths, kinds = (3, 3, 2), ("scalar", "unit", "unit")
    hierarchy = random_hierarchy(rng, widths, kinds)
    clamps, known = random_clamps(rng, widths, {0: ()})
    exact = exact_posterior(hierarchy, known)
    free = exact.covariance[3:, 3:]
    # In whitened errors the curvature is below that of the states over the least
    # precision.
    least = min(np.min(precision) for precision in hierarchy.precisions[1:])
    curvature = np.linalg.eigvalsh(np.linalg.inv(free))[-1]
    if coordinates is ErrorDescent:
        curvature = 1 + curvature / least * 4
    solver = coordinates(optax.sgd(1.0 / curvature), tolerance=1e-10, max_steps=20_000)
    got = ask(network_of(hierarchy), clamp=clamps, solver=solver)
    assert_exact(got, exact)

"""Derivatives of a mode where precisions are many powers of ten apart, in float32: right, or NaN.

The reference is the posterior mean in float64, differentiated by a complex step.
"""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel import Belief
from pcmodel.api.pose import pose
from pcmodel.inference import GaussNewton, infer_one
from pcmodel.model.problem import Problem

WIDTHS = (8, 12, 4)
RATIOS = tuple(itertools.product((1e4, 1e0, 1e-4), (1e4, 1e0, 1e-4), (1e4, 1e0, 1e-4)))
ENOUGH = 1e-2
"""Relative error; or the same of a derivative that is `SMALL` in units of the latents, which are of size one."""
SMALL = 1e-3
RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(size=(8, 12)) / 12**0.5, RNG.normal(size=(12, 4)) / 2]
DATA = RNG.normal(size=8)
DIRECTIONS = [RNG.normal(size=8), RNG.normal(size=4)]
READOUTS = [RNG.normal(size=12), RNG.normal(size=4)]


def closed_form(precisions, moves):
    """Posterior means of both hidden levels, of complex arguments too.

    moves: of the three log gains, the data and the prior mean along their directions.
    """
    data = DATA + moves[3] * DIRECTIONS[0]
    mean = np.ones(4) + moves[4] * DIRECTIONS[1]
    roots = [
        np.sqrt(p) * np.exp(t / 2) for p, t in zip(precisions, moves, strict=False)
    ]
    lower, upper = WEIGHTS
    # Least squares by its augmented system, whose condition is not squared.
    rows = np.zeros((24, 16), complex)
    rows[:8, :12] = roots[0] * lower
    rows[8:20, :12], rows[8:20, 12:] = roots[1] * np.eye(12), -roots[1] * upper
    rows[20:, 12:] = roots[2] * np.eye(4)
    aims = np.concatenate([roots[0] * data, np.zeros(12), roots[2] * mean])
    whole = np.block([[np.eye(24), rows], [rows.T, np.zeros((16, 16))]])
    right = np.concatenate([aims, np.zeros(16)])
    found = np.linalg.solve(whole, right)
    found = found + np.linalg.solve(whole, right - whole @ found)
    return found[24:36], found[36:]


def exact_derivatives(precisions):
    """(moves, units) of each hidden level."""
    columns = [
        [part.imag / 1e-100 for part in closed_form(precisions, 1e-100j * unit)]
        for unit in np.eye(5)
    ]
    return [np.array([column[level] for column in columns]) for level in range(2)]


@functools.cache
def in_single():
    """Derivatives of the network in float32, forward and reverse, as a function of precisions."""
    network = pcmodel.linear_gaussian(WEIGHTS, [1.0, 1.0, 1.0])
    posed = pose(network, DATA, prior=Belief.of(np.ones(4), 1.0)).problem
    still = jax.tree.map(lambda array: jnp.asarray(array, jnp.float32), posed)
    along = [jnp.asarray(each, jnp.float32) for each in DIRECTIONS]
    readouts = [jnp.asarray(each, jnp.float32) for each in READOUTS]

    def mode(moves, precisions):
        inputs = still.inputs
        belief = inputs.beliefs[0]
        moved = inputs._replace(
            gains=tuple(
                p * jnp.exp(t) for p, t in zip(precisions, moves[:3], strict=True)
            ),
            values=(inputs.values[0] + moves[3] * along[0], *inputs.values[1:]),
            beliefs=(
                dataclasses.replace(belief, mean=belief.mean + moves[4] * along[1]),
            ),
        )
        return infer_one(Problem(still.structure, moved), GaussNewton()).latents[1:]

    def read(moves, precisions, level):
        return readouts[level] @ mode(moves, precisions)[level]

    zero = jnp.zeros(5, jnp.float32)

    @jax.jit
    @jax.vmap
    def both(precisions):
        forward = jax.jacfwd(mode)(zero, precisions)
        reverse = [jax.grad(read)(zero, precisions, level) for level in range(2)]
        return forward, reverse

    return both


def verdicts(precisions):
    """(right, NaN, silently wrong) of every derivative at every row of precisions, forward and reverse."""
    right = nan = wrong = 0
    forward, reverse = in_single()(jnp.asarray(precisions, jnp.float32))
    for row, each in enumerate(precisions):
        for level, exact in enumerate(exact_derivatives(each)):
            found = np.asarray(forward[level][row], float).T
            size = np.maximum(np.linalg.norm(exact, axis=1), SMALL)
            off = np.linalg.norm(found - exact, axis=1) / size
            back = np.abs(
                np.asarray(reverse[level][row], float) - exact @ READOUTS[level]
            )
            # A sum over units may itself cancel: relative to what is summed.
            back = back / (size * np.linalg.norm(READOUTS[level]))
            for error in (*off, *back):
                right += error <= ENOUGH
                nan += np.isnan(error)
                wrong += error > ENOUGH
    return right, nan, wrong


def test_derivatives_in_single_precision_are_right_at_far_precisions():
    """Prevents gradients made of rounding: at [1e4, 1, 1e-4] one was five times too large, at 1e6 a thousand."""
    right, nan, wrong = verdicts([*RATIOS, (1e3, 1, 1e-3), (1e6, 1, 1e-4)])
    assert wrong == 0 and nan <= 8
    assert right + nan == 29 * 20


@pytest.mark.slow
def test_derivatives_in_single_precision_are_right_or_nan_at_ratios_to_a_hundred_million():
    """Prevents a wrong derivative that looks right, wherever in its range the precisions lie."""
    sizes = (1e-8, 1e-4, 1.0, 1e4, 1e8)
    rows = [e for e in itertools.product(sizes, repeat=3) if max(e) / min(e) < 2e8]
    right, nan, wrong = verdicts(rows)
    assert wrong == 0 and right + nan == 20 * len(rows)
    assert nan <= 0.03 * right

"""Prior, evidence and posterior of any set of levels against their closed forms in extended precision."""

import jax
import numpy as np
import pytest
from directed import draw_numbers, draw_shape, in_dtype, shape_of
from directed_networks import factors_stored, network_of, posed_in
from directed_oracles import (
    given_factors,
    marginal,
    message_about,
    prior_of,
    truth,
)

from pcmodel.api.infer import run_inference
from pcmodel.inference.level_evidence import evidence_about

# name: shape, and the levels that are asked about.
QUESTIONS = {
    "one of two tops": (
        shape_of(
            (3, 2, 2, 3),
            {0: (1, 2), 1: (3,)},
            kinds=("full", "unit", "full", "scalar"),
            clamped={0: ()},
        ),
        (2,),
    ),
    "both tops": (
        shape_of(
            (3, 2, 2, 3),
            {0: (1, 2), 1: (3, 2)},
            kinds=("full", "unit", "full", "scalar"),
            clamped={0: (0, 2)},
        ),
        (2, 3),
    ),
    "a middle level and a top": (
        shape_of(
            (2, 2, 3, 2, 2),
            {0: (2,), 1: (2, 3), 2: (4,)},
            kinds=("unit", "full", "full", "scalar", "full"),
            clamped={0: (), 1: ()},
        ),
        (2, 4),
    ),
    "a level clamped in part, below a belief": (
        shape_of(
            (2, 4, 2, 2),
            {0: (1,), 1: (2, 3)},
            kinds=("unit", "full", "full", "unit"),
            clamped={0: (), 1: (1, 3)},
            beliefs=((2, 3),),
        ),
        (1, 2),
    ),
    "an end that nobody saw": (
        shape_of(
            (2, 3, 2),
            {0: (2,), 1: (2,)},
            kinds=("unit", "full", "full"),
            clamped={0: ()},
        ),
        (1,),
    ),
}


def closed_form(shape, numbers, levels, factors):
    """J, h = S^-1 (m - m_0) of deviations from the prior mean, and moments of posterior and prior."""
    found = message_about(shape, numbers, levels, factors)
    posterior = marginal(truth(shape, numbers, factors), shape, levels)
    prior = marginal(prior_of(shape, numbers, factors), shape, levels)
    return (
        found.precision,
        found.information - found.precision @ prior[0],
        posterior,
        prior,
    )


def ask(shape, numbers, levels, dtype):
    """What the package says, and the oracle from the very numbers that it holds."""
    network = network_of(shape, numbers)
    posed = posed_in(network, shape, numbers, dtype)
    result = run_inference(posed)
    places = tuple(network.names.index(shape.names[level]) for level in levels)
    assert places == tuple(sorted(places))
    found = jax.jit(evidence_about, static_argnums=2)(
        posed.problem, result.whitened, places
    )
    return found, factors_stored(network, shape, posed.problem)


DEAR = ("both tops", "a middle level and a top", "an end that nobody saw")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name
        for name in QUESTIONS
    ],
)
def test_evidence_about_levels_is_what_their_posterior_adds_to_their_prior(name):
    """Prevents evidence that is shared out wrongly between prior and data, or that belongs to other levels."""
    shape, levels = QUESTIONS[name]
    for seed in range(2):
        numbers = draw_numbers(np.random.default_rng(seed), shape, span=1.0)
        found, factors = ask(shape, numbers, levels, np.float64)
        precision, information, posterior, prior = closed_form(
            shape, numbers, levels, factors
        )
        pairs = (
            (found.evidence_precision, precision),
            (found.information, information),
            (found.covariance, posterior[1]),
            (np.asarray(found.root) @ np.asarray(found.root).T, posterior[1]),
            (np.linalg.inv(found.prior_precision), prior[1]),
            (found.shift, posterior[0] - prior[0]),
        )
        for ours, theirs in pairs:
            theirs = theirs.astype(float)
            atol = 1e-9 * max(np.abs(theirs).max(), 1e-3)
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=atol)


def test_the_stored_factors_are_those_given():
    """The log-precisions that a network holds are those of the numbers, whatever levels share them."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        shape = draw_shape(rng, most_levels=5)
        numbers = draw_numbers(rng, shape, span=2.0)
        network = network_of(shape, numbers)
        posed = posed_in(network, shape, numbers, np.float64)
        stored = factors_stored(network, shape, posed.problem)
        given = given_factors(shape, numbers)
        for ours, theirs in zip(
            (*stored.levels, *stored.beliefs),
            (*given.levels, *given.beliefs),
            strict=True,
        ):
            scale = float(np.abs(theirs).max())
            np.testing.assert_allclose(ours, theirs, atol=1e-12 * scale)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("dtype", "bar"), [(np.float32, 5e-3), (np.float64, 1e-6)], ids=["single", "double"]
)
def test_a_battery_of_evidence_about_levels(dtype, bar):
    """J and h in posterior units, at ratios of precisions to 1e8 (in single, 1e4)."""
    rng = np.random.default_rng(2)
    span = 8.0 if dtype is np.float64 else 4.0
    wrong = []
    for _ in range(16):
        shape = draw_shape(rng, most_levels=6)
        open_levels = [
            level
            for level, width in enumerate(shape.widths)
            if len(shape.clamped(level)) < width
        ]
        chosen = rng.permutation(open_levels)[: int(rng.integers(1, 4))]
        levels = tuple(sorted(int(level) for level in chosen))
        for _ in range(4):
            numbers = in_dtype(draw_numbers(rng, shape, span=span), dtype)
            found, factors = ask(shape, numbers, levels, dtype)
            precision, information, posterior, _ = closed_form(
                shape, numbers, levels, factors
            )
            root = np.linalg.cholesky(posterior[1].astype(float))
            error = np.asarray(found.evidence_precision, float) - precision
            share = np.abs(root.T @ error.astype(float) @ root).max()
            error = np.asarray(found.information, float) - information
            size = np.abs(root.T @ information.astype(float)).max()
            pull = np.abs(root.T @ error.astype(float)).max() / max(1.0, size)
            if not max(share, pull) <= bar:
                wrong.append((shape, levels, share, pull))
    assert len(wrong) <= (0 if dtype is np.float64 else 2), wrong

"""Inference in directed hierarchies against weighted least squares in extended precision.

Several parents, several tops each with its prior, several observed ends, connections that skip levels, tied layers and
precisions, clamped parts of inner levels, gains, and joint beliefs about any levels: the mode, the covariance of all
free units and the evidence are compared at once.
"""

import numpy as np
import pytest
from directed import draw_numbers, draw_shape, in_dtype, shape_of
from directed_networks import (
    assert_is,
    judge,
    network_of,
    question,
    where_in,
)
from directed_oracles import free_of, truth, units_of
from hierarchies import RTOL, ask

import pcmodel
from pcmodel import Modulation
from pcmodel.inference import (
    BlockTridiagonal,
    ConjugateGradient,
    Dual,
    GaussNewton,
    Primal,
)

# name: widths, parents by level, and what else a problem has. Levels bottom first, tops last.
HIERARCHIES = {
    "two parents": shape_of(
        (4, 3, 2), {0: (1, 2)}, kinds=("full", "unit", "full"), clamped={0: ()}
    ),
    "parents in another order than the levels": shape_of(
        (3, 3, 2, 2),
        {0: (3, 1, 2), 1: (3, 2)},
        kinds=("unit", "scalar", "full", "unit"),
        clamped={0: ()},
    ),
    "a diamond": shape_of(
        (3, 2, 3, 2),
        {0: (1, 2), 1: (3,), 2: (3,)},
        kinds=("unit", "full", "scalar", "unit"),
        clamped={0: ()},
    ),
    "two ends of one top, one seen in part": shape_of(
        (3, 2, 2),
        {0: (2,), 1: (2,)},
        kinds=("full", "full", "full"),
        clamped={0: (), 1: (1,)},
    ),
    "a skip connection, inner level clamped in part": shape_of(
        (3, 3, 2, 2, 1),
        {0: (1, 3), 1: (2, 4), 2: (3, 4)},
        kinds=("unit", "full", "full", "unit", "scalar"),
        clamped={0: (0, 2), 1: (1,)},
    ),
    "levels that meet when one between them is eliminated": shape_of(
        (3, 2, 2, 2, 2),
        {0: (1, 3), 1: (2,), 2: (4,)},
        kinds=("unit", "full", "scalar", "full", "unit"),
        clamped={0: ()},
    ),
    "tied layers and precisions": shape_of(
        (2, 3, 2, 3, 3),
        {0: (1,), 1: (3,), 2: (3,), 3: (4,)},
        kinds=("scalar", "full", "scalar", "full", "full"),
        clamped={0: (), 2: ()},
        layers={2: 0, 3: 1},
        precisions={2: 0, 4: 1},
    ),
    "tied sums of two parents": shape_of(
        (2, 2, 3, 1, 1),
        {0: (2, 3), 1: (2, 4)},
        kinds=("unit", "unit", "full", "scalar", "scalar"),
        clamped={0: (), 1: ()},
        layers={1: 0},
        precisions={1: 0, 4: 3},
    ),
    "a joint belief about two of three tops": shape_of(
        (3, 2, 2, 1),
        {0: (2, 1, 3)},
        kinds=("unit", "full", "scalar", "unit"),
        clamped={0: ()},
        beliefs=((1, 2),),
    ),
    "beliefs about a top with a lower level, and about another top": shape_of(
        (3, 2, 2, 2),
        {0: (1,), 1: (3, 2)},
        kinds=("unit", "full", "scalar", "full"),
        clamped={0: ()},
        beliefs=((1, 2), (3,)),
    ),
    "one belief about everything that is free": shape_of(
        (2, 2, 2, 1, 2),
        {0: (2,), 1: (2, 3), 2: (4, 3)},
        kinds=("full", "unit", "scalar", "unit", "full"),
        clamped={0: ()},
        beliefs=((1, 2, 3, 4),),
    ),
    "a clamped top beside a free one": shape_of(
        (3, 2, 2, 2),
        {0: (1, 2), 1: (2, 3)},
        kinds=("full", "full", "unit", "full"),
        clamped={0: (), 2: (), 3: (1,)},
    ),
    "nothing clamped": shape_of(
        (2, 2, 1), {0: (2, 1)}, kinds=("full", "unit", "scalar")
    ),
}
SOLVERS = {
    "dual": Dual(),
    "primal": Primal(),
    "blocks": BlockTridiagonal(),
    "gradients": ConjugateGradient(),
}
DEAR = (
    "levels that meet when one between them is eliminated",
    "a diamond",
    "two parents",
    "two ends of one top, one seen in part",
    "parents in another order than the levels",
    "tied sums of two parents",
    "one belief about everything that is free",
    "a clamped top beside a free one",
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name
        for name in HIERARCHIES
    ],
)
def test_mode_covariance_and_evidence_are_those_of_the_joint_gaussian(name):
    """Prevents a path that is dropped, counted twice, or weighted by another level's precision."""
    shape = HIERARCHIES[name]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        numbers = draw_numbers(rng, shape, span=1.0)
        widths = enumerate(shape.widths)
        gains = {level: 10 ** rng.uniform(-1, 1, size=width) for level, width in widths}
        numbers = numbers._replace(gains=gains)
        network = network_of(shape, numbers)
        got = ask(network, **question(shape, numbers))
        assert_is(got, truth(shape, numbers), where_in(network, shape), RTOL)


PATHS = (
    "a skip connection, inner level clamped in part",
    "a diamond",
    "tied layers and precisions",
    "tied sums of two parents",
    "beliefs about a top with a lower level, and about another top",
    "one belief about everything that is free",
    "nothing clamped",
)


@pytest.mark.parametrize(
    ("name", "solver"),
    [
        ("levels that meet when one between them is eliminated", "blocks"),
        *(
            pytest.param(name, solver, marks=pytest.mark.slow)
            for name in PATHS
            for solver in SOLVERS
        ),
    ],
)
def test_every_solver_takes_all_paths(name, solver):
    """Prevents a solver that was made for chains from leaving out a parent; levels eliminated one by one included."""
    shape = HIERARCHIES[name]
    joint = any(len(group) > 1 for group in shape.beliefs)
    if solver == "blocks" and joint:
        pytest.skip("a joint belief couples its levels: blocks do not apply")
    numbers = draw_numbers(np.random.default_rng(4), shape, span=1.0)
    network = network_of(shape, numbers)
    exact, where = truth(shape, numbers), where_in(network, shape)
    asked = question(shape, numbers)
    got = pcmodel.infer(network, **asked, solver=GaussNewton(SOLVERS[solver]))
    assert got.converged and got.iterations <= 1
    mode = np.concatenate(got.latents)[where]
    expected = exact.mean.astype(float)
    atol = RTOL * np.abs(expected).max()
    np.testing.assert_allclose(mode, expected, rtol=RTOL, atol=atol)


def test_levels_are_in_order_and_know_their_parents():
    """Prevents levels from being renumbered: parents above their children, tops last, parents in the order written."""
    shape = HIERARCHIES["a skip connection, inner level clamped in part"]
    network = network_of(shape, draw_numbers(np.random.default_rng(0), shape))
    place = {name: level for level, name in enumerate(network.names)}
    for level, above in enumerate(shape.parents):
        here = place[shape.names[level]]
        expected = tuple(place[shape.names[parent]] for parent in above)
        assert tuple(network.parents[here]) == expected
        assert network.widths[here] == shape.widths[level]
        assert all(parent > here for parent in expected)
        assert bool(expected) == (here < len(network.layers))
    assert all(isinstance(own, pcmodel.Gaussian) for own in network.likelihoods)


def test_the_public_results_are_by_level():
    """Means, variances, covariances of two levels, evidence and beliefs of `pcmodel.posterior`, ends as a dictionary."""
    shape = HIERARCHIES["two ends of one top, one seen in part"]
    shape = shape._replace(
        masks={level: np.ones(w, bool) for level, w in ((0, 3), (1, 2))}
    )
    numbers = draw_numbers(np.random.default_rng(5), shape, span=1.0)._replace(gains={})
    network, exact = network_of(shape, numbers), truth(shape, numbers)
    names = shape.names
    found = pcmodel.posterior(
        network, {names[level]: numbers.values[level] for level in (0, 1)}
    )
    top = exact.covariance.astype(float)
    at = network.names.index(names[2])
    mean = exact.mean[units_of(shape, 2)].astype(float)
    np.testing.assert_allclose(found.mean[at], mean, rtol=RTOL)
    np.testing.assert_allclose(found.variances[at], np.diagonal(top), rtol=RTOL)
    np.testing.assert_allclose(found.covariance(names[2], names[2]), top, rtol=RTOL)
    np.testing.assert_allclose(found.log_evidence, exact.log_evidence, rtol=RTOL)
    np.testing.assert_allclose(found.belief(names[2]).covariance, top, rtol=RTOL)
    assert not np.any(found.covariance(names[0], names[2]))
    clamped = pcmodel.infer(
        network,
        numbers.values[network.names[0] == names[1]],
        clamp={network.names[1]: numbers.values[network.names[0] == names[0]]},
    )
    np.testing.assert_allclose(clamped.latents[at], mean, rtol=RTOL)


def test_prior_means_stand_in_the_order_of_the_tops():
    """Prevents the prior of one top from being another's."""
    shape = HIERARCHIES["two parents"]._replace(masks={})
    numbers = draw_numbers(np.random.default_rng(6), shape, span=1.0)
    network = network_of(shape, numbers)
    tops = [name for name in network.names if shape.names.index(name) in shape.tops]
    means = [np.arange(1.0, 1 + shape.widths[shape.names.index(n)]) for n in tops]
    network.prior_mean[...] = np.concatenate([m * 10**i for i, m in enumerate(means)])
    latents = pcmodel.infer(network).latents
    for number, (name, mean) in enumerate(zip(tops, means, strict=True)):
        at = network.names.index(name)
        np.testing.assert_allclose(latents[at], mean * 10**number, rtol=RTOL)


def test_a_single_level_is_its_prior():
    """Prevents the smallest hierarchy, a top that is also the end, from being refused or misread."""
    shape = shape_of((3,), {}, kinds=("full",), clamped={0: (1,)})
    numbers = draw_numbers(np.random.default_rng(7), shape, span=1.0)
    network = network_of(shape, numbers)
    got = ask(network, **question(shape, numbers))
    assert_is(got, truth(shape, numbers), where_in(network, shape), RTOL)


STREAMS = shape_of(
    (2, 2, 2, 2, 2),
    {0: (1,), 1: (4,), 2: (3,), 3: (4,)},
    kinds=("unit",) * 5,
    clamped={0: (), 2: ()},
)
"""Two ends, a middle level above each, and one top that both predict from: two streams that merge."""


@pytest.mark.parametrize("gain", [1.0, 0.25, 1e-6, 1e6])
def test_relaxing_one_stream_shifts_credit_to_the_other_by_the_closed_form(gain):
    """A stream's evidence about the cause has precision 1 / (1/P_end + 1/(g P_middle)): weights and modes follow.

    Credit is what the cause moves by when one end is moved by one.
    """
    numbers = draw_numbers(np.random.default_rng(8), STREAMS, span=1.0)
    eyes = [[np.eye(2)] if above else [] for above in STREAMS.parents]
    prior_mean = np.array([0.5, -1.0])
    offsets = [*[np.zeros(2)] * 4, prior_mean]
    numbers = numbers._replace(weights=eyes, offsets=offsets, gains={})
    network, names = network_of(STREAMS, numbers), STREAMS.names
    first, second = numbers.values[0], numbers.values[2]

    def ask_about(first, second, gain):
        found = pcmodel.infer(
            network,
            {names[0]: first, names[2]: second},
            modulation=Modulation({names[1]: gain}),
        )
        latents = dict(zip(network.names, found.latents, strict=True))
        return np.asarray(latents[names[4]]), np.asarray(latents[names[1]])

    def evidence(end, middle):
        return 1 / (1 / end + 1 / middle)

    own, middle_one, end_two, middle_two, prior = numbers.precisions
    beside = evidence(end_two, middle_two)
    for factor in (1.0, gain):
        cause, middle = ask_about(first, second, factor)
        whole = evidence(own, factor * middle_one) + beside + prior
        credit, others = evidence(own, factor * middle_one) / whole, beside / whole
        moved, _ = ask_about(first + 1, second, factor)
        np.testing.assert_allclose(moved - cause, credit, rtol=1e-7, atol=1e-14)
        moved, _ = ask_about(first, second + 1, factor)
        np.testing.assert_allclose(moved - cause, others, rtol=1e-9)
        exact = credit * first + others * second + prior / whole * prior_mean
        np.testing.assert_allclose(cause, exact, rtol=1e-9)
        kept = factor * middle_one / (factor * middle_one + own)
        exact = kept * exact + (1 - kept) * first
        np.testing.assert_allclose(middle, exact, rtol=1e-9)


def test_relaxing_one_cause_takes_the_surprise_from_the_other():
    """Two paths to one sense: each level's share of the surprise is its variance over that of the sum."""
    shape = shape_of((1, 1, 1, 1, 1), {0: (1, 2), 1: (3,), 2: (4,)}, clamped={0: ()})
    one = np.ones((1, 1))
    precisions = [np.array(p) for p in (4.0, 2.0, 1.0, 0.5, 3.0)]
    offsets = [np.zeros(1)] * 3 + [np.array([1.0]), np.array([-0.5])]
    numbers = draw_numbers(np.random.default_rng(9), shape, span=1.0)._replace(
        weights=[[one, one], [one], [one], [], []],
        offsets=offsets,
        precisions=precisions,
        values={0: np.array([3.0])},
    )
    network, names = network_of(shape, numbers), shape.names
    for gain in (1.0, 0.1, 1e-5):
        found = pcmodel.posterior(
            network,
            {names[0]: np.array([3.0])},
            modulation=Modulation({names[1]: gain}),
        )
        latents = dict(zip(network.names, found.mean, strict=True))
        variances = [1 / p for p in precisions]
        variances[1] /= gain
        whole, surprise = sum(variances), 3.0 - 0.5
        first = 1.0 + (variances[1] + variances[3]) / whole * surprise
        second = -0.5 + (variances[2] + variances[4]) / whole * surprise
        np.testing.assert_allclose(latents[names[1]], [first], rtol=1e-9)
        np.testing.assert_allclose(latents[names[2]], [second], rtol=1e-9)
        np.testing.assert_allclose(
            latents[names[4]], [-0.5 + variances[4] / whole * surprise], rtol=1e-9
        )
        exact = -0.5 * (surprise**2 / whole + np.log(2 * np.pi * whole))
        np.testing.assert_allclose(found.log_evidence, exact, rtol=1e-9)


def test_a_batch_is_its_examples():
    """Prevents examples of several ends from being crossed."""
    shape = HIERARCHIES["two ends of one top, one seen in part"]
    numbers = draw_numbers(np.random.default_rng(10), shape, span=1.0)
    network, rng, names = (
        network_of(shape, numbers),
        np.random.default_rng(11),
        shape.names,
    )
    first, second = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    whole = pcmodel.infer(network, {names[0]: first, names[1]: second})
    for example in range(4):
        one = pcmodel.infer(
            network, {names[0]: first[example], names[1]: second[example]}
        )
        for batched, single in zip(whole.latents, one.latents, strict=True):
            np.testing.assert_allclose(batched[example], single, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["single", "double"])
def test_a_battery_of_directed_hierarchies(dtype):
    """240 problems, ratios of precisions to 1e8: in double to 1e-6, in single nothing certified that is wrong."""
    rng = np.random.default_rng(12)
    verdicts = []
    for _ in range(24):
        shape = draw_shape(rng)
        for _ in range(10):
            numbers = in_dtype(draw_numbers(rng, shape), dtype)
            network = network_of(shape, numbers)
            verdicts.append((shape, judge(network, shape, numbers, dtype)))
    wrong = [found for found in verdicts if found[1].certified and not found[1].right]
    assert not wrong, wrong[0]
    if dtype is np.float64:
        off = [found for found in verdicts if not found[1].right_to(1e-6)]
        assert not off, off[0]
    share = np.mean([each.right and each.certified for _, each in verdicts])
    assert share >= (1.0 if dtype is np.float64 else 0.97)


def test_the_battery_asks_about_free_units_only_where_there_are_some():
    """Prevents a battery of empty questions."""
    rng = np.random.default_rng(12)
    assert all(len(free_of(draw_shape(rng))) for _ in range(200))

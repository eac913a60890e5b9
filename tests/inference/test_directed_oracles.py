"""The oracles of directed hierarchies against two other derivations, so that they are right themselves.

The covariance form generates one joint Gaussian from the tops down and conditions it; rational arithmetic solves the
normal equations without any rounding, at ratios of precisions where no floating-point form could be trusted.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from directed import Numbers, Shape, draw_numbers, draw_shape, shape_of
from directed_oracles import (
    given_factors,
    marginal,
    message_about,
    prior_of,
    truth,
    units_of,
)
from oracles import Gaussian, as_matrix, block_diag, condition


def gained_matrix(shape: Shape, numbers: Numbers, precision, levels) -> np.ndarray:
    """G^1/2 P G^1/2 over the units of some levels."""
    gains = [
        np.broadcast_to(numbers.gains.get(level, 1.0), (shape.widths[level],))
        for level in levels
    ]
    root = np.sqrt(np.concatenate(gains))
    return root[:, None] * as_matrix(precision, len(root)) * root


def joint_of(shape: Shape, numbers: Numbers) -> Gaussian:
    """All latents without data: x = (I - W)^-1 (b + e), with the beliefs about tops in place of their priors."""
    total = sum(shape.widths)
    links, offset, noise = np.zeros((total, total)), np.zeros(total), np.eye(total)
    for level, above in enumerate(shape.parents):
        own = units_of(shape, level)
        offset[own] = numbers.offsets[level]
        precision = gained_matrix(shape, numbers, numbers.precisions[level], [level])
        noise[np.ix_(own, own)] = np.linalg.inv(precision)
        for parent, weight in zip(above, numbers.weights[level], strict=True):
            links[np.ix_(own, units_of(shape, parent))] = weight
    for group, (mean, precision) in zip(shape.beliefs, numbers.beliefs, strict=True):
        index = np.concatenate([units_of(shape, level) for level in group])
        covariance = np.linalg.inv(gained_matrix(shape, numbers, precision, group))
        tops = np.flatnonzero(np.isin(index, top_units(shape)))
        offset[index[tops]] = mean[tops]
        noise[np.ix_(index[tops], index[tops])] = covariance[np.ix_(tops, tops)]
    spread = np.linalg.inv(np.eye(total) - links)
    return Gaussian(spread @ offset, spread @ noise @ spread.T)


def top_units(shape: Shape) -> np.ndarray:
    return np.concatenate([units_of(shape, top) for top in shape.tops])


def by_conditioning(shape: Shape, numbers: Numbers):
    """Clamped units, and beliefs about lower levels given the tops, are observed."""
    identity = np.eye(sum(shape.widths))
    rows, values, noises = [identity[:0]], [np.zeros(0)], []
    for group, (mean, precision) in zip(shape.beliefs, numbers.beliefs, strict=True):
        index = np.concatenate([units_of(shape, level) for level in group])
        covariance = np.linalg.inv(gained_matrix(shape, numbers, precision, group))
        is_top = np.isin(index, top_units(shape))
        high, low = np.flatnonzero(is_top), np.flatnonzero(~is_top)
        slope = covariance[np.ix_(low, high)] @ np.linalg.inv(
            covariance[np.ix_(high, high)]
        )
        rows.append(identity[index[low]] - slope @ identity[index[high]])
        values.append(mean[low] - slope @ mean[high])
        noises.append(
            covariance[np.ix_(low, low)] - slope @ covariance[np.ix_(high, low)]
        )
    for level in shape.masks:
        own = shape.clamped(level)
        rows.append(identity[units_of(shape, level)[own]])
        values.append(numbers.values[level][own])
        noises.append(np.zeros((len(own), len(own))))
    stacked = np.vstack(rows)
    if not len(stacked):
        return (*joint_of(shape, numbers), 0.0)
    noise = block_diag(noises)
    return condition(joint_of(shape, numbers), stacked, np.concatenate(values), noise)


def test_the_oracle_equals_conditioning_of_the_joint_gaussian():
    """Eighty random hierarchies of one to eight levels, with everything that `Shape` has."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(80):
        shape = draw_shape(rng, least_levels=1)
        numbers = draw_numbers(rng, shape, span=1.0)
        exact = by_conditioning(shape, numbers)
        found = truth(shape, numbers)
        free = np.ix_(found.free, found.free)
        size = np.abs(exact[0]).max()
        np.testing.assert_allclose(found.mean, exact[0], rtol=1e-7, atol=1e-7 * size)
        scale = np.abs(exact[1][free]).max()
        np.testing.assert_allclose(found.covariance, exact[1][free], atol=1e-7 * scale)
        np.testing.assert_allclose(found.log_evidence, exact[2], rtol=1e-7, atol=1e-7)
        seen |= features(shape)
    everything = {"several parents", "several tops", "several ends", "tied layer"}
    everything |= {"tied precision", "part of a level", "inner level", "one level"}
    assert seen == everything | {"belief about tops", "belief across", "belief below"}


def features(shape: Shape) -> set[str]:
    """What a shape has, so that a generator that never draws something is noticed."""
    levels = range(len(shape.widths))
    tops = set(shape.tops)
    inner = set(levels) - set(shape.ends) - tops
    whole = {
        "several parents": any(len(above) > 1 for above in shape.parents),
        "several tops": len(tops) > 1,
        "several ends": len(shape.ends) > 1,
        "tied layer": shape.layer_of != tuple(levels),
        "tied precision": shape.precision_of != tuple(levels),
        "part of a level": any(not mask.all() for mask in shape.masks.values()),
        "inner level": bool(inner & set(shape.masks)),
        "one level": len(shape.widths) == 1,
        "belief about tops": any(tops >= set(group) for group in shape.beliefs),
        "belief below": any(not tops & set(group) for group in shape.beliefs),
        "belief across": any(
            tops & set(g) and set(g) - tops for g in map(set, shape.beliefs)
        ),
    }
    return {name for name, present in whole.items() if present}


def rational(matrix) -> list[list[Fraction]]:
    """Floating-point numbers are fractions."""
    return [[Fraction(float(x)) for x in row] for row in np.atleast_2d(matrix)]


def eliminate(matrix: list[list[Fraction]]) -> tuple[list[list[Fraction]], Fraction]:
    """Gauss-Jordan on [H | B] of a positive definite H: H^-1 B, and det H."""
    work, determinant = [row[:] for row in matrix], Fraction(1)
    for j in range(len(work)):
        pivot = work[j][j]
        determinant *= pivot
        work[j] = [x / pivot for x in work[j]]
        for i, row in enumerate(work):
            if i != j and row[j]:
                factor = row[j]
                work[i] = [x - factor * y for x, y in zip(row, work[j], strict=True)]
    return [row[len(work) :] for row in work], determinant


def log_of(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)


def exactly(shape: Shape, numbers: Numbers):
    """Mode, variances and log evidence of diagonal problems without beliefs, in rational arithmetic."""
    free = truth(shape, numbers).free
    rows, weights, rights = [], [], []
    total, zero = sum(shape.widths), Fraction(0)
    known = np.zeros(total)
    for level in shape.masks:
        own = shape.clamped(level)
        known[units_of(shape, level)[own]] = numbers.values[level][own]
    for level, width in enumerate(shape.widths):
        precision = np.broadcast_to(numbers.precisions[level], (width,))
        gain = np.broadcast_to(numbers.gains.get(level, 1.0), (width,))
        selector = np.eye(total)[units_of(shape, level)]
        maps = zip(shape.parents[level], numbers.weights[level], strict=True)
        for parent, weight in maps:
            selector[:, units_of(shape, parent)] -= weight
        for unit in range(width):
            row = rational(selector[unit])[0]
            moved = sum((row[i] * Fraction(known[i]) for i in range(total)), zero)
            rows.append([row[i] for i in free])
            rights.append(Fraction(numbers.offsets[level][unit]) - moved)
            weights.append(Fraction(float(precision[unit])) * Fraction(gain[unit]))
    terms = list(zip(rows, weights, rights, strict=True))
    size = range(len(free))
    normal = [
        [sum((r[i] * w * r[j] for r, w, _ in terms), zero) for j in size]
        + [sum((r[i] * w * b for r, w, b in terms), zero)]
        + [Fraction(int(i == j)) for j in size]
        for i in size
    ]
    solved, determinant = eliminate(normal)
    state = [row[0] for row in solved]
    misfit = zero
    for r, w, b in terms:
        error = sum((x * y for x, y in zip(r, state, strict=True)), -b)
        misfit += w * error**2
    halves = sum(map(log_of, weights)) - log_of(determinant) - float(misfit)
    evidence = 0.5 * (halves - (len(terms) - len(free)) * math.log(2 * math.pi))
    variances = [float(solved[i][1 + i]) for i in size]
    return np.array([float(x) for x in state]), np.array(variances), evidence


def test_the_oracle_is_exact_at_ratios_of_a_hundred_million():
    """Modes, variances and evidence agree with rational arithmetic to twelve digits of a standard deviation."""
    rng = np.random.default_rng(1)
    done = 0
    while done < 25:
        shape = draw_shape(rng, most_levels=6)._replace(beliefs=())
        if "full" in shape.kinds or not 0 < len(truth_size(shape)) < 16:
            continue
        numbers = draw_numbers(rng, shape)
        mode, variances, evidence = exactly(shape, numbers)
        found = truth(shape, numbers)
        size = np.maximum(np.sqrt(variances), 1e-3 * np.abs(mode))
        error = np.abs(found.mean[found.free] - mode)
        assert np.all(error <= 1e-10 * size), (shape, error / size)
        np.testing.assert_allclose(found.deviations**2, variances, rtol=1e-10)
        np.testing.assert_allclose(found.log_evidence, evidence, rtol=1e-12, atol=1e-9)
        done += 1


def truth_size(shape: Shape) -> list[int]:
    """One entry a free unit."""
    clamped = sum(len(shape.clamped(level)) for level in shape.masks)
    return list(range(sum(shape.widths) - clamped))


def test_evidence_about_some_levels_is_what_the_posterior_adds_to_the_prior():
    """J = S^-1 - S0^-1 and h = S^-1 m - S0^-1 m0, of one to three levels of random hierarchies."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        shape = draw_shape(rng)
        numbers = draw_numbers(rng, shape, span=1.0)
        factors = given_factors(shape, numbers)
        open_levels = [
            level
            for level, width in enumerate(shape.widths)
            if len(shape.clamped(level)) < width
        ]
        chosen = rng.permutation(open_levels)[: int(rng.integers(1, 4))]
        levels = sorted(int(level) for level in chosen)
        found = message_about(shape, numbers, levels, factors)
        mean, after = marginal(truth(shape, numbers), shape, levels)
        mean0, before = marginal(prior_of(shape, numbers, factors), shape, levels)
        mean, after, mean0, before = (
            np.asarray(a, float) for a in (mean, after, mean0, before)
        )
        inverse, inverse0 = np.linalg.inv(after), np.linalg.inv(before)
        atol = 1e-8 * np.abs(inverse).max()
        np.testing.assert_allclose(found.precision, inverse - inverse0, atol=atol)
        information = inverse @ mean - inverse0 @ mean0
        atol *= max(1.0, np.abs(mean).max(), np.abs(mean0).max())
        np.testing.assert_allclose(found.information, information, atol=atol)


def test_the_prior_is_that_of_the_hierarchy_before_data():
    """Without inner clamped units the free units' prior is the marginal of the generative model."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        shape = draw_shape(rng)
        masks = {level: m for level, m in shape.masks.items() if level in shape.ends}
        shape = shape._replace(masks={k: np.ones_like(m) for k, m in masks.items()})
        if set(shape.masks) & set(shape.tops):
            continue
        numbers = draw_numbers(rng, shape, span=1.0)
        numbers = numbers._replace(
            values={level: rng.normal(size=shape.widths[level]) for level in masks}
        )
        found = prior_of(shape, numbers, given_factors(shape, numbers))
        exact = joint_of(shape, numbers)
        free = np.ix_(found.free, found.free)
        scale = np.abs(exact.covariance).max()
        np.testing.assert_allclose(
            found.covariance, exact.covariance[free], atol=1e-8 * scale
        )
        np.testing.assert_allclose(
            found.mean[found.free],
            exact.mean[found.free],
            atol=1e-8 * np.abs(exact.mean).max(),
        )


@pytest.mark.parametrize("precision", [1e-8, 1.0, 1e8])
def test_two_causes_of_one_sum_by_hand(precision):
    """y = a + b: each cause takes the share of the surprise that its variance is of the whole."""
    shape = shape_of((1, 1, 1), {0: (1, 2)}, clamped={0: ()})
    one = np.ones((1, 1))
    means = [np.zeros(1), np.array([1.0]), np.array([-2.0])]
    precisions = [np.array(precision), np.array(2.0), np.array(0.5)]
    numbers = Numbers([[one, one], [], []], means, precisions, {0: one[0]}, {}, [])
    found = truth(shape, numbers)
    whole = 1 / precision + 0.5 + 2.0
    expected = [1.0, 1.0 + 0.5 / whole * 2.0, -2.0 + 2.0 / whole * 2.0]
    np.testing.assert_allclose(found.mean, expected, rtol=1e-14)
    variances = [0.5 - 0.25 / whole, 2.0 - 4.0 / whole]
    np.testing.assert_allclose(found.deviations**2, variances, rtol=1e-12)
    surprise = -0.5 * (4.0 / whole + math.log(2 * math.pi * whole))
    np.testing.assert_allclose(found.log_evidence, surprise, rtol=1e-12)

"""Beliefs about parts of levels, against the residuals and priors that they are."""

from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import ask, assert_exact
from part_problems import (
    IMAGE,
    STARTS,
    answer,
    assert_same,
    belief_term,
    hierarchy_terms,
    known,
    linear_network,
    spd,
    units,
)

import pcmodel
from pcmodel import Belief, Clamp, relax
from pcmodel.api.pose import pose
from pcmodel.inference import BlockTridiagonal, GaussNewton
from pcmodel.inference.linear.block_tridiagonal import state_hessian
from pcmodel.model.energy import (
    energy,
    latents_from_state,
    level_energies,
    state_from_latents,
)
from pcmodel.model.precision import covariance_to_log_precision
from pcmodel.paradigms.revision import squared_errors


@pytest.fixture(scope="module")
def problem():
    return linear_network(np.random.default_rng(4))


@pytest.mark.parametrize("solver", [GaussNewton(), GaussNewton(BlockTridiagonal())])
@pytest.mark.parametrize(
    "clamped", [{}, {"hidden/visual": np.asarray([0.2, -0.4, 1.3])}]
)
def test_a_belief_about_a_part_of_a_lower_level(problem, solver, clamped):
    """Prevents a temporal prior of one module from pulling on the rest of its level."""
    network, own, means = problem
    rng = np.random.default_rng(0)
    mean, precision = rng.normal(size=2), spd(rng, 2)
    vector, gains = np.asarray([0.5, 2.0, 0.4, 3.0, 0.1]), np.ones(STARTS[-1])
    gains[units("hidden")] = vector
    got = ask(
        network,
        IMAGE,
        prior=Belief.of(mean, precision, level="hidden/self"),
        clamp=clamped,
        modulation=relax("hidden", vector),
        solver=solver,
    )
    terms = hierarchy_terms(network, own, means, gains=gains)
    terms.append(belief_term(["hidden/self"], mean, precision, gains))
    exact = answer(terms, known(("image", IMAGE), *clamped.items()))
    assert_exact(got, exact)


@pytest.mark.parametrize("form", ["number", "one per unit", "matrix"])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_belief_about_a_part_of_a_top_replaces_its_prior_alone(problem, form, scale):
    network, own, means = problem
    rng = np.random.default_rng(1)
    mean = rng.normal(size=2)
    precision = (
        scale
        * {
            "number": np.asarray(0.7),
            "one per unit": np.asarray([0.7, 2.0]),
            "matrix": spd(rng, 2),
        }[form]
    )
    belief = Belief.of(mean, precision, level="top/world")
    got = ask(network, IMAGE, prior=belief, modulation=relax("top/self", 0.2))
    gains = np.ones(STARTS[-1])
    gains[units("top/self")] = 0.2
    terms = hierarchy_terms(
        network, own, means, gains=gains, without=units("top/world")
    )
    terms.append(belief_term(["top/world"], mean, precision, gains))
    assert_exact(got, answer(terms, known(("image", IMAGE))), rtol=1e-7)


@pytest.mark.parametrize("bits", [32, 64])
def test_it_is_the_belief_about_the_whole_top_with_the_priors_of_the_rest(bits):
    """To the bit, in both precisions of numbers."""
    with jax.enable_x64(False) if bits == 32 else nullcontext():
        network = linear_network(np.random.default_rng(7))[0]
        mean, precision = np.asarray([0.4, -2.0]), np.asarray([0.5, 30.0])
        got = ask(network, IMAGE, prior=Belief.of(mean, precision, level="world"))
        assert got.result.latents[0].dtype == f"float{bits}"
        whole = Belief(
            jnp.concatenate([network.prior_mean[2:3], jnp.asarray(mean)]),
            jnp.concatenate(
                [network.log_precision[4][:1], jnp.asarray(np.log(precision))]
            ),
        )
        assert_same(got, ask(network, IMAGE, prior=whole))


def test_beliefs_about_several_parts_of_a_top_are_one(problem):
    """One per part, in any order, with numbers or matrices: the block-diagonal belief about the top."""
    network, own, means = problem
    rng = np.random.default_rng(2)
    matrix, mean = spd(rng, 2), rng.normal(size=3)
    one = Belief.of(mean[:1], 0.4, level="top/self")
    other = Belief.of(mean[1:], matrix, level="top/world")
    terms = hierarchy_terms(network, own, means, without=units("top"))
    terms.append(belief_term(["top/self"], mean[:1], 0.4))
    terms.append(belief_term(["top/world"], mean[1:], matrix))
    exact = answer(terms, known(("image", IMAGE)))
    for beliefs in ([one, other], [other, one]):
        assert_exact(ask(network, IMAGE, prior=beliefs), exact)


@pytest.mark.parametrize(
    "places",
    [
        ("hidden/self", "top/world"),
        ("hidden/self", "hidden/visual", "body", "top/world"),
        ("top/world", "top/self"),
        ("hidden/visual", "hidden/self", "top/world", "top/self"),
        ("hidden", "body", "top/self"),
    ],
)
def test_a_joint_belief_over_parts_of_several_levels(problem, places):
    """Prevents correlations between modules from being lost, or attached to other units.

    A part of a top is given the joint belief's marginal as prior, the rest of the top keeps its own; the lower levels
    are then a residual given the tops.
    """
    network, own, means = problem
    rng = np.random.default_rng(len(places))
    place = np.concatenate([units(one) for one in places])
    size = len(place)
    mean, precision = rng.normal(size=size), spd(rng, size)
    got = ask(network, IMAGE, prior=Belief.of(mean, precision, level=places))
    terms = hierarchy_terms(network, own, means, without=place[place >= STARTS[3]])
    terms.append(belief_term(places, mean, precision))
    assert_exact(got, answer(terms, known(("image", IMAGE))))


def test_two_joint_beliefs_share_a_top(problem):
    network, own, means = problem
    rng = np.random.default_rng(3)
    first, second = ("hidden/self", "top/self"), ("hidden/visual", "top/world")
    beliefs, terms = [], hierarchy_terms(network, own, means, without=units("top"))
    for places in (first, second):
        size = sum(len(units(one)) for one in places)
        mean, precision = rng.normal(size=size), spd(rng, size)
        beliefs.append(Belief.of(mean, precision, level=places))
        terms.append(belief_term(places, mean, precision))
    got = ask(network, IMAGE, prior=beliefs)
    assert_exact(got, answer(terms, known(("image", IMAGE))))


@pytest.mark.parametrize("places", [("top/world",), ("top/world", "top/self")])
def test_batched_beliefs_about_parts(problem, places):
    """One mean and covariance per example, beside a belief that is the same for all."""
    network = problem[0]
    rng = np.random.default_rng(5)
    size = sum(len(units(one)) for one in places)
    means = rng.normal(size=(3, size))
    covariances = np.stack([spd(rng, size) for _ in range(3)])
    single = (
        [] if len(places) > 1 else [Belief.of(np.full(1, 0.3), 2.0, level="top/self")]
    )
    roots = jax.vmap(covariance_to_log_precision)(jnp.asarray(covariances))
    batch = Belief(means, roots, places)
    got = pcmodel.posterior(network, IMAGE, prior=[batch, *single])
    for row in range(3):
        one = Belief.from_covariance(means[row], covariances[row], places)
        alone = pcmodel.posterior(network, IMAGE, prior=[one, *single])
        for ours, theirs in zip(got.mean, alone.mean, strict=True):
            np.testing.assert_allclose(ours[row], theirs, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(got.log_evidence[row], alone.log_evidence)
    shared = Belief.of(means, np.linalg.inv(covariances[0]), level=places)
    got = pcmodel.posterior(network, IMAGE, prior=[shared, *single])
    one = Belief.of(means[1], np.linalg.inv(covariances[0]), level=places)
    alone = pcmodel.posterior(network, IMAGE, prior=[one, *single])
    np.testing.assert_allclose(got.log_evidence[1], alone.log_evidence, rtol=1e-12)


def test_beliefs_about_parts_are_filtered_over_trials(problem):
    """The belief that a posterior gives about a part is the prior of the next trial, and back."""
    network = problem[0]
    first = pcmodel.posterior(network, IMAGE)
    belief = first.belief("top/world").propagate(noise_covariance=0.1)
    assert belief.levels == ("top/world",)
    marginal = np.asarray(first.covariance("top", "top"))[1:, 1:]
    np.testing.assert_allclose(
        belief.covariance, marginal + 0.1 * np.eye(2), rtol=1e-10
    )
    second = pcmodel.posterior(network, prior=belief)
    np.testing.assert_allclose(second.mean[4][1:], first.mean[4][1:], rtol=1e-10)
    np.testing.assert_allclose(
        second.covariance("world", "world"), belief.covariance, rtol=1e-10
    )


def test_the_energy_of_a_belief_about_a_part_is_told_at_its_level(problem):
    """Normaliser and half the squared whitened error, as of any Gaussian; the levels' energies sum to the whole."""
    network = problem[0]
    mean, precision = np.asarray([0.4, -0.9]), np.asarray([[2.0, 0.5], [0.5, 1.0]])
    belief = Belief.of(mean, precision, level="hidden/self")
    posed, plain = (
        pose(network, IMAGE, prior=prior).problem for prior in (belief, None)
    )
    latents = pcmodel.infer(network, IMAGE).latents
    error = np.asarray(latents[2])[np.asarray([1, 4])] - mean
    added = level_energies(posed, latents) - level_energies(plain, latents)
    expected = 0.5 * error @ precision @ error
    np.testing.assert_allclose(
        squared_errors(posed, latents) - squared_errors(plain, latents),
        [0, 0, expected, 0, 0],
        atol=1e-12,
    )
    constant = np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1]
    np.testing.assert_allclose(added, [0, 0, expected + constant, 0, 0], atol=1e-12)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("solver", [GaussNewton(), GaussNewton(BlockTridiagonal())])
def test_beliefs_about_parts_at_the_extremes(bits, scale, solver):
    """Beside levels of precision 1, in both precisions of numbers: as close to the closed form as the answer says."""
    with jax.enable_x64(False) if bits == 32 else nullcontext():
        network, own, means = linear_network(np.random.default_rng(7))
        mean = np.full(2, 0.3)
        belief = Belief.of(mean, scale, level="hidden/self")
        found = pcmodel.infer(network, IMAGE, prior=belief, solver=solver)
    terms = hierarchy_terms(network, own, means)
    terms.append(belief_term(["hidden/self"], mean, scale))
    exact = answer(terms, known(("image", IMAGE)))
    assert found.converged
    off = np.abs(np.concatenate(found.latents) - exact.mean)
    bound, rounding = float(found.residual), {32: 1e-6, 64: 1e-13}[bits]
    assert np.all(off <= bound * np.sqrt(np.diag(exact.covariance)) + rounding)
    assert bound < (0.03 if bits == 32 else 1e-6)


@pytest.mark.parametrize("solver", [GaussNewton(), GaussNewton(BlockTridiagonal())])
@pytest.mark.parametrize("places", [("hidden/self",), ("hidden/self", "hidden/visual")])
def test_a_belief_about_units_of_which_some_are_clamped(problem, solver, places):
    """In another order than the level's: what is clamped of a belief pulls on the rest of it."""
    network, own, means = problem
    rng = np.random.default_rng(8)
    size = sum(len(units(one)) for one in places)
    mean, precision = rng.normal(size=size), spd(rng, size)
    mask = np.asarray([False, False, True, False, True])
    values = np.asarray([9.0, 9.0, -0.7, 9.0, 1.6])
    got = ask(
        network,
        IMAGE,
        prior=Belief.of(mean, precision, level=places),
        clamp={"hidden": Clamp(values, mask)},
        solver=solver,
    )
    terms = hierarchy_terms(network, own, means)
    terms.append(belief_term(places, mean, precision))
    given = known(("image", IMAGE))
    given |= {int(unit): 1.6 for unit in units("hidden")[4:]}
    given |= {int(unit): -0.7 for unit in units("hidden")[2:3]}
    assert_exact(got, answer(terms, given))


def test_the_rest_of_a_top_keeps_the_prior_of_its_own_units(problem):
    """Prevents the mean or precision of the first units from standing for those that the belief leaves out."""
    network, own, means = problem
    got = ask(network, IMAGE, prior=Belief.of(np.ones(1), 3.0, level="top/self"))
    terms = hierarchy_terms(network, own, means, without=units("top/self"))
    terms.append(belief_term(["top/self"], np.ones(1), 3.0))
    assert_exact(got, answer(terms, known(("image", IMAGE))))


@pytest.mark.parametrize("mask", [np.zeros(5, bool), np.arange(5) % 2 == 0])
@pytest.mark.parametrize("places", [("hidden/self",), ("hidden/self", "hidden/visual")])
def test_the_blocks_of_a_belief_are_the_curvature_of_the_energy(problem, places, mask):
    """Each unit's precision in its own row and column, whatever the order in which the belief names units."""
    rng = np.random.default_rng(8)
    size = sum(len(units(one)) for one in places)
    belief = Belief.of(rng.normal(size=size), spd(rng, size), level=places)
    clamp = {"hidden": Clamp(np.zeros(5), mask)}
    posed = pose(problem[0], IMAGE, prior=belief, clamp=clamp).problem
    latents = pcmodel.infer(problem[0], IMAGE, prior=belief, clamp=clamp).latents
    state = state_from_latents(posed.structure, latents)
    exact = np.asarray(
        jax.hessian(lambda x: energy(posed, latents_from_state(posed, x)))(state)
    )
    blocks = state_hessian(posed, latents, jnp.zeros(()))
    slices = posed.structure.free_slices()
    for level, block in blocks.diagonal.items():
        own = exact[slices[level], slices[level]]
        np.testing.assert_allclose(block, own, rtol=1e-9, atol=1e-12)

"""The exact solver against closed forms, the iterative solver, and what it must refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy

import pcmodel
from pcmodel import BlockTridiagonal, ConjugateGradient, Dual, Exact, Primal
from pcmodel.api.pose import pose
from pcmodel.inference import free_energy, infer_one, moments

WIDTHS, KINDS = (3, 2, 2), ("unit", "full", "scalar")


def posed(seed=0, widths=WIDTHS, kinds=KINDS):
    rng = np.random.default_rng(seed)
    network = network_of(random_hierarchy(rng, widths, kinds))
    return pose(network, rng.normal(size=widths[0])).problem


def start(problem):
    return jnp.zeros(problem.structure.num_free)


def test_precisions_add():
    """One unit on one unit: posterior precision, mean and evidence in closed form."""
    network = pcmodel.linear_gaussian(
        [np.eye(1)], [4.0, 1.0], prior_mean=np.array([-1.0])
    )
    found = Exact().posterior(pose(network, np.array([2.0])).problem)
    assert float(found.mean[1][0]) == pytest.approx((4 * 2 - 1) / 5, rel=1e-12)
    assert float(found.variances[1][0]) == pytest.approx(1 / 5, rel=1e-12)
    spread = 1 / 4 + 1
    evidence = -0.5 * (9 / spread + np.log(2 * np.pi * spread))
    assert float(found.log_evidence) == pytest.approx(evidence, rel=1e-12)


@pytest.mark.parametrize(
    "solver",
    [
        None,
        pytest.param(Dual(), marks=pytest.mark.slow),
        pytest.param(Primal(), marks=pytest.mark.slow),
        pytest.param(BlockTridiagonal(), marks=pytest.mark.slow),
    ],
)
def test_one_step_lands_on_the_mode_from_anywhere(solver):
    """Prevents "exact" from meaning "one step of something"."""
    problem = posed()
    expected = infer_one(problem, pcmodel.GaussNewton(), start(problem))
    elsewhere = start(problem) + jnp.asarray([3.0, -20.0, 0.5, 7.0])
    for initial in (start(problem), elsewhere):
        found = infer_one(problem, Exact(solver), initial)
        np.testing.assert_allclose(found.whitened, expected.whitened, atol=1e-9)
        assert found.converged


def test_posterior_is_that_of_its_parts():
    """One factor serves mode, variances and evidence: the same as three of them."""
    problem = posed()
    found = Exact().posterior(problem)
    whitened = infer_one(problem, Exact(), start(problem)).whitened
    parts = moments(problem, whitened)
    for one, other in zip(
        (*found.mean, *found.variances), (*parts.mean, *parts.variances), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    evidence = -free_energy(problem, whitened)
    assert float(found.log_evidence) == pytest.approx(float(evidence), rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("transform", [jax.jacfwd, jax.jacrev])
def test_derivatives_straight_through_equal_the_implicit_ones(transform):
    problem = posed()

    def modes(solver):
        def mode(values):
            inputs = problem.inputs._replace(values=values)
            moved = type(problem)(problem.structure, inputs)
            return infer_one(moved, solver, start(problem)).whitened

        return transform(mode)(problem.inputs.values)[0]

    np.testing.assert_allclose(
        modes(Exact()), modes(pcmodel.GaussNewton()), rtol=1e-7, atol=1e-10
    )


def test_evidence_has_the_slope_of_finite_differences():
    problem = posed()

    def evidence(shift):
        log_precisions = (
            problem.inputs.log_precisions[0] + shift,
            *problem.inputs.log_precisions[1:],
        )
        inputs = problem.inputs._replace(log_precisions=log_precisions)
        return Exact().posterior(type(problem)(problem.structure, inputs)).log_evidence

    numeric = (evidence(1e-5) - evidence(-1e-5)) / 2e-5
    assert float(jax.grad(evidence)(0.0)) == pytest.approx(float(numeric), rel=1e-7)


def test_a_batch_is_solved_like_its_members():
    network = network_of(random_hierarchy(np.random.default_rng(1), WIDTHS, KINDS))
    data = np.random.default_rng(2).normal(size=(4, 3))
    batch = pcmodel.infer(network, data, solver=Exact())
    for row, top in zip(data, batch.latents[-1], strict=True):
        one = pcmodel.infer(network, row, solver=Exact())
        np.testing.assert_allclose(one.latents[-1], top, rtol=1e-10)


def test_nonlinear_networks_are_refused():
    network = pcmodel.dense((3, 2, 2), rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="GaussNewton"):
        pcmodel.infer(network, np.zeros(3), solver=Exact())


def test_discrete_data_are_refused():
    network = pcmodel.dense((3, 2), likelihood=pcmodel.Bernoulli(), rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="Gaussian data"):
        pcmodel.infer(network, np.ones(3), solver=Exact())


def test_iterative_linear_solvers_are_refused():
    with pytest.raises(pcmodel.UserError, match="direct"):
        Exact(ConjugateGradient())

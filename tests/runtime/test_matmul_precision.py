"""Products are as precise as what they multiply, wherever a device would cut them."""

import jax
import numpy as np
import pytest
from flax import nnx
from jax.extend.core import jaxprs_in_params
from jax.lax import Precision

import pcmodel
from pcmodel.api.infer import run_inference


def precisions_of(function, argument):
    """Of all products in a traced program, those in loops and inner functions too."""
    found = set()

    def visit(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "dot_general":
                found.add(equation.params["precision"])
            for inner in jaxprs_in_params(equation.params):
                visit(inner)

    visit(jax.make_jaxpr(function)(argument).jaxpr)
    return found


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (None, Precision.HIGHEST),
        pytest.param("tensorfloat32", Precision.HIGH, marks=pytest.mark.slow),
    ],
    ids=["unasked", "asked"],
)
def test_beliefs_are_inferred_in_full_precision_unless_asked_otherwise(asked, used):
    """Prevents modes on a GPU from being found with ten bits, or against the user's word."""
    data = np.random.default_rng(0).normal(size=(2, 6))
    network = pcmodel.dense((6, 5, 4), rngs=nnx.Rngs(0))
    found = pcmodel.posterior(network, data)
    solver, key = pcmodel.GaussNewton(), jax.random.key(0)

    def infer(problem):
        return run_inference(found.posed._replace(problem=problem), solver).energy

    def look(whitened):
        result = found.result._replace(whitened=whitened)
        held = pcmodel.Posterior(found.posed, result)
        return held.variances, held.log_evidence, held.sample(key, 2)

    with jax.default_matmul_precision(asked):
        assert precisions_of(infer, found.posed.problem) == {(used, used)}
        assert precisions_of(look, found.result.whitened) == {(used, used)}

"""Arrays of one value, which are made once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.inputs import arrays
from pcmodel.inputs.arrays import constant


@pytest.fixture(autouse=True)
def none_made():
    arrays._constant.cache_clear()
    yield
    arrays._constant.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,)])
def test_a_constant_first_made_in_a_trace_is_no_part_of_it(dtype, shape):
    """Prevents a tracer of one call from being handed to the next."""
    inside = jax.jit(lambda x: x + constant(2.0, shape, dtype).sum())
    total = 1.0 + 2.0 * np.ones(shape).sum()
    np.testing.assert_array_equal(inside(jnp.ones(())), total)
    np.testing.assert_array_equal(jax.vmap(inside)(jnp.ones(4)), np.full(4, total))
    outside = constant(2.0, shape, dtype)
    assert not isinstance(outside, jax.core.Tracer) and not outside.weak_type
    assert outside is constant(2.0, shape, np.dtype(dtype))
    np.testing.assert_array_equal(outside, np.full(shape, 2.0, dtype))
    assert outside.dtype == dtype


def test_a_constant_is_of_the_precision_that_is_enabled():
    with jax.enable_x64(False):
        narrow = constant(1.0, (), "float32")
    assert narrow.dtype == "float32"
    assert constant(1.0, (), "float64").dtype == "float64"


def test_inference_first_asked_in_a_trace_and_then_outside_is_the_same():
    network = pcmodel.dense((1, 1, 1), precisions=[1, 4, 4], rngs=nnx.Rngs(0))

    def top(x):
        return pcmodel.infer(network, x).latents[-1]

    inside = jax.jit(top)(jnp.ones(1))
    np.testing.assert_allclose(top(np.ones(1)), inside, rtol=1e-6)
    slope = jax.grad(lambda x: top(x)[0])(jnp.ones(1))
    assert np.all(np.isfinite(slope)) and np.any(slope != 0)

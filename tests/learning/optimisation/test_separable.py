"""Whether constants of a program are the same."""

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.learning.optimisation.separable import same_jaxpr, same_value


def test_constants_are_the_same_that_hold_the_same_numbers_in_the_same_form():
    pair = np.array([1.0, 2.0])
    for other in (pair, pair.copy(), jnp.asarray(pair)):
        assert same_value(pair, other)
    for other in (pair[::-1], pair[:1], pair[None], pair.astype(np.int64), None):
        assert not same_value(pair, other) and not same_value(other, pair)
    assert same_value(None, None) and same_value(3, 3) and not same_value(3, 4)
    # The same bytes of another type or shape are other numbers.
    assert not same_value(pair, pair.view(np.int64))
    assert not same_value(np.zeros((2, 3)), np.zeros((3, 2)))
    assert not same_value(0.0, -0.0) and same_value(np.nan, np.nan)


def test_programs_are_the_same_equation_by_equation():
    def program(function, *shapes):
        return jax.make_jaxpr(function)(*map(jnp.ones, shapes)).jaxpr

    one = program(lambda x: jnp.sin(x) + 2.0, 3)
    assert same_jaxpr(one, program(lambda y: 2.0 + jnp.sin(y) * 1, 3)) is False
    assert same_jaxpr(one, program(lambda y: jnp.sin(y) + 2.0, 3))
    for other in (
        program(lambda x: jnp.cos(x) + 2.0, 3),
        program(lambda x: jnp.sin(x) + 3.0, 3),
        program(lambda x: jnp.sin(x) + x, 3),
        program(lambda x: jnp.sin(x) + 2.0, 4),
        program(lambda x, y: jnp.sin(x) + 2.0, 3, 3),
    ):
        assert not same_jaxpr(one, other) and not same_jaxpr(other, one)
    first = program(lambda x, y: x - y, 3, 3)
    assert not same_jaxpr(first, program(lambda x, y: y - x, 3, 3))
    # Nothing is computed, of one argument or of two.
    nothing = program(lambda x: 1.0, 3)
    assert not same_jaxpr(nothing, program(lambda x, y: 1.0, 3, 3))

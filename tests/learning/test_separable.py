"""Whether constants of a program are the same."""

import jax.numpy as jnp
import numpy as np

from pcmodel.learning.separable import same_value


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

"""What a course leaves for a later one: the later one goes on where one course of both would."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    Carried,
    Dose,
    carry,
    load_compounds,
    simulate_group,
)

DOSES = (Dose("MDMA", 125.0), Dose("psilocybin", 25.0))
HOURS = np.arange(0.0, 12.25, 0.25)


@pytest.fixture(scope="module")
def library():
    return load_compounds()


@pytest.fixture(scope="module")
def group(library):
    return simulate_group(DOSES, HOURS, library=library, tolerance=True)


@pytest.fixture(scope="module")
def left(group):
    return carry(group)


def test_a_course_in_two_parts_is_the_course(group, left, library):
    """Prevents a second part from beginning at rest, or with what the first part did not leave."""
    whole = simulate_group(
        DOSES, np.arange(0.0, 18.25, 0.25), library=library, tolerance=True
    )
    options = dict(library=library, tolerance=True, carried=left)
    second = simulate_group(DOSES, np.arange(12.0, 18.25, 0.25), **options)
    assert left.store[0] < 0.9 and left.lost[0] > 0
    np.testing.assert_allclose(
        second.course.store[0], whole.course.store[0, 48:], rtol=1e-6
    )
    np.testing.assert_allclose(
        second.course.receptors[0], whole.course.receptors[0, 48:], rtol=1e-6
    )
    after, at_end = carry(second, carried=left), carry(whole)
    np.testing.assert_allclose(after.store, at_end.store, rtol=1e-6)
    np.testing.assert_allclose(after.lost, at_end.lost, rtol=1e-6)


BAD = {
    "other people": (Carried(jnp.ones(2), jnp.zeros(2)), "each of the 1 people"),
    "no axis": (Carried(jnp.ones(()), jnp.zeros(())), "each of the 1 people"),
    "above 1": (Carried(jnp.full(1, 1.5), jnp.zeros(1)), "shares from 0 to 1"),
    "NaN": (Carried(jnp.full(1, jnp.nan), jnp.zeros(1)), "NaN or infinity"),
    "not what it began with": (
        Carried(jnp.ones(1), jnp.full(1, 0.2)),
        "receptors began at",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_was_not_carried_into_a_course_is_refused(group, kind):
    """Prevents receptors that were never lost from being carried on."""
    carried, said = BAD[kind]
    with pytest.raises(UserError, match=said) as caught:
        carry(group, carried=carried)
    assert "carried" in str(caught.value)


def test_what_was_carried_into_a_course_is_not_forgotten(left, library):
    """Prevents losses of the first session from vanishing before the third."""
    options = dict(library=library, tolerance=True, carried=left)
    second = simulate_group(DOSES, HOURS, **options)
    with pytest.raises(UserError, match="not what the group was simulated with"):
        carry(second)
    with pytest.raises(UserError, match="share of each of the 3 people"):
        simulate_group(DOSES, HOURS, num_people=2, key=jax.random.key(0), **options)

"""Second stages and durations at the edges of what they are defined on: values and derivatives."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import typical
from pcmodel.neuromodulation.course import hours_above
from pcmodel.neuromodulation.participant import check_one
from pcmodel.neuromodulation.pharmacology.exchange import (
    State,
    WithRates,
    settle,
    turns,
)
from pcmodel.neuromodulation.pharmacology.transducer import Direct, Sigmoid, Threshold

RESPONSES = jnp.asarray([-0.2, 0.0, 0.05, 0.11, 0.16, 0.3, jnp.nan])

STAGES = {
    "line": (Threshold(0.06, 0.16), [0, 0, 0, 0.5, 1, 2.4, np.nan]),
    "line whose onset is where it should be full": (Threshold(0.16, 0.16), [0] * 7),
    "line out of reach": (Threshold(0.2, 0.16), [0] * 7),
    "none": (Direct(0.2), [-1, 0, 0.25, 0.55, 0.8, 1.5, np.nan]),
    "sigmoid": (
        Sigmoid(0.1, 2.0, 0.2),
        [0, 0, 0.2 / 0.8, 1.21 / 2.21 / 0.8, 2.56 / 3.56 / 0.8, 1.125, np.nan],
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_its_formula_below_rest_and_far_above_and_what_is_no_number_stays(
    name,
):
    """Prevents a derivative of NaN where a branch is discarded."""
    stage, expected = STAGES[name]
    np.testing.assert_allclose(stage(RESPONSES), expected, atol=1e-15)
    slopes = jax.vmap(jax.grad(stage))(RESPONSES[:-1])
    assert np.all(np.isfinite(slopes))
    if name in ("line", "sigmoid"):
        np.testing.assert_array_equal(slopes[:2], 0.0)
        assert slopes[4] > 0
    else:
        np.testing.assert_allclose(slopes, 5.0 if name == "none" else 0.0)


def test_numbers_of_a_stage_must_be_positive_each():
    for wrong in (0.0, -1.0, np.inf, True, np.asarray([0.1, 0.0])):
        for make in (
            lambda x: Sigmoid(0.1, x, 0.2),
            lambda x: Sigmoid(0.1, 2.0, x),
            lambda x: Threshold(0.1, x),
        ):
            with pytest.raises(UserError, match="finite and positive"):
                make(wrong)
    assert Sigmoid(np.asarray([0.1, 0.2]), 2, 0.2).power == 2


def test_hours_above_a_level_have_the_derivatives_of_the_line():
    """A tent over 1 to 7 h with flat ends: 6 (1 - level / peak) h; a flat top counts whole."""
    times = jnp.asarray([0.0, 1.0, 3.0, 7.0, 9.0])
    tent = jnp.asarray([0.0, 0.0, 2.0, 0.0, 0.0])
    level = jnp.asarray(0.5)
    slope = jax.grad(hours_above, argnums=(1, 2))(times, tent, level)
    np.testing.assert_allclose(slope[0][2], 6 * 0.5 / 4, rtol=1e-12)
    np.testing.assert_allclose(slope[1], -6 / 2, rtol=1e-12)
    assert np.all(np.isfinite(slope[0]))
    table = jnp.asarray([0.0, 2.0, 2.0, 0.0, 0.0])
    hours = hours_above(times, table, level)
    np.testing.assert_allclose(hours, 0.75 + 2 + 0.75 * 4, rtol=1e-12)


def test_shares_stay_shares_over_many_steps_in_single_precision():
    """Prevents receptors from being lost to rounding and to the contour, a little each step."""
    rates = turns(jnp.asarray([0.3, 4.0], jnp.float32), 0.1)
    ratios = jnp.asarray([2.0, 0.7], jnp.float32)

    def step(state, _):
        state = settle(state, ratios, rates)
        return state, jnp.sum(state.shares) + state.vacant

    empty = State(jnp.zeros(2, jnp.float32), jnp.ones((), jnp.float32))
    end, totals = jax.jit(lambda start: jax.lax.scan(step, start, None, 3000))(empty)
    np.testing.assert_allclose(totals, 1.0, atol=3e-7)
    np.testing.assert_allclose(end.shares, ratios / 3.7, rtol=1e-5)
    assert WithRates(1).substeps == 1 and WithRates().substeps > 1


def test_one_number_of_many_people_makes_a_group(library):
    person = typical(library, "LSD", "ketanserin")
    check_one(person)
    many = person.physiology._replace(half=jnp.ones(3))
    rows = person.ligands._replace(k_2a=jnp.ones((3, 2)))
    for group in (replace(person, physiology=many), replace(person, ligands=rows)):
        with pytest.raises(UserError, match="group of people"):
            check_one(group)

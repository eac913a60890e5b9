"""Accounts as they come, so that rivals are compared at one strength; what several do together; how long an effect lasts."""

from dataclasses import fields

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import ACCOUNTS, Effects, check_account, duration, is_over
from pcmodel.neuromodulation.accounts.accounts import (
    NmdaBlock,
    Rebus,
    Sebus,
    Together,
    effects,
)
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course

PLACES = Anatomy(("a", "b", "c", "d"), (0.7, 1.3, 0.8, 1.2), (1.2, 0.5, 1.3, 1.0))
FULL = Effects(jnp.asarray(1.0), jnp.asarray(1.0), jnp.asarray(1.0))


def made(name, felt=FULL, **options):
    return ACCOUNTS[name](**options).modulate(felt, PLACES)


def logs(levels):
    return {level: float(np.log(value)) for level, value in levels.items()}


def test_precision_accounts_change_a_log_precision_by_two_at_full_effect():
    """Rebus and sebus in proportion to receptors but for the senses, uniform everywhere, sensory at the senses."""
    above = dict(zip((0, 1, 2, 3), (0.0, -2 * 1.3, -2 * 0.8, -2 * 1.2), strict=True))
    for name in ("rebus", "sebus"):
        assert logs(made(name).gains) == pytest.approx(above, abs=1e-12)
    assert logs(made("uniform").gains) == pytest.approx(dict.fromkeys(range(4), -2.0))
    assert logs(made("sensory").gains) == pytest.approx({0: 2.0})
    assert float(jnp.log(made("noise").temperature)) == pytest.approx(2.0)


OPTIONS = [
    (name, field.name)
    for name, account in ACCOUNTS.items()
    for field in fields(account)
    if isinstance(field.default, float)
]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_that_is_no_number_is_named_with_its_account(name, option):
    with pytest.raises(UserError, match=f"account {name}: {option} must"):
        ACCOUNTS[name](**{option: float("nan")})


def test_sebus_turns_at_two_thirds_of_the_full_effect():
    for account, turn in ((Sebus(), 2 / 3), (Sebus(strengthening=1.5), 1 / 3)):
        turned = account.modulate(FULL._replace(effect_2a=jnp.asarray(turn)), PLACES)
        assert logs(turned.gains)[1] == pytest.approx(0, abs=1e-6)
    felt = FULL._replace(effect_2a=jnp.asarray(0.3))
    expected = -2 * 1.3 * (0.3 - 3 * 0.3 * 0.7)
    assert logs(made("sebus", felt).gains)[1] == pytest.approx(expected)


def test_other_accounts_have_a_strength_of_one():
    """Slopes by receptors, a share from above, and channels of every level but the lowest and the top."""
    assert float(made("oneirogen").top_down) == pytest.approx(1 - np.exp(-1))
    slopes = logs(made("dimmer").slopes)
    assert slopes == pytest.approx({1: -0.5, 2: -1.3, 3: -1.0})
    half = FULL._replace(nmda_block=jnp.asarray(0.4))
    block = made("nmda_block", half)
    assert {k: float(v) for k, v in block.error_transmission.items()} == pytest.approx(
        {1: 0.6, 2: 0.6}
    )
    assert float(block.plasticity) == pytest.approx(0.6)
    lowest = made("nmda_block", half, lowest=0, transmission=0.5, plasticity=0.25)
    assert {k: float(v) for k, v in lowest.error_transmission.items()} == pytest.approx(
        dict.fromkeys(range(3), 0.8)
    )
    assert float(lowest.plasticity) == pytest.approx(0.9)
    last = NmdaBlock(lowest=2).modulate(half, PLACES).error_transmission
    assert set(last) == {2}


def test_factors_of_mechanisms_that_act_together_multiply():
    """Both orders; needs are named once."""
    parts = (Rebus(1.3), Rebus(0.4, sign=1, exemption=0.0), ACCOUNTS["noise"](0.7))
    for order in (parts, parts[::-1]):
        both = Together(order).modulate(FULL, PLACES)
        expected = {0: 0.4 * 0.7} | {
            level: -0.9 * PLACES.density_2a[level] for level in (1, 2, 3)
        }
        assert logs(both.gains) == pytest.approx(expected)
        assert float(jnp.log(both.temperature)) == pytest.approx(0.7)
        assert Together(order).needs == ("effect_2a",)


def test_what_the_hierarchy_feels_are_three_curves_of_the_course():
    curves = [jnp.full((2,), float(number)) for number in range(11)]
    course = Course(*curves[:4], *curves[4:])._replace(
        effect_2a=jnp.asarray([0.1, 0.2]),
        response_1a=jnp.asarray([0.3, 0.4]),
        nmda_block=jnp.asarray([0.5, 0.6]),
    )
    np.testing.assert_array_equal(effects(course), [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])


@pytest.mark.parametrize(
    ("name", "compounds", "fits"),
    [
        ("rebus", ("LSD",), True),
        ("rebus", ("ketanserin", "LSD"), True),
        ("rebus", ("MDMA",), True),
        ("rebus", ("ketamine",), False),
        ("rebus", ("ketanserin",), False),
        ("rebus", ("placebo", "ketanserin"), False),
        ("dimmer", ("ketanserin",), False),
        ("dimmer", ("buspirone",), True),
        ("nmda_block", ("ketamine", "LSD"), True),
        ("nmda_block", ("MDMA",), False),
        ("nmda_block", ("placebo",), True),
    ],
)
def test_an_account_needs_a_compound_that_acts_where_it_does(
    library, name, compounds, fits
):
    names = ("data", "one", "two", "top")

    def check():
        check_account(
            ACCOUNTS[name](), PLACES, names, library=library, compounds=compounds
        )

    if fits:
        check()
    else:
        with pytest.raises(
            UserError, match=f"account {ACCOUNTS[name].__name__}".lower()
        ):
            check()


HOURS = np.asarray([0.0, 1.0, 3.0, 7.0, 9.0])
TENT = np.asarray([0.0, 0.0, 2.0, 0.0, 0.0])


def test_an_effect_lasts_while_it_exceeds_a_share_of_its_peak():
    """A tent over 1 to 7 h; a peak that is not felt lasts no time, one that is just felt does."""
    for share in (0.0, 0.1, 0.35, 0.9):
        found = duration(HOURS, TENT, share=share)
        np.testing.assert_allclose(found, 6 * (1 - share), rtol=1e-12)
    np.testing.assert_allclose(duration(HOURS, TENT), 5.4, rtol=1e-12)
    assert duration(HOURS, TENT, least=2.0) == 0
    np.testing.assert_allclose(duration(HOURS, TENT, least=1.999), 5.4, rtol=1e-12)
    assert duration(HOURS, 0 * TENT) == 0
    assert duration(HOURS, 0.3 + 0 * TENT, least=0.3) == 0
    high = np.maximum(TENT, 0.5)  # over by 0.35 of its peak, not by 0.1
    expected = 6 * (2 - 0.7) / (2 - 0.5)
    np.testing.assert_allclose(duration(HOURS, high, share=0.35), expected, rtol=1e-12)
    for share in (-0.1, 1.0):
        with pytest.raises(UserError, match="share"):
            duration(HOURS, TENT, share=share)


@pytest.mark.parametrize("end", [0, -1])
def test_an_effect_is_over_when_both_ends_are_below_the_share(end):
    """At the share itself it is; what is nowhere felt always is."""
    curve = TENT.copy()
    for value, over in ((0.19, True), (0.2, True), (0.21, False)):
        curve[end] = value
        assert bool(is_over(HOURS, curve)) == over
        assert bool(is_over(HOURS, curve, share=0.11))
        assert bool(is_over(HOURS, curve, least=2.0))
    assert not bool(is_over(HOURS, curve, least=1.9))
    with pytest.raises(UserError, match="still above"):
        duration(HOURS, curve)

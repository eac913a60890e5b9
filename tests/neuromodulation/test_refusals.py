"""What looks like a number and would be wrong is refused, in one sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    ACCOUNTS,
    CORTEX,
    Bolus,
    Dose,
    anatomy,
    draw_participants,
    duration,
    effects,
    is_over,
    load_compounds,
    regimen,
    simulate,
    typical,
    vital_signs,
)
from pcmodel.neuromodulation.accounts.accounts import NmdaBlock, Together
from pcmodel.neuromodulation.checking import as_hours
from pcmodel.neuromodulation.participant import typical_variation
from pcmodel.neuromodulation.pharmacology.transducer import Direct, Sigmoid, Threshold

LIBRARY = load_compounds()
HOURS = np.linspace(0, 8, 33)
LSD = (Dose("LSD", 0.1),)
PERSON = typical(LIBRARY, "LSD")
_RUN = jax.jit(simulate)
COURSE = _RUN(LSD, HOURS, PERSON)


def of(times=HOURS, doses=LSD, person=PERSON, **options):
    return simulate(doses, times, person, **options)


def group():
    return jax.tree.map(lambda x: jnp.stack([x, x]), PERSON)


REFUSED = {
    r"dose 1 \(LSD\): the participant has no numbers for it": lambda: of(
        person=typical(LIBRARY, "psilocybin")
    ),
    r"times must ascend.*time 1 is 7.75 h": lambda: of(HOURS[::-1]),
    r"time 1 is nan h": lambda: of([0.0, np.nan, 2.0]),
    r"time 2 is inf h": lambda: of([0.0, 1.0, np.inf]),
    r"times must ascend.*time 2 is 1 h after 1 h": lambda: of([0.0, 1.0, 1.0]),
    r"times have the shape \(0,\)": lambda: of([]),
    r"times have the shape \(\)": lambda: of(2.0),
    r"times have the shape \(1, 33\)": lambda: of(HOURS[None]),
    r"times: values are of type bool": lambda: of([False, True]),
    r"times: values must be numbers": lambda: of(["noon"]),
    r"times: 1 of 3 values are masked": lambda: of(
        np.ma.masked_array([0.0, 1.0, 2.0], [False, True, False])
    ),
    r"participant: is a group": lambda: of(person=group()),
    r"amount is -1 mg": lambda: of(doses=(Dose("LSD", -1),)),
    r"amount has the shape \(2,\)": lambda: of(
        doses=regimen(Dose("LSD", np.asarray([0.1, 0.2])), library=LIBRARY)
    ),
    r"dose 1 \(DMT\): cannot be swallowed": lambda: of(
        doses=(Dose("DMT", 25.0),), person=typical(LIBRARY, "DMT")
    ),
    r"dose 1 \(MDMA\): cannot be injected": lambda: of(
        doses=(Dose("MDMA", 25.0, 0.0, Bolus()),), person=typical(LIBRARY, "MDMA")
    ),
    r"is at 1.0 h, before the previous one": lambda: of(
        doses=(Dose("LSD", 0.1, 2.0), Dose("LSD", 0.1, 1.0))
    ),
    r"dose 1: is 'LSD'": lambda: regimen("LSD", library=LIBRARY),
    r"amount is 100.0 mg, .*expected at most 38 mg \(100 micrograms": lambda: regimen(
        Dose("LSD", 100.0), library=LIBRARY
    ),
    r"dose 1 \(psilocybin\): amount is 25000 mg, which": lambda: regimen(
        Dose("psilocybin", 25000), library=LIBRARY
    ),
    r"amount is True": lambda: regimen(Dose("LSD", True), library=LIBRARY),
    r"number of participants must be a positive whole number": lambda: (
        draw_participants(PERSON, jax.random.key(0), 0)
    ),
    r"variation of clearance is -0.3": lambda: draw_participants(
        PERSON, jax.random.key(0), 2, typical_variation()._replace(clearance=-0.3)
    ),
    r"made for no compound": lambda: typical(LIBRARY),
    r"half_life is nan": lambda: LIBRARY["LSD"].with_value("half_life", np.nan, "x"),
    r"half_life is -2": lambda: LIBRARY["LSD"].with_value("half_life", -2.0, "x"),
    r"duration: the effect is still above": lambda: duration(HOURS, COURSE.effect_2a),
    r"values that are not finite": lambda: duration(HOURS, np.full(33, np.nan)),
    r"share is 1.5": lambda: duration(HOURS, np.sin(HOURS), share=1.5),
    r"one value for each time": lambda: duration(HOURS, np.zeros((2, 33))),
    r"vital signs: the course holds": lambda: vital_signs(
        COURSE, HOURS, typical(LIBRARY, "LSD", "ketanserin")
    ),
    r"vital signs: the course holds.*\(9,\) times": lambda: vital_signs(
        COURSE, HOURS[:9], PERSON
    ),
    r"pick one moment": lambda: ACCOUNTS["rebus"]().modulate(
        effects(COURSE), anatomy(*CORTEX)
    ),
    r"strength must be a finite number, got nan": lambda: ACCOUNTS["noise"](
        float("nan")
    ),
    r"strength must be 0 or more": lambda: ACCOUNTS["oneirogen"](-1.0),
    r"lowest is level 3": lambda: NmdaBlock(lowest=3).modulate(
        jax.tree.map(lambda x: x[0], effects(COURSE)), anatomy(*CORTEX)
    ),
    r"no accounts in it": lambda: Together(()),
    r"Sigmoid: half is 0.0": lambda: Sigmoid(0.0, 2.0, 1.0),
    r"Threshold: onset is nan": lambda: Threshold(float("nan"), 1.0),
    r"Direct: full is -1.0": lambda: Direct(-1.0),
    r"transducer is 'steep'": lambda: of(transducer="steep"),
    r"exchange is 'slow'": lambda: of(exchange="slow"),
}


@pytest.mark.parametrize("said", REFUSED)
def test_it_is_refused_in_a_sentence(said):
    with pytest.raises(UserError, match=said) as caught:
        REFUSED[said]()
    assert "\n" not in str(caught.value)


def test_whole_hours_are_hours():
    """Prevents times of whole numbers from rounding the hour of a dose, traced or not."""
    doses = (Dose("LSD", 0.1, 0.5),)
    expected = _RUN(doses, HOURS[::4], PERSON).effect_2a
    for kind in (int, np.float16):
        got = _RUN(doses, HOURS[::4].astype(kind), PERSON).effect_2a
        np.testing.assert_array_equal(got, expected)
    got = simulate(doses, np.arange(9), PERSON).effect_2a
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("read", [as_hours, jax.jit(as_hours)])
def test_hours_keep_single_and_double_precision_and_are_widened_to_the_default(read):
    """Prevents a simulation in single precision from turning double halfway, and hours rounded in half."""
    for kind in (np.float32, np.float64):
        for times in (np.arange(3, dtype=kind), jnp.arange(3, dtype=kind)):
            assert read(times).dtype == kind
    for kind in (np.int32, np.uint8, np.float16, jnp.bfloat16):
        hours = read(np.arange(3).astype(kind))
        assert hours.dtype == np.float64
        np.testing.assert_array_equal(hours, [0.0, 1.0, 2.0])


def test_one_time_is_enough_where_nothing_is_integrated():
    np.testing.assert_allclose(
        _RUN(LSD, HOURS[9:10], PERSON).effect_2a[0], COURSE.effect_2a[9], rtol=1e-12
    )


def test_what_is_not_a_number_stays_so():
    """Prevents an amount lost in a fit from becoming an effect of 0."""
    effect = _RUN((Dose("LSD", np.nan),), HOURS, PERSON).effect_2a
    assert np.all(np.isnan(np.asarray(effect)))
    hours = jax.jit(lambda e: duration(jnp.asarray(HOURS), e))(effect)
    assert np.isnan(float(hours))


def test_a_duration_says_when_the_times_cut_it():
    """Inside of jit, where nothing can be refused."""
    cut = jax.jit(is_over)(HOURS, COURSE.effect_2a)
    assert not bool(cut)
    assert bool(is_over(HOURS, np.exp(-((HOURS - 4) ** 2))))


def test_an_effect_too_small_to_be_felt_lasts_no_time():
    hump = np.asarray([0.0, 0.02, 0.04, 0.02, 0.0])
    times = np.arange(5.0)
    assert float(duration(times, hump, least=0.05)) == 0
    np.testing.assert_allclose(duration(times, hump, least=0.03), 3.6)

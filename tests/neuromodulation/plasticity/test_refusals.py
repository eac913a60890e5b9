"""What cannot be meant is refused in one sentence, and numbers come from a table with their sources."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.neuromodulation import (
    Dose,
    PlasticityTable,
    TrkbDirect,
    Via2A,
    administrations,
    closing_time_constant,
    group_administrations,
    load_compounds,
    load_plasticity,
    modulation_on,
    plasticity_window,
    regimen,
    simulate,
    simulate_group,
    typical,
)
from pcmodel.neuromodulation.table import MARKS

DAYS = np.asarray([0.5, 1.0, 2.0, 7.0, 14.0])
PSILOCYBIN = Dose("psilocybin", 25.0)
HEADER = "subject,quantity,value,unit,mark,source\n"


@pytest.fixture(scope="module")
def given(after):
    return after(PSILOCYBIN)


BAD_DAYS = {
    "none": ([], "one or more"),
    "negative": ([-1.0, 2.0], "hold -1; expected 0 or more"),
    "not ascending": ([1.0, 3.0, 2.0], "day 2 is 2 after 3"),
    "twice": ([1.0, 1.0], "day 1 is 1 after 1"),
    "NaN": ([1.0, float("nan")], "NaN or infinity"),
    "endless": ([1.0, float("inf")], "NaN or infinity"),
    "a table": ([[1.0], [2.0]], r"shape \(2, 1\)"),
    "one number": (3.0, r"shape \(\)"),
    "text": ("tomorrow", "numbers"),
    "flags": ([True, False], "type bool"),
}


@pytest.mark.parametrize("kind", BAD_DAYS)
def test_days_that_cannot_be_meant(given, kind):
    days, said = BAD_DAYS[kind]
    with pytest.raises(UserError, match=f"^days: .*{said}"):
        plasticity_window(given, days)


class Odd(Via2A):
    entry = "mtor"


class Heavy(Via2A):
    weight = float("nan")

    def __init__(self):
        pass


BAD_ROUTES = {
    "a name": ("via_2a", "is 'via_2a'; expected Via2A"),
    "a class": (Via2A, "is the class Via2A"),
    "none": ((), "there are none"),
    "one twice": ((Via2A(), Via2A(0.5)), "one twice"),
    "a wrong stage": (Odd(), "enters at 'mtor'"),
    "no weight": (Heavy(), "has the weight nan"),
}


@pytest.mark.parametrize("kind", BAD_ROUTES)
def test_routes_that_cannot_be_meant(given, kind):
    routes, said = BAD_ROUTES[kind]
    with pytest.raises(UserError, match=said):
        plasticity_window(given, DAYS, routes=routes)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), "much"])
def test_weights_and_peaks_that_cannot_be_meant(given, weight):
    with pytest.raises(UserError, match="weight"):
        TrkbDirect(weight)
    with pytest.raises(UserError, match="peak"):
        plasticity_window(given, DAYS, peak=weight)


def test_courses_that_cannot_be_meant(given, library):
    with pytest.raises(UserError, match="there are none"):
        plasticity_window((), DAYS)
    with pytest.raises(UserError, match="not in order of days"):
        plasticity_window((given.on(3.0), given), DAYS)
    with pytest.raises(UserError, match=r"given is .*; expected"):
        plasticity_window(3.0, DAYS)
    with pytest.raises(UserError, match="day"):
        given.on([1.0, 2.0])
    group = simulate_group(PSILOCYBIN, np.linspace(0, 24, 97), library=library)
    everyone = group_administrations(group)
    with pytest.raises(UserError, match="the same people in every course"):
        plasticity_window((everyone, given.on(3.0)), DAYS)
    with pytest.raises(UserError, match="of a group"):
        modulation_on(1.0, everyone)
    with pytest.raises(UserError, match="day: is True"):
        given.on(True)
    for day in (-1.0, float("nan"), [1.0, 2.0], True, np.True_):
        with pytest.raises(UserError, match="day"):
            modulation_on(day, given)


MDMA, KETANSERIN = Dose("MDMA", 125.0), Dose("ketanserin", 40.0)
MEETING = {
    "one compound twice": ((PSILOCYBIN, PSILOCYBIN), 3.0, "5-HT2A receptors"),
    "an antagonist before": ((KETANSERIN, PSILOCYBIN), 1.0, "5-HT2A receptors"),
    "serotonin at the receptor": ((MDMA, PSILOCYBIN), 2.0, "5-HT2A receptors"),
    "a store that is not full": ((MDMA, MDMA), 72.0, "the serotonin store"),
}


@pytest.mark.parametrize("kind", MEETING)
def test_courses_that_meet_on_one_target(after, kind):
    """Each was simulated from rest, and no sum of them is what both would do."""
    doses, gap, target = MEETING[kind]
    first, second = map(after, doses)
    with pytest.raises(UserError, match=rf"acts on {target} for .* after {gap:g} h"):
        plasticity_window((first, second.on(gap / 24)), DAYS)
    plasticity_window((first, second.on(7.0)), DAYS)


def test_only_routes_in_use_ask_for_distance(after):
    """TrkB is held when the receptors of the experience are free."""
    given = after(PSILOCYBIN)
    late = given.on(15.4 / 24)
    plasticity_window((given, late), DAYS)
    with pytest.raises(UserError, match="acts on TrkB"):
        plasticity_window((given, late), DAYS, routes=TrkbDirect())


def test_a_course_that_ends_too_early_is_refused_by_the_route_that_needs_more(after):
    """TrkB is still occupied when the experience is over."""
    given = after(PSILOCYBIN, hours=np.linspace(0, 10, 201))
    plasticity_window(given, DAYS)
    with pytest.raises(UserError, match="ends at 10 h, while the drive by TrkbDirect"):
        plasticity_window(given, DAYS, routes=TrkbDirect())
    with pytest.raises(UserError, match="the drive by Via2A is above 10%"):
        plasticity_window(after(PSILOCYBIN, hours=np.linspace(0, 3, 61)), DAYS)


def test_times_and_people_that_did_not_make_the_course(library):
    person, hours = typical(library, "psilocybin"), np.linspace(0, 24, 97)
    course = simulate(regimen(PSILOCYBIN, library=library), hours, person)
    with pytest.raises(UserError, match="the person and the times that made"):
        administrations(course, hours[:-1], person)
    with pytest.raises(UserError, match="made the course"):
        administrations(course, hours, typical(library, "psilocybin", "LSD"))
    with pytest.raises(UserError, match=r"0\.5 h apart"):
        coarse = jax.tree.map(lambda x: x[..., ::2], course)
        administrations(coarse, hours[::2], person)
    with pytest.raises(UserError, match=r"steps of 0\.25 h"):
        group = simulate_group(PSILOCYBIN, np.linspace(0, 24, 25), library=library)
        group_administrations(group)


@pytest.mark.parametrize(
    "starts",
    [[], [-1.0], [0.0, 25.0], [5.0, 1.0], [0.0, 0.0], [float("nan")], "noon", [[0.0]]],
)
def test_starts_that_cannot_be_meant(library, starts):
    person, hours = typical(library, "psilocybin"), np.linspace(0, 24, 97)
    course = simulate(regimen(PSILOCYBIN, library=library), hours, person)
    with pytest.raises(UserError, match=r"^starts: "):
        administrations(course, hours, person, starts=starts)


MINE = """x,half_life,2,h,read,Someone 2020
x,volume,100,L,read,Someone 2020
x,k_2a,5,ng/mL,read,Someone 2020
x,efficacy_2a,0.19,tau,read,Someone 2020
"""


def test_a_compound_whose_window_is_not_known_to_close(after, tmp_path):
    """It is refused, NaN within a program, and served once its row is given; what it does not do is 0."""
    from pcmodel.neuromodulation import Bolus

    file = tmp_path / "mine.csv"
    file.write_text(HEADER + MINE)
    given = after(Dose("x", 20.0, 0.0, Bolus()), library=load_compounds(file))
    with pytest.raises(UserError, match=r"x acts by Via2A.*the row x,closing"):
        plasticity_window(given, DAYS)
    traced = jax.jit(lambda one: plasticity_window(one, DAYS).gain)(given)
    assert np.all(np.isnan(traced))
    assert np.all(
        np.asarray(plasticity_window(given, DAYS, routes=TrkbDirect()).gain) == 1
    )
    more = tmp_path / "windows.csv"
    more.write_text(HEADER + "x,closing,3,days,assumed,a guess\n")
    window = plasticity_window(given, DAYS, table=load_plasticity(more))
    assert float(window.gain[1]) > 1.2


BAD_ROWS = {
    "psilocybin,closing,0,days,read,s": "closing must be positive",
    "psilocybin,closing,3,h,read,s": "cannot be in 'h'",
    "psilocybin,peak,3,multiple,read,s": "psilocybin has no peak",
    "spines,closing,3,days,read,s": "spines has no closing",
    "stages,bdnf,fast,days,read,s": "'fast' is not a number",
    "psilocybin,closing,-3,days,read,s": "negative",
    "psilocybin,closes,3,days,read,s": "closing",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_row_is_named(tmp_path, row):
    file = tmp_path / "mine.csv"
    file.write_text(HEADER + row + "\n")
    with pytest.raises(UserError, match=r"^mine\.csv, row 2: ") as caught:
        load_plasticity(file)
    assert BAD_ROWS[row] in str(caught.value)


def test_a_table_made_by_hand_is_checked_like_a_file(given):
    """Prevents a table without a number from ending in a KeyError, and a NaN in it from becoming a NaN window."""
    place, numbers = ("stages", "peak"), load_plasticity().numbers
    for value in (np.nan, np.inf):
        with pytest.raises(UserError, match=r"peak is .*expected a finite number"):
            PlasticityTable({**numbers, place: replace(numbers[place], value=value)})
    with pytest.raises(UserError, match="under its own subject"):
        PlasticityTable({**numbers, place: numbers["stages", "bdnf"]})
    short = {key: number for key, number in numbers.items() if key != place}
    with pytest.raises(UserError, match="no peak of stages"):
        plasticity_window(given, DAYS, table=PlasticityTable(short))


def test_every_number_has_a_source_and_assumptions_are_listed():
    table = load_plasticity()
    for number in table.numbers.values():
        assert number.mark in MARKS and len(number.source) > 5
    said = table.assumptions()
    assert any(
        line.startswith("psilocybin: closing 6.741 days (calibrated") for line in said
    )
    assert not any("sv2a: day 7 " in line for line in said)
    for name in table.compounds:
        assert {(name, "open_at"), (name, "closed_by")} <= set(table.numbers)


@pytest.mark.parametrize(
    ("times", "options", "said"),
    [
        ((21.0, 14.0), {}, "open at 21 days cannot be closed by 14"),
        ((2.0, 2.0), {}, "open at 2 days"),
        ((0.0, 2.0), {}, "open_at"),
        ((2.0, 7.0), {"onset_days": (5.0, 0.1, 0.1)}, "no window is closed"),
        ((2.0, 7.0), {"share": 1.0}, "share"),
        ((2.0, float("nan")), {}, "closed_by"),
    ],
)
def test_closing_times_that_cannot_be_met(times, options, said):
    with pytest.raises(UserError, match=said):
        closing_time_constant(*times, **options)


def test_within_a_program_values_are_taken_as_they_are(given):
    """Days are traced, and nothing is refused that cannot be known."""
    gain = jax.jit(lambda days: plasticity_window(given, days).gain)(jnp.asarray(DAYS))
    np.testing.assert_allclose(gain, plasticity_window(given, DAYS).gain, rtol=1e-12)
    assert replace(given).compounds == ("psilocybin",)

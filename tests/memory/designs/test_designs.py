"""Designs against trials written by hand, and every mistake told in one sentence."""

import jax
import numpy as np
import pytest

from pcmodel import Modulation
from pcmodel.errors import UserError
from pcmodel.memory import learn_causes, stack_trials
from pcmodel.memory.designs import (
    Acquisition,
    Days,
    Design,
    Extinction,
    Interval,
    Phase,
    Reinstatement,
    Retrieval,
    Test,
    draw_schedule,
    read_design,
    reinforced_at,
)
from pcmodel.memory.designs.published import gradual_extinction, spontaneous_recovery

STIMULI = {"light": {"light": 1.0}, "tone": {"tone": 0.5, "sound": 2.0}}
CONTEXTS = {"A": {"room": 1.0}, "B": {"sound": 1.0}}


def test_a_protocol_becomes_its_trials():
    design = Design(
        [
            Acquisition(2, stimulus="light", context="A", us=[1.0, 2.0]),
            Interval(2.5),
            Extinction(2, stimulus=("light", "tone"), context="B", every=3.0),
            Days(2),
            Reinstatement(1, context="A", scored=False),
            Test(1, stimulus="tone", at=100, amnesia=0.5, outcome_gain=0.5),
        ],
        stimuli=STIMULI,
        contexts=CONTEXTS,
        units_per_day=10,
    )
    assert design.features == ("light", "tone", "sound", "room")
    trials = jax.tree.map(np.asarray, design.trials)
    np.testing.assert_allclose(trials.time, [0, 1, 4.5, 7.5, 30.5, 100])
    np.testing.assert_allclose(trials.outcome, [1, 2, 0, 0, 1, 0])
    light, both = [1, 0, 0, 1], [1, 0.5, 3, 0]
    np.testing.assert_allclose(
        trials.stimuli, [light, light, both, both, [0, 0, 0, 1], [0, 0.5, 2, 0]]
    )
    np.testing.assert_allclose(trials.scored, [1, 1, 1, 1, 0, 1])
    np.testing.assert_allclose(trials.amnesia, [0, 0, 0, 0, 0, 0.5])
    np.testing.assert_allclose(trials.outcome_gain, [1, 1, 1, 1, 1, 0.5])
    np.testing.assert_array_equal(design.index("extinction"), [2, 3])
    np.testing.assert_array_equal(design.index("test"), [5])


def test_phases_of_one_kind_are_counted():
    design = Design([Acquisition(2), Extinction(1), Acquisition(3)])
    np.testing.assert_array_equal(design.index("acquisition", 2), [3, 4, 5])
    with pytest.raises(UserError, match="there is no acquisition 3; expected 1 to 2"):
        design.index("acquisition", 3)
    with pytest.raises(UserError, match="no phase of this design is called 'tset'"):
        design.index("tset")


def test_a_modulation_gives_both_gains():
    drug = Modulation({"outcome": 0.25}, plasticity=3.0)
    design = Design([Acquisition(1), Extinction(2, modulation=drug)])
    np.testing.assert_allclose(design.trials.outcome_gain, [1, 0.25, 0.25])
    np.testing.assert_allclose(design.trials.learning_gain, [1, 3, 3])


@pytest.mark.parametrize(
    ("drug", "message"),
    [
        (Modulation({"top": 0.5}), "no level of a memory is called 'top'"),
        (Modulation(slopes={"top": 0.5}), "slopes: act on a hierarchy's activity"),
        (Modulation(top_down=0.5), "top_down and temperature"),
        (Modulation({"outcome": np.array([0.5, 0.5])}), "has the shape (2,)"),
    ],
)
def test_a_modulation_of_what_a_memory_has_not_is_refused(drug, message):
    with pytest.raises(UserError) as error:
        _ = Design([Acquisition(1, modulation=drug)]).trials
    assert message in str(error.value)


def test_designs_of_different_length_learn_together_as_alone():
    designs = [
        Design([Acquisition(3), Interval(20), Extinction(n), Interval(9), Test(1)])
        for n in (1, 4, 9)
    ]
    found = jax.vmap(learn_causes)(stack_trials([d.trials for d in designs]))
    for i, design in enumerate(designs):
        alone = learn_causes(design.trials)
        test = design.index("test")[0]
        np.testing.assert_allclose(
            found.prediction[i, test], alone.prediction[test], rtol=1e-12
        )


def test_schedules():
    assert reinforced_at(4, (1, 3), strength=2.0) == (2.0, 0.0, 2.0, 0.0)
    assert reinforced_at(2, ()) == (0.0, 0.0)
    with pytest.raises(UserError, match="there is no trial 5"):
        reinforced_at(4, (5,))
    chance = np.tile([0.0, 1.0, 0.3], 4000)
    drawn = np.reshape(draw_schedule(jax.random.key(0), chance.tolist()), (4000, 3))
    assert not drawn[:, 0].any() and drawn[:, 1].all()
    assert abs(drawn[:, 2].mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)
    for group, shocks in (("standard", 0), ("gradual", 5), ("reverse", 5)):
        design = gradual_extinction(group)
        assert design.trials.outcome[design.index("extinction")].sum() == shocks


def test_quirk_counts_days():
    design = spontaneous_recovery(10, units_per_day=48, savings=4)
    time = np.asarray(design.trials.time)
    assert time[7] - time[6] == 3  # an hour is two units, and the trial takes one
    assert time[27] - time[26] == 481
    assert len(time) == 31


# ---- mistakes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Design([]), "design: has no trials"),
        (lambda: Design([Interval(3)]), "design: has no trials"),
        (lambda: Design([Extinction(3)]), "no phase has an outcome"),
        (lambda: Design([Acquisition(0)]), "trials is 0"),
        (lambda: Acquisition(10**9), "trials: cannot be 1000000000"),
        (lambda: Interval(-1), "units is -1"),
        (lambda: Interval(np.nan), "units is nan"),
        (lambda: Days(np.inf), "days is inf"),
        (
            lambda: Design([Acquisition(3), Test(1, at=2)]),
            "phase 2 (test): begins at 2 and the block before ends at 3",
        ),
        (
            lambda: Design([Acquisition(3, stimulus="tnoe")], stimuli=STIMULI),
            "phase 1 (acquisition): no stimulus is called 'tnoe', did you mean 'tone'?",
        ),
        (
            lambda: Design([Acquisition(3, context="C")], contexts=CONTEXTS),
            "no context is called 'C'",
        ),
        (lambda: Design([Acquisition(3, context="C")]), "expected contexts="),
        (lambda: Design([Acquisition(3), Days(1)]), "days of unknown length"),
        (lambda: Acquisition(3, us=[1, 1]), "us: has 2 values for 3 trials"),
        (lambda: Acquisition(3, us=[1, 1, np.nan]), "us"),
        (lambda: Acquisition(3, every=0), "every is 0"),
        (lambda: Acquisition(1, amnesia=2), "amnesia: is above 1"),
        (lambda: Acquisition(1, outcome_gain=0), "outcome_gain"),
        (
            lambda: Acquisition(1, outcome_gain=2, modulation=Modulation()),
            "modulation: gains are given beside it",
        ),
        (lambda: Design(["acquisition"]), "phases[0]"),
        (lambda: Design([Acquisition(1)], stimuli={"cs": 1.0}), "stimuli['cs'] is 1"),
        (lambda: Design([Acquisition(1)], units_per_day=0), "units_per_day is 0"),
    ],
)
def test_mistakes_are_told_in_one_sentence(make, message):
    with pytest.raises(UserError) as error:
        make()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_times_of_a_long_design_fit_float32_or_are_refused():
    long = Design([Acquisition(2), Interval(1e9), Extinction(2)])
    assert long.trials.time.shape == (4,)
    with jax.enable_x64(False), pytest.raises(UserError, match="are lost in float32"):
        _ = Design([Acquisition(2), Interval(1e9), Extinction(2)]).trials


# ---- files


FILE = """\
contexts:
  A: {context: 1.0}
  B: {}
units_per_day: 20
phases:
  - acquisition: {trials: 3, context: A}
  - interval: 20
  - retrieval: 1
  - days: 0.5
  - extinction: {trials: 2, us: [0, 1], context: B, modulation: {gains: {outcome: 0.5}}}
  - reinstatement: {}
  - test: {context: A, scored: true}
"""


def test_a_file_reads_like_the_protocol(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(FILE)
    written = Design(
        [
            Acquisition(3, context="A"),
            Interval(20),
            Retrieval(1),
            Days(0.5),
            Extinction(2, us=[0, 1], context="B", outcome_gain=0.5),
            Reinstatement(),
            Test(context="A"),
        ],
        contexts={"A": {"context": 1.0}, "B": {}},
        units_per_day=20,
    )
    for a, b in zip(read_design(path).trials, written.trials, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("interval: 20", "intervall: 20", "line 7: no kind of phase is called"),
        ("interval: 20", "interval: -20", "line 7: Interval: units is -20"),
        ("interval: 20", "interval: {}", "line 7: lacks 'units'"),
        ("interval: 20", "- interval: 20", "line 7: is [of type dict]"),
        ("interval: 20", "interval:", "line 7: Interval: units is None"),
        ("days: 0.5", "days: yes", "line 9: Days: days is 'yes'"),
        ("retrieval: 1", "retrieval: 1.5", "line 8: Retrieval: trials is 1.5"),
        ("us: [0, 1]", "us: [0]", "line 10: us: has 1 values for 2 trials"),
        ("us: [0, 1]", "shock: 1", "line 10: no option of this phase is called"),
        ("context: B,", "context: C,", "line 10: phase 5 (extinction): no context"),
        ("{outcome: 0.5}", "{outcome: 0}", "line 10"),
        ("modulation: {gains", "modulation: {gain", "line 10: has no option 'gain'"),
        ("units_per_day: 20", "", "line 9: phase 4 (days): has days of unknown"),
        ("units_per_day: 20", "unit: 20", "line 4: no part of a design"),
        ("trials: 3", "trials: 3, us: 0", "no phase has an outcome"),
        ("phases:", "phases: 3\nunits:", "line"),
    ],
)
def test_a_file_s_mistakes_are_told_with_their_line(tmp_path, old, new, message):
    path = tmp_path / "design.yaml"
    text = FILE
    if "no phase has" in message:  # the other outcomes are left out as well
        text = FILE.replace("  - reinstatement: {}\n", "").replace("us: [0, 1], ", "")
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        read_design(path)
    assert message in str(error.value)
    assert "design.yaml" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "3", "phases: []", "phases: [", "a: 1\na: 2", "phases:\n  - x"]
)
def test_files_that_are_no_designs_are_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"bad\.yaml"):
        read_design(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        read_design(tmp_path / "nowhere.yaml")


def test_a_phase_without_a_kind_is_one_too():
    assert Design([Phase(2, us=0.5)]).trials.outcome.tolist() == [0.5, 0.5]

"""The experiments on memory at toy size, as a user runs them, and the maps they draw against single animals."""

import json
from importlib import import_module

import numpy as np
import pytest
from memory.cause_oracle import walk

from experiments._conditioning import Memory, at_test
from experiments.reconsolidation.claims import TABLE
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.memory.designs.published import (
    extinction_only,
    retrieval_extinction,
    spontaneous_recovery,
)

fragility = import_module("experiments.fragility.simulate")
relaxation = import_module("experiments.relaxation_and_memory.simulate")
EXPERIMENTS = {
    "reconsolidation": {
        "The reference table": "holds",
        "The window has two edges": "holds",
        "Reinstatement is a third or less": "holds",
        "Renewal is a third or less": "fails",
        "Recovery is complete by day 10 (parameters of the paper)": "fails",
    },
    "fragility": {},
    "relaxation_and_memory": {
        "Less precise outcomes turn extinction into rewriting": "holds",
        "Faster learning alone leaves two memories": "holds",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_and_its_verdicts_are_those_that_are_told(name, tmp_path):
    """Nothing in them is random, and these do not hang on the number of points."""
    out = tmp_path / "run"
    assert main(["run", name, "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    outcomes = {verdict["name"]: verdict["outcome"] for verdict in verdicts}
    for claim, outcome in EXPERIMENTS[name].items():
        assert outcomes[claim] == outcome, claim
    assert "What overturns each verdict" in (out / "report.html").read_text()


def told_by_loops(design, memory, **drug):
    """V at the test, by the oracle."""
    trials = design.trials
    return walk(
        np.asarray(trials.time),
        np.asarray(trials.outcome),
        np.asarray(trials.stimuli),
        alpha=memory.concentration,
        sr=memory.outcome_variance,
        eta=memory.learning_rate,
        slots=25,
        **drug,
    )["V"][design.index("test")[0]]


def test_the_map_of_fragility_is_in_its_axes_order():
    """A transposed map looks as good as the right one."""
    config = fragility.Config(points=3)
    found = fragility.landscape(config, 3, np.array([0.1, 0.3]))
    for rate, concentration, variance in ((0, 2, 1), (1, 0, 2), (1, 1, 0)):
        memory = Memory(
            found.concentration[concentration],
            found.variance[variance],
            found.rate[rate],
        )
        place = (rate, concentration, variance)
        np.testing.assert_allclose(
            found.alone.value[place],
            told_by_loops(extinction_only(), memory),
            atol=1e-10,
        )
        for i, interval in enumerate(found.intervals):
            np.testing.assert_allclose(
                found.reminded.value[(*place, i)],
                told_by_loops(retrieval_extinction(interval), memory),
                atol=1e-10,
            )


def test_benefit_and_recovery_are_judged_as_they_are_told():
    def at(*responses):
        return fragility.AtTest(*[np.array(responses, float)] * 3)

    axes = (np.ones(1),) * 4
    found = fragility.Map(
        *axes, at([0.1, 0.3, 0.5, 0.0]), fragility.AtTest(*[np.array([0.9])] * 3)
    )
    assert fragility.benefit_of(found, 0.5).tolist() == [[True, False, False, True]]
    assert not fragility.benefit_of(found, 0.95).any()
    days = np.array(
        [
            [[0.0, 0.3, 0.6, 0.95], [0.0, 0.0, 0.0, 0.0]],
            [[0.0, 0.3, 0.95, 1.0], [0.0, 0.3, 0.5, 0.8]],
            [[0.9, 0.8, 0.8, 0.95], [0.9, 0.9, 0.9, 0.9]],
        ]
    )
    assert fragility.as_published(days).tolist() == [True, False, False]


def test_a_drug_acts_in_extinction_alone_and_each_gain_in_its_place():
    memory = Memory()
    found = relaxation.under([0.5, 1.0], [1.0, 2.0], memory)
    design = extinction_only()
    during = np.zeros(design.trials.time.size, bool)
    during[design.index("extinction")] = True
    for i, drug in enumerate(
        (
            {"gain": np.where(during, 0.5, 1.0)},
            {"plasticity": np.where(during, 2.0, 1.0)},
        )
    ):
        np.testing.assert_allclose(
            found.alone.value[i], told_by_loops(design, memory, **drug), atol=1e-10
        )


def test_accounts_give_the_outcome_the_gain_of_its_level():
    assert relaxation.gain_of("rebus", 0, 1.0) == 1.0  # the senses are exempt
    assert relaxation.gain_of("rebus", 2, 1.0) < 0.3
    assert (
        relaxation.gain_of("sensory", 0, 1.0)
        > 1
        == relaxation.gain_of("sensory", 2, 1.0)
    )
    assert relaxation.gain_of("sebus", 2, 0.3) > 1 > relaxation.gain_of("sebus", 2, 1.0)
    for account in relaxation.WITH_GAINS:
        assert relaxation.gain_of(account, 2, 0.0) == 1.0


def test_the_table_of_the_claims_is_that_of_the_tests():
    assert len(TABLE) == 15
    found = at_test([TABLE[0][0], TABLE[1][0]], Memory().parameters())
    np.testing.assert_allclose(found.value, [0.0438, 0.0050], atol=6e-5)


def test_what_cannot_be_right_is_refused():
    with pytest.raises(UserError, match="concentration"):
        Memory(concentration=0.0)
    with pytest.raises(UserError, match="did not settle"):
        at_test([spontaneous_recovery(1.0)], Memory(concentration=1e9).parameters())

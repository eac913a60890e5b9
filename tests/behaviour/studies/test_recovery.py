"""Recovery: what is counted, and that a resumed one is the same."""

import numpy as np
import pytest

from pcmodel.behaviour.models import find_model
from pcmodel.behaviour.sampling.map_estimates import free_parameters, person_scale
from pcmodel.behaviour.studies.recovery import (
    RecoverPlan,
    RecoveryReplication,
    run_recovery,
    summarise_studies,
)
from pcmodel.errors import UserError

NAMES = ("rescorla_wagner", "hgf2")
MODELS = tuple(find_model("binary", name) for name in NAMES)


def study(rng, own, *, evidence, people=200):
    """Estimates with errors of one, and evidence in favour of a model."""
    num = len(free_parameters(MODELS[own]))
    truth = rng.normal(size=(people, num)) * 2.0
    settled = np.ones((people, 2), bool)
    settled[:5] = False
    value = truth + rng.normal(size=truth.shape)
    value[:5] = 1e6
    return RecoveryReplication(
        truth, value, np.ones_like(truth), settled, np.tile(evidence, (people, 1))
    )


def test_coverage_contraction_and_wins_are_counted():
    """By hand; unsettled people are left out of all."""
    rng = np.random.default_rng(0)
    rows = [
        [study(rng, 0, evidence=(2.0, 1.0)), study(rng, 0, evidence=(1.0, 2.0))],
        [study(rng, 1, evidence=(0.0, 3.0))] * 2,
    ]
    found = summarise_studies(NAMES, MODELS, rows)
    np.testing.assert_array_equal(found.won, [[1, 1], [0, 2]])
    np.testing.assert_allclose(found.people, [[0.5, 0.5], [0.0, 1.0]])
    for model, own in zip(MODELS, found.parameters, strict=True):
        np.testing.assert_allclose(own.coverage, 0.95, atol=0.05)
        np.testing.assert_allclose(own.correlation, 2.0 / np.sqrt(5.0), atol=0.06)
        np.testing.assert_allclose(own.bias, 0.0, atol=0.25)
        prior = person_scale(free_parameters(model))
        np.testing.assert_allclose(own.contraction, 1.0 - 1.0 / prior**2)


@pytest.mark.slow
def test_a_resumed_recovery_ends_in_the_same_numbers():
    plan = RecoverPlan("binary", NAMES, participants=4, trials=60, replications=3)
    kept = {}
    whole = run_recovery(plan, seed=0, stored=kept)
    del kept[1], kept[4]
    again = run_recovery(plan, seed=0, stored=kept)
    np.testing.assert_array_equal(whole.won, again.won)
    for one, other in zip(whole.parameters, again.parameters, strict=True):
        np.testing.assert_array_equal(one.value, other.value)
        assert np.all(one.coverage > 0.7)


def test_what_cannot_be_recovered_is_refused():
    with pytest.raises(UserError, match="named twice"):
        RecoverPlan("binary", ("hgf2", "hgf2"))

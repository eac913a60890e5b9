"""The experiments on published data judge what those data can carry."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import (
    _published,
    haloperidol_intent,
    paranoia_volatility,
    sulpiride_trust,
)
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import TaskFacts, find_model
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.identifiability import ratio_only


@pytest.mark.parametrize("label", paranoia_volatility.MODELS)
def test_paranoia_is_not_judged_by_half_of_a_sum(label):
    """Prevents a verdict on mu3_0 where choices know its sum with omega2 only."""
    rng = np.random.default_rng(0)
    values = {
        "choice": rng.integers(1, 4, (4, 9)),
        "outcome": rng.integers(0, 2, (4, 9)),
    }
    covariates = {
        "paranoia": np.asarray([0.0, 0, 1, 1]),
        "block": np.asarray([1.0, 2] * 2),
    }
    series = Series(
        {name: column.astype(float) for name, column in values.items()},
        np.ones((4, 9), bool),
        np.asarray([0, 0, 1, 1]),
        covariates,
        {},
    )
    model = find_model("bandit", paranoia_volatility.MODELS[label], TaskFacts(3))
    formulas = [
        f"{name} ~ {paranoia_volatility.GROUPS}"
        for name in paranoia_volatility.FORMULAS[label]
    ]
    judged = f"{paranoia_volatility.VOLATILITY[label]}[paranoia]"
    hierarchy = build_hierarchy(model, series, formulas=formulas)
    assert judged not in ratio_only(hierarchy)
    terms = {t.parameter.name: t.design.common_names for t in hierarchy.terms}
    assert "paranoia" in terms[paranoia_volatility.VOLATILITY[label]]


@pytest.mark.parametrize(
    ("difference", "outcome"), [(0.3, True), (-0.3, False), (0.1, None)]
)
def test_a_difference_within_its_error_decides_nothing(difference, outcome):
    found = paranoia_volatility.Switching(0.4, 0.4 + difference, 0.1, 1.0)
    assert paranoia_volatility.is_higher(found) is outcome


@pytest.mark.parametrize(
    ("low", "high", "trusted", "outcome"),
    [
        (0.1, 0.3, True, True),
        (-0.3, -0.1, True, False),
        (-0.1, 0.1, True, None),
        (0.1, 0.3, False, None),
    ],
)
def test_an_effect_is_judged_by_its_interval_and_its_fit(low, high, trusted, outcome):
    found = _published.FittedEffect((low + high) / 2, low, high, trusted)
    assert _published.is_above_zero(found) is outcome
    assert ("cannot be trusted" in _published.effect_in_words(found, "so")) != trusted


@pytest.mark.parametrize(
    ("experiment", "name"),
    [(haloperidol_intent, "haloperidol"), (sulpiride_trust, "sulpiride")],
)
@pytest.mark.parametrize("complaints", [(), ("the chains differ",)])
def test_the_drug_is_judged_by_its_own_effect(experiment, name, complaints):
    """Prevents a verdict on another column, and estimates that nobody warns of."""
    means = {"omega2[Intercept]": -4.0, f"omega2[drug[{name}]]": 0.5}
    fitted = SimpleNamespace(
        effects=[
            SimpleNamespace(name=n, mean=m, low=m - 0.2, high=m + 0.2, contraction=0.5)
            for n, m in means.items()
        ],
        verdicts=[SimpleNamespace(word="clear")] * 2,
        posterior_checks=[],
        diagnostics=Diagnostics(1.001, 900.0, 0, 0.0, 0.9, 6000),
        complaints=complaints,
        varies="Everybody differs.",
        notes=("A first note.", "A second note."),
    )
    folder = Path(_published.__file__).parent
    parts = experiment.EXPERIMENT.parts(question="Does it?", folder=folder)
    summary = parts["analyse"](parts["config"](), fitted)
    outcomes = [verdict.outcome for verdict in summary.verdicts]
    assert outcomes == ["inconclusive" if complaints else "holds"]
    page = parts["report"](parts["config"](), fitted, summary)
    assert f"{name.capitalize()} minus placebo: 0.50 (95 % 0.30 to 0.70)" in page.answer
    (section,) = page.sections
    doubts = (
        ["**Do not trust these numbers:** the chains differ."] if complaints else []
    )
    assert section.paragraphs == [*doubts, "Everybody differs."]
    assert page.limitations[1:3] == ["A first note.", "A second note."]

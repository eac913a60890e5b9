"""The experiments on published data judge what those data can carry."""

import numpy as np
import pytest

from experiments import _published, paranoia_volatility
from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import TaskFacts, find_model
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

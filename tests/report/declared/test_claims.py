"""Claims: verdicts and what overturns them from the same numbers, and what careless authors write."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.report import UNPERTURBED, Claim, Parameter, Perturbation
from pcmodel.report.declared.claims import examine, outcome, verdict
from pcmodel.report.declared.sensitivity import overturned_by, sensitivity


class Gap(NamedTuple):
    gap: float


def line(perturbation: Perturbation) -> Gap:
    """a - b with a = 3 and b = 2."""
    return Gap(3 * perturbation.factor_of("a") - 2 * perturbation.factor_of("b"))


def is_positive(found: Gap) -> bool:
    return bool(found.gap > 0)


CLAIM = Claim(
    name="a exceeds b",
    prediction="a > b",
    kind="predicted",
    measure=line,
    holds=is_positive,
    observed="{gap:g}",
    parameters=(
        Parameter("first", "a"),
        Parameter("second", "b"),
        Parameter("reciprocal", "b", inverse=True),
    ),
)


def test_what_overturns_a_claim_is_what_changes_its_outcome():
    """Halving 3 makes it 1.5 < 2, doubling 2 makes it 4 > 3; halving 1/b doubles b."""
    found = examine(CLAIM, {})
    assert overturned_by(CLAIM, found) == [("halved",), ("doubled",), ("halved",)]
    np.testing.assert_array_equal(found.doubled.gap, [4.0, -1.0, 2.0])
    assert verdict(CLAIM, found.as_set).outcome == "holds"
    assert verdict(CLAIM, found.as_set).observed == "1"
    short, long = sensitivity([CLAIM], {CLAIM.name: found}).tables
    assert "first halved; second doubled; reciprocal halved" in short.rows[0]
    assert long.rows[1] == ("a exceeds b", "second", "2", "1", "-1", "doubled")


def test_a_claim_nothing_overturns_says_so():
    claim = replace(CLAIM, holds=lambda found: True)
    (short, _) = sensitivity([claim], {claim.name: examine(claim, {})}).tables
    assert short.rows[0][2] == "none of those tried"
    assert short.rows[0][3] == "first, second, reciprocal"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("theorem", "nothing: a theorem"), ("predicted", "none was varied")],
)
def test_a_claim_without_parameters_claims_no_robustness(kind, words):
    """Prevents "none of those tried" where none was tried."""
    claim = replace(CLAIM, kind=kind, parameters=())
    (short, long) = sensitivity([claim], {claim.name: examine(claim, {})}).tables
    assert short.rows[0][2:] == (words, "") and not long.rows


def test_what_is_not_a_number_is_inconclusive():
    """Prevents a failed prediction from a comparison with NaN, which is always false."""
    claim = replace(CLAIM, measure=lambda perturbation: Gap(np.nan))
    found = verdict(claim, examine(claim, {}).as_set)
    assert found.outcome == "inconclusive" and found.observed == "nan"
    assert outcome(CLAIM, Gap(-np.inf)) == "fails"


def test_holds_may_leave_it_open():
    assert outcome(replace(CLAIM, holds=lambda found: None), Gap(1.0)) == "inconclusive"


def test_fields_may_be_arrays():
    class Curve(NamedTuple):
        height: np.ndarray

    def curve(perturbation) -> Curve:
        return Curve(np.arange(3) * perturbation.factor_of("a"))

    claim = replace(CLAIM, measure=curve, observed="{height[2]:.1f} at the end")
    claim = replace(claim, holds=lambda found: bool(found.height[2] > 1))
    found = examine(claim, {})
    assert found.halved.height.shape == (3, 3)
    _, long = sensitivity([claim], {claim.name: found}).tables
    told = ("1.0 at the end", "2.0 at the end", "4.0 at the end")
    assert long.rows[0][2:] == (*told, "halved")


def test_a_perturbation_reaches_only_its_owner():
    one = Parameter("dose", "dose.mg", "LSD").times(2.0)
    assert one.restricted_to("LSD", "MDMA") == one
    assert one.restricted_to("MDMA") == UNPERTURBED
    everyone = Perturbation("variation.onset", "", 2.0)
    assert everyone.restricted_to("MDMA") == everyone


def test_the_prediction_may_name_options():
    class Config(NamedTuple):
        people: int = 4

    claim = replace(CLAIM, prediction="in {config.people} people")
    assert verdict(claim, Gap(1.0), Config()).prediction == "in 4 people"


def unknown(other, perturbation) -> Gap:
    return Gap(0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "guess"}, "no kind is called 'guess'"),
        ({"observed": "{gab:g}"}, "no field is called 'gab', did you mean 'gap'"),
        ({"observed": "{gap"}, "claim 'a exceeds b': expected '}'"),
        ({"measure": unknown}, "no argument is called 'other'"),
        ({"measure": lambda config: Gap(0.0)}, "asks for no 'perturbation'"),
        (
            {"measure": lambda results, seed: Gap(0.0)},
            "no argument is called 'seed'",
        ),
    ],
)
def test_a_careless_claim_is_refused_where_it_is_declared(changes, words):
    """Prevents an hour of simulation before a misspelt word is found."""
    with pytest.raises(UserError) as raised:
        replace(CLAIM, **changes)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"measure": lambda perturbation: (1.0, 2.0)},
            "claim 'a exceeds b': its measure returned a tuple; expected a named tuple",
        ),
        (
            {"measure": lambda perturbation: Gap("much")},
            "claim 'a exceeds b': gap is a str; expected numbers",
        ),
        (
            {"holds": lambda found: np.asarray([True, False])},
            "holds returned a ndarray; expected True, False or None",
        ),
        (
            {"measure": lambda perturbation: Gap(1.0), "observed": "{gab:g}"},
            "there is no {gab}",
        ),
        (
            {"observed": "{gap:d}"},
            "cannot be written as 'd'",
        ),
    ],
)
def test_what_a_careless_claim_returns_is_one_sentence(changes, words):
    claim = replace(CLAIM, **changes)
    with pytest.raises(UserError) as raised:
        verdict(claim, examine(claim, {}).as_set)
    assert words in str(raised.value)


def test_a_measure_is_simulated_unless_it_asks_for_results():
    def read(results, minus=0.0) -> Gap:
        return Gap(results - minus)

    assert CLAIM.is_simulated
    claim = replace(CLAIM, measure=partial(read, minus=1.0), parameters=())
    assert not claim.is_simulated
    assert examine(claim, {"results": 3.0, "seed": 1}).as_set == Gap(2.0)

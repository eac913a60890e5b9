"""What a complaint advises, followed as it stands, leads to a table that is read or to another thing."""

from tests.behaviour.dataset import advice_battery
from tests.behaviour.dataset.advice_battery import Case, cases, failures, table_options


def test_advice_that_is_followed_is_not_told_again(tmp_path):
    found, count = [], 0
    for case in cases():
        more, followed = failures(tmp_path, case)
        found, count = found + more, count + followed
    assert not found, "\n\n".join(found[:5])
    assert count > 400


def test_advice_that_leads_nowhere_is_found(tmp_path, monkeypatch):
    """The battery fails where an option changes nothing, and where it cannot be read."""
    case = next(c for c in cases() if "n/a" in c.text and c.covariates == ("age",))
    assert failures(tmp_path, case)[0] == []
    broken = case._replace(options=(("--where", "age !"),))
    assert "cannot be read" in failures(tmp_path, broken)[0][0]
    monkeypatch.setattr(
        advice_battery, "table_options", lambda own: {**table_options(own), "where": ""}
    )
    found, _ = failures(tmp_path, Case(case.text, covariates=case.covariates))
    assert "is told again" in found[0]

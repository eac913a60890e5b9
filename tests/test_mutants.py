"""The suite notices sabotage: see `mutants.py` and `mutation`."""

import ast
import json
from collections import Counter
from functools import cache

import pytest
from mutants import MUTANTS, survives
from mutation import campaign, sites
from mutation.campaign import attempt
from mutation.core import ROOT
from mutation.equal_by_design import EQUAL_BY_DESIGN
from mutation.reach import collect, stages
from mutation.report import share_caught, write_report
from mutation.sites import all_mutations, draw, mutations_of
from mutation.trial import Copy

everything = cache(all_mutations)

SOURCE = '''
"""A docstring with 2 numbers."""
from a import b

LIMIT: float = 0.5

def mean(x: Float[Array, "3"], low: float, *, axis: int = 0) -> Array:
    """Another, 1 + 1."""
    if not x.ndim > 1:
        raise UserError(f"{x.ndim + 1} axes, expected 2")
    y = jnp.sum(jnp.exp(x[:-1]), axis=axis) / x.shape[0]
    return jnp.where(y > low, -y, mean(x.T, low, axis=1))
'''
EXPECTED = {
    "0.5 -> 1.0",
    "0 -> 1",
    "not x.ndim > 1 -> (x.ndim > 1)",
    "x.ndim > 1 -> (x.ndim <= 1)",
    "x[:-1] -> x[:]",
    "x[:-1] -> x[:-1 + 1]",
    "jnp.exp(x[:-1]) -> x[:-1]",
    "jnp.sum(jnp.exp(x[:-1]), axis=axis) -> jnp.mean(jnp.exp(x[:-1]), axis=axis)",
    "jnp.sum(jnp.exp(x[:-1]), axis=axis) -> jnp.sum(jnp.exp(x[:-1]))",
    "jnp.sum(jnp.exp(x[:-1]), axis=axis) / x.shape[0] -> (jnp.sum(jnp.exp(x[:-1]), axis=axis) * x.shape[0])",
    "jnp.sum(jnp.exp(x[:-1]), axis=axis) / x.shape[0] -> jnp.sum(jnp.exp(x[:-1]), axis=axis)",
    "-y -> y",
    "y > low -> (y < low)",
    "x.T -> x",
    "jnp.where(y > low, -y, mean(x.T, low, axis=1)) -> jnp.where(y > low, mean(x.T, low, axis=1), -y)",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_sabotage_finds_its_line(mutant):
    """Prevents a line that was rewritten from taking its sabotage with it, until the slow tests run."""
    text = (ROOT / "pcmodel" / mutant.file).read_text("utf-8")
    assert text.count(mutant.old) == 1


def test_sabotages_are_the_mistakes_that_could_be_made_and_nothing_else():
    """Prevents a draw over messages, annotations and docstrings, which no number depends on."""
    found = mutations_of(SOURCE, "model/energy.py", {})
    said = {f"{each.before} -> {each.after}" for each in found}
    assert said >= EXPECTED, EXPECTED - said
    touched = {
        number for each in found for number in range(each.line, each.last_line + 1)
    }
    assert touched == {5, 7, 9, 11, 12}
    for each in found:
        changed = ast.parse(each.apply(SOURCE))
        assert ast.dump(changed) != ast.dump(ast.parse(SOURCE))


def test_the_draw_is_the_same_every_time_and_fair_to_every_file():
    """Prevents a campaign over the files that are tested best."""
    by_file = everything()
    drawn = draw(by_file, 200, 2026)
    assert drawn == draw(by_file, 200, 2026) != draw(by_file, 200, 2027)
    assert len({(each.file, each.start, each.end) for each in drawn}) == 200
    places = {f: len({(m.start, m.end) for m in found}) for f, found in by_file.items()}
    counts = Counter(each.file for each in drawn)
    for file, number in places.items():
        assert abs(counts[file] - 200 * number / sum(places.values())) < 1, file
    for each in drawn[::8]:
        source = (ROOT / "pcmodel" / each.file).read_text("utf-8")
        assert ast.dump(ast.parse(each.apply(source))) != ast.dump(ast.parse(source))


def test_a_line_changed_or_spared_leaves_the_rest_of_the_draw():
    """Prevents every edit of the core from making a hundred other sabotages."""
    by_file = everything()
    before = draw(by_file, 200, 2026)
    left, first = dict(by_file), before[0]
    left[first.file] = [
        each for each in by_file[first.file] if each.start != first.start
    ]
    after = draw(left, 200, 2026)
    assert first not in after and len(set(before) - set(after)) <= 3


def test_every_spared_line_is_still_there():
    """Prevents a list of exceptions that nobody can check."""
    for equal in EQUAL_BY_DESIGN:
        source = (ROOT / "pcmodel" / equal.file).read_text("utf-8")
        assert equal.text in source, equal
        assert len(equal.reason) > 20


def test_a_campaign_that_was_cut_goes_on_where_it_was(tmp_path, monkeypatch):
    """Prevents an hour's work from being lost, a stale survivor, and a share that is not that of all."""
    drawn = draw(everything(), 6, 1)
    tried, cut = [], [3]

    def attempt(copy, mutation, reach):
        if len(tried) == cut[0]:
            raise KeyboardInterrupt
        tried.append(mutation.name)
        by = "" if mutation == drawn[1] else "tests/model/test_energy.py::test_x"
        return campaign.Outcome(mutation, by, "why", 1.0, 2)

    monkeypatch.setattr(campaign, "attempt", attempt)
    store = campaign.Store(tmp_path / "outcomes.jsonl")

    def run():
        quiet = lambda text: None  # noqa: E731
        return campaign.run_all(drawn, [None], {}, store, quiet)

    with pytest.raises(KeyboardInterrupt):
        run()
    with store.path.open("a") as out:
        out.write('{"name": "half a li')
    cut[0] = 99
    outcomes = run()
    assert tried == [each.name for each in drawn]
    assert [each.caught for each in outcomes] == [True, False, *[True] * 4]
    assert share_caught(outcomes) == 5 / 6
    # When anything changes, what survived is tried again, and what was caught is not.
    store.tree = "other"
    run()
    assert tried[6:] == [drawn[1].name]
    write_report(outcomes, tmp_path, seed=1, places=10)
    told = json.loads((tmp_path / "mutants.json").read_text("utf-8"))
    assert (told["caught"], told["drawn"]) == (5, 6)
    assert [case["caught"] for case in told["cases"]].index(False) == 1
    assert "5 of 6 caught (83.3 %" in (tmp_path / "mutants.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tool_catches_what_a_test_catches_and_admits_the_rest(
    tmp_path, monkeypatch
):
    """Prevents a report in which a sabotage counts as caught because the tool itself failed.

    Two that the tests of receptors notice, and one that nothing can: where it stands, a mask discards it.
    """
    monkeypatch.setattr(sites, "EQUAL_BY_DESIGN", ())
    source = (ROOT / "pcmodel/neuromodulation/pharmacology/receptors.py").read_text(
        "utf-8"
    )
    wanted = {
        (
            "return 1 + antagonist",
            "1 + antagonist / dissociation",
            "(1 - antagonist / dissociation)",
        ),
        ("return ratios", "jnp.sum(ratios)", "jnp.mean(ratios)"),
        ("safe = ", "1.0", "2.0"),
    }
    chosen = {
        where: each
        for each in all_mutations()["neuromodulation/pharmacology/receptors.py"]
        for where, before, after in wanted
        if (each.before, each.after) == (before, after)
        and where in source.splitlines()[each.line - 1]
    }
    assert chosen.keys() == {where for where, *_ in wanted}
    before = {path: path.read_bytes() for path in (ROOT / "pcmodel").rglob("*.py")}
    copy = Copy(tmp_path / "copy", tmp_path / "compiled")
    files = ["tests/neuromodulation/test_receptors.py"]
    reach = collect([copy], tmp_path / "lines.jsonl", print, files)
    assert all(each.runs and not each.failing for each in reach.values())
    assert all(stages(each, reach, seconds=20) == [files] for each in chosen.values())
    outcomes = {w: attempt(copy, each, reach) for w, each in chosen.items()}
    copy.close()
    caught = {where: outcome.caught for where, outcome in outcomes.items()}
    assert caught == {
        "return 1 + antagonist": True,
        "return ratios": True,
        "safe = ": False,
    }
    assert outcomes["return ratios"].caught_by.startswith(files[0])
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_sabotage_is_caught(mutant):
    """Prevents a green suite that would stay green with the science broken."""
    assert not survives(mutant)

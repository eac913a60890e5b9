"""`pcmodel compare` and `pcmodel fit --continue`: bad input in one sentence; from a table to tables and a page."""

import csv
import json

import numpy as np
import pytest

from pcmodel.behaviour.comparison.frequencies import sample_frequencies
from pcmodel.behaviour.comparison.people import choose_for_people
from pcmodel.behaviour.comparison.random_effects import select_models
from pcmodel.behaviour.comparison.scores import are_told_apart, score_models
from pcmodel.behaviour.comparison.study import ComparedModels, ComparePlan
from pcmodel.behaviour.studies.fit import Plan
from pcmodel.cli import main
from pcmodel.cli.comparison import page, tables
from pcmodel.record import RunFolder, RunIdentity, read_arrays
from pcmodel.record.arrays import flatten_arrays, rebuild
from pcmodel.record.folder import COMPLETE
from pcmodel.report import render_html
from pcmodel.report.style import to_png

SIZES = ("--warmup", "20", "--samples", "50", "--chains", "1", "--max-tree-depth", "2")


def write_table(path, seed=0, people=3, trials=12):
    rng = np.random.default_rng(seed)
    rows = ["subject,drug,trial,choice,outcome"]
    for who in range(people):
        for trial in range(trials):
            rows.append(
                f"Person {who},{'ab'[who % 2]},{trial},{1 + rng.integers(2)},{rng.integers(2)}"
            )
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "data.csv")


@pytest.fixture
def finished(table, tmp_path):
    """The folder of a fit that says it is complete, without its draws."""

    def make(name="run", seed=3, **options):
        from pcmodel.behaviour.studies.fit import digest

        options = {"model": "rescorla_wagner", "num_samples": 60} | options
        path = tmp_path / name
        plan = Plan(str(table), "bandit", data_sha256=digest(table), **options)
        folder = RunFolder.start(path, RunIdentity("fit", plan, seed))
        folder.finish(COMPLETE)
        return str(path)

    return make


def said(words, capsys):
    assert main([*words, "--quiet"]) == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ((), "--task: is missing"),
        (("--task", "bandit"), "--models: are missing"),
        (("--task", "bandit", "--models", "hgf2"), "expected two models or more"),
        (("--task", "bandit", "--models", "hgf2", "hgf2"), "two models or more, each"),
        (("--task", "bandit", "--models", "hgf2", "hgf9"), "called 'hgf9', did you"),
        (
            ("--task", "bandit", "--models", "hgf2", "hgf3", "--out-of-time", "1"),
            "0 to below 1",
        ),
        (
            (
                *("--task", "bandit", "--models", "hgf2", "two_rates"),
                *("--formula", "omega7 ~ drug"),
            ),
            "omega7",
        ),
        (("--runs", "nowhere"), "holds no finished fit"),
    ],
)
def test_bad_input_is_one_sentence(table, more, part, capsys):
    assert part in said(["compare", str(table), *more], capsys)


def test_runs_say_what_was_fitted(table, finished, capsys, tmp_path):
    words = ["compare", str(table), "--runs", finished()]
    assert "it without DATA" in said(words, capsys)
    table.write_text(table.read_text().replace("Person 0", "Person 9"))
    words = ["compare", "--runs", str(tmp_path / "run")]
    assert "has changed since" in said(words, capsys)


def test_fits_to_other_trials_are_refused(table, finished, capsys, tmp_path):
    runs = [finished("a"), finished("b", model="two_rates", where="trial > 3")]
    words = ["compare", "--runs", *runs, "--output", str(tmp_path / "compared")]
    assert "fits to the same trials" in said(words, capsys)


def fit(table, *more):
    return ["fit", str(table), "--task", "bandit", "--model", "rescorla_wagner", *more]


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (("--draws", "10"), "--draws: is given alone"),
        (("--continue", "RUN"), "--draws: is missing"),
        (("--continue", "RUN", "--draws", "0"), "--draws: is 0"),
        (("--continue", "RUN", "--draws", "9", "--samples", "90"), "contradicts"),
        (("--continue", "RUN", "--draws", "9", "--seed", "4"), "expected 3, as of"),
        (("--continue", "RUN", "--draws", "9", "--warmup", "50"), "num_warmup is 50"),
        (("--continue", "RUN", "--draws", "9", "--pooled"), "pooled is True"),
        (
            ("--continue", "RUN", "--draws", "9", "--formula", "log_beta ~ drug"),
            "formulas is log_beta ~ drug; expected nothing",
        ),
    ],
)
def test_only_the_same_fit_is_continued(table, finished, more, part, capsys):
    more = [finished() if word == "RUN" else word for word in more]
    assert part in said(fit(table, *more), capsys)


def test_other_data_are_not_continued(table, finished, tmp_path, capsys):
    run = finished()
    other = write_table(tmp_path / "other.csv", seed=1)
    words = fit(table, "--continue", run, "--draws", "9")
    words[words.index("rescorla_wagner")] = "hgf2"
    assert "model is hgf2; expected rescorla_wagner" in said(words, capsys)
    words = fit(other, "--continue", run, "--draws", "9")
    assert "are not those of the fit" in said(words, capsys)


def compared(gap=3.0, *, people=6, complaints=("", "")):
    """A comparison in which every person is better predicted by the first of two models, by `gap` nats or so."""
    rng = np.random.default_rng(0)
    number = np.repeat(np.arange(people), 5)
    pointwise = -0.7 + 0.001 * rng.normal(size=(5 * people, 2))
    pointwise[:, 1] -= gap / 5.0
    left_out = np.zeros((people, 2))
    np.add.at(left_out, number, pointwise)
    names = tuple(f"P{i}, <b>" for i in range(people))
    own = [pointwise[number == i] for i in range(people)]
    choices = choose_for_people(left_out, ("one", "two"), people=names, pointwise=own)
    return ComparedModels(
        models=("one", "two"),
        people=names,
        num_responses=np.full(people, 5),
        participant=number,
        series=number,
        trial=np.tile(np.arange(5), people),
        pointwise=pointwise,
        num_untrusted=np.zeros(2, int),
        left_out=left_out,
        trusted=np.ones((people, 2), bool),
        later=left_out / 2.0,
        num_later=2 * people,
        selection=select_models(left_out),
        frequencies=sample_frequencies(left_out),
        stacking=np.asarray([1.0, 0.0]),
        pseudo_bma=np.asarray([0.9, 0.1]),
        choices=choices,
        complaints=complaints,
        trials_sha256=64 * "0",
    )


@pytest.mark.parametrize(
    ("gap", "people", "complaints", "is_told"),
    [
        (3.0, 6, ("", ""), True),
        (0.05, 6, ("", ""), False),  # 0.3 nats in all
        (3.0, 6, ("", "the chains disagree"), False),
        (3.0, 1, ("", ""), False),  # no standard error
    ],
)
def test_the_page_says_whether_models_are_told_apart(gap, people, complaints, is_told):
    found = compared(gap, people=people, complaints=complaints)
    found = rebuild(ComparedModels, flatten_arrays(found))
    plans = tuple(Plan("d.csv", "bandit", name) for name in ("hgf2", "hgf3"))
    plan = ComparePlan(("one", "two"), plans, (0, 0))
    summary = page.analyse(plan, found)
    assert summary.distinguished == is_told and summary.best == "one"
    report = page.report(plan, found, summary)
    assert ("not distinguished" in report.answer) == (not is_told)
    assert summary.verdicts[0].outcome == ("holds" if is_told else "inconclusive")
    figures = {k: to_png(f) for k, f in page.plot(plan, found, summary).items()}
    text = render_html(report, figures)
    assert "P0, &lt;b&gt;" in text and "<b>P" not in text


def test_tables_hold_every_model_and_every_person(tmp_path):
    found = compared()
    tables.write_tables(found, tmp_path)
    models, people = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("comparison.csv", "people.csv")
    )
    assert [row["model"] for row in models] == ["one", "two"]
    assert tuple(models[0]) == tables.MODEL_COLUMNS and None not in models[0].values()
    totals = found.left_out.sum(axis=0)
    for row, total in zip(models, totals, strict=True):
        assert float(row["left_out_people"]) == pytest.approx(total, rel=1e-5)
    gap = float(models[1]["left_out_people_difference"])
    assert gap == pytest.approx(totals[1] - totals[0], rel=1e-5)
    gaps = found.left_out[:, 1] - found.left_out[:, 0]
    error = np.sqrt(6.0) * gaps.std(ddof=1)
    assert float(models[1]["left_out_people_se"]) == pytest.approx(error, rel=1e-5)
    assert [row["participant"] for row in people] == list(found.people)
    for i, row in enumerate(people):
        own = found.pointwise[found.participant == i].sum(axis=0)
        assert float(row["leave_one_out_two"]) == pytest.approx(own[1], rel=1e-5)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_scores(scale):
    density = np.asarray([[0.0, -1.0, -5.0], [0.0, -3.0, -5.0], [0.0, -2.0, -5.0]])
    found = score_models(scale * density, ["a", "b", "c"])
    assert [s.model for s in found] == ["a", "b", "c"]
    assert found[1].difference == pytest.approx(-6.0 * scale)
    assert found[1].standard_error == pytest.approx(np.sqrt(3.0) * scale)
    # By a multiple of the standard error always; below 4 nats no error is to be trusted.
    assert are_told_apart(found) == (scale >= 1.0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_from_a_table_to_a_comparison_and_from_finished_runs_to_the_same(
    table, tmp_path
):
    models = ("rescorla_wagner", "hgf2")
    out, again = tmp_path / "out", tmp_path / "again"
    words = ["compare", str(table), "--task", "bandit", "--models", *models, *SIZES]
    assert main([*words, "--output", str(out), "--quiet"]) == 0
    summary = json.loads((out / "result.json").read_text())["summary"]
    assert not summary["distinguished"] and len(summary["models"]) == 2
    assert "Person 1" in (out / "people.csv").read_text()
    runs = []
    for name in models:
        runs.append(str(tmp_path / name))
        own = ["fit", str(table), "--task", "bandit", "--model", name, *SIZES]
        assert main([*own, "--output", runs[-1], "--quiet"]) == 0
    assert main(["compare", "--runs", *runs, "--output", str(again), "--quiet"]) == 0
    one, other = (read_arrays(path / "arrays.npz") for path in (out, again))
    for name in ("pointwise", "left_out", "later", "frequencies.frequency"):
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_a_continued_fit_is_one_long_fit(table, tmp_path):
    far, near = tmp_path / "far" / "short", tmp_path / "near"
    assert main(fit(table, *SIZES, "--output", str(far), "--quiet")) == 0
    more = ("--continue", str(far), "--draws", "30", "--quiet")
    assert main(fit(table, *more, "--output", str(near / "more"))) == 0
    sizes = [word if word != "50" else "80" for word in SIZES]
    assert (
        main(fit(table, *sizes, "--output", str(tmp_path / "long" / "l"), "--quiet"))
        == 0
    )
    paths = (far, near / "more", tmp_path / "long" / "l")
    short, joined, long = (read_arrays(path / "arrays.npz") for path in paths)
    for name in ("posterior.log_beta", "posterior.log_beta_series"):
        assert joined[name].shape[1] == 80
        np.testing.assert_array_equal(joined[name][:, :50], short[name])
        np.testing.assert_array_equal(joined[name], long[name])

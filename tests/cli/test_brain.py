"""`pcmodel brain`: from files to measures.csv and a page; every mistake in one sentence."""

import csv
import json

import jax
import numpy as np
import pytest
from brain_files import write_series, write_study
from brain_series import smooth_series
from shared_brain_data import shared_brain

from pcmodel.brain.measures import contrast, measure_group
from pcmodel.brain.measures.person import MEASURES, MeasureOptions
from pcmodel.brain.reading import load_recordings
from pcmodel.cli import main


def run(folder, *words):
    out = ("--output", str(folder / "out"), "--quiet", "--smoke", "--overwrite")
    return main(["brain", *map(str, words), *out])


def rows_of(folder):
    with open(folder / "out" / "measures.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_study_of_two_sessions(tmp_path, capsys):
    labels = write_study(tmp_path / "study")
    words = (tmp_path / "study", "--networks", labels, "--condition-from", "ses")
    assert run(tmp_path, *words, "--tr", "2", "--binarise", "mean") == 0
    said = capsys.readouterr().out
    assert "From placebo to drug" in said and "6 regions in 2 networks" in said
    rows = rows_of(tmp_path)
    assert len(rows) == 4 * 2 * 2 * len(MEASURES)
    out = tmp_path / "out"
    summary = json.loads((out / "result.json").read_text())["summary"]
    own = {
        name: [
            float(row["value"])
            for row in rows
            if (row["condition"], row["series"], row["measure"])
            == (name, "as given", "within")
        ]
        for name in ("placebo", "drug")
    }
    told = summary["statistics"]["as given"]["within"]
    change = np.subtract(own["drug"], own["placebo"])
    assert told["mean_a"] == pytest.approx(np.mean(own["placebo"]))
    assert told["dz"] == pytest.approx(change.mean() / change.std(ddof=1))
    assert told["dz"] < 0 and told["people"] == 4
    page = (out / "report.html").read_text("utf-8")
    assert "Transfer entropy" in page or "transfer entropy" in page
    assert "matched by name" in page and "1 samples (2 s)" in page
    figures = sorted(path.stem for path in (out / "figures").glob("*.png"))
    assert figures == ["matrices", "matrices_without_global", "networks", "people"]


def test_the_numbers_are_those_of_the_library(tmp_path):
    labels = write_study(tmp_path / "study", people=2)
    words = (tmp_path / "study", "--networks", labels, "--condition-from", "ses")
    assert run(tmp_path, *words, "--contrast", "drug,placebo") == 0
    data = load_recordings([tmp_path / "study"], networks=labels, condition_from="ses")
    group = measure_group(
        [one.series for one in data.recordings],
        people=[one.person for one in data.recordings],
        conditions=[one.condition for one in data.recordings],
        networks=data.labels.networks,
        key=jax.random.key(9),  # of surrogates and partitions alone
        options=MeasureOptions(num_surrogates=1, num_starts=1),
    )
    place = MEASURES.index("between")
    found = {
        (row["person"], row["condition"], row["series"]): float(row["value"])
        for row in rows_of(tmp_path)
        if row["measure"] == "between"
    }
    for row, who in enumerate(zip(group.people, group.conditions, strict=True)):
        for kind, name in enumerate(("as given", "without the global signal")):
            expected = group.values[row, kind, place]
            assert found[*who, name] == pytest.approx(expected, rel=1e-12)
    told = contrast(group, "placebo", "drug", key=jax.random.key(0))
    summary = json.loads((tmp_path / "out" / "result.json").read_text())["summary"]
    back = summary["statistics"]["as given"]["between"]
    assert back["difference"] == pytest.approx(-told.measures[0][place].difference)


def test_one_person_without_labels(tmp_path, capsys):
    path = write_series(tmp_path / "p.csv", smooth_series(3, 30))
    assert run(tmp_path, path) == 0
    assert "One condition: nothing is compared" in " ".join(
        capsys.readouterr().out.split()
    )
    rows = {(r["series"], r["measure"]): r for r in rows_of(tmp_path)}
    assert rows["as given", "within"]["undefined"] == "no networks were given"
    assert rows["as given", "within"]["value"] == ""
    assert float(rows["as given", "mean_correlation"]["value"])
    assert "three groups" not in rows["as given", "gradient_range"]["undefined"]
    assert "3 groups" in rows["as given", "gradient_range"]["undefined"]


def test_runs_are_averaged_and_people_without_both_are_named(tmp_path):
    for person in range(3):
        for session in ("a", "b"):
            for run_number in (1, 2):
                if (person, session) == (2, "b"):
                    continue
                seed = 100 * person + 10 * run_number + ord(session)
                name = f"sub-{person}_ses-{session}_run-{run_number}_timeseries.tsv"
                write_series(tmp_path / "s" / name, smooth_series(4, 30, seed=seed))
    assert run(tmp_path, tmp_path / "s", "--condition-from", "ses") == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Without both conditions, and so not compared: 2." in page
    assert "averaged over the runs" in page
    one = next(r for r in rows_of(tmp_path) if r["measure"] == "mean_correlation")
    data = load_recordings([tmp_path / "s"], condition_from="ses").recordings[:2]
    means = [np.corrcoef(r.series)[np.triu_indices(4, 1)].mean() for r in data]
    assert one["runs"] == "2"
    assert float(one["value"]) == pytest.approx(np.mean(means))


def test_three_conditions_need_a_contrast(tmp_path, capsys):
    whole = np.stack(
        [
            np.stack([smooth_series(4, 30, seed=10 * p + c).T for c in range(3)])
            for p in range(3)
        ]
    )
    np.save(tmp_path / "x.npy", whole)
    axes = ("--axes", "person,condition,time,region")
    assert run(tmp_path, tmp_path / "x.npy", *axes) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "More than two conditions: nothing is compared" in said
    assert (
        run(tmp_path, tmp_path / "x.npy", *axes, "--contrast", "before=2,after=0") == 0
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "From before to after" in said
    assert {row["condition"] for row in rows_of(tmp_path)} == {"before", "after"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.csv",), "nowhere.csv: there is no such file"),
        (("a.csv", "--tr", "0"), "--tr: cannot be 0.0; expected above 0"),
        (("a.csv", "--lags", "2"), "--lags: is said of networks"),
        (("a.csv", "--networks-by", "order"), "--networks-by: is said of networks"),
        (("a.csv", "--contrast", "x"), "contrast: cannot be 'x'; expected two"),
        (("a.csv", "--contrast", "x,y"), "no condition is called 'x'"),
        (("a.csv", "--only", "seg=x"), "only: is said of folders"),
        (("a.csv", "--array", "x"), "array: is said of .npz files"),
        (("a.csv", "--axes", "time"), "axes: cannot be time"),
        (("a.csv", "--networks", "few.csv"), "no label for 'c'"),
        (("a.csv", "--networks", "one.csv"), "names one network only, 'x'"),
        (("a.csv", "b.csv"), "b.csv: has 2 regions, a.csv 3"),
        (("bad.csv",), "bad.csv: b is nan at time 3"),
        (("flat.csv",), "flat.csv: c is constant (1)"),
        (("a.csv", "--without", "x"), "no region is called 'x'"),
        (("a.csv", "--condition-from", "ses"), "a.csv: its name has no ses-"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_leaves_no_folder(
    tmp_path, monkeypatch, capsys, words, said
):
    monkeypatch.chdir(tmp_path)
    series = smooth_series(3, 20)
    write_series(tmp_path / "a.csv", series, list("abc"))
    write_series(tmp_path / "b.csv", series[:2], list("ab"))
    broken, flat = series.copy(), series.copy()
    broken[1, 3], flat[2] = np.nan, 1.0
    write_series(tmp_path / "bad.csv", broken, list("abc"))
    write_series(tmp_path / "flat.csv", flat, list("abc"))
    (tmp_path / "few.csv").write_text("a,x\nb,y\n")
    (tmp_path / "one.csv").write_text("a,x\nb,x\nc,x\n")
    assert run(tmp_path, *words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert not (tmp_path / "out").exists()


def test_a_complete_run_is_not_repeated(tmp_path, capsys):
    path = write_series(tmp_path / "p.csv", smooth_series(3, 30))
    words = [
        "brain",
        str(path),
        "--output",
        str(tmp_path / "out"),
        "--smoke",
        "--quiet",
    ]
    assert main(words) == 0 and main(words) == 0
    assert "already complete" in capsys.readouterr().err
    write_series(path, smooth_series(3, 31))
    assert main(words) == 2
    assert "holds a complete run" in capsys.readouterr().err


@pytest.mark.slow
def test_the_public_recordings_from_the_command_line(tmp_path):
    path = shared_brain("psilocybin_aal90", "bold.npz")
    words = ("--array", "bold", "--axes", "person,condition,time,region", "--tr", "3")
    pair = ("--contrast", "placebo=2,psilocybin=3")
    assert run(tmp_path, path, *words, *pair) == 0
    summary = json.loads((tmp_path / "out" / "result.json").read_text())["summary"]
    told = summary["statistics"]["as given"]
    z, entropy = told["mean_fisher_z"], told["eigenspectrum_entropy"]
    assert (z["mean_a"], z["mean_b"]) == pytest.approx((0.189, 0.237), abs=5e-4)
    assert (z["dz"], z["p"]) == pytest.approx((0.65, 0.087), abs=5e-3)
    assert entropy["mean_a"] == pytest.approx(0.592, abs=5e-4)
    assert entropy["mean_b"] == pytest.approx(0.591, abs=5e-4)

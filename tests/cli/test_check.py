"""`pcmodel check`: what was understood, printed and written, nobody named."""

import json
import re

import pytest

from pcmodel.cli import main

TABLE = """Subject,Trial,phase,drug,stimulus,choice,rt
anna,2,test,Placebo,1,2,500
anna,1,test,Placebo,0,1,700
anna,0,practice,Placebo,0,1,700
berta,1,test,LSD,0,1,
berta,2,test,LSD,1,1,12500
"""


def check(folder, *more):
    path = folder / "data.csv"
    path.write_text(TABLE)
    command = ["check", str(path), "--task", "binary", "--output", str(folder / "out")]
    return main([*command, *more])


def test_what_was_understood_is_printed_and_written(tmp_path, capsys):
    options = ("--formula", "omega2 ~ drug", "--judgements", "reaction_time")
    assert check(tmp_path, *options, "--where", "phase == test") == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text())
    rows = {row["what"]: row["said"] for row in content["understood"]}
    assert rows["people"] == "2" and rows["trials"] == "4, 2 in each series"
    assert rows["order"] == "by 'Trial'"
    assert rows["outcome, code"] == "'0' is 0, '1' is 1"
    assert rows["response, code"] == "'1' is 0, '2' is 1"
    assert rows["rt"] == "taken for ms by size"
    assert rows["reaction_time, values"] == "0.5 to 12.5, mean 4.567; 1 missing"
    assert rows["drug, labels"] == "LSD (1), Placebo (1) (series)"
    # The first that has the parameter and a precision that reaction times can speak of.
    assert rows["model"] == "hgf2" and rows["omega2 ~ drug"] == "drug[LSD]"
    odd = [row["said"] for row in content["understood"] if row["what"] == "odd"]
    assert odd == [
        "people who gave one and the same response throughout: 1",
        "reaction times longer than 10 s: 1",
    ]
    printed = capsys.readouterr().out
    assert "taken for ms by size" in printed and "anna" not in printed


def test_what_cannot_be_understood_is_refused_as_by_fit(tmp_path, capsys):
    assert check(tmp_path) == 2
    said = capsys.readouterr().err
    assert "data.csv, column 'phase', row 4 'practice': is no trial" in said
    more = ("--where", "phase == test", "--units", "reaction_time")
    assert check(tmp_path, *more) == 2
    assert "units: cannot be read: 'reaction_time'" in capsys.readouterr().err
    more = ("--where", "phase == test", "--codes", "response=1,2,3")
    assert check(tmp_path, *more) == 2
    assert "expected two" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


DESIGNED = """id,group,age,drug,session,trial,outcome,response
a,patient,20,placebo,1,1,1,1
a,patient,20,LSD,2,1,0,1
b,control,30,placebo,1,1,1,0
b,control,30,LSD,2,1,0,1
c,patient,52,placebo,1,1,1,1
d,control,44,placebo,1,1,0,0
d,control,44,LSD,2,1,1,1
"""


def design(folder, *more):
    path = folder / "designed.csv"
    header, *rows = DESIGNED.splitlines()
    rows = [
        row for one in rows for row in (one, re.sub(",1,(.),(.)$", r",2,\2,\1", one))
    ]
    path.write_text("\n".join((header, *rows)))
    out = str(folder / "out")
    return main(["check", str(path), "--task", "binary", "--output", out, *more])


def test_the_columns_of_a_formula_are_those_of_a_fit(tmp_path):
    formula = "omega2 ~ group + age + drug + (drug | participant)"
    assert design(tmp_path, "--formula", formula) == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text())
    rows = {row["what"]: row["said"] for row in content["understood"]}
    assert rows["model"] == "hgf2"
    assert rows["omega2 ~ group"] == "group[patient]"
    # Of four people, not of seven series.
    assert rows["omega2 ~ age"] == "age, centred on 36.5"
    assert rows["omega2 ~ (drug | participant)"] == "drug[LSD]"
    assert (
        rows["between people"] == "People differ in omega2 (drug[LSD] too), log_zeta."
    )


def test_the_model_and_pooling_are_those_of_a_fit(tmp_path):
    more = ("--model", "hgf3", "--pooled")
    assert design(tmp_path, *more, "--formula", "omega3 ~ age") == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text())
    rows = {row["what"]: row["said"] for row in content["understood"]}
    assert rows["model"] == "hgf3" and rows["omega3 ~ age"] == "age, centred on 36.5"
    assert rows["between people"].startswith("People do not differ.")


@pytest.mark.parametrize(
    ("formulas", "said"),
    [
        (["omega2 ~ np.log(age - 20)"], "is not a finite number in 2 of 7 series"),
        (["omega2 ~ participant"], "participant is who differs"),
        (["omega2 ~ age", "omega2 ~ drug"], "'omega2' has two formulas"),
        (["omegax ~ age"], "did you mean 'omega3' or 'omega2'"),
        (["omega3 ~ age", "learning_rate_logit ~ age"], "no model of the binary task"),
        (["omega2 ~ ages"], "no column is called 'ages'"),
        (["omega2 ~ age + I(age * 2)"], "I(age * 2) follows from age"),
        (["omega2 ~ group + (group | participant)"], "the same in all series of every"),
    ],
)
def test_a_formula_that_a_fit_refuses_is_refused(tmp_path, capsys, formulas, said):
    more = [word for text in formulas for word in ("--formula", text)]
    assert design(tmp_path, *more) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_codes_and_missing_values_are_options(tmp_path, capsys):
    more = ("--where", "phase == test", "--codes", "response=2,1")
    more = (*more, "--judgements", "reaction_time")
    assert check(tmp_path, *more, "--missing=-9") == 2
    said = capsys.readouterr().err
    assert "names '-9', which does not occur in any column that is read" in said
    assert check(tmp_path, *more, "--missing", "rt=12500") == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text())
    rows = {row["what"]: row["said"] for row in content["understood"]}
    assert rows["response, code"] == "'2' is 0, '1' is 1"
    assert rows["reaction_time, values"] == "0.5 to 0.7, mean 0.6; 2 missing"


def test_people_asked_on_other_scales_are_counted(tmp_path, capsys):
    """Confidence 1 to 4 beside 0 to 100: possible on one scale, and more often a slip."""
    lines = ["id,trial,outcome,response,confidence"]
    for person, highest in (("a", 4), ("b", 100), ("c", 90)):
        for trial in range(1, 5):
            said = highest * trial / 4
            lines.append(f"{person},{trial},{trial % 2},{trial // 3},{said:g}")
    # Who never said how confident they were is on no other scale.
    lines += [f"d,{trial},{trial % 2},{trial // 3},n/a" for trial in range(1, 5)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines) + "\n")
    out = str(tmp_path / "out")
    command = ["check", str(path), "--task", "binary", "--judgements", "confidence"]
    assert main([*command, "--output", out]) == 0
    content = json.loads((tmp_path / "out" / "check.json").read_text())
    odd = [row["said"] for row in content["understood"] if row["what"] == "odd"]
    assert (
        "people whose confidence never goes beyond a fifth of the greatest (100): 1; "
        "one scale is taken for all"
    ) in odd


def test_trials_that_are_not_there_are_counted(tmp_path):
    """A belief is carried on over the rows there are: prevents lost trials from passing unseen."""
    for left_out, said in (
        (None, "by 'trial'"),
        (3, "numbers are skipped in 1 series"),
    ):
        lines = ["id,trial,outcome,response"]
        for person in "ab":
            for trial in range(1, 7):
                if (person, trial) != ("b", left_out):
                    lines.append(f"{person},{trial},{trial % 2},{trial // 3 % 2}")
        path, out = tmp_path / "data.csv", tmp_path / str(left_out)
        path.write_text("\n".join(lines) + "\n")
        assert main(["check", str(path), "--task", "binary", "--output", str(out)]) == 0
        content = json.loads((out / "check.json").read_text())
        rows = {row["what"]: row["said"] for row in content["understood"]}
        assert said in rows["order"] and ("skipped" in rows["order"]) == bool(left_out)


def test_an_option_given_twice_is_refused_unless_it_is_a_list(tmp_path, capsys):
    """Prevents columns that were named from being passed over because others were named after them."""
    again = ("--bids-task", "one", "--bids-task", "two")
    assert check(tmp_path, "--where", "phase == test", *again) == 2
    assert "--bids-task: given twice; expected one" in capsys.readouterr().err
    once = ("--columns", "trial=Trial,participant=Subject")
    lists = ("--columns", "trial=Trial", "--columns", "participant=Subject")
    wheres = (
        "--where",
        "phase == test or phase == practice",
        "--where",
        "phase == test",
    )
    readings = []
    # Each call anew.
    for more in (once, once, lists):
        assert check(tmp_path, *wheres, *more) == 0
        content = json.loads((tmp_path / "out" / "check.json").read_text())
        rows = {row["what"]: row["said"] for row in content["understood"]}
        assert rows["trials"] == "4, 2 in each series"
        readings.append(content["reading"])
    assert readings[0] == readings[1] == readings[2]
    assert readings[0]["columns"] == ["trial=Trial", "participant=Subject"]
    expected = "(phase == test or phase == practice) and (phase == test)"
    assert readings[0]["where"] == expected


def test_the_whole_reading_is_recorded_and_not_replaced_by_another(tmp_path, capsys):
    """Of two checks in one folder it would be unknown which of them was fitted."""
    more = ("--where", "phase == test", "--judgements", "reaction_time")
    more = (*more, "--units", "reaction_time=ms", "--codes", "response=1,2")
    file = tmp_path / "out" / "check.json"
    assert check(tmp_path, *more, "--missing", "rt=12500") == 0
    first = file.read_text()
    reading = json.loads(first)["reading"]
    assert reading["where"] == "phase == test" and reading["missing"] == ["rt=12500"]
    assert reading["units"] == ["reaction_time=ms"] and reading["columns"] == []
    assert reading["codes"] == ["response=1,2"] and reading["task"] == "binary"
    assert check(tmp_path, *more, "--missing", "rt=12500") == 0
    for other in (more, (*more, "--formula", "omega2 ~ drug")):
        assert check(tmp_path, *other) == 2
        assert "holds the check of other data or of another" in capsys.readouterr().err
        assert file.read_text() == first
    assert check(tmp_path, *more, "--overwrite") == 0
    assert json.loads(file.read_text())["reading"]["missing"] == []


def test_each_reading_has_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(TABLE)
    words = ["check", "data.csv", "--task", "binary", "--where"]
    for where in ("phase == test", "phase != practice"):
        assert main([*words, where]) == 0
    assert len(list(tmp_path.glob("runs/check-*/check.json"))) == 2


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (
            ("--where", ""),
            "argument --where: is empty; give it a value, or leave it out",
        ),
        (("--missing", " "), "argument --missing: is empty"),
        (("--bids-task", "coin"), "bids_task: is said of BIDS folders, and"),
        (("--bids-suffix", "beh"), "bids_suffix: is said of BIDS folders, and"),
        (("--columns", "response=pressed"), "its columns are Subject, Trial"),
        (("more.csv",), "check does not know what to do with 'more.csv'"),
        (("--nonsense",), "check does not know the option '--nonsense'"),
        (
            ("--codes", "choice=1,2"),
            "is called 'choice'; expected one of: outcome, resp",
        ),
    ],
)
def test_options_that_would_be_passed_over_are_refused(more, part, tmp_path, capsys):
    """An empty condition (a shell's variable that is not set) would keep every row."""
    assert check(tmp_path, *more) == 2
    said = capsys.readouterr().err
    assert part in said and said.count("pcmodel: ") == 1


def test_an_output_that_is_a_file_is_said(tmp_path, capsys):
    assert check(tmp_path, "--where", "phase == test") == 0
    out = ("--output", str(tmp_path / "data.csv"))
    words = ["check", str(tmp_path / "data.csv"), "--task", "binary", *out]
    assert main([*words, "--where", "phase == test"]) == 2
    assert "data.csv is a file; expected a folder" in capsys.readouterr().err


def test_a_rating_without_its_scale_is_noted(tmp_path, capsys):
    path = tmp_path / "data.csv"
    rows = [f"a,{t},{t % 2},{t}" for t in range(6)]
    path.write_text("\n".join(["id,trial,outcome,rating", *rows]))
    words = ["check", str(path), "--task", "rating", "--output", str(tmp_path / "o")]
    assert main(words) == 0
    assert "no scale is given, which a fit needs" in capsys.readouterr().out

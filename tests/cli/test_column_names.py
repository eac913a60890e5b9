"""Columns whose names are not one word: what is advised works when pasted into a shell."""

import shutil
import subprocess

import pytest

from pcmodel.cli import main

AGES = (31, 24, 55, 47)
BASH = shutil.which("bash") or ""


def check(folder, name, *more):
    quoted = '"' + name.replace('"', '""') + '"'
    rows = [f"Subject,Trial,outcome,response,group,{quoted}"]
    for person, age in enumerate(AGES):
        for t in range(6):
            cells = f"p{person},{t},{t % 2},{t // 2 % 2}"
            rows.append(f"{cells},{'ab'[person // 2]},{age + person % 2}")
    path = folder / "data.csv"
    path.write_text("\n".join(rows) + "\n")
    out = ("--output", str(folder / "out"), "--overwrite")
    return main(["check", str(path), "--task", "binary", *out, *more])


def typed(line):
    """The words of a command line, as bash takes it apart."""
    script = f"printf '%s\\0' {line}"
    done = subprocess.run([BASH, "-c", script], capture_output=True, text=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.skipif(not BASH, reason="needs bash")
@pytest.mark.parametrize(
    "name",
    [
        *(
            "BDI-II",
            "age (years)",
            "IQ%",
            "age/2",
            "drug:dose",
            "1st",
            "Alter in Jahren",
        ),
        *("_x", "x^2", "x~y", "O'Neill", '"q"', "a,b", "a|b", "a=b", "$x", "!x", "#x"),
        "C(x)",
    ],
)
@pytest.mark.parametrize("formula", ["omega2 ~ {}", "omega2 ~ group + scale({})"])
def test_a_bare_name_is_told_with_the_formula_to_type(name, formula, tmp_path, capsys):
    assert check(tmp_path, name, "--formula", formula.format(name)) == 2
    said = capsys.readouterr().err
    assert f"formula: {name!r} is the name of a column, and not one word" in said
    option, text = typed(said[said.index("--formula ") :])
    assert option == "--formula" and text == formula.format(f"`{name}`")
    assert check(tmp_path, name, option, text) == 0
    assert name in capsys.readouterr().out


@pytest.mark.skipif(not BASH, reason="needs bash")
@pytest.mark.parametrize(
    "formula",
    [
        *("`BDI-II`", "`BDI-II` + group", "group + `BDI-II`", "1 + `BDI-II` + group"),
        *("group + (`BDI-II` | participant)", "scale(`BDI-II`) + group"),
        *("group + (`BDI-II` + Trial | participant)", "I(`BDI-II` + Trial)"),
        *("I(`BDI-II` - Trial)", "group + scale(`BDI-II` - Trial)"),
        *("np.minimum(`BDI-II`, Trial)", "poly(`BDI-II`, 2)", "I(`BDI-II`**2)"),
        *("I(Trial > `BDI-II`)", "np.minimum(Trial, `BDI-II` + Trial)"),
        *("group * `BDI-II`", "`BDI-II`:group", "group / `BDI-II`", "group - `BDI-II`"),
    ],
)
def test_a_name_that_the_shell_took_away_is_missed(formula, tmp_path, capsys):
    """Prevents a fit without the covariate that stood in backticks in double quotation marks."""
    (text,) = typed(f'"omega2 ~ {formula}" 2>/dev/null')
    assert "BDI" not in text
    assert check(tmp_path, "BDI-II", "--formula", text) == 2
    said = capsys.readouterr().err
    assert "pcmodel: formula" in said and "to correct" not in said


@pytest.mark.parametrize("formula", ["omega2 ~ age + BDI", "omega2 ~ `BDI-II` + agee"])
def test_a_slip_in_another_name_is_said_as_such(formula, tmp_path, capsys):
    assert check(tmp_path, "BDI-II", "--formula", formula) == 2
    said = capsys.readouterr().err
    assert "not one word" not in said and "no column is called" in said

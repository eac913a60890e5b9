"""`pcmodel models`, its page, and wrong names that are told before a table is read."""

from pathlib import Path

import pytest

from pcmodel.behaviour.dataset import TASKS, find_task, load_series
from pcmodel.behaviour.dataset.schema import IDENTIFIERS, JUDGEMENTS
from pcmodel.behaviour.models.catalogue import MODELS, check_names, find_parameters
from pcmodel.behaviour.models.reference import example_table, reference_page
from pcmodel.behaviour.studies.fit import Plan, run_workflow
from pcmodel.cli import main
from pcmodel.errors import UserError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks-and-models.md"


def test_the_page_is_up_to_date(capsys):
    """Prevents a page that says otherwise than the code: `pcmodel models --markdown` prints it anew."""
    assert main(["models", "--markdown"]) == 0
    assert capsys.readouterr().out == PAGE.read_text("utf-8")


def test_the_page_has_everything():
    page = reference_page()
    for task, own in TASKS.items():
        part = page.split(f"\n## {task}\n")[1].split("\n## ")[0]
        for column in own.columns:
            assert f"\n| `{column.name}` | " in part and column.about
        for model in MODELS[task]:
            assert f"\n| `{model}` | " in part
            for parameter in find_parameters(task, model):
                assert f"\n- `{parameter.name}` of " in part
    lines = page.splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count(" | ") for line in tables} == {2, 3}  # cells hold no bar


def test_tasks_are_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    for task in TASKS:
        assert task in printed
        assert ", ".join(MODELS[task]) in printed


@pytest.mark.parametrize("task", TASKS)
def test_a_task_says_its_columns_and_models(task, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models", task]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in (
        *(i.name for i in IDENTIFIERS),
        *(c.name for c in TASKS[task].columns),
    ):
        assert name in lines
    assert (set(JUDGEMENTS) <= set(lines)) == (task != "conditioning")
    text = "\n".join(lines)
    for name, entry in MODELS[task].items():
        assert f" {name} " in f" {text.replace(chr(10), ' ')} " and entry.about in text


@pytest.mark.parametrize("task", TASKS)
def test_nothing_is_cut_off_in_a_narrow_window(task, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    for model in ((), (next(iter(MODELS[task])),)):
        assert main(["models", task, *model]) == 0
        printed = capsys.readouterr().out
        assert "\u2026" not in printed
        assert max(map(len, printed.splitlines())) <= max(60, 80 if not model else 60)


@pytest.mark.parametrize("task", TASKS)
def test_the_example_of_a_table_is_read(task, tmp_path, capsys, monkeypatch):
    """Pasted as it is printed, it is a table of two people without a remark of missing cells."""
    monkeypatch.setenv("COLUMNS", "200")
    main(["models", task])
    printed = capsys.readouterr().out.splitlines()
    start = printed.index("For example") + 1
    rows = printed[start : start + len(example_table(find_task(task)))]
    path = tmp_path / "trials.csv"
    path.write_text("\n".join(rows) + "\n")
    scale = (0.0, 10.0, 1.0) if task == "rating" else None
    series = load_series(path, find_task(task), scale=scale)
    assert series.num_participants == 2
    assert series.present.sum() == len(rows) - 1 == 6
    for column in rows[0].split(",")[2:]:
        assert series.num_missing.get(column, 0) == 0, column


def test_a_model_says_its_parameters(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models", "binary", "hgf3"]) == 0
    printed = capsys.readouterr().out
    assert "Normal(-3, 2); SD between people HalfNormal(1)" in printed
    assert (
        "step_variance2 = exp(omega2): median 0.0498, 95 % 0.000988 to 2.51" in printed
    )
    assert "TAPAS om(2)" in printed and "log odds squared a trial" in printed
    assert "fixed at 0; where a formula names it Normal(0, 1)" in printed
    assert "--judgements confidence" in printed
    assert main(["models", "bandit", "two_rates"]) == 0
    printed = capsys.readouterr().out
    assert "Arew" in printed and "--judgements" not in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("models", "binery"), "did you mean 'binary'"),
        (("models", "binary", "hgf9"), "expected one of: rescorla_wagner, hgf2"),
        (("models", "binary", "hgf2", "more"), "does not know what to do with 'more'"),
        (("models", "binary", "--markdown"), "no task beside it"),
        (("models", "", "hgf2"), "no task is called ''"),
        (("models", "binary", ""), "no model of the binary task is called ''"),
    ],
)
def test_a_wrong_name_lists_what_there_is(words, said, capsys):
    assert main(list(words)) == 2
    assert said in capsys.readouterr().err


FIT = ("fit", "nowhere.csv", "--task")
NAMES = [
    ((*FIT, "binery", "--model", "hgf2"), "no task is called 'binery'"),
    ((*FIT, "binary", "--model", "hgf9"), "no model of the binary task"),
    ((*FIT, "binary", "--model", "hgf2", "--compare", "hgf3,hgf4"), "called 'hgf4'"),
    ((*FIT, "binary", "--model", "hgf2", "--judgements", "rtt"), "no judgement"),
    (
        (*FIT, "binary", "--model", "hgf2", "--formula", "omega3 ~ a"),
        "mu2_0, log_pi2_0",
    ),
    (("check", "nowhere.csv", "--task", "binery"), "no task is called 'binery'"),
    (("check", "nowhere.csv", "--task", "binary", "--model", "x"), "no model of the"),
    (
        ("check", "nowhere.csv", "--task", "binary", "--formula", "omega5 ~ a"),
        "expected one of: learning_rate_logit",
    ),
]


@pytest.mark.parametrize(("words", "said"), NAMES)
def test_a_wrong_name_is_told_before_the_table_is_read(words, said, capsys):
    """The table does not even exist, which right names are told."""
    assert main(list(words)) == 2
    error = capsys.readouterr().err
    assert said in error and "one of: " in error and "nowhere" not in error


def test_from_python_wrong_names_come_first_too():
    plan = Plan(data="nowhere.csv", task="binary", model="hgf2", compare_with=("x",))
    with pytest.raises(UserError, match="no model of the binary task is called 'x'"):
        run_workflow(plan, seed=0)


def test_with_right_names_the_table_is_looked_for(capsys):
    words = (*FIT, "binary", "--model", "hgf2", "--formula", "omega2 ~ a")
    assert main(list(words)) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_names_that_are_known_pass():
    check_names("helicopter", ["kalman"], formulas=["top_precision ~ drug"])
    check_names(
        "binary", [], judgements=["confidence"], formulas=["time_slope ~ a"][:0]
    )
    check_names(
        "binary", ["hgf2"], judgements=["confidence"], formulas=["confidence_slope ~ a"]
    )
    check_names(
        "binary", ["hgf2"], formulas=["this is no formula"]
    )  # is told elsewhere
    with pytest.raises(UserError, match="no precision"):
        check_names("binary", ["rescorla_wagner"], judgements=["confidence"])


USUAL = "{},trial,outcome,{},{}\na,1,1,1,0.5\na,2,0,1,0.6\nb,1,1,0,0.5\nb,2,0,1,0.4\n"


@pytest.mark.parametrize(
    "who", ["subjID", "subject", "sub", "ID", "subj_idx", "SubNum"]
)
@pytest.mark.parametrize(("what", "time"), [("choice", "rt"), ("y", "RT_s")])
def test_usual_names_are_recognised_and_said(
    who, what, time, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    path = tmp_path / "trials.csv"
    path.write_text(USUAL.format(who, what, time))
    out = ("--task", "binary", "--output", str(tmp_path / "out"), "--overwrite")
    assert main(["check", str(path), *out]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"participant column '{who}'" in said
    assert f"response column '{what}'" in said
    assert (
        f"reaction_time in column '{time}', not read (--judgements reaction_time"
        in said
    )
    assert main(["check", str(path), *out, "--judgements", "reaction_time"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"reaction_time column '{time}'" in said and "not read" not in said


def test_a_table_of_hbayesdm_is_read_as_it_is(tmp_path):
    """Tabs, no numbers of trials, and outcomes of -1 and 1."""
    rows = ["subjID choice outcome", "1 1 -1", "1 2 1", "1 2 -1", "2 1 1", "2 2 -1"]
    path = tmp_path / "example.txt"
    path.write_text("\n".join(rows).replace(" ", "\t") + "\n")
    series = load_series(path, find_task("bandit"))
    outcomes = [
        own[seen]
        for own, seen in zip(series.values["outcome"], series.present, strict=True)
    ]
    assert [own.tolist() for own in outcomes] == [[0.0, 1.0, 0.0], [1.0, 0.0]]

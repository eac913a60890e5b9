"""Calls from Python with arguments of another kind: one sentence, nothing read amiss."""

from types import SimpleNamespace

import pytest

from pcmodel.behaviour.dataset import (
    Reading,
    files_read,
    find_task,
    load_series,
    read_raw,
    understood,
    with_judgements,
)
from pcmodel.errors import UserError

TABLE = "subject,trial,outcome,response,x\n" + "".join(
    f"p{i},{t},{t % 2},{t // 2 % 2},{i}\n" for i in range(2) for t in range(4)
)
BINARY = find_task("binary")
FRAME = SimpleNamespace(columns=["a"])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(TABLE)
    return path


@pytest.mark.parametrize(
    ("task", "options", "part"),
    [
        (
            "binary",
            {},
            "task is 'binary'; expected a task, such as find_task('binary')",
        ),
        (None, {}, "task is None"),
        (BINARY, {"covariates": None}, "covariates is None"),
        (BINARY, {"covariates": "x"}, "covariates is 'x'"),
        (BINARY, {"covariates": (1,)}, "covariates[0] is 1"),
        (BINARY, {"series_by": "x"}, "series_by is 'x'"),
        (BINARY, {"columns": {"response": 3}}, "columns['response'] is 3"),
        (BINARY, {"columns": "response=x"}, "columns is 'response=x'"),
        (BINARY, {"reading": "trial == 2"}, "reading is 'trial == 2'; expected a Read"),
        (BINARY, {"bids_task": 3}, "bids_task is 3"),
        (BINARY, {"scale": (0, 10)}, "responses of the binary task have none to give"),
        (find_task("bandit"), {"scale": (0, 10)}, "scale: is given"),
        (find_task("rating"), {"scale": (10, 0)}, "scale: is 10, 0; expected its low"),
        (find_task("rating"), {"scale": (10,)}, "scale: is 10; expected its low"),
        (find_task("rating"), {"scale": (0, 9, 1, 1)}, "scale: is 0, 9, 1, 1"),
        (find_task("rating"), {"scale": "0,10"}, "scale is '0,10'"),
    ],
)
def test_arguments_of_another_kind_are_refused(task, options, part, table):
    with pytest.raises(UserError) as caught:
        load_series(table, task, **options)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"where": 3}, "where is 3; expected text"),
        ({"missing": "99"}, "missing is '99'; expected"),
        ({"missing": (99,)}, "missing[0] is 99; expected"),
        ({"missing": None}, "missing is None"),
        ({"codes": ("left", "right")}, "codes is"),
        ({"codes": {"response": "lr"}}, "codes['response'] is 'lr'"),
        ({"codes": {"response": (0, 1)}}, "codes['response'][0] is 0"),
        ({"units": "ms"}, "units is 'ms'"),
        ({"units": {"reaction_time": 1}}, "units['reaction_time'] is 1"),
        ({"bids_suffix": 1}, "bids_suffix is 1"),
    ],
)
def test_a_reading_of_another_kind_is_refused(options, part):
    with pytest.raises(UserError) as caught:
        Reading(**options)
    assert part in str(caught.value)


@pytest.mark.parametrize("path", [FRAME, None, 3])
def test_what_is_no_path_is_refused_with_what_to_do(path):
    for call in (lambda: load_series(path, BINARY), lambda: read_raw(path)):
        with pytest.raises(UserError, match="a data frame is saved with "):
            call()


def test_other_doors_of_data(table):
    for call, part in (
        (lambda: find_task(3), "name is 3"),
        (lambda: with_judgements("binary", ()), "task is 'binary'"),
        (lambda: with_judgements(BINARY, "confidence"), "names is 'confidence'"),
        (lambda: understood(None, BINARY), "series is None; expected what load_series"),
        (lambda: files_read(3), "path is 3"),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert part in str(caught.value)
    assert files_read(str(table)) == [table]
    assert load_series(str(table), BINARY, covariates=["x"]).num_participants == 2

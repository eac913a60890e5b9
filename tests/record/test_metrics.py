"""The metrics file: what a kill tears is dropped, and nothing else."""

import json
import sys
from types import SimpleNamespace

import pytest

import pcmodel
from pcmodel.record.metrics import MetricsLog, TensorBoardLog, read_metrics

ROWS = [{"step": n, "energy": 1.5 * n, "accuracy": None} for n in range(1, 5)]


def log_of(path):
    log = MetricsLog(path / "metrics.jsonl")
    for row in ROWS:
        log.append(row)
    return log


def test_a_resumed_file_reads_like_one_never_interrupted(tmp_path):
    """Prevents steps from standing twice, or half a line from spoiling the file."""
    log = log_of(tmp_path)
    whole = log.path.read_text()
    with open(log.path, "a") as file:
        file.write('{"step": 5, "ener')
    assert read_metrics(log.path) == ROWS
    assert log.resume(2) == ROWS[:2]
    for row in ROWS[2:]:
        log.append(row)
    assert log.path.read_text() == whole


def test_runs_of_earlier_versions_go_on_under_today_s_names(tmp_path):
    """Prevents a resumed run from losing what it had measured."""
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append({"step": 1, "validation_surprise": 0.25})
    expected = [{"step": 1, "validation_negative_log_likelihood": 0.25}]
    assert log.resume(1) == expected == read_metrics(log.path)


def test_numbers_that_json_has_not_stay_strict_json(tmp_path):
    """Prevents the tokens NaN and Infinity, which other readers refuse."""
    log = MetricsLog(tmp_path / "deep" / "metrics.jsonl")
    log.append({"step": 1, "energy": float("nan"), "best": float("inf")})

    def refuse(token):
        raise AssertionError(token)

    row = json.loads(log.path.read_text(), parse_constant=refuse)
    assert row == {"step": 1, "energy": None, "best": "Infinity"}


@pytest.mark.parametrize("line", ["[1]", "{}", '{"step": "2"}', "nonsense"])
def test_a_foreign_file_is_refused_with_its_line(tmp_path, line):
    """Prevents someone's own file from being cut down to nothing."""
    log = log_of(tmp_path)
    text = log.path.read_text() + line + "\n"
    log.path.write_text(text)
    with pytest.raises(pcmodel.UserError, match=r"line 5: is not a row"):
        log.resume(2)
    assert log.path.read_text() == text


def test_an_unwritable_place_is_one_sentence(tmp_path):
    """Prevents a traceback from a full disk or a name that is taken."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(pcmodel.UserError, match="cannot write there"):
        MetricsLog(tmp_path / "taken" / "metrics.jsonl").append(ROWS[0])


def test_tensorboard_is_optional(tmp_path, monkeypatch):
    """Prevents a missing package from ending in a traceback."""
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(
        pcmodel.UserError, match=r"tensorboardX.*pcmodel\[tensorboard\]"
    ):
        TensorBoardLog(tmp_path)


def test_tensorboard_gets_the_numbers_of_a_row(tmp_path, monkeypatch):
    """Prevents absent values or the step itself from being drawn as curves."""
    told = []

    class Writer:
        def __init__(self, folder):
            told.append(folder)

        def add_scalar(self, name, value, step):
            told.append((name, value, step))

        def flush(self):
            told.append("flushed")

    monkeypatch.setitem(
        sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer)
    )
    TensorBoardLog(tmp_path).append(ROWS[1])
    assert told == [str(tmp_path), ("energy", 3.0, 2), "flushed"]

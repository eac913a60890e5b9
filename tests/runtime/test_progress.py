"""Bars on a terminal, lines in a log when asked, silence otherwise."""

import io

import pytest

from pcmodel.runtime.progress import Progress, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_shown_without_a_terminal(capsys):
    assert list(track(range(3), "counting")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_log_has_one_line_at_the_start_and_end_of_each_stage():
    stream = io.StringIO()
    progress = Progress(lines=True, stream=stream)
    with progress.stage("outer"):
        list(progress.track(range(100), "inner"))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["outer ...", "  inner ..."]
    assert lines[2].startswith("  inner: done, ") and lines[3].startswith("outer: done")
    assert len(lines) == 4


def test_a_log_of_a_long_stage_has_a_line_every_ten_seconds(monkeypatch):
    """Prevents a fit of an hour without a terminal from looking as if it hung."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    stream = io.StringIO()
    with Progress(lines=True, stream=stream).stage("fit", 45) as stage:
        for _ in range(45):
            now[0] += 0.6
            stage.advance()
    lines = stream.getvalue().splitlines()
    assert lines == [
        "fit ...",
        "fit: 17 of 45, 10 s",
        "fit: 34 of 45, 20 s",
        "fit: done, 27.0 s",
    ]


def test_a_stage_that_was_left_early_says_so():
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        with Progress(lines=True, stream=stream).stage("work"):
            raise KeyboardInterrupt
    assert "work: stopped" in stream.getvalue()


def test_a_terminal_sees_a_bar_that_fills_and_is_gone_afterwards():
    stream = Terminal()
    progress = Progress(stream=stream)
    with progress.stage("train", total=4) as stage:
        stage.advance(2, note="loss 0.1")
    assert "train" in stream.getvalue() and "4/4" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[?25h")  # the cursor is visible again


def test_silent_is_silent_on_a_terminal_too():
    stream = Terminal()
    list(Progress(silent=True, lines=True, stream=stream).track([1], "x"))
    assert stream.getvalue() == ""


def test_generators_of_unknown_length_can_be_tracked():
    stream = Terminal()
    assert list(Progress(stream=stream).track(iter("ab"), "letters")) == ["a", "b"]

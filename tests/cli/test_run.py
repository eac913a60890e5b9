"""A run as a user meets it: a whole folder, a report, an exit code."""

import json
import os
from pathlib import Path

from coin_experiment import PLOT, RECORD, sentence

from pcmodel.cli import main
from pcmodel.record import read_arrays
from pcmodel.record.folder import read_status
from pcmodel.report import SMOKE_STAMP


def test_a_run_leaves_a_complete_folder_and_prints_its_verdicts(coin, capsys):
    assert main(["run", coin(), "--output", "out"]) == 0
    assert sorted(os.listdir("out")) == RECORD
    status = read_status(Path("out"))
    assert (status["status"], status["experiment"]) == ("complete", "coin")
    printed = capsys.readouterr().out
    assert "fair" in printed and "holds" in printed and "out/report.html" in printed
    page = Path("out/report.html").read_text()
    assert "Does a coin fall heads half the time?" in page
    assert "pcmodel run coin.py --seed 0" in page


def test_every_page_of_a_smoke_run_is_stamped(coin, capsys):
    assert main(["run", coin(), "--output", "whole"]) == 0
    assert SMOKE_STAMP not in capsys.readouterr().out
    assert main(["run", coin(), "--output", "out", "--smoke"]) == 0
    assert SMOKE_STAMP in capsys.readouterr().out
    assert SMOKE_STAMP in Path("out/report.html").read_text()
    assert SMOKE_STAMP not in Path("whole/report.html").read_text()


def test_figures_are_saved_and_shown_in_the_report(coin):
    assert main(["run", coin(extra=PLOT), "--output", "out"]) == 0
    assert Path("out/figures/heads.png").read_bytes()[1:4] == b"PNG"
    assert "data:image/png" in Path("out/report.html").read_text()


def test_same_seed_is_bit_for_bit_the_same_and_another_seed_is_not(coin):
    body = (
        "    import jax\n    return Results(jax.random.normal(jax.random.key(seed)))\n"
    )
    name = coin(body)
    for out, seed in [("a", "5"), ("b", "5"), ("c", "6")]:
        assert main(["run", name, "--seed", seed, "--output", out]) == 0
    for file in ("arrays.npz", "result.json", "config.json"):
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()
    assert Path("a/arrays.npz").read_bytes() != Path("c/arrays.npz").read_bytes()


def test_the_record_of_a_smoke_run_is_stamped_as_its_page_is(coin):
    """Numbers are copied from result.json without the page that warns of them."""
    for more, stamp in (((), ""), (("--smoke",), SMOKE_STAMP)):
        assert main(["run", coin(), *more, "--output", "out", "--overwrite"]) == 0
        assert json.loads(Path("out/result.json").read_text())["stamp"] == stamp


def test_the_default_folder_tells_configurations_apart(coin):
    name = coin()
    assert main(["run", name]) == main(["run", name, "--flips", "3"]) == 0
    assert main(["run", name, "--seed", "1"]) == 0
    assert len(os.listdir("runs")) == 3


def test_a_complete_run_is_pointed_to_and_repeated_only_on_request(coin, capsys):
    name = coin()
    main(["run", name, "--output", "out"])
    before = Path("out/status.json").stat().st_mtime_ns
    capsys.readouterr()
    assert main(["run", name, "--output", "out"]) == 0
    assert "already complete" in (said := sentence(capsys)) and "--overwrite" in said
    assert Path("out/status.json").stat().st_mtime_ns == before
    assert main(["run", name, "--output", "out", "--overwrite"]) == 0
    assert Path("out/status.json").stat().st_mtime_ns > before


def test_another_complete_run_is_not_replaced(coin, capsys):
    name = coin()
    main(["run", name, "--output", "out"])
    capsys.readouterr()
    assert main(["run", name, "--output", "out", "--seed", "9"]) == 2
    assert "holds a complete run of coin" in sentence(capsys)


def test_a_failure_keeps_the_traceback_in_the_folder(coin, capsys):
    name = coin("    raise RuntimeError('no\\nluck')\n")
    assert main(["run", name, "--output", "out"]) == 1
    said = sentence(capsys)
    assert "coin failed with RuntimeError (no)" in said and "out/error.txt" in said
    assert "Traceback" in Path("out/error.txt").read_text()
    assert read_status(Path("out"))["status"] == "failed"


def test_a_late_failure_loses_nothing_that_was_computed(coin):
    name = coin(extra="\ndef plot(config, results, summary):\n    raise ValueError\n")
    assert main(["run", name, "--output", "out"]) == 1
    assert read_arrays(Path("out/arrays.npz"))["heads"].shape == (20,)
    assert json.loads(Path("out/result.json").read_text())["summary"]["verdicts"]


def test_bad_input_found_while_running_is_bad_input(coin, capsys):
    name = coin("    raise UserError('has no rows', where='data.csv')\n")
    assert main(["run", name, "--output", "out"]) == 2
    assert sentence(capsys) == "pcmodel: data.csv: has no rows"
    assert read_status(Path("out"))["reason"] == "data.csv: has no rows"


def test_quiet_shows_no_progress(coin, capsys):
    assert main(["run", coin(), "--quiet", "--output", "out"]) == 0
    assert capsys.readouterr().err == ""

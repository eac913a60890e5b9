"""Tables as E-Prime and PsychoPy write them, with a response for each object on the screen."""

import numpy as np
import pytest

from tests.behaviour.dataset.small_tables import both, check, follow, pasted, table

NAMES = (
    *("ExperimentName", "Subject", "Session", "Block", "Trial", "SubTrial"),
    *("Procedure[Block]", "Procedure[SubTrial]", "Running[SubTrial]", "Outcome"),
    *("Slide1.ACC", "Slide1.OnsetTime", "Slide1.RESP", "Slide1.RT"),
)
RESPONSES = [0, 1, 1, 0, 1, 0]
TIMES = [[503, 611, 478, 0, 702, 555], [1201, 834, 640, 922, 517, 460]]


def eprime(header=NAMES):
    """Two people, two blocks; trials are counted by SubTrial."""
    rows = [
        f"exp\t{who + 1}\t1\t{block + 1}\t1\t{t + 1}\tBlockProc\tTrialProc\tList\t{t % 2}\t1\t"
        f"{40000 * block + 3000 * t}\t{1 + RESPONSES[t]}\t{TIMES[block][t] + (who if t != 3 else 0)}"
        for who in range(2)
        for block in range(2)
        for t in range(6)
    ]
    return table("\t".join(header), *rows)


TRIAL = ("--columns", "trial=SubTrial")
ASK = ("--judgements", "reaction_time")


@pytest.mark.parametrize(
    "first",
    [
        "",
        "C:\\data\\My Merge.emrg3\n",
        '"D:\\x.edat2"\t\t\t\n',
        "/home/a.emrg\n",
        "C:\\Lab, one\\x.edat3\n",
    ],
)
def test_tables_of_eprime_are_read_with_the_path_above_the_header(
    first, tmp_path, capsys
):
    text = first + eprime()
    series, rows = follow(tmp_path, capsys, text, *TRIAL)
    assert series.values["response"].tolist() == [RESPONSES * 2] * 2
    assert rows["response"] == "column 'Slide1.RESP'"
    assert rows["order"].startswith("by 'Block', then 'SubTrial'")
    # A place is that of the file as it stands.
    wrong = first + eprime().replace("\t1\t1201", "\t?\t1201")
    said = both(tmp_path, capsys, wrong, *TRIAL)
    assert f"column 'Slide1.RESP', row {8 + bool(first)} '?'" in said


def test_tables_of_eprime_are_read_as_they_are_exported(tmp_path, capsys):
    """As `Unicode text`, with the path of the merged file above."""
    path = tmp_path / "merged.txt"
    path.write_bytes(("C:\\a\\merged.emrg2\r\n" + eprime()).encode("utf-16"))
    code, rows, said = check(capsys, path, *TRIAL)
    assert code == 0, said
    assert rows["trials"] == "24, 12 in each series"


def test_the_count_of_trials_of_eprime_is_offered(tmp_path, capsys):
    said = both(tmp_path, capsys, eprime())
    assert "column 'Trial'" in said and "stands twice" in said
    assert "if 'SubTrial' counts the trials, say so (--columns trial=SubTrial)" in said


def test_a_time_of_nought_is_no_time(tmp_path, capsys):
    said = both(tmp_path, capsys, eprime(), *TRIAL, *ASK)
    assert "column 'Slide1.RT', row 5 '0', row 17 '0': is no time" in said
    missing = next(o for o in pasted(said) if o[0].startswith("--missing"))
    series, rows = follow(tmp_path, capsys, eprime(), *TRIAL, *ASK, *missing)
    times = np.asarray(TIMES[0] + TIMES[1]) / 1000.0
    times[3] = np.nan
    np.testing.assert_allclose(series.values["reaction_time"][0], times)
    assert rows["Slide1.RT"] == "taken for ms by size"


def test_of_several_objects_one_is_to_be_named(tmp_path, capsys):
    header = [name.replace("Slide1.ACC", "Slide0.RESP") for name in NAMES]
    text = eprime(header)
    said = both(tmp_path, capsys, text, *TRIAL)
    assert "say which of Slide0.RESP, Slide1.RESP it is" in said
    option = ("--columns", "trial=SubTrial,response=Slide1.RESP")
    series, _ = follow(tmp_path, capsys, text, *option)
    assert series.values["response"].tolist() == [RESPONSES * 2] * 2
    # An object that was never answered is none.
    empty = "\n".join(
        "\t".join("" if i == 10 and n else c for i, c in enumerate(line.split("\t")))
        for n, line in enumerate(text.strip().split("\n"))
    )
    series, _ = follow(tmp_path, capsys, empty, *TRIAL)
    assert series.values["response"].tolist() == [RESPONSES * 2] * 2


def test_tables_of_psychopy_have_keys(tmp_path, capsys):
    rows = [
        f"a,{t},{t % 2},{'fj'[y]},{0.4 + t / 7:.3f}" for t, y in enumerate(RESPONSES)
    ]
    text = table("participant,trials.thisN,outcome,key_resp.keys,key_resp.rt", *rows)
    said = both(tmp_path, capsys, text, *ASK)
    assert "column 'key_resp.keys'" in said and "--codes response=f,j" in said
    series, rows = follow(tmp_path, capsys, text, *ASK, "--codes", "response=f,j")
    assert series.values["response"].tolist() == [RESPONSES]
    assert rows["reaction_time"] == "column 'key_resp.rt'"

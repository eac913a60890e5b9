"""A file of other software is refused with the way to a table in text."""

import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from pcmodel.behaviour.dataset.tables.endings import EXPORTS, SAME
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import check, table

BINARY = find_task("binary")
WAYS = {
    ".iqdat": "a copy of it that is named data.tsv",
    ".xlsx": "the sheet saved as CSV",
    ".XLSX": "the sheet saved as CSV",
    ".mat": "MATLAB: writetable(T, 'data.csv')",
    ".sav": "R: write.csv(haven::read_sav('data.sav'), 'data.csv', row.names = FALSE)",
    ".zsav": "R: write.csv(haven::read_sav('data.zsav'), 'data.csv', row.names = FALSE)",
    ".rds": "R: write.csv(readRDS('data.rds'), 'data.csv', row.names = FALSE)",
    ".gz": "gunzip data.gz",
    ".json": "pandas.read_json('data.json').to_csv('data.csv', index=False)",
    ".abc": ".csv, .tsv, .txt, .dat, .parquet, or a BIDS folder",
}


@pytest.mark.parametrize("ending", WAYS)
def test_a_file_of_other_software_says_how_to_export_it(ending, tmp_path, capsys):
    path = tmp_path / f"data{ending}"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError) as caught:
        load_series(path, BINARY)
    said = str(caught.value)
    assert f"data{ending}: has the ending {ending!r}, which is not read" in said
    assert WAYS[ending] in said
    code, _, printed = check(capsys, path)
    assert code == 2 and "".join(said.split()) in "".join(printed.split())


def test_every_ending_has_a_sentence_of_its_own(tmp_path):
    for ending in (*EXPORTS, *SAME):
        path = tmp_path / f"data{ending}"
        path.write_bytes(b"")
        with pytest.raises(UserError) as caught:
            load_series(path, BINARY)
        assert "{" not in str(caught.value) and ".parquet" not in str(caught.value)


def test_inquisit_is_read_under_the_name_that_is_advised(tmp_path):
    text = table("subject\ttrial\toutcome\tresponse", "p\t1\t0\t1", "p\t2\t1\t0")
    (tmp_path / "data.tsv").write_text(text)
    series = load_series(tmp_path / "data.tsv", BINARY)
    assert series.values["response"].tolist() == [[1.0, 0.0]]

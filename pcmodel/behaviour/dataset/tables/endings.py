"""Files of other software by their ending, and how to export each as a table in text."""

from pathlib import Path

READ = ".csv, .tsv, .txt, .dat, .parquet, or a BIDS folder"
SPREADSHEET = "the sheet saved as CSV (File, Save As, CSV UTF-8)"
HAVEN = "write.csv(haven::read_{}({!r}), {!r}, row.names = FALSE)"
EXPORTS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), SPREADSHEET),
    ".numbers": "the sheet exported as CSV (File, Export To, CSV)",
    ".iqdat": "a copy of it that is named {stem}.tsv: Inquisit writes text with tabs",
    ".mat": "its table written as CSV (MATLAB: writetable(T, {csv!r}), T the table)",
    ".sav": f"it exported as CSV (SPSS: File, Export, CSV Data; R: {HAVEN})",
    ".dta": f"it exported as CSV (Stata: export delimited {{csv!r}}; R: {HAVEN})",
    ".sas7bdat": f"it exported as CSV (SAS: PROC EXPORT; R: {HAVEN})",
    ".rds": "it written as CSV (R: write.csv(readRDS({name!r}), {csv!r}, row.names = FALSE))",
    ".rdata": "its table written as CSV (R: load({name!r}); write.csv(TABLE, {csv!r}, "
    "row.names = FALSE))",
    ".edat": "it exported as text (E-DataAid: File, Export, in Unicode or plain text)",
    ".jasp": "its data exported as CSV (JASP: Export Data)",
    ".omv": "its data exported as CSV (jamovi: Export)",
    ".psydat": "the .csv that PsychoPy saves beside it",
    ".gz": "the file unpacked (gunzip {name})",
    ".zip": "the table in it, unpacked",
    ".json": "it written as CSV (pandas.read_json({name!r}).to_csv({csv!r}, index=False))",
    ".feather": "it written as CSV (pandas.read_feather({name!r}).to_csv({csv!r}, "
    "index=False))",
    ".pkl": "it written as CSV (pandas.read_pickle({name!r}).to_csv({csv!r}, index=False))",
    ".h5": "its table written as CSV (pandas: .to_csv({csv!r}, index=False))",
}
SAME = {".zsav": ".sav", ".rda": ".rdata", ".pickle": ".pkl", ".hdf5": ".h5"}
SAME |= {".jsonl": ".json", ".7z": ".zip"}
SAME |= dict.fromkeys((".edat2", ".edat3", ".emrg", ".emrg2", ".emrg3"), ".edat")
READERS = {".sav": "sav", ".dta": "dta", ".sas7bdat": "sas"}


def how_to_export(path: Path) -> str:
    """The table in text that is expected in place of a file.

    >>> how_to_export(Path("trials.rds"))
    "it written as CSV (R: write.csv(readRDS('trials.rds'), 'trials.csv', row.names = FALSE))"
    >>> how_to_export(Path("trials.abc"))
    '.csv, .tsv, .txt, .dat, .parquet, or a BIDS folder'
    """
    ending = path.suffix.lower()
    ending = SAME.get(ending, ending)
    csv = f"{path.stem}.csv"
    haven = (READERS.get(ending, ""), path.name, csv)
    return EXPORTS.get(ending, READ).format(
        *haven, name=path.name, stem=path.stem, csv=csv
    )

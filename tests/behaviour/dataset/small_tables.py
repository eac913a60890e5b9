"""Small tables as text, read as a user's file is."""

import json
import re
import shlex

import pytest

from pcmodel.behaviour.dataset import (
    Reading,
    find_task,
    load_series,
    with_judgements,
)
from pcmodel.cli import main
from pcmodel.errors import UserError


def load(folder, text, task="binary", judged=(), name="data.csv", **options):
    """The series that a file of this text holds."""
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    options = {k: v for k, v in options.items() if v}
    return load_series(path, with_judgements(find_task(task), judged), **options)


def complaint(folder, text, **options):
    """What is said of a file that is refused."""
    with pytest.raises(UserError) as caught:
        load(folder, text, **options)
    return str(caught.value)


def table(header, *rows):
    """Lines as text."""
    return "\n".join((header, *rows)) + "\n"


def trials(column, cells, *, people=1):
    """A table of one more column."""
    rows = [
        f"p{1 + i * people // len(cells)},{i},{i % 2},{(i + 1) // 2 % 2},{cell}"
        for i, cell in enumerate(cells)
    ]
    return table(f"subject,trial,outcome,response,{column}", *rows)


def options(said):
    """The options that a complaint advises, as a shell would take them: name and value."""
    found = []
    for start in re.finditer(r"\((?=--)", said):
        text = said[start.end() :]
        for end in (i for i, letter in enumerate(text) if letter == ")"):
            try:
                words = shlex.split(text[:end])
            except ValueError:
                continue  # a bracket within quotation marks
            for word, following in zip(words, [*words[1:], ""], strict=True):
                name, _, joined = word.partition("=")
                if name.startswith("--"):
                    found.append((name, joined or following))
            break
    return found


def advised(said):
    """The expressions that a complaint would have after --where."""
    return [a or b for a, b in re.findall(r"--where (?:\"([^\"]*)\"|'([^']*)')", said)]


def check(capsys, path, *options, task="binary"):
    """`pcmodel check`: its exit code, the rows it understood, and what it said."""
    out = path.parent / "out"
    command = ["check", str(path), "--task", task, "--output", str(out), "--overwrite"]
    code = main([*command, *options])
    said, rows = capsys.readouterr(), {}
    if code == 0:
        found = json.loads((out / "check.json").read_text())["understood"]
        rows = {row["what"]: row["said"] for row in found}
    return code, rows, said.err


def both(folder, capsys, text, *options, task="binary", **more):
    """What the Python call and `pcmodel check` say of a refused table: the same."""
    said = complaint(folder, text, task=task, **as_arguments(options), **more)
    code, _, printed = check(capsys, folder / "data.csv", *options, task=task)
    assert code == 2
    # The terminal may break lines.
    assert "".join(said.split()) in "".join(printed.split())
    return said


def follow(folder, capsys, text, *options, task="binary", **more):
    """The series that both doors read with the options, and the rows of `check`."""
    series = load(folder, text, task=task, **as_arguments(options), **more)
    code, rows, said = check(capsys, folder / "data.csv", *options, task=task)
    assert code == 0, said
    assert rows["trials"].startswith(f"{series.present.sum()},")
    return series, rows


def as_arguments(options):
    """Options of the command line as arguments of the call."""
    options = [
        o
        for i, o in enumerate(options)
        if "--formula" not in options[max(i - 1, 0) : i + 1]
    ]
    pairs = [part for o in options for part in (o.split("=", 1) if "--m" in o else [o])]
    said = list(zip(pairs[::2], pairs[1::2], strict=True))

    def words(name):
        texts = [text for key, text in said if key == name]
        return tuple(word for text in texts for word in text.split(","))

    def named(name):
        return dict(text.split("=", 1) for text in words(name))

    codes = [text.split("=", 1) for key, text in said if key == "--codes"]
    reading = Reading(
        where=" and ".join(text for key, text in said if key == "--where"),
        missing=words("--missing"),
        units=named("--units"),
        codes={name: tuple(text.split(",")) for name, text in codes},
    )
    return {
        "reading": reading,
        "columns": named("--columns"),
        "series_by": words("--series"),
        "judged": words("--judgements"),
    }


def pasted(said):
    """The options in brackets of a sentence, as a shell would split them."""
    found = re.findall(r"\((--(?:[^()\"']|\"[^\"]*\"|'[^']*')*)\)", said)
    return [shlex.split(text) for text in found]

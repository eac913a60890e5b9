"""Small tables as text, read as a user's file is."""

import re
import shlex

import pytest

from pcmodel.behaviour.dataset import find_task, load_series, with_judgements
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
            name, _, joined = words[0].partition("=")
            found.append((name, joined or " ".join(words[1:])))
            break
    return found


def advised(said):
    """The expressions that a complaint would have after --where."""
    return [a or b for a, b in re.findall(r"--where (?:\"([^\"]*)\"|'([^']*)')", said)]

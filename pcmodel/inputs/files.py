"""Reading of files of text and JSON, with one sentence for those that cannot be read.

Pipes and folders are refused, and so is JSON that is ambiguous (a key occurs twice) or nested too
deeply.
"""

import json
import os
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError

# Errors of numpy for an archive of arrays that is none, or is damaged.
UNREADABLE_ARCHIVE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    zipfile.BadZipFile,
    NotImplementedError,  # an archive damaged where it names its compression
    TypeError,  # a single array, which numpy does not open as an archive
    AttributeError,  # an empty archive, which it opens as something else
    IndexError,
    MemoryError,  # a header that promises more than there is
    OverflowError,
    RuntimeError,  # an archive that says it is encrypted
    SyntaxError,  # a header that is no dictionary
    tokenize.TokenError,
    zlib.error,
)
Seen = list[tuple[str, Any]]


def why_unreadable(error: Exception) -> str:
    """The reason of an error; numpy's harmful advice, `allow_pickle`, is replaced.

    >>> why_unreadable(ValueError("Cannot load file containing pickled data when allow_pickle=False"))
    'it is no archive of arrays'
    """
    if "pickle" in str(error):
        return "it is no archive of arrays"
    return str(error) or type(error).__name__


def check_file(path: str | os.PathLike) -> Path:
    """The path of a file that can be read; UserError for a missing file, broken link, folder or pipe."""
    path, where = Path(path), shown(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise UserError(
                "is a link to a file that is not there",
                where=where,
                expected="the file itself (`datalad get` or `git annex get` fetches it)",
            ) from None
        raise UserError("there is no such file or folder", where=where) from None
    except (OSError, ValueError) as error:  # too long, a zero byte, no permission
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot be opened ({reason})", where=where) from None
    if stat.S_ISREG(mode):
        return path
    kind = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
    raise UserError(f"is {kind}", where=where, expected="a file")


def shown(path: str | os.PathLike) -> str:
    """A path for a message: printable, and shortened if it is long."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fspath(path))
    return text if len(text) <= 200 else f"{text[:80]}...{text[-40:]}"


def read_bytes(path: str | os.PathLike) -> bytes:
    """The content of a file; UserError where it cannot be read."""
    file = check_file(path)
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", where=shown(path)
        ) from None


def read_text(path: str | os.PathLike) -> str:
    """The text of a file in UTF-8, without a byte-order mark; UserError for other content."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"is not UTF-8 text (byte {error.start})", where=shown(path)
        ) from None


def read_json(path: str | os.PathLike) -> Any:
    """The content of a JSON file; UserError naming the file where it is not valid."""
    return parse_json(read_text(path), where=shown(path))


def parse_json(text: str, *, where: str) -> Any:
    """The content of JSON; UserError for invalid text, a key that occurs twice, or deep nesting."""
    return parsed(
        lambda: json.loads(text, object_pairs_hook=without_doubles), where=where
    )


def parsed(parse: Callable[[], Any], *, where: str, kind: str = "JSON") -> Any:
    """The result of a parser; UserError naming the file for each of its errors."""
    try:
        return parse()
    except UserError as error:
        raise UserError(str(error), where=where) from None
    except RecursionError:
        reason = "it is nested too deeply"
    except Exception as error:  # a parser's own errors are of every class
        reason = " ".join(str(error).split())[:200]
    raise UserError(f"is not {kind} ({reason})", where=where) from None


def without_doubles(pairs: Seen) -> dict[str, Any]:
    """A JSON object's content; UserError for a key that occurs twice, since one would be lost."""
    names = [name for name, _ in pairs]
    found = dict(pairs)
    if len(found) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise UserError(f"has the key {twice!r} twice", expected="each key once")
    return found

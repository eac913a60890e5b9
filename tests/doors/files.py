"""Damaged files of every kind: refused by name, or read as what they were.

A file with a checksum (a network, a checkpoint) must be refused, or give what it gave before; a file without
one may say something else once a byte is changed, but must not end in a traceback.

    python -m tests.doors.files [--rounds 40] [--seed 0]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flax import nnx

import pcmodel
from pcmodel import UserError
from pcmodel.networks.pure import as_model

from .verdicts import NAMED, RAW, RIGHT, WRONG, printed, tally, verdict_of

DEEP = b"[" * 100_000
WHOLE_FILES = (
    b"",
    b"\0",
    b"\xff\xfe",
    DEEP,
    b"{}",
    b"[]",
    b"null",
    b'{"a": 1, "a": 2}',
    b"PK\3\4",
)


class Kind(NamedTuple):
    """A kind of file.

    write: makes a good one.  read: what is had from it.  sealed: whether a checksum covers all of it.
    """

    name: str
    file: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]
    sealed: bool = False


def network_arrays(path: Path) -> Any:
    """The arrays of a saved network."""
    pure = as_model(pcmodel.load(path))
    return pure.weights, pure.log_precisions, pure.model.names, pure.model.is_linear


def write_checkpoint(path: Path) -> None:
    """A checkpoint; the file is its metadata."""
    from pcmodel.record.checkpoints import Checkpoints

    Checkpoints(path.parents[1], {"of": "a test"}).save(
        1, {"x": np.arange(3, dtype=np.float32)}
    )


def read_checkpoint(path: Path) -> Any:
    """Its state."""
    from pcmodel.record.checkpoints import Checkpoints

    store = Checkpoints(path.parents[1], {"of": "a test"})
    return store.restore({"x": np.zeros(3, np.float32)}).state


def write_status(path: Path) -> None:
    """A finished run's status."""
    from pcmodel.record import RunFolder, RunIdentity

    RunFolder.start(path.parent, RunIdentity("a", 1, 0)).finish("complete")


def start_again(path: Path) -> Any:
    """Starting another run there."""
    from pcmodel.record import RunFolder, RunIdentity
    from pcmodel.record.folder import is_complete

    identity = RunIdentity("a", 1, 0)
    is_complete(path.parent, identity)
    RunFolder.start(path.parent, identity, overwrite=True).finish("complete")
    return 0


def _text(words: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(words) and None


def read_table(path: Path) -> Any:
    """A behavioural table."""
    from pcmodel.behaviour.dataset.tables.readers import read_raw

    return len(read_raw(path).columns) and 0


def read_options(path: Path) -> Any:
    """A training plan."""
    from pcmodel.cli.options import configure
    from pcmodel.training.plan import TrainingPlan

    return configure(TrainingPlan, TrainingPlan(), file=path, where=str(path)) and 0


def kinds() -> list[Kind]:
    """Every kind of file that is read."""
    from pcmodel.behaviour.dataset.tables.sidecars import levels_and_units
    from pcmodel.neuromodulation import load_compounds
    from pcmodel.record import read_arrays, write_arrays
    from pcmodel.record.metrics import read_metrics

    from .command_words import TABLE

    net = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
    header = "subject,quantity,value,unit,mark,source\n"
    rows = "mine,half_life,3.0,h,assumed,a test\nmine,volume,100,L,assumed,a test\n"
    plan = {"epochs": 3, "learning": {"rate": 0.1}}
    sidecar = {"response": {"Levels": {"0": "left", "1": "right"}, "Units": "s"}}
    return [
        Kind("network", "n.npz", lambda p: pcmodel.save(net, p), network_arrays, True),
        Kind(
            "checkpoint",
            "c/step_00000001/metadata.json",
            write_checkpoint,
            read_checkpoint,
            True,
        ),
        Kind("status", "r/status.json", write_status, start_again),
        Kind(
            "arrays", "a.npz", lambda p: write_arrays(p, {"x": np.ones(3)}), read_arrays
        ),
        Kind(
            "metrics",
            "m.jsonl",
            _text('{"step": 1, "x": 2}\n{"step": 2}\n'),
            read_metrics,
        ),
        Kind(
            "compounds",
            "d.csv",
            _text(header + rows),
            lambda p: load_compounds(p) and 0,
        ),
        Kind("table", "t.csv", _text(TABLE), read_table),
        Kind("side-car", "s.json", _text(json.dumps(sidecar)), levels_and_units),
        Kind("JSON plan", "p.json", _text(json.dumps(plan)), read_options),
        Kind(
            "YAML plan",
            "p.yaml",
            _text("epochs: 3\nlearning:\n  rate: 0.1\n"),
            read_options,
        ),
    ]


def damages(
    good: bytes, rng: np.random.Generator, rounds: int
) -> Iterator[tuple[str, bytes]]:
    """Bytes changed, lost, doubled and put in; and files of something else."""
    for number, other in enumerate(WHOLE_FILES):
        yield f"other {number}", other
    for turn in range(rounds):
        place = int(rng.integers(len(good)))
        changed = bytearray(good)
        changed[place] ^= int(rng.integers(1, 256))
        yield f"byte {place} changed", bytes(changed)
        yield f"cut at {place}", good[:place]
        end = min(len(good), place + int(rng.integers(1, 60)))
        yield f"{place} to {end} lost", good[:place] + good[end:]
        yield f"{place} to {end} doubled", good[:end] + good[place:]
        if turn % 4 == 0:
            noise = rng.integers(0, 256, 40).astype(np.uint8).tobytes()
            yield f"noise at {place}", good[:place] + noise + good[place:]


def judged(kind: Kind, path: Path, expected: Any) -> tuple[str, str]:
    """The verdict on one damaged file."""
    if kind.sealed:
        return verdict_of(lambda: kind.read(path), right=_numbers(expected))
    try:
        kind.read(path)
    except UserError as error:
        return (NAMED if len(str(error)) < 5000 else WRONG), str(error)[:120]
    except Exception as error:
        return RAW, f"{type(error).__name__}: {str(error)[:120]}"
    return RIGHT, ""  # a file that says something else


def _numbers(tree: Any) -> Any:
    return tree


def results(
    *, rounds: int = 40, seed: int = 0
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every damaged file with its verdict."""
    rng = np.random.default_rng(seed)
    for kind in kinds():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / kind.file
            path.parent.mkdir(parents=True, exist_ok=True)
            kind.write(path)
            good, expected = path.read_bytes(), kind.read(path)
            for what, content in damages(good, rng, rounds):
                path.write_bytes(content)
                yield f"{kind.name}, {what}", judged(kind, path, expected)
            path.unlink()
            path.mkdir()
            yield f"{kind.name}, a folder", judged(kind, path, expected)
    yield from edited(rng)


def edited(rng: np.random.Generator) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a network file says about itself, changed by hand: with a fitting checksum, a format without."""
    from pcmodel.networks.storage.network_file import checksum

    junk = (
        None,
        3,
        -1,
        "x",
        [],
        {},
        [None],
        [[]],
        {"a": {}},
        1e999,
        True,
        ["x"] * 3,
        [0] * 2,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.npz"
        pcmodel.save(pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0)), path)
        with np.load(path) as stored:
            arrays = dict(stored)
        metadata = json.loads(str(arrays["metadata"]))
        expected = network_arrays(path)
        metadata.pop("checksum")
        for key in metadata:
            for value in junk:
                for form in (metadata["format"], 3, None):
                    said = metadata | {key: value}
                    if form is None:
                        said |= {"checksum": checksum(metadata)}  # not signed again
                    else:
                        said = said | ({"format": form} if key != "format" else {})
                        said |= {"checksum": checksum(said)}
                    arrays["metadata"] = np.array(json.dumps(said))
                    np.savez(path, **arrays)
                    word = f"network, {key} = {value!r} (format {form})"
                    if said == metadata | {"checksum": said["checksum"]}:
                        continue
                    lenient = form is not None and key in (
                        "names",
                        "ties",
                        "types",
                        "is_linear",
                    )
                    found = judged(
                        Kind("n", "", print, network_arrays, True), path, expected
                    )
                    if lenient and found[0] == WRONG:
                        found = RIGHT, "signed anew, it is another file"
                    yield word, found


def main() -> int:
    """Print what is neither refused nor right, then the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    counts = tally(
        results(**vars(parser.parse_args())), lambda line: print(line, flush=True)
    )
    print(f"{sum(counts.values())} damaged files: {printed(counts)}")
    return int(set(counts) - {NAMED, RIGHT} != set())


if __name__ == "__main__":
    sys.exit(main())

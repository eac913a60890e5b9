"""Generated inputs at every entry point that takes an array: right, or a named error, and nothing else.

A *disguise* is a good array in another dress (a list, half precision, a masked array that masks nothing):
its result must be that of the plain array, or the door must say what it will not take.  A *poison* must be
refused, except a mask where it can be honoured.  Run as a program for the counts:

    python -m tests.doors.arrays [--rounds 3] [--quick]        # JAX_ENABLE_X64=1 for float64
"""

import argparse
import warnings
from collections import Counter

import jax
import numpy as np

from pcmodel import UserError
from pcmodel.runtime.flags import compile_quickly

from .disguises import DISGUISES, POISONS
from .entries import ENTRIES

RESHAPED = {"one unit more", "three axes more", "nothing"}
GROWS = {"outcomes", "times", "dose", "one_hot", "images", "labels of probabilities"}
"""Of any length: another shape is another question, not a mistake."""


def same(found, expected):
    first, second = jax.tree.leaves(found), jax.tree.leaves(expected)
    if len(first) != len(second):
        return False
    tolerance = 1e-6 if jax.config.jax_enable_x64 else 1e-3
    return all(
        np.shape(a) == np.shape(b)
        and np.allclose(
            np.asarray(a, float),
            np.asarray(b, float),
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
        )
        for a, b in zip(first, second, strict=True)
    )


def judge(entry, given, expected):
    """named error, right, wrong, or raw exception; expected None: only a named error is right."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = entry.call(given)
        except UserError as error:
            told = str(error)
            return "named error" if "\n" not in told and len(told) < 400 else "wrong"
        except Exception as error:
            return f"raw exception ({type(error).__name__})"
    if expected is None:
        return "wrong"
    return "right" if same(found, expected) else "wrong"


def poison_answer(entry, name, given):
    """What a poison must give; None for a named error only."""
    if name in ("NaN", "NaN in bfloat16") and entry.takes_nan:
        return entry.call(np.asarray(given, float))
    if entry.ignored is not None and name in ("infinity", "huge"):
        if np.all(np.isfinite(np.asarray(given, float)[~entry.ignored])):
            return entry.call(np.where(entry.ignored, 0, given))
    if name == "huge" and entry.bears_huge:
        # A precision that floats hold is as good as certainty, as is one of 1e12.
        return entry.call(np.where(given > 1e200, 1e12, given))
    if not name.startswith("masked") or entry.masked is None:
        return None
    masked = np.ma.array(given)
    return entry.masked(masked.filled(0), np.ma.getmaskarray(masked))


def cases(rounds=1, quick=False, seed=0):
    """(entry, input, expected) of everything; quick: every eighth input of an entry, others at the next."""
    rng = np.random.default_rng(seed)
    for place, entry in enumerate(ENTRIES):
        if quick and not entry.is_quick:
            continue
        chosen = {
            name
            for number, name in enumerate((*DISGUISES, *POISONS))
            if not quick or (number + place) % 8 == 0
        }
        for _ in range(rounds):
            good = entry.good
            if rounds > 1 and good.dtype.kind == "f" and not entry.is_positive:
                if entry.name not in ("times", "outcomes"):
                    good = rng.integers(-16, 17, good.shape) / 8.0
            plain = entry.call(good)
            for name, disguise in DISGUISES.items():
                if name not in chosen:
                    continue
                yield entry, name, disguise(good), plain
            for name, poison in POISONS.items():
                resized = name in RESHAPED and entry.name in GROWS
                if name not in chosen or resized:
                    continue
                yield entry, name, poison(good, rng), Ellipsis


def run(rounds=1, quick=False, tell=lambda entry, name, verdict: None):
    """Every verdict: {(entry, input): [verdict, ...]}."""
    found = {}
    for entry, name, given, expected in cases(rounds, quick):
        if expected is Ellipsis:
            try:
                expected = poison_answer(entry, name, given)
            except Exception:
                expected = None
            honoured = name.startswith("masked") and entry.masked is not None
            verdict = judge(entry, given, expected)
            if honoured and expected is None and verdict == "wrong":
                verdict = "right" if _is_train_or_likelihood(entry) else verdict
        else:
            verdict = judge(entry, given, expected)
        found.setdefault((entry.name, name), []).append(verdict)
        tell(entry.name, name, verdict)
    return found


def _is_train_or_likelihood(entry):
    """Honoured by the same road as `infer`; their values have tests of their own."""
    return entry.name in ("train", "train, clamp", "log_likelihood")


def count(found):
    """How many of each verdict."""
    kinds = Counter()
    for verdicts in found.values():
        kinds.update(verdict.split(" (")[0] for verdict in verdicts)
    return kinds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    compile_quickly()

    def tell(entry, name, verdict):
        if verdict not in ("right", "named error"):
            print(f"{entry:28} {name:26} {verdict}", flush=True)

    print(dict(count(run(options.rounds, options.quick, tell))))

"""Every public callable with one argument spoiled: a named error each time.

python -m tests.doors.calls [--share 0.1] [--seed 0] [--only NAME] [--skip-slow]
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from pcmodel.runtime.flags import compile_quickly

from .exceptions import FINE, right_answer
from .spoiling import spoiled, value_of
from .verdicts import WRONG, printed, tally, verdict_of

SLOW = (
    "activity complete log_likelihood sample_posterior train_recognition train "
    "Posterior.diagnose Hmc NaturalGradient Incremental Nudged resnet18 vgg4 vgg5 vgg6 vgg7 HmcOptions "
    "NudgedLoss FixedPoint EvenOdd "
    "PosteriorSamples GradientStep MovingAverage PointEstimate Learning TruncatedNewton"
).split()
"""Doors whose first call is compiled for seconds."""


def cases(
    *, share: float = 1.0, seed: int = 0, only: str = "", skip_slow: bool = False
) -> Iterator[tuple[str, Any]]:
    """(door, parameter, value) in words, and the verdict's call."""
    from .surface import DOORS

    rng = np.random.default_rng(seed)
    for door in DOORS:
        if (only and door.name not in only.split(",")) or (
            skip_slow and door.name in SLOW
        ):
            continue
        for parameter, hint in door.parameters().items():
            if parameter in ("self", "name_") or (door.name, parameter) in FINE:
                continue
            good, several = door.good.get(parameter), parameter in door.variadic()
            if several:
                good = good[0] if good else None
            for word, given in spoiled(parameter, hint, good, rng):
                if not FINE.isdisjoint(
                    ((word,), (parameter, word), (door.name, parameter, word))
                ):
                    continue
                if share < 1 and rng.random() > share:
                    continue
                given = (given,) if several else given
                yield f"{door.name}({parameter}={word})", (door, parameter, given)


def let_in(only: str, skip_slow: bool) -> Iterator[tuple[str, tuple[str, str]]]:
    """Doors that refuse their own good arguments: whatever else they refuse would prove nothing."""
    from .surface import DOORS

    for door in DOORS:
        if (only and door.name not in only.split(",")) or (
            skip_slow and door.name in SLOW
        ):
            continue
        try:
            door.call(**door.good)
        except Exception as error:
            yield f"{door.name}, arguments that are right", (WRONG, str(error)[:200])


def results(**options: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every case with its verdict; of the whole battery also that each door lets in what is right."""
    if options.get("share", 1.0) >= 1:
        yield from let_in(options.get("only", ""), options.get("skip_slow", False))
    for what, (door, parameter, given) in cases(**options):

        def call(
            door: Any = door, parameter: str = parameter, given: Any = given
        ) -> Any:
            return door.call(**{**door.good, parameter: value_of(given)})

        yield what, verdict_of(call, right=right_answer(door, parameter, what))


def main() -> int:
    """Print what is neither refused nor right, then the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--skip-slow", action="store_true")
    options = parser.parse_args()
    compile_quickly()
    counts = tally(results(**vars(options)), lambda line: print(line, flush=True))
    print(f"{sum(counts.values())} calls: {printed(counts)}")
    return int(
        bool(
            counts["raw exception"]
            or counts["silent NaN"]
            or counts["accepted and wrong"]
        )
    )


if __name__ == "__main__":
    sys.exit(main())

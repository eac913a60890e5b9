"""Which tests stay out of the default run, from a run that told their durations.

    make test ARGS="-m 'not gpu' --durations=0 --durations-min=0.3" > LOG
    python tools/long_tests.py LOG > tests/long_tests.txt

Of a test in several variants the quickest one stays, and every one that takes less than `VARIANT` seconds; a test without
variants stays if it takes less than `ALONE`. Pages, notebooks and draws of wrong inputs all stay.
"""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

VARIANT, ALONE = 2.0, 6.0
LINE = re.compile(r"([\d.]+)s call +(tests/\S+\.py)::(.*\S)")


def durations(log: str) -> dict[str, Counter]:
    """Seconds of every variant, by test, without fixtures: they may serve others too."""
    found: dict[str, Counter] = defaultdict(Counter)
    for seconds, file, name in LINE.findall(log):
        if not file.endswith("test_docs.py") and not file.startswith("tests/doors/"):
            found[f"{file}::{name.split('[')[0]}"][name] += float(seconds)
    return found


def long_tests(found: dict[str, Counter]) -> list[str]:
    """Node ids, sorted."""
    names = []
    for test, variants in found.items():
        file = test.split("::", 1)[0]
        most = VARIANT if any("[" in name for name in variants) else ALONE
        _, *others = sorted(variants, key=lambda name: variants[name])
        tried = others if most == VARIANT else list(variants)
        names += [f"{file}::{name}" for name in tried if variants[name] > most]
    return sorted(names)


if __name__ == "__main__":
    print("\n".join(long_tests(durations(Path(sys.argv[1]).read_text("utf-8")))))

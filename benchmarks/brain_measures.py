"""How long do all brain measures of one person take, with and without the global signal?

400 regions of 2,000 samples were promised in five seconds. Fair: surrogates and partitions are drawn and counted with the
rest, nothing is kept from call to call; seconds of the processor are beside those of the clock, since other work on the
machine lengthens the latter alone.
"""

import time

import jax
import numpy as np
from asking import parser_of
from timing import interleaved, write

from pcmodel.brain.measures import measure_person

SIZES = {"90 regions": (90, 200), "400 regions": (400, 2000)}
NETWORKS = 7
PROMISED = 5.0


def recording(regions: int, times: int) -> tuple[np.ndarray, list[int]]:
    """Slow series of which networks share some, and the network of each region."""
    rng = np.random.default_rng(0)
    labels = np.sort(np.arange(regions) % NETWORKS)
    series = rng.standard_normal((regions, times))
    series += 0.7 * rng.standard_normal((NETWORKS, times))[labels]
    for t in range(1, times):
        series[:, t] += 0.6 * series[:, t - 1]
    return series, labels.tolist()


def main() -> None:
    """Time each size; write the result."""
    options = parser_of(__doc__).parse_args()
    sizes = {"20 regions": (20, 60)} if options.smoke else SIZES
    rounds = 1 if options.smoke else 5
    calls, busy = {}, {}
    for name, (regions, times) in sizes.items():
        series, labels = recording(regions, times)

        def call(name=name, series=series, labels=labels):
            start = time.process_time()
            found = measure_person(series, labels, key=jax.random.key(0))
            busy.setdefault(name, []).append(time.process_time() - start)
            return found.plain.correlation

        calls[name] = call
    timed = interleaved(calls, rounds)
    cases = []
    for name, seconds in timed.items():
        regions, times = sizes[name]
        processor = float(np.median(busy[name][1:]))
        case = {"regions": regions, "times": times, "seconds": seconds}
        cases.append(case | {"processor_seconds": processor})
        print(
            f"{name} x {times}: {seconds['median']:.2f} s "
            f"({seconds['lower_quartile']:.2f}-{seconds['upper_quartile']:.2f}), "
            f"{processor:.2f} s of the processor"
        )
    settings = {"rounds": rounds, "promised_seconds": PROMISED}
    print(
        write("brain_measures", {"settings": settings, "cases": cases}, options.output)
    )


if __name__ == "__main__":
    main()

"""How long does a cohort take in all arms of a protocol, and how does it grow with people and days?

Preparing (people, luck, what the drugs do to them, the plasticity window) and following (every event of every person in
every arm: modulation, attribution, exact inference, a learning step, passing time) are timed apart, each with its first
call, which compiles. 1,000 people in six arms over twelve weeks within 120 s on two cores, compiling included, was
promised. Fair: nothing is kept from call to call but compiled programs.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
from asking import parser_of
from timing import interleaved, write

from pcmodel.sessions.cohort import Study, follow, prepare
from pcmodel.sessions.protocol.load import load_protocol

ARMS = (
    "drug_and_therapy",
    "therapy_alone",
    "drug_alone",
    "untreated",
    "active_placebo",
    "no_integration",
)


def shortened(protocol, days: int):
    """The protocol until an earlier day."""
    kept = tuple(day for day in protocol.follow_up_days if day <= days)
    event = protocol.adverse_event
    if event is not None and event.day >= days:
        event = None
    return replace(protocol, length=days, follow_up_days=kept, adverse_event=event)


def main() -> None:
    """Time each size; write the result."""
    options = parser_of(__doc__).parse_args()
    whole = load_protocol("psilocybin_depression")
    sizes = [(250, 84), (500, 84), (1000, 84), (1000, 28)]
    if options.smoke:
        sizes = [(2, 20)]
    rounds = 1 if options.smoke else 3
    calls: dict[str, Callable[[], Any]] = {}
    made: dict[tuple[int, int], Study] = {}
    for people, days in sizes:
        protocol = shortened(whole, days)

        def make(protocol=protocol, people=people, days=days):
            made[people, days] = prepare(
                protocol, num_people=people, key=jax.random.key(0), arms=ARMS
            )
            return made[people, days].treatment

        def run(people=people, days=days):
            return follow(made[people, days]).belief

        calls[f"prepare {people} {days}"] = make
        calls[f"follow {people} {days}"] = run
    timed = interleaved(calls, rounds)
    cases = []
    for name, seconds in timed.items():
        stage, *size = name.split()
        people, days = map(int, size)
        number = people * len(ARMS) * len(made[people, days].course.day)
        rate = number / seconds["median"]
        cases.append(
            {
                "stage": stage,
                "people": people,
                "arms": len(ARMS),
                "days": days,
                "events": number,
                "seconds": seconds,
                "events_per_second": rate,
            }
        )
        print(
            f"{stage:<8} {people:>5} x {len(ARMS)} arms x {days} days: {seconds['median']:.2f} s "
            f"({seconds['lower_quartile']:.2f}-{seconds['upper_quartile']:.2f}), "
            f"first call {seconds['first_call']:.1f} s"
        )
    settings = {"rounds": rounds, "promised_seconds": 120}
    result = {"settings": settings, "cases": cases}
    print(write("cohort_simulation", result, options.output))


if __name__ == "__main__":
    main()

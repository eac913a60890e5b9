"""How long do ten thousand simulated participants take over twelve hours of one compound?

From drawing the participants to plasma, occupancy, effect and blood pressure, every five minutes. Fair: drawing
is timed with the rest, nothing is kept from call to call, and the whole result is made and waited for.
Compiling is apart (`first_call`). A bound of ten seconds on two cores was promised.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from asking import parser_of
from timing import interleaved, write

from pcmodel.neuromodulation import (
    Dose,
    draw_participants,
    load_compounds,
    regimen,
    simulate,
    typical,
    vital_signs,
)

LIBRARY = load_compounds()
DOSES = {"psilocybin": 25.0, "LSD": 0.1, "MDMA": 125.0}


@partial(jax.jit, static_argnames="people")
def whole_course(doses, times, person, key, *, people: int):
    """Course and vital signs of freshly drawn participants."""

    def one(person):
        course = simulate(doses, times, person)
        return course, vital_signs(course, times, person)

    return jax.vmap(one)(draw_participants(person, key, people))


def main() -> None:
    """Time each compound; write the result."""
    parser = parser_of(__doc__)
    options = parser.parse_args()
    people, rounds = (50, 1) if options.smoke else (10_000, 5)
    times = jnp.asarray(np.linspace(0, 12, 145))
    calls = {}
    for name, mg in DOSES.items():
        doses = regimen(Dose(name, mg), library=LIBRARY)
        person = typical(LIBRARY, name)
        calls[name] = partial(
            whole_course, doses, times, person, jax.random.key(0), people=people
        )
    timed = interleaved(calls, rounds)
    cases = [
        {
            "compound": name,
            "mg": DOSES[name],
            "participants": people,
            "hours": 12,
            "times": len(times),
            "seconds": seconds,
            "participants_per_second": people / seconds["median"],
        }
        for name, seconds in timed.items()
    ]
    for case in cases:
        seconds = case["seconds"]
        print(
            f"{case['compound']:<11} {people} x 12 h: {seconds['median']:.2f} s "
            f"({seconds['lower_quartile']:.2f}-{seconds['upper_quartile']:.2f}), "
            f"first call {seconds['first_call']:.1f} s"
        )
    settings = {"rounds": rounds, "promised_seconds": 10}
    print(
        write("dose_simulation", {"settings": settings, "cases": cases}, options.output)
    )


if __name__ == "__main__":
    main()

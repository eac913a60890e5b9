"""What the generator holds to be wrong and is not, each with its reason."""

from typing import Any

FINE: set[tuple[str, ...]] = {
    # Honoured where data are clamped; the battery of arrays compares the answers.
    ("masked (array)",),
    ("masked, NaN below (array)",),
    ("masked rows in a list (array)",),
    # A residual branch may be subtracted.
    *(("Residual", "scale", f"{number:g}") for number in (-1e6, -1.0, -1e-9)),
    # What one draw has no number for is that observation's answer, and counted as untrusted.
    *(
        ("psis_loo", "log_likelihood", f"{word} (array)")
        for word in ("NaN", "infinity", "NaN in bfloat16", "huge", "one unit more")
    ),
    # Another label, which leaves a network of one region: NaN with its reason.
    *(
        (door, "networks", f"{word} at [{place}]")
        for door in (
            "network_coupling",
            "modularity_of",
            "participation",
            "measure_person",
        )
        for word in ("a word", "a number in text", "3", "a number too large for floats")
        for place in range(5)
    ),
    # One sample, region or tone more is as good; one of 1e300 is scaled away, or told as the mean that it is.
    *(
        (door, name, "one unit more (array)")
        for door, name in (
            ("respond", "tones"),
            ("correlations", "series"),
            ("regress_global_signal", "series"),
            ("measure_person", "series"),
            ("lempel_ziv", "series"),
        )
    ),
    *(
        (door, name, "huge (array)")
        for door, name in (
            ("transfer_entropy", "source"),
            ("transfer_entropy", "target"),
            ("paired_statistics", "a"),
            ("paired_statistics", "b"),
            ("regress_global_signal", "series"),
        )
    ),
    # Symbols may be any letters and numbers.
    *(
        ("lempel_ziv_count", "symbols", word)
        for word in (
            "a list of words",
            "an array of words",
            "infinity (array)",
            "huge (array)",
            "words (array)",
            "one unit more (array)",
        )
    ),
    # Missing.
    *(
        ("make_trials", name, f"{word} (array)")
        for name in ("outcome", "report", "helicopter", "push")
        for word in ("NaN", "NaN in bfloat16")
    ),
}


def right_answer(door: Any, parameter: str, what: str) -> Any:
    """What an input that may be accepted must give; None where it may not."""
    del door, parameter, what
    return None

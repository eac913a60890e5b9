"""Files of series for the tests of reading and of the command line."""

import numpy as np
from brain_series import smooth_series


def write_series(path, series, names=None, *, separator=None):
    """A table, a row a time; `series` is (regions, times)."""
    mark = separator or ("\t" if path.suffix == ".tsv" else ",")
    lines = [mark.join(names)] if names else []
    lines += [mark.join(repr(float(v)) for v in row) for row in np.asarray(series).T]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def write_study(folder, *, people=4, regions=6, times=40, weaker=0.3):
    """BIDS derivatives of two sessions, in the second of which networks share less; and their labels."""
    names = [f"R{place}" for place in range(regions)]
    labels = ["net" + "ab"[place % 2] for place in range(regions)]
    for person in range(people):
        for session, share in (("placebo", 1.5), ("drug", weaker)):
            seed = 10 * person + len(session)
            series = smooth_series(regions, times, seed=seed, share=0.5)
            own = np.random.default_rng(seed + 1).standard_normal((2, times)) * share
            series = series + own[[place % 2 for place in range(regions)]]
            name = f"sub-{person + 1:02d}_ses-{session}_task-rest_timeseries.tsv"
            write_series(folder / f"sub-{person + 1:02d}" / name, series, names)
    table = folder / "labels.csv"
    rows = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    table.write_text("\n".join(["region,network", *rows[::-1]]) + "\n")
    return table

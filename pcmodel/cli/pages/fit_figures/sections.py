"""The sections of a fit's page that show its pictures."""

from typing import Any

from pcmodel.report import Panel, Section

REAL_LINE = "on the scale of formulas"


def draw_pictures(pictures: Any, *, refused: bool) -> dict[str, Any]:
    """By name the figures; those of estimates only where they are not refused."""
    from pcmodel.cli.pages.fit_figures.forest import draw_forest
    from pcmodel.cli.pages.fit_figures.learning_curves import draw_curves, is_empty
    from pcmodel.cli.pages.fit_figures.mixing import draw_chains, draw_pairs
    from pcmodel.cli.pages.fit_figures.trajectories import draw_trajectories

    found = {}
    if not is_empty(pictures.curves):
        found["learning_curves"] = draw_curves(pictures.curves)
    if pictures.forests and not refused:
        found["people"] = draw_forest(pictures.forests)
    if pictures.trajectories:
        found["beliefs"] = draw_trajectories(pictures.trajectories)
    if pictures.mixing is not None:
        found["chains"] = draw_chains(pictures.mixing)
        if len(pictures.mixing.names) > 1:
            found["pairs"] = draw_pairs(pictures.mixing)
    return found


def picture_sections(pictures: Any, *, refused: bool) -> tuple[Section, ...]:
    """The sections, with captions that say what is drawn."""
    found = []
    curves = pictures.curves
    if any(curve.place.size for curve in curves.curves):
        found.append(
            _section(
                "Learning curves",
                f"The {curves.what}, along {curves.along}s: data (marks), and what the posterior predicts for the "
                "same people and trials (line: median; band: middle 90 %).",
                ("learning_curves", "Data within or outside of the band."),
            )
        )
    if pictures.forests and not refused:
        found.append(
            _section(
                "People",
                "Each person's parameters on their natural scale: posterior means and 95 % intervals, over the "
                "person's sessions. Vertical line and band: the average of these people.",
                ("people", "Intervals of every person."),
            )
        )
    if pictures.trajectories:
        found.append(
            _section(
                "Beliefs",
                "Posterior medians and 95 % bands for people spread over the data set; outcomes as ticks.",
                ("beliefs", "Belief and log precision by level."),
            )
        )
    if pictures.mixing is not None:
        panels = [("chains", "Traces and ranks.")]
        if len(pictures.mixing.names) > 1:
            panels.append(("pairs", "Pairs."))
        found.append(
            _section(
                "Mixing of the chains",
                f"The numbers of the group that mix worst, {REAL_LINE}; diverging transitions are crosses.",
                *panels,
            )
        )
    return tuple(found)


def _section(title: str, caption: str, *panels: tuple[str, str]) -> Section:
    return Section(title, (), tuple(Panel(name, caption, alt) for name, alt in panels))

"""Every trial of every person, in the order of the user's table: what the model believed, predicted and learned.

Each quantity is computed for draws of the posterior, evenly spaced over all chains, and summarised by its mean and
central 95 % interval over them. A trial without an outcome or response keeps what is known of it.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, with_held
from pcmodel.behaviour.models.interface import (
    Course,
    ParticipantModel,
    Values,
    WithTrialQuantities,
)
from pcmodel.behaviour.outputs.participants import ENDS
from pcmodel.behaviour.outputs.table import (
    TRUSTED,
    Column,
    OutputTable,
    make_table,
    users_columns,
)
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import series_values, thin
from pcmodel.behaviour.sampling.map_estimates import QUICK
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count

DRAWS = 400
MEMORY = 128 * 2**20  # bytes of quantities at once
SUMMARIES = (
    ("", "posterior mean over {n} draws"),
    ("_low", "lower end of the 95 % interval"),
    ("_high", "upper end of the 95 % interval"),
)

Summary = dict[Quantity, Float[np.ndarray, "3 series trials"]]


@checked_arguments
def trials(posterior: Posterior, *, num_draws: Count = DRAWS) -> OutputTable:
    """One row a trial; see the module.

    num_draws: of the posterior, at most; all where there are fewer.
    """
    hierarchy = posterior.hierarchy
    sites = thin(posterior, num_draws)
    summary = summarise_trials(hierarchy, sites)
    origin = hierarchy.origin
    place = _in_order(origin.row)
    drawn = len(next(iter(sites.values())))
    found = [
        (
            Column(
                f"{quantity.name}{end}", quantity.unit, _about(quantity, text, drawn)
            ),
            rows[place],
        )
        for quantity, values in summary.items()
        for (end, text), rows in zip(SUMMARIES, values, strict=True)
    ]
    trusted = np.full(len(place[0]), not posterior.complaints)
    found = [(TRUSTED, trusted), *found]
    cells = {name: own[place] for name, own in origin.columns.items()}
    return make_table(
        [*users_columns(cells, [column.name for column, _ in found]), *found]
    )


def _about(quantity: Quantity, text: str, num_draws: int) -> str:
    level = quantity.level
    of = f"level {level}" if level.isdigit() else level
    return f"{quantity.about} ({of}); {text.format(n=num_draws)}"


def _in_order(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Series and trial of each row of the table, in its order."""
    series, trial = np.nonzero(row >= 0)
    order = np.argsort(row[series, trial], kind="stable")
    return series[order], trial[order]


def summarise_trials(hierarchy: Hierarchy, sites: dict[str, np.ndarray]) -> Summary:
    """Mean and ends of the 95 % interval of each quantity over draws; NaN where a draw has none.

    sites: draws of every site, (draws, ...).
    """
    values = {
        name: np.asarray(own) for name, own in with_held_draws(hierarchy, sites).items()
    }
    names = quantities_of(hierarchy)
    draws = len(next(iter(values.values())))
    shape = hierarchy.origin.row.shape
    cost = 8 * max(1, draws * shape[1] * len(names))
    step = int(np.clip(MEMORY // cost, 1, shape[0]))
    run = _compiled(hierarchy.model, tuple(names))
    found = {name: np.full((3, *shape), np.nan) for name in names}
    for start in range(0, shape[0], step):
        picks = np.minimum(np.arange(start, start + step), shape[0] - 1)
        own = {name: jnp.asarray(each[:, picks]) for name, each in values.items()}
        data = jax.tree.map(lambda leaf: jnp.asarray(leaf)[picks], hierarchy.data)  # noqa: B023
        kept = picks[: shape[0] - start]
        for name, each in zip(names, run(own, data), strict=True):
            every = np.asarray(each)[:, : len(kept)]
            with np.errstate(all="ignore"):
                ends = np.quantile(every, ENDS, axis=0)
                found[name][:, kept] = np.stack([every.mean(axis=0), *ends])
    return found


def with_held_draws(
    hierarchy: Hierarchy, sites: dict[str, np.ndarray]
) -> dict[str, Float[np.ndarray, "draws series"]]:
    """By name every parameter of every series and draw, those that were held fixed included."""
    values = series_values(hierarchy, sites)
    size = len(next(iter(sites.values())))
    held = with_held(hierarchy, {})
    return {
        **{name: np.asarray(own) for name, own in values.items()},
        **{n: np.broadcast_to(np.asarray(v), (size, len(v))) for n, v in held.items()},
    }


def quantities_of(hierarchy: Hierarchy) -> list[Quantity]:
    """The quantities that a model has of its data, in their order."""
    names: list[Quantity] = []

    def one(values: Values, data: Any) -> None:
        names.extend(told(hierarchy.model, values, data))

    values = {p.name: jnp.zeros(()) for p in hierarchy.model.parameters}
    first = jax.tree.map(lambda leaf: jnp.asarray(leaf)[0], hierarchy.data)
    jax.eval_shape(one, values, first)
    return names


def told(model: ParticipantModel, values: Values, data: Any) -> Quantities:
    """The quantities of one series; of a model that does not say, its beliefs."""
    if isinstance(model, WithTrialQuantities):
        return model.trial_quantities(values, data)
    return _of_course(model.course(values, data))


def _of_course(course: Course) -> Quantities:
    found: Quantities = {}
    rows = [("belief", "mean of the belief", course.mean)]
    precision = tuple(jnp.exp(own) for own in course.log_precision)
    rows.append(("belief_precision", "precision of the belief", precision))
    for name, about, levels in rows:
        for place, values in enumerate(levels):
            level = str(place + 1)
            arms = values[:, None] if values.ndim == 1 else values
            for arm, own in enumerate(arms.T):
                end = f"_option{arm + 1}" if values.ndim > 1 else ""
                title = f"{name}_level{level}{end}"
                found[Quantity(title, level, "", f"{about} after the trial")] = own
    return found


def _compiled(model: ParticipantModel, names: tuple[Quantity, ...]) -> Any:
    """From parameters (draws, series) and data of some series to each quantity (draws, series, trials)."""

    def one(data: Any, own: dict[str, Array]) -> list[Array]:
        each = jax.vmap(partial(told, model))(own, data)
        return [each[name] for name in names]

    return jax.jit(
        lambda values, data: jax.lax.map(partial(one, data), values),
        compiler_options=QUICK,
    )

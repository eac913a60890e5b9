"""Which quantities a model tells on each trial, without a table: those of simulated trials."""

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models.catalogue import TaskFacts, find_model
from pcmodel.behaviour.outputs.trials import quantities_of
from pcmodel.behaviour.responses import Scale
from pcmodel.behaviour.studies.simulate import make_up

LABELS = "level", "unit", "meaning"
TRIALS, ANY_SCALE = 4, Scale(0.0, 10.0)


def quantity_rows(task: str, model: str) -> list[tuple[str, str, str, str]]:
    """Name, level, unit and meaning of each quantity; UserError for names that do not exist."""
    found = find_model(task, model, TaskFacts(scale=ANY_SCALE))
    series = make_up(task, num_participants=1, num_trials=TRIALS)
    hierarchy = build_hierarchy(found, series, pooled=True)
    return [
        (own.name, own.level, own.unit, own.about) for own in quantities_of(hierarchy)
    ]

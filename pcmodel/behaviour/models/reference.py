"""What there is to fit, in words: tasks, their columns, models and parameters.

Everything is read from the tasks' columns and the models' parameters themselves, for `pcmodel models` and for
the page docs/tasks-and-models.md.
"""

from collections.abc import Iterable, Iterator, Sequence

from pcmodel.behaviour.dataset.schema import (
    IDENTIFIERS,
    JUDGEMENTS,
    TASKS,
    Column,
    Identifier,
    Task,
    find_task,
)
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.models.catalogue import (
    ANY_SCALE,
    MODELS,
    TaskFacts,
    find_model,
    find_parameters,
)
from pcmodel.behaviour.models.judged import has_precision, judgement_parameters

Row = tuple[str, ...]
Said = tuple[tuple[str, str], ...]  # label and text
TASK_HEADER = ("task", "what happens", "models")
COLUMN_HEADER = ("column", "what stands in it", "values", "also called")
MODEL_HEADER = ("model", "what it assumes", "source")
TINY = 1e-6  # the least number of a column of positive ones
VALUES = {
    "number": "numbers",
    "integer": "whole numbers from 1, or words",
    "binary": "two values; the larger (yes, true, win) is 1",
    "flag": "0/1, yes/no, true/false",
}


def task_rows() -> tuple[Row, ...]:
    """The tasks: name, what happens on a trial, models."""
    return tuple((t.name, t.about, ", ".join(MODELS[t.name])) for t in TASKS.values())


def column_rows(task: Task) -> tuple[Row, ...]:
    """The columns of a task's table: name, what stands in it, values, other usual names."""
    judged = () if task.timed else tuple(JUDGEMENTS.values())
    return (
        *(_identifier(own, is_timed=task.timed) for own in IDENTIFIERS),
        *(_column(column, "may be absent") for column in task.columns),
        *(
            _column(column, f"read with --judgements {column.name}")
            for column in judged
        ),
    )


def model_rows(task: str) -> tuple[Row, ...]:
    """The models of a task: name, what it assumes, source."""
    return tuple((name, own.about, own.source) for name, own in MODELS[task].items())


def example_table(task: Task) -> tuple[Row, ...]:
    """A small table that can be read as it is: its header, then its rows."""
    columns = [own for own in (*IDENTIFIERS, *task.columns) if own.examples]
    cells = zip(*(own.examples for own in columns), strict=True)
    return (tuple(own.name for own in columns), *cells)


def parameter_rows(task: str, model: str) -> tuple[tuple[str, Said], ...]:
    """Each parameter of a model, then those that judgements add, with what is said of it.

    UserError that lists what there is, for an unknown task or model.
    """
    find_task(task)
    rows = [(p.name, _said(p)) for p in find_parameters(task, model)]
    return tuple(rows + _judged_rows(task, model))


def _judged_rows(task: str, model: str) -> list[tuple[str, Said]]:
    """The parameters that judgements add to the model; none where it has no precision to be judged."""
    if not has_precision(find_model(task, model, TaskFacts(scale=ANY_SCALE))):
        return []
    return [
        (p.name, (*_said(p), ("only with", f"--judgements {judgement}")))
        for judgement in JUDGEMENTS
        for p in judgement_parameters([judgement])
    ]


def _identifier(own: Identifier, *, is_timed: bool) -> Row:
    about = own.timed if is_timed and own.timed else own.about
    about = f"{about}; may be absent" if own.optional else about
    others = [name for name in own.names if name != own.name]
    return (own.name, about, "labels or numbers", ", ".join(others))


def _column(own: Column, note: str) -> Row:
    told = own.optional or own.name in JUDGEMENTS
    about = f"{own.about}; {note}" if told else own.about
    if not own.complete and not told:
        about += "; n/a where there is none"
    return (own.name, about, _values(own), ", ".join(own.names))


def _values(own: Column) -> str:
    words = VALUES[own.kind]
    if own.kind != "number" or own.low is None:
        return words
    if own.high is None and 0.0 < own.low <= TINY:
        return f"{words} above 0"
    end = "up" if own.high is None else f"to {own.high:g}"
    return f"{words}, {own.low:g} {end}"


def _said(own: Parameter) -> Said:
    """What is said of a parameter: label and text."""
    rows = [("meaning", own.about), ("prior", _prior(own))]
    low_high = own.natural_prior()
    unit = f" ({own.unit})" if own.unit else ""
    if own.natural:
        middle, low, high = (f"{number:.3g}" for number in low_high)
        text = f"{own.formula()}: median {middle}, 95 % {low} to {high}{unit}"
        if not own.free:
            text = f"{own.formula()}: {middle}{unit}"
        rows.append(("natural scale", text))
    elif own.unit:
        rows.append(("unit", own.unit))
    if own.published:
        rows.append(("published as", own.published))
    if own.names:
        rows.append(("also called", ", ".join(own.names)))
    return tuple(rows)


def _prior(own: Parameter) -> str:
    normal = f"Normal({own.mean:.4g}, {own.sd:.4g})"
    if not own.free:
        return f"fixed at {own.mean:.4g}; where a formula names it {normal}"
    if own.spread:
        return f"{normal}; SD between people HalfNormal({own.spread:.4g})"
    return f"{normal}; the same in all people unless a formula says otherwise"


INTRODUCTION = """# Tasks, columns, models and parameters

This page is printed by `pcmodel models --markdown`; of one task or model, `pcmodel models TASK` and
`pcmodel models TASK MODEL` say the same. Names of columns are recognised in any case and punctuation: `subjID` is
`subj_id` and `SUBJ ID`. `pcmodel check` says which column was taken for what; another name is given as
`--columns participant=NAME`.

Parameters are fitted on the real line, on which their priors are normal; SDs are given, not variances. The interval of
the natural scale is that of the prior of the average person: the transforms are increasing, so that quantiles go over
into quantiles, and means do not.

```python
from pcmodel.behaviour.models.catalogue import find_parameters

rate = find_parameters("bandit", "rescorla_wagner")[0]
print(rate.formula(), rate.natural_prior(), rate.to_natural(-1.0))
assert rate.natural_name == "learning_rate" and 0.268 < rate.to_natural(-1.0) < 0.269
```
"""


def reference_page() -> str:
    """Everything as one page of Markdown."""
    return "\n".join([INTRODUCTION, *_table(TASK_HEADER, task_rows()), *_tasks()])


def _tasks() -> Iterator[str]:
    for task in TASKS.values():
        yield from ("", f"## {task.name}", "", f"{_capital(task.about)}.", "")
        yield from _table(COLUMN_HEADER, column_rows(task))
        yield from ("", "For example", "", "```")
        yield from (",".join(row) for row in example_table(task))
        yield from ("```", "")
        yield from _table(MODEL_HEADER, model_rows(task.name))
        yield from _parameters(task.name)


def _parameters(task: str) -> Iterator[str]:
    """Each parameter of the task once, with the models that have it as it is."""
    shared: dict[tuple[str, Said], list[str]] = {}
    for model in MODELS[task]:
        for own in parameter_rows(task, model):
            shared.setdefault(own, []).append(model)
    yield ""
    for (name, said), models in shared.items():
        yield f"- `{name}` of {', '.join(models)}"
        yield from (f"    - {label}: {_shown(text)}" for label, text in said)


def _table(header: Row, rows: Iterable[Row]) -> Iterator[str]:
    yield _line(header)
    yield _line(["---"] * len(header))
    yield from (_line([f"`{row[0]}`", *map(_shown, row[1:])]) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(text: str) -> str:
    """Text that ends no cell of a table."""
    return text.replace("|", "\\|")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

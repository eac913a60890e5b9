"""`pcmodel list`, `pcmodel protocols` and `pcmodel models`: what the package has of each."""

import argparse

from pcmodel.cli import terminal
from pcmodel.cli.catalogue import catalogue
from pcmodel.cli.commands.command import Command, Given
from pcmodel.errors import UserError


def print_experiments(given: Given) -> int:
    """Print the table of experiments, read without running any."""
    terminal.print_catalogue(catalogue())
    return 0


def add_protocol_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel protocols`."""
    parser.add_argument(
        "protocol",
        metavar="NAME",
        nargs="?",
        help="prints this one, to begin your own from; a .yaml file of yours is checked",
    )


def print_protocols(given: Given) -> int:
    """Print the table of protocols, the text of a shipped one, or what was understood of a user's own."""
    from pcmodel.sessions.protocol.read import read_protocol
    from pcmodel.sessions.protocol.shipped import shipped_protocols

    name, known = given.arguments.protocol, shipped_protocols()
    if name is None:
        terminal.print_protocols([read_protocol(each).protocol for each in known])
        return 0
    read = read_protocol(name)
    if name in known:
        print(read.text, end="")
        return 0
    from pcmodel.sessions.protocol.load import check_doses
    from pcmodel.sessions.protocol.summary import course, groups

    check_doses(read)
    terminal.print_protocol(course(read.protocol), groups(read.protocol))
    return 0


def add_models_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel models`."""
    add = parser.add_argument
    add("task", metavar="TASK", nargs="?", help="its columns, an example and models")
    add("model", metavar="MODEL", nargs="?", help="its parameters and their priors")
    add("--markdown", action="store_true", help="all tasks and models, as one page")


def print_models(given: Given) -> int:
    """Print the tasks, one task's columns and models, or one model's parameters; UserError for other names."""
    from pcmodel.behaviour.dataset import find_task
    from pcmodel.behaviour.models import reference

    task, model = given.arguments.task, given.arguments.model
    if given.arguments.markdown:
        if task is not None:
            raise UserError(
                "prints all tasks", where="--markdown", expected="no task beside it"
            )
        print(reference.reference_page())
    elif task is None:
        terminal.print_rows(reference.TASK_HEADER, reference.task_rows())
    elif model is not None:
        from pcmodel.behaviour.outputs.reference import LABELS, quantity_rows

        terminal.print_entries(reference.parameter_rows(task, model))
        print("\nOn each trial (trials.csv of a fit)")
        terminal.print_entries(
            (name, list(zip(LABELS, said, strict=True)))
            for name, *said in quantity_rows(task, model)
        )
    else:
        found = find_task(task)
        _, *labels = reference.COLUMN_HEADER
        terminal.print_entries(
            (name, [pair for pair in zip(labels, said, strict=True) if pair[1]])
            for name, *said in reference.column_rows(found)
        )
        print("\nFor example")
        terminal.print_lines(",".join(row) for row in reference.example_table(found))
        terminal.print_rows(reference.MODEL_HEADER, reference.model_rows(task))
    return 0


LIST = Command(
    name="list",
    help="the experiments, their questions and times",
    add_arguments=lambda parser: None,
    carry_out=print_experiments,
    page="experiments/README.md",
)

PROTOCOLS = Command(
    name="protocols",
    help="courses of treatment that are shipped; prints one, or checks your own",
    add_arguments=add_protocol_arguments,
    carry_out=print_protocols,
    description="List the protocols that `pcmodel run therapy --protocol` and `pcmodel power` take, print one "
    "of them, or check a file of your own and say what was understood.",
    page="docs/sessions.md",
)

MODELS = Command(
    name="models",
    help="tasks with their columns, models with their parameters and priors",
    add_arguments=add_models_arguments,
    carry_out=print_models,
    description="Say what `pcmodel fit` can fit: all tasks; with TASK the columns of its table, an example of one and "
    "its models; with MODEL each parameter, its prior, its natural scale and its published name.",
    page="docs/tasks-and-models.md",
)

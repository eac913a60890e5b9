"""The page of a training run: learning curves, evaluation of the network, and speed."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.cli.pages.out_of_distribution_images import (
    REFERENCES,
    detections_of,
    foreign_of,
    foreign_section,
    laplace_of,
)
from pcmodel.cli.pages.train_panels import picture, training_panels
from pcmodel.report import Report, Section, Table
from pcmodel.training.plan import TrainingPlan

MEASURES = (
    "energy",
    "residual",
    "converged",
    "acceptance",
    "train_accuracy",
    "validation_accuracy",
    "validation_negative_log_likelihood",
)


class Outcome(NamedTuple):
    """Content of arrays.npz; fields over chunks have one entry for each chunk.

    steps: batches done, over chunks.
    epochs: passes through the training images, over chunks.
    seconds: time of each chunk.
    curves: each of `MEASURES` over chunks; NaN where it was not measured.
    level_energies: (chunks, levels), nats.
    log_precisions: (chunks, levels), mean of each level.
    validation: `Evaluation` on the validation images.
    test: `Evaluation` on the test images.
    test_labels: true labels of the test images.
    foreign: free energies of test and out-of-distribution images; None for a classifier.
    laplace: diagnostics of the Laplace posteriors of some test images; None for a classifier.
    """

    steps: np.ndarray
    epochs: np.ndarray
    seconds: np.ndarray
    curves: dict[str, np.ndarray]
    level_energies: np.ndarray
    log_precisions: np.ndarray
    validation: Any
    test: Any
    test_labels: np.ndarray
    foreign: Any
    laplace: Any


class TrainingSummary(NamedTuple):
    """Content of result.json; errors are binomial standard errors of accuracies.

    num_test: number of test images.
    test_negative_log_likelihood: nats an image.
    test_calibration_error: expected calibration error of a classifier.
    seconds_per_epoch: without compilation.
    gauge: what fixes the scale of hidden levels.
    stopped_early: whether training ended before its last step.
    reason: why it did.
    resumed_from: step of the checkpoint that it was resumed from.
    foreign: detection of each kind of out-of-distribution images; empty for a classifier.
    precisions_settled: whether each learned precision was stationary at the end, by level.
    """

    validation_accuracy: float
    validation_error: float
    test_accuracy: float
    test_error: float
    num_test: int
    test_negative_log_likelihood: float
    test_calibration_error: float
    best_validation_accuracy: float
    seconds_per_epoch: float
    images_per_second: float
    num_parameters: int
    gauge: str
    stopped_early: bool
    reason: str
    resumed_from: int | None
    foreign: dict[str, Any]
    precisions_settled: dict[str, bool]


class TrainPage:
    """The page of a run; keeps the run for the steps of recording it."""

    def take(self, run: Any) -> Outcome:
        """Keep the run, and return its arrays."""
        self._run, rows = run, run.rows
        levels = len(run.network.widths)
        return Outcome(
            _column(rows, "step"),
            _column(rows, "epoch"),
            _column(rows, "seconds"),
            {name: _column(rows, name) for name in MEASURES},
            _column(rows, "level_energies", levels),
            _column(rows, "log_precisions", levels),
            run.validation,
            run.test,
            np.asarray(run.split.test.labels),
            foreign_of(run),
            laplace_of(run),
        )

    def analyse(self, plan: TrainingPlan, outcome: Outcome) -> TrainingSummary:
        """The summary of a run."""
        from pcmodel.training.evaluation.speed import num_parameters, steady_speed

        speed = steady_speed(self._run.rows)
        images = len(self._run.split.train.images)
        measured = outcome.curves["validation_accuracy"]
        known = measured[np.isfinite(measured)]
        validation, test = outcome.validation, outcome.test
        return TrainingSummary(
            validation.accuracy,
            validation.standard_error,
            test.accuracy,
            test.standard_error,
            test.num,
            test.negative_log_likelihood,
            _calibration_error(plan, outcome),
            float(known.max()) if len(known) else float("nan"),
            images / speed,
            speed,
            num_parameters(self._run.network),
            self._run.gauge,
            self._run.stopped_early,
            self._run.reason,
            self._run.resumed_from,
            detections_of(outcome.foreign),
            self._settled(plan, outcome),
        )

    def _settled(self, plan: TrainingPlan, outcome: Outcome) -> dict[str, bool]:
        """Whether each learned precision was stationary at the end, by level."""
        from pcmodel.training.evaluation.settled import settled_levels

        if not plan.learning.precision_rate > 0:
            return {}
        return settled_levels(self._run.network.names, outcome.log_precisions)

    def plot(
        self, plan: TrainingPlan, outcome: Outcome, summary: TrainingSummary
    ) -> dict[str, Any]:
        """Learning curves, learned precisions, and generated images."""
        if not len(outcome.steps):
            return {}
        figures = {"learning": _draw_learning(plan, outcome)}
        if picture(self._run.network.names):
            figures["hierarchy"] = _draw_hierarchy(self._run.network)
        if plan.learning.precision_rate > 0:
            figures["precisions"] = _draw_precisions(outcome, self._run.network.names)
        if plan.network.direction == "generate":
            figures["images"] = _draw_images(self._run)
        else:
            figures["reliability"] = _draw_reliability(outcome)
        return figures

    def report(
        self, plan: TrainingPlan, outcome: Outcome, summary: TrainingSummary
    ) -> Report:
        """The page."""
        panels = training_panels(plan) if len(outcome.steps) else ()
        return Report(
            title=f"Training: {plan.network.builder} on {plan.data.name}",
            question=plan.question,
            answer=_answer(plan, summary),
            key_panel=panels[0] if panels else None,
            sections=(
                Section("Numbers", panels=panels[1:], tables=(_numbers(summary),)),
                *foreign_section(outcome.foreign, summary.foreign, outcome.laplace),
                Section(
                    "Settings",
                    panels=picture(self._run.network.names) if panels else (),
                    tables=(_settings(plan),),
                ),
            ),
            assumptions=(
                "Accuracies are shares of right answers; their errors are binomial standard errors, "
                "which say nothing about another seed.",
                f"Gauge: {summary.gauge}.",
            ),
            limitations=_limitations(plan),
            references=REFERENCES if summary.foreign else (),
        )


def _column(rows: list[dict[str, Any]], name: str, width: int = 0) -> np.ndarray:
    missing = [np.nan] * width if width else np.nan
    values = [row.get(name, missing) for row in rows]
    return np.asarray(values, float).reshape((-1, width) if width else -1)


def _draw_learning(plan: TrainingPlan, outcome: Outcome) -> Any:
    """Learning curves; a classifier's energy is shown without level energies of its images, which are clamped."""
    from pcmodel.report.style import COLOURS, new_figure

    figure, (left, right) = new_figure(1, 2)
    energies = outcome.level_energies
    if plan.network.direction == "classify":
        energies = energies[:, :-1]
    left.plot(outcome.epochs, energies.sum(axis=1), color=COLOURS["blue"])
    left.set(xlabel="epoch", ylabel="energy per example (nats)", title="Energy")
    for part, colour in (("train", "sky"), ("validation", "orange")):
        values = outcome.curves[f"{part}_accuracy"]
        at = np.isfinite(values)
        right.plot(
            outcome.epochs[at],
            values[at],
            "o-" if at.sum() < 30 else "-",
            color=COLOURS[colour],
            label=part,
        )
    right.set(xlabel="epoch", ylabel="share right", title="Accuracy")
    right.legend()
    return figure


def _draw_hierarchy(network: Any) -> Any:
    from pcmodel.report.hierarchy import hierarchy_figure

    return hierarchy_figure(network)


def _draw_precisions(outcome: Outcome, names: tuple[str, ...]) -> Any:
    from pcmodel.report.style import level_colours, new_figure

    figure, axes = new_figure()
    values = outcome.log_precisions
    for level, colour in enumerate(level_colours(len(names))):
        if np.isfinite(values[:, level]).any():
            axes.plot(
                outcome.epochs, values[:, level], color=colour, label=names[level]
            )
    axes.set(xlabel="epoch", ylabel="log-precision")
    axes.legend()
    return figure


def _draw_images(run: Any) -> Any:
    """The predicted image of each label, and below it an image drawn from the network."""
    from pcmodel.report.images import image_grid
    from pcmodel.training.evaluation.generated_images import drawn_images, label_images

    images = label_images(run.network, run.split)
    drawn = drawn_images(run.network, run.split)
    return image_grid(
        np.concatenate([images, drawn]),
        2,
        len(images),
        [str(label) for label in range(len(images))],
        row_titles=("mean", "draw"),
    )


def _draw_reliability(outcome: Outcome) -> Any:
    from pcmodel.calibration import reliability
    from pcmodel.report.reliability import reliability_figure

    shares = _probabilities(outcome)
    return reliability_figure({"test images": reliability(shares, outcome.test_labels)})


def _probabilities(outcome: Outcome) -> np.ndarray:
    shares = np.exp(np.asarray(outcome.test.scores, float))
    return shares / shares.sum(axis=1, keepdims=True)


def _calibration_error(plan: TrainingPlan, outcome: Outcome) -> float:
    from pcmodel.calibration import expected_calibration_error

    if plan.network.direction == "generate":
        return float("nan")
    return expected_calibration_error(_probabilities(outcome), outcome.test_labels)


def _answer(plan: TrainingPlan, summary: TrainingSummary) -> str:
    said = (
        f"**{_percent(summary.test_accuracy, summary.test_error)}** of {summary.num_test} "
        f"test images of {plan.data.name} are named correctly."
    )
    if summary.stopped_early:
        said += f" **Learning ended early:** {summary.reason}"
    return said


def _percent(share: float, error: float) -> str:
    return f"{100 * share:.2f} ± {100 * error:.2f} %"


def _numbers(summary: TrainingSummary) -> Table:
    rows = [
        ("Test accuracy", _percent(summary.test_accuracy, summary.test_error)),
        (
            "Validation accuracy",
            _percent(summary.validation_accuracy, summary.validation_error),
        ),
        ("Best validation accuracy", f"{100 * summary.best_validation_accuracy:.2f} %"),
        ("Time per epoch", f"{summary.seconds_per_epoch:.3g} s"),
        ("Speed", f"{summary.images_per_second:.0f} images/s"),
        ("Parameters", f"{summary.num_parameters:,}"),
    ]
    if np.isfinite(summary.test_negative_log_likelihood):
        error = f"{100 * summary.test_calibration_error:.2f} %"
        rows.insert(1, ("Expected calibration error", error))
        rows.insert(
            1,
            (
                "Test negative log-likelihood",
                f"{summary.test_negative_log_likelihood:.4f} nats",
            ),
        )
    if summary.precisions_settled:
        moving = [n for n, still in summary.precisions_settled.items() if not still]
        told = f"not yet of {', '.join(moving)}" if moving else "all"
        rows.append(("Learned precisions settled", told))
    if summary.resumed_from is not None:
        rows.append(("Gone on from step", str(summary.resumed_from)))
    caption = (
        "Surprise: mean -log probability of the true label. Time and speed: of the median chunk, "
        "without compiling and measuring. Settled: a precision would move by less than 5 % if learning went on "
        "for as long again; it has no standard error, the weights being learned with it."
    )
    return Table(("What", "Value"), rows, caption)


def _settings(plan: TrainingPlan) -> Table:
    from pcmodel.cli.options import field_types

    rows = []
    for name in field_types(TrainingPlan):
        value: Any = plan
        for part in name.split("."):
            value = getattr(value, part)
        if name != "question":
            rows.append((name, str(value)))
    return Table(("Option", "Value"), rows, "Everything in config.json.")


def _limitations(plan: TrainingPlan) -> tuple[str, ...]:
    newton = plan.learning.e_step.solver in ("newton", "gauss_newton")
    if plan.learning.rule == "em" and newton:
        return (
            "Inference by conjugate gradients is not local: the objective is predictive coding's, the "
            "algorithm is no model of a circuit.",
        )
    return ()

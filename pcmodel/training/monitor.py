"""Measures, writes and saves between two chunks.

Where several processes share a run every one measures, and only the first writes.
"""

import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from pcmodel.learning.em import LearningState
from pcmodel.learning.loop import Chunk, level_diagonal
from pcmodel.learning.metrics import Log, flat_metrics
from pcmodel.networks.pure import as_model
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.record.metrics import MetricsLog, TensorBoardLog
from pcmodel.record.strict_json import to_jsonable
from pcmodel.training.evaluation.evaluate import evaluate
from pcmodel.training.examples import some_of
from pcmodel.training.setup import TrainingSetup, network_of

METRICS, TENSORBOARD = "metrics.jsonl", "tensorboard"
WATCHED = 1000
"""Images of each set, drawn once, on which the accuracy is measured during training."""

Row = dict[str, Any]


class Monitor:
    """Records the measurements of every chunk and saves checkpoints.

    step: the first step of this process.
    """

    def __init__(
        self,
        setting: TrainingSetup,
        folder: Path | None,
        store: Checkpoints | None,
        *,
        step: int,
        tensorboard: bool,
        log: Log | None = None,
    ):
        self._setting = setting
        self._tell = log if jax.process_index() == 0 else None
        self._logs: list[MetricsLog | TensorBoardLog] = []
        self.rows: list[Row] = []
        self._store = store if jax.process_index() == 0 else None
        if folder is not None and jax.process_index() == 0:
            written = MetricsLog(folder / METRICS)
            self.rows = written.resume(step if step else -1)
            self._logs = [written]
            if tensorboard:
                self._logs.append(TensorBoardLog(folder / TENSORBOARD))
        self._best = max(_accuracies(self.rows), default=0.0)
        self._saved = time.perf_counter()

    def record(self, chunk: Chunk) -> str:
        """Record one chunk; returns the text beside the progress bar."""
        row = self._row(chunk)
        self.rows.append(row)
        for written in self._logs:
            written.append(row)
        if self._store is not None:
            self._save(self._store, row, chunk.state)
        if self._tell is not None:
            self._tell(self._numbers(chunk, row))
        known = _accuracies(self.rows)
        accuracy = f", accuracy {known[-1]:.3f}" if known else ""
        speed = f"{row['images_per_second']:.0f} images/s"
        return f"energy {row['energy']:.4g}{accuracy}, {speed}"

    def _row(self, chunk: Chunk) -> Row:
        step, info = self._setting.step_of(chunk.position), chunk.info
        row = {
            "step": step,
            "epoch": step / self._setting.batches,
            "energy": float(info.energy),
            "level_energies": np.asarray(info.level_energies).tolist(),
            "residual": float(info.residual),
            "converged": float(info.converged),
            "acceptance": float(info.acceptance),
            "log_precisions": _log_precisions(chunk.state),
            "seconds": round(chunk.seconds, 4),
            "images_per_second": round(chunk.examples / chunk.seconds, 1),
        }
        at_end = chunk.position.batch == 0
        row |= self._measure(chunk.state) if at_end else {}
        return to_jsonable(row)  # as a resumed run reads it back

    def _numbers(self, chunk: Chunk, row: Row) -> dict[str, float]:
        """The numbers of a row by flat names."""
        single = {
            n: float(value)
            for n, value in row.items()
            if isinstance(value, int | float)
        }
        names = self._setting.structure.model.names
        return flat_metrics(names, chunk.info, chunk.state.log_precisions, **single)

    def _measure(self, state: LearningState) -> Row:
        network = as_model(network_of(self._setting, state))
        split, preparation = self._setting.split, self._setting.preparation
        train, held_out = (
            evaluate(network, some_of(each, WATCHED), preparation)
            for each in (split.train, split.validation)
        )
        return {
            "train_accuracy": train.accuracy,
            "validation_accuracy": held_out.accuracy,
            "validation_negative_log_likelihood": held_out.negative_log_likelihood,
        }

    def _save(self, store: Checkpoints, row: Row, state: LearningState) -> None:
        accuracy = row.get("validation_accuracy")
        is_best = accuracy is not None and accuracy > self._best
        waited = time.perf_counter() - self._saved
        is_due = waited >= self._setting.plan.checkpoint_every
        if is_best or is_due or row["step"] == self._setting.num_steps:
            store.save(row["step"], state, metric=accuracy)
            self._saved = time.perf_counter()
        if is_best:
            self._best = accuracy


def _accuracies(rows: list[Row]) -> list[float]:
    return [row["validation_accuracy"] for row in rows if "validation_accuracy" in row]


def _log_precisions(state: LearningState) -> list[float | None]:
    """Mean log-precision of each level, None for one without."""
    return [
        None if value is None else float(np.mean(np.asarray(level_diagonal(value))))
        for value in state.log_precisions
    ]

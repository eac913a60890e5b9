"""`run_training`: from a plan to a trained network, with checkpoints and metrics.

Between two chunks the loop measures, checks that all values are finite, and saves.  Killed at any moment
and started again with the same arguments, a run resumes from its last checkpoint and gives the same
bits, on the same machine and versions.
"""

from pathlib import Path
from typing import Any, NamedTuple

import jax

from pcmodel.data.images import ImageData
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.learning.em import Learning, LearningState
from pcmodel.learning.loop import Chunk, learn
from pcmodel.learning.metrics import Log
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.networks.storage.network_file import save
from pcmodel.record.checkpoints import Checkpoints
from pcmodel.runtime.matmul_precision import matrix_products
from pcmodel.runtime.progress import Progress, Stage
from pcmodel.training.evaluation.evaluate import Evaluation, evaluate
from pcmodel.training.examples import Preparation, Split
from pcmodel.training.monitor import Monitor
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.setup import TrainingSetup, identity_of, network_of, prepare
from pcmodel.training.sharding import replicate

CHECKPOINTS, NETWORK = "checkpoints", "network.npz"


class TrainingRun(NamedTuple):
    """A trained network with its metrics and evaluations.

    network: after the last step (or the last one whose energy was checked to be finite).
    split: the images it was trained and evaluated on.
    preparation: how examples become levels.
    rows: the measurements after every chunk, as in metrics.jsonl.
    validation: evaluation on the validation images.
    test: evaluation on the test images.
    gauge: a sentence on what fixes the scale of hidden levels.
    stopped_early: whether a non-finite energy or network ended training.
    resumed_from: the step of the checkpoint that this process started from; None for a whole run.
    reason: a sentence on why training ended early; empty if it did not.
    """

    network: Network
    split: Split
    preparation: Preparation
    rows: list[dict[str, Any]]
    validation: Evaluation
    test: Evaluation
    gauge: str
    stopped_early: bool
    resumed_from: int | None
    reason: str = ""


class Begun(NamedTuple):
    """The state that a process starts from.

    state: as learned so far.
    step: number of batches that led to it.
    """

    state: LearningState
    step: int


@checked_arguments
def run_training(
    plan: TrainingPlan,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    data: ImageData | None = None,
    network: Network | None = None,
    learning: Learning | None = None,
    log: Log | None = None,
    from_step: int | None = None,
    any_version: bool = False,
    tensorboard: bool = False,
    progress: Progress | None = None,
) -> TrainingRun:
    """Train a network by a plan and evaluate it on held-out images.

    folder: for checkpoints/, metrics.jsonl and network.npz; an interrupted run in it is resumed. None
        writes nothing.
    data: images in place of those that the plan names.
    network: a network of one's own in place of the plan's, whose `network.direction` says which end is the image: level 0
        is the label of a classifier, one-hot, and the image of a generator, in the order row, column, channel.
    learning: learning options of one's own in place of the plan's; of these a resumed run notices no change.
    log: called after every chunk with its numbers as floats by name, such as "step", "epoch", "energy/<level>" and, at
        the end of an epoch, "validation_accuracy"; of several processes only the first calls it.
    from_step: resume from the checkpoint of this step and delete later ones, for when the newest is
        damaged.
    any_version: accept a checkpoint written by other versions.
    tensorboard: also write TensorBoard files.
    Raises UserError for a run that is not possible: images that cannot be found, more devices than there
    are, a checkpoint of another run, a folder that cannot be written.
    """
    progress = progress or Progress(silent=True)
    place = None if folder is None else Path(folder)
    with matrix_products(plan.dtype):
        setting = prepare(plan, seed, data, network=network, learning=learning)
        store = _store(place, setting, any_version)
        begun = _begin(setting, store, from_step)
        monitor = Monitor(
            setting, place, store, step=begun.step, tensorboard=tensorboard, log=log
        )
        with progress.stage("training", setting.num_steps) as stage:
            state, reason = _learn(setting, begun, monitor, stage)
        trained = network_of(setting, state)
        if place is not None and jax.process_index() == 0:
            save(trained, place / NETWORK)
        with progress.stage("evaluation"):
            validation, test = (
                evaluate(as_model(trained), part, setting.preparation)
                for part in (setting.split.validation, setting.split.test)
            )
    return TrainingRun(
        trained,
        setting.split,
        setting.preparation,
        monitor.rows,
        validation,
        test,
        setting.learning.gauge.told(setting.structure.model, *setting.state[:2]),
        bool(reason),
        begun.step or None,
        reason,
    )


def _store(
    folder: Path | None, setting: TrainingSetup, any_version: bool
) -> Checkpoints | None:
    if folder is None:
        return None
    identity = identity_of(setting)
    return Checkpoints(folder / CHECKPOINTS, identity, any_version=any_version)


def _begin(
    setting: TrainingSetup, store: Checkpoints | None, from_step: int | None
) -> Begun:
    """The newest checkpoint, or that of `from_step`; the initial state where there is none."""
    if store is None or (from_step is None and not store.steps()):
        return Begun(setting.state, 0)
    restored = store.restore(setting.state, from_step)
    if jax.process_index() == 0:
        store.discard_after(restored.step)
    return Begun(replicate(restored.state, setting.sharding), restored.step)


def _learn(
    setting: TrainingSetup, begun: Begun, monitor: Monitor, stage: Stage
) -> tuple[LearningState, str]:
    plan = setting.plan
    done = begun.step
    stage.advance(done)

    def on_chunk(chunk: Chunk) -> None:
        nonlocal done
        step = setting.step_of(chunk.position)
        stage.advance(step - done, monitor.record(chunk))
        done = step

    state, curve = learn(
        setting.structure,
        setting.state.weights,
        setting.state.log_precisions,
        setting.examples,
        setting.key,
        learning=setting.learning,
        num_epochs=plan.epochs,
        batch_size=plan.batch_size,
        prepare=setting.preparation,
        chunks_per_epoch=-(-setting.batches // plan.chunk),
        resume=(begun.state, setting.position_of(begun.step)),
        on_chunk=on_chunk,
        sharding=setting.sharding,
    )
    return state, curve.reason

"""One-line sabotages of the source, each of which some test must notice.

    python tests/mutants.py            # all of them, a line each
    python tests/mutants.py "drop"     # those whose name contains a word

The package is copied with its tests to a temporary folder, one line is changed there,
and the fast tests it should upset are run until one fails.  A sabotage that survives
means that a result could be wrong in that way with a green suite.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Mutant(NamedTuple):
    """In `file`, `old` (occurring once) becomes `new`; then `tests` should fail."""

    name: str
    file: str
    old: str
    new: str
    tests: str


ENERGY = "tests/model/test_energy.py"
THEOREMS = "tests/inference/test_theorems.py"
CALIBRATION = "tests/test_calibration.py"
DISTANCE = "tests/inference/certificates/test_certified_distance.py"
LEVELS = "tests/model/test_level_energies.py"
COMPETITION = "tests/neuromodulation/test_competition.py"
TIMELINE = "tests/sessions/test_timeline.py"
PLANNING = "tests/sessions/planning/test_power.py"

MUTANTS = (
    Mutant(
        "flip the prediction's sign in the error",
        "model/energy.py",
        "error = whiten(own, latents[run.first] - prediction)",
        "error = whiten(own, latents[run.first] + prediction)",
        ENERGY,
    ),
    Mutant(
        "drop the half of the energy",
        "inference/whitened.py",
        "value = 0.5 * (jnp.sum(whitened**2) + jnp.sum(unrolled.rows**2))",
        "value = jnp.sum(whitened**2) + jnp.sum(unrolled.rows**2)",
        ENERGY,
    ),
    Mutant(
        "drop the log determinant",
        "model/precision.py",
        "return 0.5 * (width * LOG_TWO_PI - log_det(factor))",
        "return 0.5 * (width * LOG_TWO_PI)",
        ENERGY,
    ),
    Mutant(
        "forget exp",
        "model/precision.py",
        "return root_gain * jnp.exp(0.5 * jnp.broadcast_to(log_precision, (width,)))",
        "return root_gain * (1 + 0.5 * jnp.broadcast_to(log_precision, (width,)))",
        ENERGY,
    ),
    Mutant(
        "clamp the wrong end",
        "api/posing/clamps.py",
        "observation = {0: observation}",
        "observation = {-1: observation}",
        ENERGY,
    ),
    Mutant(
        "leave the data's noise out of posterior samples",
        "inference/posterior.py",
        "rhs += linear.pull(jax.random.normal(output_key, shape, whitened.dtype))",
        "rhs += 0 * linear.pull(jax.random.normal(output_key, shape, whitened.dtype))",
        "tests/inference/test_posterior.py -k discrete_posteriors",
    ),
    Mutant(
        "relax the wrong level",
        "model/modulation.py",
        "resolved[level] = gain\n",
        "resolved[level - 1] = gain\n",
        THEOREMS,
    ),
    Mutant(
        "drop the coupling of a partly clamped level",
        "inference/whitened.py",
        "whitened = whitened - parts.coupling.T @ error",
        "whitened = whitened - 0 * parts.coupling.T @ error",
        ENERGY,
    ),
    Mutant(
        "accept steps that raise the energy",
        "inference/solvers/sufficient_decrease.py",
        "falls = difference <= jnp.maximum(ARMIJO * length * slope, unseen)",
        "falls = difference < jnp.inf",
        "tests/inference/solvers/test_gauss_newton.py -k never_rises",
    ),
    Mutant(
        "forget what secant steps learned",
        "inference/solvers/lbfgs.py",
        "vector = vector - weight * pair.change",
        "vector = vector - 0 * weight * pair.change",
        "tests/inference/solvers/test_lbfgs.py",
    ),
    Mutant(
        "take the wrong corner for the top's marginal belief",
        "model/energy.py",
        "else whole[part, part]",
        "else whole[: part.stop - part.start, : part.stop - part.start]",
        "tests/inference/test_beliefs_and_filters.py -k gaussians_they_are",
    ),
    Mutant(
        "learn from point estimates",
        "learning/e_step.py",
        "latents = jax.vmap(lambda z: unroll(problem, z).latents)(draws)",
        "latents = jax.vmap(lambda z: unroll(problem, mode.whitened).latents)(draws)",
        "tests/inference/test_expectation.py",
    ),
    Mutant(
        "forget the drift between trials",
        "model/belief.py",
        "return Belief.from_covariance(mean, covariance + noise, self.levels)",
        "return Belief.from_covariance(mean, covariance, self.levels)",
        "tests/model/test_belief.py",
    ),
    Mutant(
        "leave the likelihood untempered by its gain",
        "model/likelihood.py",
        "return gain * (jax.nn.softplus(logits) - data * logits)",
        "return gain**0 * (jax.nn.softplus(logits) - data * logits)",
        ENERGY,
    ),
    Mutant(
        "differentiate with the curvature's sign wrong",
        "inference/implicit_derivatives.py",
        "return columns * refined(",
        "return -columns * refined(",
        "tests/inference/test_gradients.py -k tanh",
    ),
    Mutant(
        "scramble the colours of an image",
        "data/cifar.py",
        "planes.transpose(0, 2, 3, 1)",
        "planes.reshape(-1, SIDE, SIDE, NUM_CHANNELS)",
        "tests/data/test_images.py -k cifar",
    ),
    Mutant(
        "believe a damaged archive",
        "data/cifar.py",
        "while file.read(1 << 20):",
        "while False:",
        "tests/data/test_images.py -k archive",
    ),
    Mutant(
        "shift images the other way",
        "data/augment.py",
        "start = max_shift - shift",
        "start = max_shift + shift",
        "tests/data/test_augment.py",
    ),
    Mutant(
        "count units as if they were independent",
        "calibration.py",
        "error = inside.std(axis=1, ddof=1) / np.sqrt(inside.shape[1])",
        "error = inside.std(axis=1, ddof=1) / np.sqrt(inside.shape[1] * true.shape[1])",
        CALIBRATION,
    ),
    Mutant(
        "let a boast in one bin make up for doubt in another",
        "calibration.py",
        "gap = np.abs(bins.accuracy - bins.confidence)",
        "gap = bins.accuracy - bins.confidence",
        CALIBRATION,
    ),
    Mutant(
        "accept every trajectory",
        "inference/hmc.py",
        "accepted = jax.random.uniform(accept_key, (), acceptance.dtype) < acceptance",
        "accepted = acceptance >= 0",
        "tests/inference/test_hmc.py -k skewed",
    ),
    Mutant(
        "take the noise of draws for information",
        "learning/precisions/fisher_information.py",
        'same = jnp.einsum("bsi,bsj->ij", spread, spread)',
        "same = 0 * products",
        "tests/learning/precisions/test_natural_gradient.py -k inflated",
    ),
    Mutant(
        "leave the latents below out of the non-centred score",
        "learning/precisions/scores.py",
        "return 0.5 * row_log_det(changed) - objective(changed, whitened)",
        "return 0.5 * row_log_det(changed) - objective(problem, whitened)",
        "tests/learning/precisions/test_natural_gradient.py -k likelihood_s_gradient",
    ),
    Mutant(
        "forget the volume of the annealed coordinates",
        "inference/ais.py",
        "value = log_mean + log_root_det(around) + log_constant(problem, around.mean)",
        "value = log_mean + log_constant(problem, around.mean)",
        "tests/inference/test_ais.py -k linear",
    ),
    Mutant(
        "count a belief's energy at its last level",
        "model/energy.py",
        "terms = terms.at[levels[0]].add(own)",
        "terms = terms.at[levels[-1]].add(own)",
        LEVELS,
    ),
    Mutant(
        "temper the data that were seen by the gains of the first units",
        "model/discrete_energy.py",
        "return take(gain, problem.structure.clamped_units(level))",
        "return gain[: len(problem.structure.clamped_units(level))]",
        LEVELS,
    ),
    Mutant(
        "halve the stochastic log determinant",
        "inference/linear/lanczos.py",
        "return size * jnp.sum(",
        "return 0.5 * size * jnp.sum(",
        "tests/inference/linear/test_lanczos.py",
    ),
    Mutant(
        "keep a rejected momentum as it was",
        "inference/hmc.py",
        "stay = start._replace(momentum=-momentum)",
        "stay = start._replace(momentum=momentum)",
        "tests/inference/test_rejections.py",
    ),
    Mutant(
        "certify at a hundredth of the distance",
        "inference/certificates/newton_decrement.py",
        "residual = jnp.sqrt(bound**2 + digit**2)",
        "residual = 0.01 * jnp.sqrt(bound**2 + digit**2)",
        DISTANCE,
    ),
    Mutant(
        "certify at a hundred times the tolerance",
        "inference/certificates/newton_decrement.py",
        "residual <= jnp.maximum(tolerance, rounding)",
        "residual <= jnp.maximum(100 * tolerance, rounding)",
        DISTANCE,
    ),
    Mutant(
        "ignore plasticity in gradient steps on precisions",
        "learning/precisions/m_step.py",
        "return value + factor * jnp.asarray(changes[level])",
        "return value + jnp.asarray(changes[level])",
        "tests/learning/test_plasticity.py",
    ),
    Mutant(
        "leave serotonin's efficacy out of rest",
        "neuromodulation/course.py",
        "rest = serotonin_efficacy * at_rest / (1 + at_rest)",
        "rest = at_rest / (1 + at_rest)",
        COMPETITION,
    ),
    Mutant(
        "let blockers share a channel",
        "neuromodulation/body.py",
        "blocked = block / (1 + jnp.sum(block, axis=0))[None]",
        "blocked = block / (1 + block)",
        COMPETITION,
    ),
    Mutant(
        "let blockers block more than there is",
        "neuromodulation/course.py",
        "blocked / (1 + blocked),",
        "blocked,",
        COMPETITION,
    ),
    Mutant(
        "let a harmful setting say what the bad news denies",
        "sessions/timeline.py",
        "mean = -abs(mean)",
        "mean = -mean",
        TIMELINE,
    ),
    Mutant(
        "give the whole alliance in every moment of a session",
        "sessions/timeline.py",
        "1.0 - (1.0 - whole) ** (1.0 / event.session.moments)",
        "whole",
        TIMELINE,
    ),
    Mutant(
        "put doses on the clock of days",
        "sessions/timeline.py",
        "at = 24.0 * held.begins + amount.hour",
        "at = held.begins + amount.hour",
        TIMELINE,
    ),
    Mutant(
        "predict people from their own half of the pool",
        "sessions/planning/rivals.py",
        "people, others = [even, odd], [odd, even]",
        "people, others = [even, odd], [even, odd]",
        PLANNING,
    ),
    Mutant(
        "forget the error of the first reading",
        "sessions/planning/likelihood.py",
        "(np.eye(days) + np.ones((days, days)))",
        "np.eye(days)",
        PLANNING,
    ),
)


def survives(mutant: Mutant) -> str:
    """Empty when a test fails under the sabotage; else why nothing was caught."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("pcmodel", "tests"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, copy / part, ignore=ignore)
        shutil.copy(ROOT / "pyproject.toml", copy)
        source = copy / "pcmodel" / mutant.file
        text = source.read_text("utf-8")
        if text.count(mutant.old) != 1:
            return f"the line to sabotage occurs {text.count(mutant.old)} times"
        source.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        files, _, expression = mutant.tests.partition(" -k ")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-m", "not gpu"]  # the slow tests are asked as well
        command += [*files.split(), *(("-k", expression) if expression else ())]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        run = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True
        )
    if run.returncode == 1 and "Error" in run.stdout:
        return ""
    return f"pytest ended with code {run.returncode}: {run.stdout[-300:]}"


def main(words: list[str]) -> int:
    """Run the chosen sabotages; the number that survived."""
    survivors = 0
    for mutant in MUTANTS:
        if any(word not in mutant.name for word in words):
            continue
        reason = survives(mutant)
        survivors += bool(reason)
        print(
            f"{'SURVIVED' if reason else 'caught  '} {mutant.name} {reason}", flush=True
        )
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

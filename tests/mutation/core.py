"""Which files are the core, and which of their lines are not worth a sabotage, with the reason."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

CORE = (
    "model/energy.py",
    "model/precision.py",
    "model/belief.py",
    "model/problem.py",
    "model/likelihood.py",
    "model/modulation.py",
    "model/generative.py",
    "model/linalg.py",
    "inference/activity.py",
    "api/posterior.py",
    "api/activity.py",
    "inference/**/*.py",
    "learning/**/*.py",
    "neuromodulation/accounts/accounts.py",
    "neuromodulation/accounts/compatibility.py",
    "neuromodulation/body.py",
    "neuromodulation/course.py",
    "neuromodulation/pharmacology/exchange.py",
    "neuromodulation/pharmacology/kinetics.py",
    "neuromodulation/accounts/maps.py",
    "neuromodulation/participant.py",
    "neuromodulation/pharmacology/pools.py",
    "neuromodulation/pharmacology/receptors.py",
    "neuromodulation/pharmacology/transducer.py",
    "paradigms/*.py",
    "behaviour/perception/*.py",
    "behaviour/responses/*.py",
)


class Equal(NamedTuple):
    """A line of `file` that contains `text`: whatever stands there, the answers are equal.

    changes: the only ones of which that is true, each "before -> after"; empty: all of them.
    """

    file: str
    text: str
    reason: str
    changes: tuple[str, ...] = ()


KEYS = "independent keys are alike: which of them draws what changes no distribution"
WORDS = "chooses the words of a message, no number"
COST = "chooses between direct solves of one system by their cost: equal answers"
MASKED = "stands in the branch that a mask discards, to keep derivatives finite"
ONE_UNIT = "a tuple or vector of one entry, whose first is its last"

TUNING = (
    "how soon something is tried, or how exactly: another value takes more steps or "
    "fewer, to the same answer"
)

EQUAL_BY_DESIGN = (
    Equal(
        "behaviour/perception/volatility.py",
        "u = jnp.where(log_z > 1.0, jnp.log(jnp.maximum(log_z, 1.0)), log_z)",
        "where Newton starts, to the right of the root either way",
        ("1.0 -> 0.5",),
    ),
    Equal(
        "inference/posterior.py",
        "lambda row: pull(row)[0]",
        ONE_UNIT,
        ("pull(row)[0] -> pull(row)[-1]", "0 -> -1"),
    ),
    Equal(
        "learning/optimisers.py",
        "return None, 0",
        "which layer of no stack is not looked at",
        ("0 -> 1", "0 -> -1"),
    ),
    Equal("inference/hmc.py", "gain = first / (1 + number / settling) ** 0.5", TUNING),
    Equal("inference/hmc.py", "first: float = 0.5", TUNING),
    Equal("inference/hmc.py", "settling: float = 5.0", TUNING),
    Equal(
        "inference/linear/dual_primal.py",
        "ATTAINABLE = 4.0",
        TUNING,
        ("4.0 -> 5.0", "4.0 -> 8.0", "4.0 -> 2.0"),
    ),
    Equal("inference/linear/dual_primal.py", "FACTORED = 30", TUNING),
    Equal("inference/linear/dual_primal.py", "MOST_PRODUCTS = 500", TUNING),
    Equal(
        "inference/linear/dual_primal.py", "ROUNDS = 2", TUNING, ("2 -> 3", "2 -> 4")
    ),
    Equal(
        "inference/linear/equation.py",
        "norm = jnp.sqrt(jnp.sum(equation.gradient**2))",
        TUNING,
    ),
    Equal("inference/linear/equation.py", "FORCING", TUNING),
    Equal(
        "inference/linear/equation.py",
        "target = 0.5 * limit",
        TUNING,
        ("0.5 -> 0.25", "0.5 -> 0.75", "0.5 -> 1.0"),
    ),
    Equal("model/modulation.py", "if largest == 1 else", WORDS),
    Equal("model/modulation.py", "_product(first.", "a product of factors commutes"),
    Equal("api/activity.py", "jax.random.fold_in(key, 1)", KEYS, ("1 -> 2",)),
    Equal("inference/linear/dual_primal.py", "Primal(): min(num_outputs", COST),
    Equal("inference/linear/dual_primal.py", "+ num_free**2 * (num_outputs", COST),
    Equal("inference/linear/dual_primal.py", "Dual(): num_outputs *", COST),
    Equal("inference/linear/dual_primal.py", "return 2 * sum(a * b for a, b", COST),
    Equal("inference/linear/dual_primal.py", "DIRECT_BUDGET", COST),
    Equal("inference/linear/dual_primal.py", "solver = min(costs", COST),
    Equal("inference/linear/block_tridiagonal.py", "sum(w**3 for w in", COST),
    Equal("inference/linear/block_tridiagonal.py", "a * b * (a + 3 * b)", COST),
    Equal(
        "inference/linear/block_tridiagonal.py",
        "narrow = model.widths[below] <",
        "chooses between forward and reverse mode: the same Jacobian",
    ),
    Equal(
        "inference/posterior.py",
        "size = min(linear.num_outputs,",
        "the larger side only makes a factor where there was one, or of an identity",
        (
            "min(linear.num_outputs, linear.gradient.shape[0]) -> max(linear.num_outputs, linear.gradient.shape[0])",
        ),
    ),
    Equal(
        "learning/gauge.py",
        "return jnp.where(zero, 1.0, wanted /",
        "weights that are all zero stay so whatever they are multiplied by",
        ("1.0 -> 0.0", "1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "model/problem.py",
        "level[0] for level in jnp.split(stack, stack.shape[0])",
        ONE_UNIT,
        ("level[0] -> level[-1]", "0 -> -1"),
    ),
    Equal(
        "learning/e_step.py",
        "solver: Solver = GaussNewton(max_iterations=5",
        "at most so many steps towards a mode, which its tolerance ends sooner",
        ("5 -> 6", "5 -> 10", "5 -> 4"),
    ),
    Equal(
        "learning/persistent_hmc.py",
        "full_metric: int = 256",
        "the size up to which chains learn a full mass: any mass leaves the posterior",
    ),
    Equal(
        "paradigms/revision.py",
        "num_samples: int = 512",
        "how many draws estimate a probability: about so many",
        ("512 -> 513", "512 -> 511", "512 -> 1024"),
    ),
    Equal(
        "paradigms/revision.py",
        "kept = scales > 10 * jnp.finfo",
        "any number between rounding and what is evidence",
        ("10 -> 11", "10 -> 9", "10 -> 20", "10 -> 5"),
    ),
    Equal(
        "behaviour/perception/rescorla_wagner.py",
        "beliefs.mean[0]",
        ONE_UNIT,
        ("beliefs.mean[0] -> beliefs.mean[-1]", "0 -> -1"),
    ),
    Equal(
        "behaviour/perception/volatility.py",
        "_NEWTON_STEPS = 5",
        "after so many steps nothing changes any more",
        ("5 -> 6", "5 -> 10"),
    ),
    Equal(
        "behaviour/responses/rating.py",
        "WHOLE = 1e-9",
        "any number between rounding and what could be meant",
        ("1e-9 -> 2e-09", "1e-9 -> 5e-10"),
    ),
    Equal(
        "behaviour/responses/unit_square.py",
        "EDGE = 1e-12",
        "how near a probability comes to certainty: any number as small",
        ("1e-12 -> 2e-12", "1e-12 -> 5e-13"),
    ),
    Equal(
        "behaviour/responses/rating.py",
        "at_high = rating >= scale.high -",
        "no rating lies between the last step but one and the last",
        ("0.5 -> 0.25",),
    ),
    Equal(
        "behaviour/responses/rating.py",
        "at_low = rating <= scale.low +",
        "no rating lies between the first step and the second",
        ("0.5 -> 0.25",),
    ),
    Equal(
        "neuromodulation/participant.py",
        "resting = physiology.resting +",
        "what is added is as often below 0 as above",
        (
            "physiology.resting + variation.resting * deviations -> (physiology.resting - variation.resting * deviations)",
        ),
    ),
    Equal(
        "neuromodulation/participant.py",
        "log_normal(for_affinity, variation.affinity, (2,))",
        "one factor more that nobody has is drawn",
        ("2 -> 3", "2 -> 4"),
    ),
    Equal(
        "neuromodulation/accounts/accounts.py",
        "whole = combine(whole, account.modulate(effects, anatomy))",
        "a product of factors commutes",
        (
            "combine(whole, account.modulate(effects, anatomy)) -> combine(account.modulate(effects, anatomy), whole)",
        ),
    ),
    Equal(
        "behaviour/perception/interface.py",
        "prevent_cse=False",
        "how much is kept for the backward pass: equal answers",
        ("False -> True",),
    ),
    Equal(
        "behaviour/perception/interface.py",
        "chance = jnp.where(outcome > 0.5,",
        "an outcome is 0 or 1, and nothing between",
        ("0.5 -> 0.25", "0.5 -> 0.0"),
    ),
    Equal(
        "behaviour/responses/unit_square.py",
        "jnp.where(response > 0.5,",
        "a response is 0 or 1, and nothing between",
        ("0.5 -> 0.25", "0.5 -> 0.0"),
    ),
    Equal(
        "behaviour/responses/rating.py",
        "latent = mean + noise * jax.random.logistic(",
        "noise is as often below 0 as above",
        (
            "mean + noise * jax.random.logistic(key, mean.shape, mean.dtype) -> (mean - noise * jax.random.logistic(key, mean.shape, mean.dtype))",  # noqa: E501
        ),
    ),
    Equal(
        "behaviour/responses/rating.py",
        "latent = mean + noise * jax.random.normal(",
        "noise is as often below 0 as above",
        (
            "mean + noise * jax.random.normal(key, mean.shape, mean.dtype) -> (mean - noise * jax.random.normal(key, mean.shape, mean.dtype))",  # noqa: E501
        ),
    ),
    Equal(
        "neuromodulation/pharmacology/transducer.py",
        "safe = jnp.where(is_zero, 1.0, response)",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5", "1.0 -> 0.0"),
    ),
    Equal(
        "neuromodulation/pharmacology/transducer.py",
        "jnp.where(room > 0, room, 1.0)",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/course.py",
        "risen / jnp.where(is_flat, 1.0, rise)",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/body.py",
        "part = agonism / jnp.where(total > 0, total, 1.0)",
        "nothing over any number is nothing",
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/pharmacology/exchange.py",
        "AT_ONCE = 1e12",
        "so many turns that more or fewer are equilibrium all the same",
        (
            "1e12 -> 2000000000000.0",
            "1e12 -> 500000000000.0",
            "1e12 -> 1000000000001.0",
        ),
    ),
    Equal(
        "neuromodulation/pharmacology/exchange.py",
        "substeps: Count = 8",
        "how fine the steps are: the equations solved are the same",
        ("8 -> 9", "8 -> 7", "8 -> 16"),
    ),
    Equal(
        "neuromodulation/pharmacology/receptors.py",
        "safe = jnp.where(is_positive, stimulus, 1.0)",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/pharmacology/pools.py",
        "safe = jnp.where(near, 1.0, turns)",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/pharmacology/kinetics.py",
        "jnp.where(near, 1.0,",
        MASKED,
        ("1.0 -> 2.0", "1.0 -> 0.5"),
    ),
    Equal(
        "neuromodulation/pharmacology/kinetics.py",
        "difference_2(time, low, middle)",
        "the difference is symmetric in its rates",
    ),
    Equal(
        "neuromodulation/pharmacology/kinetics.py",
        "since = jnp.maximum(time, 0)",
        "before the injection what is decaying is multiplied by 0",
        ("0 -> -1",),
    ),
    Equal(
        "paradigms/revision.py",
        "scales = jnp.where(kept, scales, 1)",
        MASKED,
        ("1 -> 0", "1 -> 2"),
    ),
    Equal(
        "neuromodulation/pharmacology/kinetics.py",
        "NEARLY = 0.03",
        "where the series takes over: the other way is exact well below",
        ("0.03 -> 0.015",),
    ),
    Equal(
        "neuromodulation/pharmacology/kinetics.py",
        "near = spread <",
        "where the series takes over: both hold to rounding around there",
        ("1e-4 -> 0.0002", "1e-4 -> 5e-05"),
    ),
    Equal(
        "neuromodulation/pharmacology/pools.py",
        "near = turns < 1e-4",
        "where the series takes over: both hold to rounding around there",
        ("1e-4 -> 0.0002", "1e-4 -> 5e-05"),
    ),
    Equal(
        "inference/solvers/lbfgs.py",
        "moved = (newest, *state.pairs[:-1])",
        "of two pairs all but the last are the first",
        ("-1 -> 1",),
    ),
    Equal(
        "learning/separable.py",
        "return same_literal(one, other)",
        "whether two are the same does not depend on which is asked first",
        ("same_literal(one, other) -> same_literal(other, one)",),
    ),
    Equal(
        "inference/solvers/damping.py",
        "lowered = jnp.where(damping < LEAST_DAMPING, 0, 0.1 * damping)",
        TUNING,
        ("0.1 -> 0.05", "0.1 -> 0.2"),
    ),
    Equal(
        "inference/certificates/corners.py",
        "new = Pins(held, jnp.where(held, corner, 0))",
        "where no unit is pinned the value of its pin is not read",
        ("0 -> 1", "0 -> -1"),
    ),
    Equal(
        "inference/certificates/corners.py",
        "several_signs(rows, 4)",
        "which fixed signs an estimate is made with",
        ("4 -> 5", "4 -> 8", "4 -> 2", "4 -> 3"),
    ),
    Equal(
        "inference/solvers/lbfgs.py",
        "return ~(-jnp.sum(slope.gradient * direction) > limit**2)",
        TUNING,
        ("2 -> 3", "2 -> 4"),
    ),
    Equal(
        "inference/linear/dual_primal.py", "if linear.num_outputs <= num_free:", COST
    ),
    Equal("inference/solvers/lbfgs.py", "1 / jnp.where(good, along, 1)", MASKED),
    Equal(
        "inference/solvers/descent.py",
        "return jnp.sum(jnp.concatenate(numbers))",
        "any number that differs between examples keeps their noise apart",
    ),
    Equal(
        "inference/certificates/saddles.py",
        "jnp.sum(linear.gradient * unit) > 0",
        "a mean has the sign of its sum",
        ("jnp.sum(linear.gradient * unit) -> jnp.mean(linear.gradient * unit)",),
    ),
    Equal(
        "behaviour/perception/volatility.py",
        "far_precision > 0.0, far_precision, predicted.precision + half * (1.0 - w)",
        "negative only so far from the prediction that the far Gaussian weighs less than exp(-30)",
        (
            "predicted.precision + half * (1.0 - w) -> predicted.precision",
            "predicted.precision + half * (1.0 - w) -> (predicted.precision - half * (1.0 - w))",
            "predicted.precision + half * (1.0 - w) -> (half * (1.0 - w))",
            "half * (1.0 - w) -> half",
            "half * (1.0 - w) -> (half / (1.0 - w))",
            "half * (1.0 - w) -> (half + (1.0 - w))",
            "1.0 - w -> 1.0",
            "1.0 - w -> (1.0 + w)",
            "1.0 -> 2.0",
            "1.0 -> 0.5",
        ),
    ),
    Equal(
        "inference/certificates/activations.py",
        "return [given[0] if plain else Fixed()] * count",
        "operations that change nothing have one operand",
        ("given[0] -> given[-1]", "0 -> -1"),
    ),
    Equal(
        "inference/certificates/activations.py",
        "return _compared([given[0], Known(0.0)], found, keeps=False)",
        "absolute values and signs have one operand",
        ("given[0] -> given[-1]", "0 -> -1"),
    ),
    Equal(
        "inference/certificates/corners.py",
        "pins = Pins(up, jnp.where(up, corner, 0))",
        "where no unit is pinned the value of its pin is not read",
        ("0 -> 1", "0 -> -1"),
    ),
    Equal(
        "inference/certificates/corners.py",
        "asked = Pins(near, jnp.where(near, corner, 0))",
        "where no unit is pinned the value of its pin is not read",
        ("0 -> 1", "0 -> -1"),
    ),
    Equal(
        "inference/certificates/corners.py",
        "jnp.where(finite, corner, 0))",
        "the corner of a unit that has none is not read",
        ("0 -> 1", "0 -> -1"),
    ),
)


def core_files(root: Path = ROOT) -> list[str]:
    """Paths under `pcmodel/`, in order."""
    package = root / "pcmodel"
    found = {
        path.relative_to(package).as_posix()
        for pattern in CORE
        for path in package.glob(pattern)
    }
    return sorted(found)

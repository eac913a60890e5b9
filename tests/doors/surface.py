"""Every public callable, with arguments that are right: what the battery spoils one at a time.

`DOORS` must hold all that `pcmodel` and its packages for users export, but for what `NOT_CALLED` names
with a reason; a test sees to that.  An option is only wrong once it is used, so an option's door makes the
object and uses it.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import pcmodel
import pcmodel.behaviour as behaviour
import pcmodel.learning as learning
import pcmodel.neuromodulation as nm
from pcmodel.behaviour.participant import ParticipantParameters
from pcmodel.inference import TruncatedNewton

KEY = jax.random.key(0)
PACKAGES = (
    "pcmodel",
    "pcmodel.neuromodulation",
    "pcmodel.behaviour",
    "pcmodel.learning",
    "pcmodel.inference",
    "pcmodel.report",
)


@dataclass(frozen=True)
class Door:
    """One public callable.

    call: takes the arguments of `like`, and uses what that makes.  good: arguments that are right.
    like: whose signature it has; None for `call`'s own.  hints: what an argument takes, where no
    annotation says it.
    """

    name: str
    call: Callable[..., Any]
    good: Mapping[str, Any]
    like: Any = None
    hints: Mapping[str, Any] = field(default_factory=dict)

    def variadic(self) -> set[str]:
        """Parameters of which there may be any number: `*levels`."""
        every = inspect.signature(self.like or self.call).parameters.items()
        return {n for n, p in every if p.kind is inspect.Parameter.VAR_POSITIONAL}

    def parameters(self) -> dict[str, Any]:
        """Annotation by parameter."""
        source = self.like or self.call
        made = isinstance(source, type)
        function = source.__init__ if made else source
        annotated = source if made and is_dataclass(source) else function
        found = typing.get_type_hints(annotated, include_extras=True)
        names = [
            name for name in inspect.signature(function).parameters if name != "self"
        ]
        return {name: self.hints.get(name, found.get(name, Any)) for name in names}


def numbers(tree: Any) -> Any:
    """What of an answer can be compared."""
    if isinstance(tree, nnx.Module):
        return nnx.state(tree, nnx.Param)
    return tree


def of(function: Callable[..., Any], name: str = "", **good: Any) -> Door:
    """A door that is called as it is."""
    return Door(
        name or function.__name__, lambda **a: _positional(function, a), good, function
    )


def _positional(function: Any, given: Mapping[str, Any]) -> Any:
    """Call with variadic arguments in their place."""
    rest = [
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is inspect.Parameter.VAR_POSITIONAL
    ]
    if not rest:
        return function(**given)
    first = list(inspect.signature(function).parameters)
    before = [given[name] for name in first[: first.index(rest[0])]]
    after = {
        k: v for k, v in given.items() if k not in (*first[: len(before)], rest[0])
    }
    return function(*before, *given.get(rest[0], ()), **after)


def used(kind: type, use: Callable[[Any], Any], name: str = "", **good: Any) -> Door:
    """A door that makes an object and uses it."""
    return Door(name or kind.__name__, lambda **a: use(kind(**a)), good, kind)


RNGS = nnx.Rngs(0)
NET = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
GUESSER = pcmodel.recognition_for(NET, rngs=nnx.Rngs(1))
ONE = np.array([0.5, -1.0, 0.25, 2.0])
BATCH = np.stack([ONE, ONE + 1, ONE - 1])
TOP = np.array([0.5, -1.5])
SEEN = np.array([True, True, False, True])
MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])
BELIEF = pcmodel.Belief.of(TOP, 2.0)
POSTERIOR = pcmodel.posterior(NET, ONE)
NETWORK = dict(network=NET, observation=ONE)
SAMPLING = pcmodel.Sampling(burn_in=2, thinning=1, num_leapfrog=1)


def infer(**options: Any) -> Any:
    """Inference, of which an answer that has not converged says so."""
    found = pcmodel.infer(NET, ONE, **options)
    if not np.all(found.converged):
        raise pcmodel.UserError("the mode was not reached, and the answer says so")
    return found.latents


def taught(**options: Any) -> Any:
    """Two steps of learning."""
    done = pcmodel.train(
        NET,
        BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
        learning=learning.Learning(**options),
    )
    return done.network.prior_mean[...], done.curve.energy


def plain(layer: Any) -> Any:
    """A layer's prediction."""
    above = layer.shape_above if hasattr(layer, "shape_above") else (2,)
    return layer(jnp.ones(int(np.prod(above))))


FROZEN = {"precision_step": learning.Frozen()}
CORE = [
    of(pcmodel.infer, **NETWORK),
    of(pcmodel.posterior, **NETWORK),
    of(pcmodel.reconstruct, **NETWORK),
    of(pcmodel.activity, **NETWORK, key=KEY),
    of(pcmodel.predict, network=NET, latent=TOP),
    of(pcmodel.recognise, recognition=GUESSER, observation=ONE),
    of(pcmodel.sample, network=NET, key=KEY),
    of(
        pcmodel.complete,
        network=NET,
        values=ONE,
        mask=SEEN,
        key=KEY,
        num_samples=2,
        sampling=SAMPLING,
    ),
    of(
        pcmodel.log_likelihood,
        network=NET,
        observations=ONE,
        key=KEY,
        num_steps=2,
        num_particles=2,
    ),
    of(
        pcmodel.sample_posterior,
        **NETWORK,
        key=KEY,
        num_samples=4,
        num_chains=2,
        sampling=SAMPLING,
    ),
    of(
        pcmodel.train,
        network=NET,
        observations=BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
    ),
    of(
        pcmodel.train_recognition,
        recognition=GUESSER,
        network=NET,
        observations=BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
    ),
    Door(
        "relax",
        lambda **a: infer(modulation=pcmodel.relax(**a)),
        dict(level="top", gain=0.5),
        pcmodel.relax,
    ),
    Door(
        "Belief.of",
        lambda **a: infer(prior=pcmodel.Belief.of(**a)),
        dict(mean=TOP, precision=np.array([2.0, 1.0])),
        pcmodel.Belief.of,
    ),
    Door(
        "Belief.from_covariance",
        lambda **a: infer(prior=pcmodel.Belief.from_covariance(**a)),
        dict(mean=TOP, covariance=MATRIX, levels=("top",)),
        pcmodel.Belief.from_covariance,
    ),
    of(BELIEF.propagate, "Belief.propagate", noise_covariance=0.1),
    of(POSTERIOR.sample, "Posterior.sample", key=KEY, num_samples=2),
    of(POSTERIOR.covariance, "Posterior.covariance", first=1, second=2),
    of(POSTERIOR.belief, "Posterior.belief", levels=("top",)),
    of(POSTERIOR.diagnose, "Posterior.diagnose", key=KEY, num_samples=25),
    used(
        pcmodel.Belief,
        lambda made: infer(prior=made),
        mean=TOP,
        log_precision=np.zeros(2),
    ),
    used(pcmodel.Clamp, lambda made: infer(clamp={"top": made}), values=TOP),
    used(
        pcmodel.Modulation,
        lambda made: pcmodel.activity(NET, KEY, ONE, modulation=made),
    ),
    used(pcmodel.GaussNewton, lambda made: infer(solver=made)),
    used(pcmodel.StateDescent, lambda made: infer(solver=made)),
    used(pcmodel.ErrorDescent, lambda made: infer(solver=made)),
    used(
        pcmodel.Exact,
        lambda made: pcmodel.infer(
            pcmodel.linear_gaussian([MATRIX], [1.0, 1.0]), TOP, solver=made
        ),
    ),
    used(
        pcmodel.ConjugateGradient,
        lambda made: infer(solver=pcmodel.GaussNewton(made)),
    ),
    used(
        pcmodel.Sampling,
        lambda made: pcmodel.complete(
            NET, ONE, SEEN, key=KEY, num_samples=2, sampling=made
        ),
        burn_in=2,
        thinning=1,
        num_leapfrog=1,
    ),
    used(
        TruncatedNewton,
        lambda made: taught(e_step=learning.PointEstimate(made), **FROZEN),
    ),
]
IMAGE = dict(image_shape=(16, 16, 1), num_classes=2, rngs=RNGS)
BUILDERS = [
    of(pcmodel.dense, widths=(4, 3, 2), rngs=RNGS),
    of(pcmodel.linear_gaussian, weights=[MATRIX], precisions=[2.0, 1.0]),
    of(pcmodel.mlp_classifier, width_in=4, hidden=(3,), num_classes=2, rngs=RNGS),
    of(pcmodel.residual_mlp, width_in=4, width=3, depth=2, num_classes=2, rngs=RNGS),
    of(pcmodel.vgg5, **IMAGE, channels=(2, 2, 2, 2)),
    of(pcmodel.vgg7, **IMAGE, channels=(2, 2, 2, 2, 2, 2)),
    of(pcmodel.resnet18, **IMAGE, channels=(2, 2, 2, 2)),
    of(
        pcmodel.convolutional_generator,
        image_shape=(8, 8, 1),
        width=2,
        channels=(2, 2),
        rngs=RNGS,
    ),
    of(pcmodel.recognition_for, network=NET, rngs=RNGS),
    of(pcmodel.learning_rates, network=NET),
    of(pcmodel.scale_by_depth, network=NET),
    used(pcmodel.Dense, plain, width_above=2, width=3, rngs=RNGS),
    used(pcmodel.Convolution, plain, shape_above=(4, 4, 1), channels=2, rngs=RNGS),
    used(
        pcmodel.TransposedConvolution,
        plain,
        shape_above=(4, 4, 1),
        channels=2,
        rngs=RNGS,
    ),
    used(pcmodel.Residual, plain, branch=pcmodel.Dense(2, 2, rngs=RNGS)),
    used(pcmodel.Chain, plain, layers=[pcmodel.Dense(2, 3, rngs=RNGS)]),
    used(
        pcmodel.Recognition,
        lambda made: pcmodel.recognise(made, ONE),
        layers=list(GUESSER.layers),
    ),
    used(
        pcmodel.Scaling,
        lambda made: plain(pcmodel.Dense(2, 3, scaling=made, rngs=nnx.Rngs(0))),
    ),
    used(pcmodel.MaxPool, lambda made: made(jnp.ones((4, 4, 1)))),
    used(pcmodel.AveragePool, lambda made: made(jnp.ones((4, 4, 1)))),
    used(
        pcmodel.Network,
        lambda made: pcmodel.predict(made, TOP),
        layers=[pcmodel.Dense(2, 4, rngs=RNGS)],
        widths=(4, 2),
        log_precisions=[0.0, 0.0],
    ),
]
CHAIN = learning.Hmc(num_leapfrog=1)
LEARNING = [
    used(learning.Learning, lambda made: taught_with(made)),
    used(learning.PosteriorSamples, lambda made: taught(e_step=made)),
    used(learning.PointEstimate, lambda made: taught(e_step=made, **FROZEN)),
    used(learning.MovingAverage, lambda made: taught(precision_step=made)),
    used(learning.GradientStep, lambda made: taught(precision_step=made)),
    used(learning.Hmc, lambda made: taught(e_step=made), num_leapfrog=1),
    used(
        learning.NaturalGradient,
        lambda made: taught(precision_step=made, e_step=CHAIN),
    ),
    used(learning.Nudged, lambda made: classified(made)),
    used(learning.Incremental, lambda made: taught(rule=made, **FROZEN), num_steps=2),
]


def taught_with(options: Any) -> Any:
    """Learning with options that are made already."""
    done = pcmodel.train(
        NET, BATCH, key=KEY, num_epochs=1, batch_size=2, learning=options
    )
    return done.curve.energy


def classified(rule: Any) -> Any:
    """A rule that needs both ends."""
    options = learning.Learning(rule=rule, e_step=learning.PointEstimate(), **FROZEN)
    labels = np.array([[0.5, 1.0], [0.25, -1.0], [0.0, 1.5]])
    done = pcmodel.train(
        NET,
        BATCH,
        key=KEY,
        num_epochs=1,
        batch_size=2,
        clamp={"top": labels},
        learning=options,
    )
    return done.curve.energy


LIBRARY = nm.load_compounds()
PERSON = nm.typical(LIBRARY, "psilocybin")
DOSES = nm.regimen(nm.Dose("psilocybin", 20.0), library=LIBRARY)
TIMES = np.arange(0.0, 13.0)
COURSE = nm.simulate(DOSES, TIMES, PERSON)
FINE = np.arange(0.0, 1.0, 0.25)
ARRAY = np.ndarray
EFFECTS = jax.tree.map(lambda curve: curve[2], nm.effects(COURSE))
CORTEX = nm.anatomy(*nm.CORTEX)


def taken(dose: Any) -> Any:
    """The effect of a dose."""
    doses = nm.regimen(dose, library=LIBRARY)
    return nm.simulate(doses, TIMES, PERSON).effect_2a


def acting(account: Any) -> Any:
    """What an account makes of an effect."""
    return account.modulate(EFFECTS, CORTEX).resolve(
        tuple(map(str, range(CORTEX.num_levels))),
        (2,) * CORTEX.num_levels,
        jnp.zeros(()).dtype,
    )


def accounts() -> list[Door]:
    """Each account with its options."""
    return [
        used(type(made), acting, f"account {name}")
        for name, made in (
            (name, made() if isinstance(made, type) else made)
            for name, made in nm.ACCOUNTS.items()
        )
        if is_dataclass(made) and "accounts" not in vars(made)
    ]


DRUGS = [
    Door(
        "simulate",
        lambda **a: nm.simulate(**a).effect_2a,
        dict(doses=DOSES, times=TIMES, person=PERSON),
        nm.simulate,
        {"times": ARRAY, "doses": tuple[nm.Dose, ...], "transducer": Callable | None},
    ),
    Door(
        "regimen",
        lambda **a: _positional(nm.regimen, a),
        dict(doses=(nm.Dose("psilocybin", 20.0),), library=LIBRARY),
        nm.regimen,
        {"doses": nm.Dose},
    ),
    used(nm.Dose, taken, compound="psilocybin", mg=20.0),
    used(
        nm.Infusion,
        lambda made: (
            nm.simulate(
                nm.regimen(nm.Dose("DMT", 10.0, route=made), library=LIBRARY),
                TIMES,
                nm.typical(LIBRARY, "DMT"),
            ).effect_2a
        ),
        hours=0.5,
    ),
    Door(
        "duration",
        nm.duration,
        dict(times=TIMES, effect=COURSE.effect_2a),
        nm.duration,
        {"times": ARRAY, "effect": ARRAY},
    ),
    Door(
        "is_over",
        nm.is_over,
        dict(times=TIMES, effect=COURSE.effect_2a),
        nm.is_over,
        {"times": ARRAY, "effect": ARRAY},
    ),
    of(nm.typical, library=LIBRARY, names=("psilocybin",)),
    of(nm.draw_participants, person=PERSON, key=KEY, number=2),
    of(nm.vital_signs, course=COURSE, times=TIMES, person=PERSON),
    of(nm.effects, course=COURSE),
    of(nm.anatomy, networks=tuple(CORTEX.networks)),
    of(nm.transducer_of, body=PERSON.physiology),
    of(nm.threshold_of, body=PERSON.physiology),
    Door(
        "check_times",
        nm.check_times,
        dict(times=TIMES, person=PERSON, tolerance=False),
        nm.check_times,
        {"times": ARRAY},
    ),
    used(
        nm.WithRates,
        lambda made: nm.simulate(DOSES, FINE, PERSON, exchange=made).effect_2a,
        substeps=1,
    ),
    of(nm.load_compounds, files=()),
    of(
        LIBRARY["psilocybin"].with_value,
        "Compound.with_value",
        quantity="half_life",
        value=3.0,
        why="a test",
    ),
    of(LIBRARY["psilocybin"].without, "Compound.without", quantity="effect_site_rate"),
    of(LIBRARY.replacing, "Library.replacing", compound=LIBRARY["psilocybin"]),
    Door(
        "Library[...]",
        lambda name: LIBRARY[name],
        dict(name="LSD"),
        None,
        {"name": str},
    ),
    used(
        nm.Library,
        lambda made: nm.typical(made, "LSD"),
        compounds={"LSD": LIBRARY["LSD"]},
    ),
    of(
        nm.check_account,
        account=nm.ACCOUNTS["rebus"]()
        if isinstance(nm.ACCOUNTS["rebus"], type)
        else nm.ACCOUNTS["rebus"],
        anatomy=CORTEX,
        names=tuple(map(str, range(CORTEX.num_levels))),
        library=LIBRARY,
        compounds=("psilocybin",),
    ),
    *accounts(),
]
SOMEONE = ParticipantParameters(*(jnp.zeros(()) for _ in ParticipantParameters._fields))
TRIALS = behaviour.simulate_task(KEY, num_trials=4, noise_sds=(10.0,))
POSITIONS = np.array([10.0, 20.0, 30.0])
FLAGS = np.array([True, False, False])
BEHAVIOUR = [
    Door(
        "make_trials",
        behaviour.make_trials,
        dict(
            outcome=POSITIONS,
            report=POSITIONS,
            noise_sd=POSITIONS,
            helicopter=POSITIONS,
            helicopter_seen=FLAGS,
            block_start=FLAGS,
        ),
        behaviour.make_trials,
        dict.fromkeys(
            (
                "outcome",
                "report",
                "noise_sd",
                "helicopter",
                "helicopter_seen",
                "block_start",
            ),
            ARRAY,
        )
        | {"push": ARRAY | None},
    ),
    of(behaviour.simulate_task, key=KEY, num_trials=4),
    of(
        behaviour.run_participant,
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(
        behaviour.log_likelihood,
        "behaviour.log_likelihood",
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(
        behaviour.simulate_participant,
        key=KEY,
        parameters=SOMEONE,
        trials=TRIALS,
        agent=behaviour.Agent(),
    ),
    of(behaviour.psis_loo, log_likelihood=np.linspace(-2, -1, 60).reshape(30, 2)),
    used(
        behaviour.Agent,
        lambda made: behaviour.run_participant(SOMEONE, TRIALS, agent=made),
    ),
]
NOT_CALLED = {
    "made by the package": "BlockTridiagonal Diagnosis ImageData InferenceResult Posterior "
    "PosteriorDraws RecognitionResult TrainingResult Course Effects Signs Participant Trajectory "
    "Trials ParticipantParameters Chunk LearnedPrecisions LearningCurve Position Settling "
    "SolverResult Anatomy Compound Loo",
    "takes nothing": "Bernoulli Categorical Gaussian Dual Primal AtOnce Bolus Oral "
    "Backpropagation ClosedForm Equilibrium FixedHiddenPrecision FixedWeightNorm Frozen",
    "behind the door: takes a checked problem, or the memory of learning": "free_energy infer_one "
    "moments sample_latents trajectory settling standard_errors unsettled",
    "a description, not a thing": "Solver UserError",
    "files and plans, tried by the batteries of files and commands": "load save load_images "
    "run_training TrainingPlan",
    "the words of a page, written by experiments": "Panel Report Section Table Verdict render_html",
}
DOORS = [*CORE, *BUILDERS, *LEARNING, *DRUGS, *BEHAVIOUR]


def exported() -> set[str]:
    """Every callable that is exported."""
    found = set()
    for package in PACKAGES:
        module = import_module(package)
        names = pcmodel._HOME if package == "pcmodel" else vars(module)
        for name in names:
            thing = getattr(module, name)
            if (
                not name.startswith("_")
                and callable(thing)
                and not inspect.ismodule(thing)
            ):
                found.add(name)
    return found


ADAM = optax.adam(1e-3)

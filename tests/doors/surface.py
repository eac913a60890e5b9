"""Every public callable, with arguments that are right: what the battery spoils one at a time.

`DOORS` must hold all that `pcmodel` and its packages for users export, but for what `NOT_CALLED` names
with a reason; a test sees to that.  An option is only wrong once it is used, so an option's door makes the
object and uses it.
"""

import inspect
from importlib import import_module

import pcmodel

from .behaviour_doors import BEHAVIOUR
from .drug_doors import DRUGS
from .inference_doors import CORE
from .network_doors import BUILDERS, LEARNING
from .paradigm_doors import PARADIGMS
from .time_doors import TIMES_AND_PEOPLE

PACKAGES = (
    "pcmodel",
    "pcmodel.neuromodulation",
    "pcmodel.behaviour",
    "pcmodel.learning",
    "pcmodel.inference",
    "pcmodel.report",
    "pcmodel.paradigms.perception",
    "pcmodel.paradigms.oddball",
    "pcmodel.brain.measures",
)


NOT_CALLED = {
    "made by the package": "BlockTridiagonal Diagnosis ImageData InferenceResult Posterior "
    "PosteriorDraws RecognitionResult TrainingResult Course Effects Signs Participant Trajectory "
    "Trials ParticipantParameters Chunk LearnedPrecisions LearningCurve Position Settling "
    "SolverResult Anatomy Compound Loo ByLevel Energies EnergyGradients GradientComparison InferenceSteps "
    "LatentHessian Spectrum LinearEmResult Part Administrations Carried Drive Group Window "
    "Alternation Illusion Percept Stopping Switching Mismatch Responses BrainMeasures Contrast Dwell "
    "GroupMeasures LempelZiv NetworkCoupling PairedStatistics PersonMeasures",
    "an earlier name of another, which is tried": "Chain Sampling",
    "takes nothing": "Bernoulli Categorical Gaussian Dual Primal AtOnce Bolus Oral "
    "Backpropagation ClosedForm Equilibrium FixedHiddenPrecision FixedWeightNorm Frozen",
    "behind the door: takes a checked problem, or the memory of learning": "free_energy infer_one "
    "moments sample_latents trajectory settling standard_errors unsettled",
    "a description, not a thing": "Solver UserError PlasticityRoute",
    "files and plans, tried by the batteries of files and commands": "load save load_images "
    "run_training TrainingPlan",
    "the words of a page, written by experiments": "Panel Report Section Table Verdict render_html "
    "Claim Examination Examined Experiment Parameter Perturbation",
}
DOORS = [*CORE, *BUILDERS, *LEARNING, *DRUGS, *BEHAVIOUR, *PARADIGMS, *TIMES_AND_PEOPLE]


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

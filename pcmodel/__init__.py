"""pcmodel: predictive coding with a precision at every level.

The names below are the public surface; each is loaded when first used, so that the command
line can answer `--help` without starting JAX.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

from pcmodel.runtime import avoid_cpu_deadlock as _avoid_cpu_deadlock

_avoid_cpu_deadlock()

try:
    __version__ = metadata.version("pcmodel")
except metadata.PackageNotFoundError:  # used from a checkout, not installed
    __version__ = "0.1.0"

if TYPE_CHECKING:
    from pcmodel.amortising import RecognitionResult as RecognitionResult
    from pcmodel.amortising import train_recognition as train_recognition
    from pcmodel.api import infer as infer
    from pcmodel.api import posterior as posterior
    from pcmodel.api import predict as predict
    from pcmodel.api import reconstruct as reconstruct
    from pcmodel.api import sample as sample
    from pcmodel.belief import Belief as Belief
    from pcmodel.data.images import ImageData as ImageData
    from pcmodel.data.images import load_images as load_images
    from pcmodel.diagnosis import Diagnosis as Diagnosis
    from pcmodel.door import Clamp as Clamp
    from pcmodel.drawing import PosteriorDraws as PosteriorDraws
    from pcmodel.drawing import sample_posterior as sample_posterior
    from pcmodel.errors import UserError as UserError
    from pcmodel.fluctuations import activity as activity
    from pcmodel.inference.block_tridiagonal import BlockTridiagonal as BlockTridiagonal
    from pcmodel.inference.chain import Sampling as Sampling
    from pcmodel.inference.descent import ErrorDescent as ErrorDescent
    from pcmodel.inference.descent import StateDescent as StateDescent
    from pcmodel.inference.exact import Exact as Exact
    from pcmodel.inference.gauss_newton import GaussNewton as GaussNewton
    from pcmodel.inference.infer import InferenceResult as InferenceResult
    from pcmodel.inference.linear_solve import ConjugateGradient as ConjugateGradient
    from pcmodel.inference.linear_solve import Dual as Dual
    from pcmodel.inference.linear_solve import Primal as Primal
    from pcmodel.laplace import Posterior as Posterior
    from pcmodel.learning.em import Learning as Learning
    from pcmodel.likelihood import Bernoulli as Bernoulli
    from pcmodel.likelihood import Categorical as Categorical
    from pcmodel.likelihood import Gaussian as Gaussian
    from pcmodel.modulation import Modulation as Modulation
    from pcmodel.modulation import relax as relax
    from pcmodel.networks.builders import mlp_classifier as mlp_classifier
    from pcmodel.networks.builders import residual_mlp as residual_mlp
    from pcmodel.networks.builders import vgg5 as vgg5
    from pcmodel.networks.builders import vgg7 as vgg7
    from pcmodel.networks.convolution import Convolution as Convolution
    from pcmodel.networks.convolution import (
        TransposedConvolution as TransposedConvolution,
    )
    from pcmodel.networks.generators import (
        convolutional_generator as convolutional_generator,
    )
    from pcmodel.networks.layers import Dense as Dense
    from pcmodel.networks.network import Network as Network
    from pcmodel.networks.network import dense as dense
    from pcmodel.networks.network import linear_gaussian as linear_gaussian
    from pcmodel.networks.pooling import AveragePool as AveragePool
    from pcmodel.networks.pooling import MaxPool as MaxPool
    from pcmodel.networks.rates import learning_rates as learning_rates
    from pcmodel.networks.rates import scale_by_depth as scale_by_depth
    from pcmodel.networks.recognition import Recognition as Recognition
    from pcmodel.networks.recognition import recognise as recognise
    from pcmodel.networks.recognition import recognition_for as recognition_for
    from pcmodel.networks.residual import Chain as Chain
    from pcmodel.networks.residual import Residual as Residual
    from pcmodel.networks.resnet import resnet18 as resnet18
    from pcmodel.networks.scaling import Scaling as Scaling
    from pcmodel.networks.storage import load as load
    from pcmodel.networks.storage import save as save
    from pcmodel.sampling import complete as complete
    from pcmodel.sampling import log_likelihood as log_likelihood
    from pcmodel.trainer.plan import TrainingPlan as TrainingPlan
    from pcmodel.trainer.run import run_training as run_training
    from pcmodel.training import TrainingResult as TrainingResult
    from pcmodel.training import train as train

_HOME = {
    "AveragePool": "pcmodel.networks.pooling",
    "Belief": "pcmodel.belief",
    "Bernoulli": "pcmodel.likelihood",
    "BlockTridiagonal": "pcmodel.inference.block_tridiagonal",
    "Categorical": "pcmodel.likelihood",
    "Chain": "pcmodel.networks.residual",
    "Clamp": "pcmodel.door",
    "ConjugateGradient": "pcmodel.inference.linear_solve",
    "Convolution": "pcmodel.networks.convolution",
    "Dense": "pcmodel.networks.layers",
    "Diagnosis": "pcmodel.diagnosis",
    "Dual": "pcmodel.inference.linear_solve",
    "ErrorDescent": "pcmodel.inference.descent",
    "Exact": "pcmodel.inference.exact",
    "GaussNewton": "pcmodel.inference.gauss_newton",
    "Gaussian": "pcmodel.likelihood",
    "ImageData": "pcmodel.data.images",
    "InferenceResult": "pcmodel.inference.infer",
    "Learning": "pcmodel.learning.em",
    "MaxPool": "pcmodel.networks.pooling",
    "Modulation": "pcmodel.modulation",
    "Network": "pcmodel.networks.network",
    "Posterior": "pcmodel.laplace",
    "PosteriorDraws": "pcmodel.drawing",
    "Primal": "pcmodel.inference.linear_solve",
    "Recognition": "pcmodel.networks.recognition",
    "RecognitionResult": "pcmodel.amortising",
    "Residual": "pcmodel.networks.residual",
    "Sampling": "pcmodel.inference.chain",
    "Scaling": "pcmodel.networks.scaling",
    "StateDescent": "pcmodel.inference.descent",
    "TrainingPlan": "pcmodel.trainer.plan",
    "TrainingResult": "pcmodel.training",
    "TransposedConvolution": "pcmodel.networks.convolution",
    "UserError": "pcmodel.errors",
    "activity": "pcmodel.fluctuations",
    "convolutional_generator": "pcmodel.networks.generators",
    "complete": "pcmodel.sampling",
    "dense": "pcmodel.networks.network",
    "infer": "pcmodel.api",
    "learning_rates": "pcmodel.networks.rates",
    "linear_gaussian": "pcmodel.networks.network",
    "load": "pcmodel.networks.storage",
    "load_images": "pcmodel.data.images",
    "mlp_classifier": "pcmodel.networks.builders",
    "log_likelihood": "pcmodel.sampling",
    "posterior": "pcmodel.api",
    "predict": "pcmodel.api",
    "recognise": "pcmodel.networks.recognition",
    "recognition_for": "pcmodel.networks.recognition",
    "reconstruct": "pcmodel.api",
    "relax": "pcmodel.modulation",
    "residual_mlp": "pcmodel.networks.builders",
    "resnet18": "pcmodel.networks.resnet",
    "run_training": "pcmodel.trainer.run",
    "sample": "pcmodel.api",
    "sample_posterior": "pcmodel.drawing",
    "save": "pcmodel.networks.storage",
    "scale_by_depth": "pcmodel.networks.rates",
    "train": "pcmodel.training",
    "train_recognition": "pcmodel.amortising",
    "vgg5": "pcmodel.networks.builders",
    "vgg7": "pcmodel.networks.builders",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'pcmodel' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__

"""pcmodel: predictive coding with a precision at every level.

The names below are the public surface; each is loaded when first used, so that the command
line can answer `--help` without starting JAX.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

from pcmodel.runtime.flags import avoid_cpu_deadlock as _avoid_cpu_deadlock

_avoid_cpu_deadlock()

try:
    __version__ = metadata.version("pcmodel")
except metadata.PackageNotFoundError:  # used from a checkout, not installed
    __version__ = "0.1.0"

if TYPE_CHECKING:
    from pcmodel.api.activity import activity as activity
    from pcmodel.api.diagnosis import Diagnosis as Diagnosis
    from pcmodel.api.generate import complete as complete
    from pcmodel.api.generate import log_likelihood as log_likelihood
    from pcmodel.api.infer import infer as infer
    from pcmodel.api.infer import posterior as posterior
    from pcmodel.api.infer import predict as predict
    from pcmodel.api.infer import reconstruct as reconstruct
    from pcmodel.api.infer import sample as sample
    from pcmodel.api.pose import Clamp as Clamp
    from pcmodel.api.posterior import Posterior as Posterior
    from pcmodel.api.posterior_draws import PosteriorDraws as PosteriorDraws
    from pcmodel.api.posterior_draws import sample_posterior as sample_posterior
    from pcmodel.api.train import TrainingResult as TrainingResult
    from pcmodel.api.train import train as train
    from pcmodel.api.train_recognition import RecognitionResult as RecognitionResult
    from pcmodel.api.train_recognition import train_recognition as train_recognition
    from pcmodel.data.images import ImageData as ImageData
    from pcmodel.data.images import load_images as load_images
    from pcmodel.errors import UserError as UserError
    from pcmodel.inference.infer import InferenceResult as InferenceResult
    from pcmodel.inference.linear.block_tridiagonal import (
        BlockTridiagonal as BlockTridiagonal,
    )
    from pcmodel.inference.linear.dual_primal import (
        ConjugateGradient as ConjugateGradient,
    )
    from pcmodel.inference.linear.dual_primal import Dual as Dual
    from pcmodel.inference.linear.dual_primal import Primal as Primal
    from pcmodel.inference.mcmc import Sampling as Sampling
    from pcmodel.inference.solvers.descent import ErrorDescent as ErrorDescent
    from pcmodel.inference.solvers.descent import StateDescent as StateDescent
    from pcmodel.inference.solvers.exact import Exact as Exact
    from pcmodel.inference.solvers.gauss_newton import GaussNewton as GaussNewton
    from pcmodel.learning.em import Learning as Learning
    from pcmodel.model.belief import Belief as Belief
    from pcmodel.model.likelihood import Bernoulli as Bernoulli
    from pcmodel.model.likelihood import Categorical as Categorical
    from pcmodel.model.likelihood import Gaussian as Gaussian
    from pcmodel.model.modulation import Modulation as Modulation
    from pcmodel.model.modulation import relax as relax
    from pcmodel.networks.architectures.classifiers import (
        mlp_classifier as mlp_classifier,
    )
    from pcmodel.networks.architectures.classifiers import residual_mlp as residual_mlp
    from pcmodel.networks.architectures.classifiers import vgg5 as vgg5
    from pcmodel.networks.architectures.classifiers import vgg7 as vgg7
    from pcmodel.networks.architectures.generators import (
        convolutional_generator as convolutional_generator,
    )
    from pcmodel.networks.architectures.resnet import resnet18 as resnet18
    from pcmodel.networks.layers.convolution import Convolution as Convolution
    from pcmodel.networks.layers.convolution import (
        TransposedConvolution as TransposedConvolution,
    )
    from pcmodel.networks.layers.dense import Dense as Dense
    from pcmodel.networks.layers.pooling import AveragePool as AveragePool
    from pcmodel.networks.layers.pooling import MaxPool as MaxPool
    from pcmodel.networks.layers.rates import learning_rates as learning_rates
    from pcmodel.networks.layers.rates import scale_by_depth as scale_by_depth
    from pcmodel.networks.layers.residual import Chain as Chain
    from pcmodel.networks.layers.residual import Residual as Residual
    from pcmodel.networks.layers.scaling import Scaling as Scaling
    from pcmodel.networks.network import Network as Network
    from pcmodel.networks.network import dense as dense
    from pcmodel.networks.network import linear_gaussian as linear_gaussian
    from pcmodel.networks.recognition import Recognition as Recognition
    from pcmodel.networks.recognition import recognise as recognise
    from pcmodel.networks.recognition import recognition_for as recognition_for
    from pcmodel.networks.storage.network_file import load as load
    from pcmodel.networks.storage.network_file import save as save
    from pcmodel.training.plan import TrainingPlan as TrainingPlan
    from pcmodel.training.run import run_training as run_training

_HOME = {
    "AveragePool": "pcmodel.networks.layers.pooling",
    "Belief": "pcmodel.model.belief",
    "Bernoulli": "pcmodel.model.likelihood",
    "BlockTridiagonal": "pcmodel.inference.linear.block_tridiagonal",
    "Categorical": "pcmodel.model.likelihood",
    "Chain": "pcmodel.networks.layers.residual",
    "Clamp": "pcmodel.api.pose",
    "ConjugateGradient": "pcmodel.inference.linear.dual_primal",
    "Convolution": "pcmodel.networks.layers.convolution",
    "Dense": "pcmodel.networks.layers.dense",
    "Diagnosis": "pcmodel.api.diagnosis",
    "Dual": "pcmodel.inference.linear.dual_primal",
    "ErrorDescent": "pcmodel.inference.solvers.descent",
    "Exact": "pcmodel.inference.solvers.exact",
    "GaussNewton": "pcmodel.inference.solvers.gauss_newton",
    "Gaussian": "pcmodel.model.likelihood",
    "ImageData": "pcmodel.data.images",
    "InferenceResult": "pcmodel.inference.infer",
    "Learning": "pcmodel.learning.em",
    "MaxPool": "pcmodel.networks.layers.pooling",
    "Modulation": "pcmodel.model.modulation",
    "Network": "pcmodel.networks.network",
    "Posterior": "pcmodel.api.posterior",
    "PosteriorDraws": "pcmodel.api.posterior_draws",
    "Primal": "pcmodel.inference.linear.dual_primal",
    "Recognition": "pcmodel.networks.recognition",
    "RecognitionResult": "pcmodel.api.train_recognition",
    "Residual": "pcmodel.networks.layers.residual",
    "Sampling": "pcmodel.inference.mcmc",
    "Scaling": "pcmodel.networks.layers.scaling",
    "StateDescent": "pcmodel.inference.solvers.descent",
    "TrainingPlan": "pcmodel.training.plan",
    "TrainingResult": "pcmodel.api.train",
    "TransposedConvolution": "pcmodel.networks.layers.convolution",
    "UserError": "pcmodel.errors",
    "activity": "pcmodel.api.activity",
    "convolutional_generator": "pcmodel.networks.architectures.generators",
    "complete": "pcmodel.api.generate",
    "dense": "pcmodel.networks.network",
    "infer": "pcmodel.api.infer",
    "learning_rates": "pcmodel.networks.layers.rates",
    "linear_gaussian": "pcmodel.networks.network",
    "load": "pcmodel.networks.storage.network_file",
    "load_images": "pcmodel.data.images",
    "mlp_classifier": "pcmodel.networks.architectures.classifiers",
    "log_likelihood": "pcmodel.api.generate",
    "posterior": "pcmodel.api.infer",
    "predict": "pcmodel.api.infer",
    "recognise": "pcmodel.networks.recognition",
    "recognition_for": "pcmodel.networks.recognition",
    "reconstruct": "pcmodel.api.infer",
    "relax": "pcmodel.model.modulation",
    "residual_mlp": "pcmodel.networks.architectures.classifiers",
    "resnet18": "pcmodel.networks.architectures.resnet",
    "run_training": "pcmodel.training.run",
    "sample": "pcmodel.api.infer",
    "sample_posterior": "pcmodel.api.posterior_draws",
    "save": "pcmodel.networks.storage.network_file",
    "scale_by_depth": "pcmodel.networks.layers.rates",
    "train": "pcmodel.api.train",
    "train_recognition": "pcmodel.api.train_recognition",
    "vgg5": "pcmodel.networks.architectures.classifiers",
    "vgg7": "pcmodel.networks.architectures.classifiers",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'pcmodel' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__

"""The public names, each with the module it is loaded from; read by `pcmodel/__init__.py` as well."""

from pcmodel.api.activity import activity as activity
from pcmodel.api.diagnosis import Diagnosis as Diagnosis
from pcmodel.api.generate import complete as complete
from pcmodel.api.generate import log_likelihood as log_likelihood
from pcmodel.api.infer import infer as infer
from pcmodel.api.infer import posterior as posterior
from pcmodel.api.infer import predict as predict
from pcmodel.api.infer import reconstruct as reconstruct
from pcmodel.api.infer import sample as sample
from pcmodel.api.learning.linear_em import LinearEmResult as LinearEmResult
from pcmodel.api.learning.linear_em import linear_em as linear_em
from pcmodel.api.learning.train import TrainingResult as TrainingResult
from pcmodel.api.learning.train import train as train
from pcmodel.api.learning.train_recognition import (
    RecognitionResult as RecognitionResult,
)
from pcmodel.api.learning.train_recognition import (
    train_recognition as train_recognition,
)
from pcmodel.api.mechanics.by_level import ByLevel as ByLevel
from pcmodel.api.mechanics.comparison import GradientComparison as GradientComparison
from pcmodel.api.mechanics.comparison import (
    compare_with_backpropagation as compare_with_backpropagation,
)
from pcmodel.api.mechanics.curvature import LatentHessian as LatentHessian
from pcmodel.api.mechanics.curvature import Spectrum as Spectrum
from pcmodel.api.mechanics.curvature import latent_hessian as latent_hessian
from pcmodel.api.mechanics.curvature import latent_spectrum as latent_spectrum
from pcmodel.api.mechanics.curvature import weight_hessian as weight_hessian
from pcmodel.api.mechanics.curvature import weight_spectrum as weight_spectrum
from pcmodel.api.mechanics.energies import Energies as Energies
from pcmodel.api.mechanics.energies import energies as energies
from pcmodel.api.mechanics.gradients import EnergyGradients as EnergyGradients
from pcmodel.api.mechanics.gradients import energy_and_gradients as energy_and_gradients
from pcmodel.api.mechanics.gradients import weights_of as weights_of
from pcmodel.api.mechanics.gradients import with_weights as with_weights
from pcmodel.api.mechanics.seeds import train_seeds as train_seeds
from pcmodel.api.mechanics.steps import InferenceSteps as InferenceSteps
from pcmodel.api.mechanics.steps import inference_steps as inference_steps
from pcmodel.api.posing.clamps import Clamp as Clamp
from pcmodel.api.posing.places import by_name as by_name
from pcmodel.api.posterior import Posterior as Posterior
from pcmodel.api.posterior_draws import PosteriorDraws as PosteriorDraws
from pcmodel.api.posterior_draws import sample_posterior as sample_posterior
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
from pcmodel.inference.mcmc import HmcOptions as HmcOptions
from pcmodel.inference.mcmc import Sampling as Sampling
from pcmodel.inference.solvers.descent import ErrorDescent as ErrorDescent
from pcmodel.inference.solvers.descent import StateDescent as StateDescent
from pcmodel.inference.solvers.exact import Exact as Exact
from pcmodel.inference.solvers.gauss_newton import GaussNewton as GaussNewton
from pcmodel.learning.em import Learning as Learning
from pcmodel.model.belief import Belief as Belief
from pcmodel.model.levels import Part as Part
from pcmodel.model.likelihood import Bernoulli as Bernoulli
from pcmodel.model.likelihood import Categorical as Categorical
from pcmodel.model.likelihood import Gaussian as Gaussian
from pcmodel.model.modulation import Modulation as Modulation
from pcmodel.model.modulation import relax as relax
from pcmodel.networks.architectures.classifiers import (
    mlp_classifier as mlp_classifier,
)
from pcmodel.networks.architectures.classifiers import residual_mlp as residual_mlp
from pcmodel.networks.architectures.classifiers import vgg4 as vgg4
from pcmodel.networks.architectures.classifiers import vgg5 as vgg5
from pcmodel.networks.architectures.classifiers import vgg6 as vgg6
from pcmodel.networks.architectures.classifiers import vgg7 as vgg7
from pcmodel.networks.architectures.generators import (
    convolutional_generator as convolutional_generator,
)
from pcmodel.networks.architectures.hierarchy import Level as Level
from pcmodel.networks.architectures.hierarchy import hierarchy as hierarchy
from pcmodel.networks.architectures.resnet import resnet18 as resnet18
from pcmodel.networks.architectures.time_steps import at_steps as at_steps
from pcmodel.networks.architectures.time_steps import over_steps as over_steps
from pcmodel.networks.architectures.time_steps import over_time as over_time
from pcmodel.networks.layers.additive import Additive as Additive
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
from pcmodel.networks.layers.residual import Sequential as Sequential
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

__version__: str

"""A participant model with priors that were set, for studies that fit each person alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.hierarchy.priors.written import SetPrior, set_parameters
from pcmodel.behaviour.models.interface import Course, ParticipantModel, Values


@dataclass(frozen=True)
class PriorModel:
    """A model whose parameters have other priors, and the same likelihood.

    Attributes:
        model: of the responses.
        parameters: with the priors that were set.
    """

    model: ParticipantModel
    parameters: tuple[Parameter, ...]

    def prepare(self, series: Series) -> Any:
        return self.model.prepare(series)

    def log_likelihood(self, values: Values, data: Any) -> Float[Array, " trials"]:
        return self.model.log_likelihood(values, data)

    def simulate(self, key: Key[Array, ""], values: Values, data: Any) -> Any:
        return self.model.simulate(key, values, data)

    def course(self, values: Values, data: Any) -> Course:
        return self.model.course(values, data)

    def responses(self, data: Any) -> Float[Array, "*shape"]:
        return self.model.responses(data)


def with_priors(
    model: ParticipantModel, priors: Sequence[SetPrior]
) -> ParticipantModel:
    """The model with these priors of its means and SDs over people; UserError for any other prior."""
    if not priors:
        return model
    return PriorModel(model, set_parameters(model.parameters, priors))

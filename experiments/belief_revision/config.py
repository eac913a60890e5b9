"""Options of the main job."""

from dataclasses import dataclass, field
from typing import Annotated

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, InnerShare, Positive, Range


@dataclass(frozen=True)
class Training:
    """How the digits hierarchy is trained."""

    hidden: tuple[int, ...] = (128, 64)
    epochs: int = 60
    batch_size: int = 20
    learning_rate: float = 0.003
    variance_floor: float = 0.01
    initial_precision: float = 10.0

    def __post_init__(self):
        if not self.hidden or min(self.hidden) < 1:
            raise UserError(
                f"training.hidden: expected positive widths, got {self.hidden}."
            )
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise UserError(f"training.{name} must be at least 1.")
        for name in ("learning_rate", "initial_precision"):
            if not getattr(self, name) > 0:
                raise UserError(f"training.{name} must be positive.")


TwoOrMore = Annotated[int, Range(2)]


@checked_options("behaviour.")
@dataclass(frozen=True)
class BehaviourSettings:
    """How much of everything about people; `smoke()` finishes in seconds and proves nothing.

    Raises UserError for a value out of range, before anything is run.
    """

    num_participants: Annotated[int, Range(2, 10)] = 10
    num_trials: Annotated[int, Range(4, 200)] = 200
    num_warmup: Count = 100
    num_samples: Annotated[int, Range(4)] = 160
    num_chains: TwoOrMore = 4
    max_tree_depth: Count = 4
    target_accept: InnerShare = 0.8
    without_drift: bool = False  # fit two more agents, which hold q = 0
    num_simulated: TwoOrMore = 100
    prior_shift: Positive = 1.0  # left panel, log units
    drug_shift: Positive = 0.5  # right panel, log units
    trial_counts: tuple[TwoOrMore, ...] = (50, 200)  # per session
    rated_trials: TwoOrMore = 200  # per session, with confidence ratings
    rating_sd: Positive = 1.0  # of one rating, log units
    pool_size: Count = 48
    study_sizes: tuple[Count, ...] = (1, 2, 5, 10, 20, 40, 80)
    num_studies: Count = 400
    num_pools: Count = 40

    @classmethod
    def smoke(cls) -> "BehaviourSettings":
        """Every part once, at toy size."""
        return cls(
            num_participants=2,
            num_trials=20,
            num_warmup=5,
            num_samples=30,
            num_chains=2,
            max_tree_depth=1,
            num_simulated=4,
            trial_counts=(20,),
            rated_trials=20,
            pool_size=2,
            study_sizes=(2, 4),
            num_studies=5,
            num_pools=2,
        )


@dataclass(frozen=True)
class Config:
    """The whole of belief_revision.

    pairs: how many (belief, contradicting image) pairs.  strengths: morphs from an image of the
    believed class (0) to the contradicting image (1).  gains: precision gains, 1 = no drug.
    prior_ratio: prior precision in units of the evidence precision that reaches the top.
    established_by: images of the believed class that establish the belief by evidence.
    """

    training: Training = field(default_factory=Training)
    pairs: int = 48
    strengths: tuple[float, ...] = tuple(round(0.1 * i, 1) for i in range(11))
    gains: tuple[float, ...] = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
    prior_ratio: float = 9.0
    established_by: int = 5
    settling_pairs: int = 3
    belief_samples: int = 512
    behaviour: BehaviourSettings = field(default_factory=BehaviourSettings)

    def __post_init__(self):
        if self.pairs < 2:
            raise UserError(f"pairs must be at least 2, got {self.pairs}.")
        if not self.gains or self.gains[0] != 1 or min(self.gains) <= 0:
            raise UserError(
                f"gains must be positive and begin with 1 (no drug), got {self.gains}."
            )
        if not 0 <= min(self.strengths) < max(self.strengths) <= 1:
            raise UserError(f"strengths must lie in [0, 1], got {self.strengths}.")
        if self.prior_ratio <= 0 or self.established_by < 1:
            raise UserError("prior_ratio and established_by must be positive.")

    @classmethod
    def smoke(cls) -> "Config":
        """Sizes that show only that the parts fit; most of the time is compiling."""
        return cls(
            training=Training(hidden=(16, 12), epochs=3, batch_size=100),
            pairs=6,
            strengths=(0.0, 0.5, 1.0),
            gains=(1.0, 0.25),
            settling_pairs=1,
            behaviour=BehaviourSettings.smoke(),
        )

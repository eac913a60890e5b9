"""Sizes of the lifespan experiment."""

from dataclasses import dataclass

from pcmodel.errors import UserError

FOLDER = "bruckner2025_helicopter_lifespan"
AGES = {1: "children", 2: "adolescents", 3: "younger adults", 4: "older adults"}
CHILDREN, YOUNGER, OLDER = 1, 3, 4


@dataclass(frozen=True)
class Config:
    """`data` is the folder of the data set; empty: beside the repository.

    people: of each age group, 0: all.  trials: of each series, 0: all.
    replications: simulated runs of every fitted person.
    """

    data: str = ""
    people: int = 0
    trials: int = 0
    replications: int = 10

    def __post_init__(self) -> None:
        if min(self.people, self.trials) < 0 or self.replications < 1:
            raise UserError(
                "people and trials must be 0 or more, replications 1 or more"
            )
        if 0 < self.people < 3 or 0 < self.trials < 30:
            raise UserError("fewer than 3 people or 30 trials cannot be measured")

    @classmethod
    def smoke(cls) -> "Config":
        """Runs, and proves nothing."""
        return cls(people=3, trials=40, replications=2)

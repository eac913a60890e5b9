"""The options."""

from dataclasses import dataclass

from .._options import at_least


@dataclass(frozen=True)
class Config:
    """people: participants at each dose.  doses: number of doses.  strength: log precision per effect.

    rates: residences, and affinities, of ketanserin that are tried.
    """

    people: int = 200
    doses: int = 21
    strength: float = 2.0
    rates: int = 7

    def __post_init__(self):
        at_least(2, people=self.people, rates=self.rates)
        at_least(3, doses=self.doses)

    @classmethod
    def smoke(cls) -> "Config":
        """Few people, few doses."""
        return cls(people=5, doses=4, rates=2)

"""The rival participant models: options of an agent."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool

from pcmodel.inputs.arguments import checked_arguments


class Switches(NamedTuple):
    """An `Agent` as arrays, so that one compiled fit serves every agent.

    report_anchored: the anchor is the last report.
    change_points: see `Agent`.
    free_scale: see `Agent`.
    drift: see `Agent`.
    """

    report_anchored: Bool[Array, ""]
    change_points: Bool[Array, ""]
    free_scale: Bool[Array, ""]
    drift: Bool[Array, ""]


@checked_arguments
@dataclass(frozen=True)
class Agent:
    """A participant model.

    anchor: where an update starts: the participant's own last "report" (Nassar et
        al. 2010, Bruckner et al.) or the latent "belief" the report was drawn from.
    change_points: False is the Kalman agent (hazard 0 everywhere).
    free_scale: False holds k = b = 1: the assumed noise is the task's.
    drift: False holds q = 0: the position is assumed constant between change points,
        as it is in the task.
    """

    anchor: Literal["report", "belief"] = "report"
    change_points: bool = True
    free_scale: bool = True
    drift: bool = True

    def __post_init__(self) -> None:
        if self.anchor not in ("report", "belief"):
            raise ValueError(
                f"anchor is {self.anchor!r}: expected 'report' or 'belief'"
            )

    def switches(self) -> Switches:
        """The same options as arrays."""
        return Switches(
            report_anchored=jnp.asarray(self.anchor == "report"),
            change_points=jnp.asarray(self.change_points),
            free_scale=jnp.asarray(self.free_scale),
            drift=jnp.asarray(self.drift),
        )

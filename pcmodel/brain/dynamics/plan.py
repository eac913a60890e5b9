"""The modules of a brain hierarchy: which networks it has, which predicts which, and how slow each is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, checked_options
from pcmodel.inputs.ranges import Count, Finite, InnerShare, Positive, ShareBelowOne
from pcmodel.neuromodulation.accounts.maps import receptor_map


@checked_arguments
@dataclass(frozen=True)
class Module:
    """One level of a brain hierarchy: a sense, or a network of regions.

    regions: number of regions; of a sense, of its channels.
    parents: names of the modules that predict it; () for the top.
    time_constant: seconds in which its units settle when nothing else acts on them.
    network: row of the receptor map (`pcmodel.neuromodulation.anatomy`).
    parts: named groups of regions, by their places, such as {"self": (0, 1)}.
    """

    regions: Count
    parents: tuple[str, ...] = ()
    time_constant: Positive = 0.1
    network: str = "sensory"
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self):
        if self.network not in receptor_map():
            known = ", ".join(receptor_map())
            raise UserError(
                f"is {self.network!r}", where="network", expected=f"one of {known}"
            )
        for name, places in self.parts.items():
            if not places or not set(places) <= set(range(self.regions)):
                raise UserError(
                    f"part {name!r} is {places}",
                    where="parts",
                    expected=f"places from 0 to {self.regions - 1}",
                )


# Every path from the top to a sense passes each rank once, so that weaker transmission of errors has an equivalent.
# Time constants rise with the hierarchy, as in Murray et al. 2014 (Nat Neurosci 17:1661); the numbers are assumed.
MODULES: Mapping[str, Module] = {
    "sight": Module(4, ("visual",), 0.02),
    "touch": Module(4, ("somatomotor",), 0.02),
    "visual": Module(4, ("dorsal attention", "ventral attention"), 0.05, "visual"),
    "somatomotor": Module(
        4, ("dorsal attention", "ventral attention"), 0.05, "somatomotor"
    ),
    "dorsal attention": Module(4, ("control",), 0.1, "dorsal attention"),
    "ventral attention": Module(4, ("control", "limbic"), 0.1, "ventral attention"),
    "limbic": Module(3, ("default",), 0.2, "limbic"),
    "control": Module(5, ("default",), 0.2, "control"),
    "default": Module(6, (), 0.4, "default", {"self": (0, 1), "world": (2, 3, 4, 5)}),
}
"""The seven cortical networks of Yeo et al. (2011, J Neurophysiol 106:1125) between two senses and the self."""


@checked_options()
@dataclass(frozen=True)
class BrainPlan:
    """How a brain hierarchy is made, and the world that teaches it.

    units: per region.
    explained: share of each unit's variance that its parents explain in the world.
    shared: correlation, among the regions of a module, of what the parents leave unexplained.
    mean_weight: mean of the world's weights, whose standard deviation is 1: above 0, networks are correlated positively.
    sense_noise: share of a sense's variance that is no signal.
    examples: number of examples that the hierarchy learns from.
    """

    units: Count = 2
    explained: InnerShare = 0.3
    shared: ShareBelowOne = 0.2
    mean_weight: Finite = 0.05
    sense_noise: InnerShare = 0.5
    examples: Count = 1000


def ranks(modules: Mapping[str, Module]) -> dict[str, int]:
    """Each module's height above the senses: the longest path down; UserError for a cycle or an unknown parent."""
    for name, module in modules.items():
        unknown = [parent for parent in module.parents if parent not in modules]
        if unknown:
            raise UserError(
                f"module {name!r} has the parent {unknown[0]!r}",
                where="modules",
                expected=f"one of {', '.join(modules)}",
            )
    found = dict.fromkeys(modules, 0)
    for _ in modules:
        before = dict(found)
        for name, module in modules.items():
            for parent in module.parents:
                found[parent] = max(found[parent], found[name] + 1)
        if found == before:
            return found
    raise UserError("modules predict each other in a circle", where="modules")


def senses_of(modules: Mapping[str, Module]) -> tuple[str, ...]:
    """The modules that are nobody's parent."""
    parents = {parent for module in modules.values() for parent in module.parents}
    return tuple(name for name in modules if name not in parents)

"""What an account of a drug does to the modules of a brain hierarchy."""

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.modulation import Modulation
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy, anatomy


@checked_arguments
def brain_anatomy(brain: BrainHierarchy) -> Anatomy:
    """The receptors of every level, in the order of `brain.network.names`; all senses together count as one level."""
    names, parents = brain.network.names, brain.network.parents
    return anatomy(*(brain.modules[name].network for name in names)).of(parents)


@checked_arguments
def brain_modulation(
    brain: BrainHierarchy, account: Account, effects: Effects
) -> Modulation:
    """An account's modulation of every module, by the index of its level.

    account: by the measured receptor map, which is nearly flat; that the top is favoured is an assumption that an account
        makes (`Rebus(selectivity=2.0)`).
    effects: of one moment.
    """
    return account.modulate(effects, brain_anatomy(brain))

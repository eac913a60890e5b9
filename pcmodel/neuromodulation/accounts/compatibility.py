"""Whether an account fits a hierarchy and the compounds that are taken."""

from collections.abc import Collection

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.neuromodulation.accounts.accounts import Account
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.compounds import Library

PROVIDED = {
    "effect_2a": ("a 5-HT2A agonist", ("efficacy_2a", "release_ec50")),
    "response_1a": ("a 5-HT1A agonist", ("efficacy_1a", "release_ec50")),
    "nmda_block": ("a blocker of NMDA channels", ("nmda_ic50",)),
}


@checked_arguments
def check_account(
    account: Account,
    anatomy: Anatomy,
    names: tuple[str, ...],
    *,
    library: Library,
    compounds: Collection[str],
) -> None:
    """UserError unless an account fits a hierarchy and the compounds that are taken.

    account: to be checked.
    anatomy: receptors of its levels.
    names: of the network's levels.
    library: the compounds' numbers.
    compounds: those that are taken; a placebo alone fits every account.
    """
    label = f"account {type(account).__name__.lower()}"
    if anatomy.num_levels != len(names):
        raise UserError(
            f"the anatomy has {anatomy.num_levels} levels "
            f"({', '.join(anatomy.networks)}), the network {len(names)}",
            where=label,
        )
    taken = [library[name] for name in compounds]
    inert = all(not _acts(compound.numbers) for compound in taken)
    for need in () if inert else account.needs:
        what, quantities = PROVIDED[need]
        if not any(c.get(quantity, 0.0) > 0 for c in taken for quantity in quantities):
            raise UserError(
                f"needs {what}, and {', '.join(compounds)} is none", where=label
            )


def _acts(numbers: Collection[str]) -> bool:
    return any(quantity.startswith(("k_", "release", "nmda")) for quantity in numbers)

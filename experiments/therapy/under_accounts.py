"""The verdict on every claim under every account of what the drug does: which of them hang on the account."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS
from pcmodel.report import UNPERTURBED, Claim, Table
from pcmodel.report.declared.claims import outcome

from .perturb import DEFAULT
from .simulate import Config

OUTCOMES = ("fails", "holds", "inconclusive")
"""In the order of their codes."""


class Outcomes(NamedTuple):
    """Codes of the outcomes, (accounts, claims), in the order of `accounts_of` and of the claims."""

    codes: np.ndarray


def accounts_of(config: Config) -> tuple[str, ...]:
    """The account in use first, then its rivals, if they are asked for."""
    rivals = (DEFAULT, *ACCOUNTS) if config.rivals else ()
    return tuple(dict.fromkeys((config.account, *rivals)))


def outcomes(claims: Sequence[Claim], config: Config, seed: int) -> Outcomes:
    """Every claim measured under every account, all parameters as set."""
    found = [
        [
            code_of(claim, replace(config, account=name, rivals=False), seed)
            for claim in claims
        ]
        for name in accounts_of(config)
    ]
    return Outcomes(np.asarray(found, float))


def code_of(claim: Claim, config: Config, seed: int) -> int:
    """The code of a claim's outcome."""
    perturbation = (UNPERTURBED,) if claim.parameters else ()
    record: Any = claim.measure(config, seed, *perturbation)
    return OUTCOMES.index(outcome(claim, record))


def all_alike(found: Outcomes) -> bool | None:
    """Whether every claim has the same outcome under all accounts; None where only one was run."""
    if len(found.codes) < 2:
        return None
    return bool(np.all(found.codes == found.codes[:1]))


def alike_in_words(found: Outcomes) -> str:
    """How many claims hang on the account."""
    count = found.codes.shape[1]
    if len(found.codes) < 2:
        return "no rival account was asked for"
    hanging = int(np.any(found.codes != found.codes[:1], axis=0).sum())
    return f"{hanging} of {count} claims have another outcome under at least one rival account"


def tell_accounts(claims: Sequence[Claim], config: Config, found: Outcomes) -> Table:
    """The outcomes; those that differ from the account in use are set in capitals."""
    names = accounts_of(config)
    rows = []
    for column, claim in enumerate(claims):
        words = [OUTCOMES[int(code)] for code in found.codes[:, column]]
        told = [word if word == words[0] else word.upper() for word in words]
        rows.append((claim.name, *told))
    return Table(
        ("claim", *names), rows, "In capitals: another outcome than as set (first)."
    )

"""`report`: the page."""

import numpy as np

from pcmodel.report import Panel, Report, Section, Table

from .._claims import examine, overturning
from .computing import FULL, Config, Results
from .judging import (
    OBSERVABLES,
    Summary,
    changes,
    claims,
)


def report(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    every = claims(results)
    judged = [v for v in summary.verdicts if v.kind == "predicted"]
    held = sum(v.outcome == "holds" for v in judged)
    failed = sum(v.outcome == "fails" for v in judged)
    return Report(
        title="Rival accounts",
        question="What separates the rival accounts of a psychedelic, and what cannot?",
        answer=f"Of {len(judged)} expected signs **{held}** hold, **{failed}** fail and {len(judged) - held - failed} are undecided in random "
        "hierarchies. Belief means cannot tell relaxed priors from raised senses: with a flat map they are the same number. "
        "Uncertainty does, and so does what happens with eyes closed.",
        verdicts=summary.verdicts,
        key_panel=Panel(
            "plane",
            "Each line follows one account as its effect grows from 0 (centre) to 1 (large dot); medians over "
            f"{config.networks} random hierarchies. Left: relaxed priors and raised senses move belief alike and part in uncertainty. Noise lies under the uniform null in the left and right panels.",
            "Accounts separate in uncertainty, direction of information and closed-eye activity.",
        ),
        sections=(
            Section(
                "Cell by cell",
                panels=(
                    Panel(
                        "cells",
                        "Most common sign of each change and the share of networks that show it; below it, whether a published table expected it. SEBUS at a moderate effect, the others at that of 25 mg psilocybin.",
                        "Signs by account and observable.",
                    ),
                ),
                tables=(separating(summary),),
            ),
            overturning(every, {claim.name: examine(claim) for claim in every}),
            Section(
                "REBUS under other assumptions",
                (
                    "The senses half or not exempt, the top favoured, and the sign of the link reversed.",
                ),
                tables=(variants(results),),
            ),
            Section(
                "What belief means alone cannot separate",
                (
                    "Relaxed priors and raised senses: with a flat map the top belief is the same number at every effect. Noise "
                    "and the uniform null move no mean at all, and spread activity alike; only the speed of inference, and with it transfer entropy, tells them apart. A study "
                    "that reports where beliefs went, and not how sure they are, cannot tell these apart.",
                ),
            ),
        ),
        assumptions=[
            f"Strength {config.strength:g} log units per effect (oneirogen and dimmer half of it): assumed, the same for all.",
            "Receptor map measured; levels are taken to be sensory, dorsal attention, control and default cortex.",
            "Activity is a draw of the posterior; a generated share reaches a level one sample after the activity above it.",
            "Eyes closed: the senses report just what the prior expects, with their usual precision.",
            "Transfer entropy is between the top and the lowest latent level, one sample back, of inference linearised at its mode.",
            results.laplace.sentence(),
            "The dimmer is shown at the same number on its own scale, the 5-HT1A response.",
        ],
        limitations=(
            "Two independent sources mixed in part average out, so that a small generated share lowers the variance of "
            "activity; a dream (all of it) is more diverse than perception. The expected rise under the oneirogen needs "
            "a large share, or sources that agree.",
            "Random weights: a trained hierarchy may differ. No cell says which account is true of people.",
            "Signs follow from each account as it is written here; the oneirogen's recognition pathway is inference, not a trained network.",
        ),
        references=(
            "Carhart-Harris & Friston 2019, Pharmacol Rev 71:316 (REBUS). Rajpal et al. 2022, NeuroImage 263:119624.",
            "Safron et al. (ALBUS, SEBUS). Bredenberg et al., eLife 105968 (oneirogen).",
            "Juliani et al. 2024, bioRxiv 2024.04.12.589282 (noise and smoothing).",
        ),
    )


def separating(summary: Summary) -> Table:
    """Which observables tell two accounts apart."""
    rows = [
        (pair, ", ".join(OBSERVABLES[o] for o in telling) or "nothing observed here")
        for pair, telling in summary.separating.items()
    ]
    return Table(
        ("Accounts", "Told apart by"),
        rows,
        "Observables whose changes differ in one direction in 95 % of networks.",
    )


def variants(results: Results) -> Table:
    """REBUS under other assumptions."""
    rows = []
    for name, observed in {
        "rebus": results.observed["rebus"],
        **results.assumptions,
    }.items():
        found = changes(observed, results, FULL)
        rows.append((name, *(f"{np.median(found[o]):+.3f}" for o in OBSERVABLES)))
    return Table(
        ("Account", *OBSERVABLES.values()), rows, "Median change at a full dose."
    )

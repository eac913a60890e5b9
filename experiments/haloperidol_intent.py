"""Does haloperidol make attributions of harmful intent more flexible?

Barnby et al. 2024: 28 people under placebo, haloperidol and levodopa (within people), 18 ratings of harmful
intent in each. A two-level filter with correlated effects of the drug that vary over people.

Prediction that could fail: haloperidol raises omega2, the log variance of the belief's steps.

Reference: Barnby et al. 2024, Nat Ment Health 2:562

Time: a quarter of an hour on two idle cores; a minute or two with --smoke
"""

from typing import Any

from pcmodel.behaviour.studies.fit import WorkflowResults
from pcmodel.report import Report

from ._published import (
    Config,
    Summary,
    describe_checks,
    effect_draws,
    fit_published,
    fit_report,
    judge_effect,
    keep_nothing,
)

FORMULAS = (
    "omega2 ~ drug + (drug | participant)",
    # What differs within people varies over them: else one who answers alike throughout
    # fixes the drug's effect for everyone.
    "rating_bias ~ drug + (drug || participant)",
    "log_rating_noise ~ drug + (drug || participant)",
)
REFERENCE = "Barnby et al. 2024, Nat Ment Health 2:562"


def run(
    config: Config, *, seed: int, progress: Any, open_store: Any = keep_nothing
) -> WorkflowResults:
    """Fit the two-level filter with a censored, stepped rating."""
    return fit_published(
        config,
        "barnby2024_attribution_haloperidol",
        task="rating",
        model="hgf2",
        formulas=FORMULAS,
        columns=("outcome=partner_return", "rating=harmful_intent"),
        scale=(0.0, 100.0),
        after_outcome=True,
        seed=seed,
        progress=progress,
        open_store=open_store,
    )


def analyse(config: Config, results: WorkflowResults) -> Summary:
    """The drug's effect on the step size of the belief."""
    verdict = judge_effect(
        "Haloperidol makes beliefs about intent more flexible",
        "effect on omega2 above zero",
        effect_draws(results, "omega2", 1),
        trusted=not results.complaints,
        checked=describe_checks(results.diagnostics),
    )
    return Summary((verdict,))


def report(config: Config, results: WorkflowResults, summary: Summary) -> Report:
    """The page."""
    return fit_report(
        title="Haloperidol and attributed intent",
        question="Does haloperidol make attributions of harmful intent more flexible?",
        answer=f"Haloperidol minus placebo: {summary.verdicts[0].observed} in log variance of a step.",
        results=results,
        verdicts=summary.verdicts,
        limitations=(
            "Beliefs may be reset when the partner changes (trials 7 and 13); here they are carried on.",
        ),
        references=(REFERENCE,),
    )

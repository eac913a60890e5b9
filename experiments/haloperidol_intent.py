"""Does haloperidol make attributions of harmful intent more flexible?

Barnby et al. 2024: 28 people under placebo, haloperidol and levodopa (within people), 18 ratings of harmful
intent in each. A two-level filter with correlated effects of the drug that vary over people.

Prediction that could fail: haloperidol raises omega2, the log variance of the belief's steps.

Reference: Barnby et al. 2024, Nat Ment Health 2:562

Time: a quarter of an hour on two idle cores; a minute or two with --smoke
"""

from ._published import drug_experiment

EXPERIMENT = drug_experiment(
    "barnby2024_attribution_haloperidol",
    effect="omega2[drug[haloperidol]]",
    claim="Haloperidol makes beliefs about intent more flexible",
    prediction="effect on omega2 above zero",
    words={
        "title": "Haloperidol and attributed intent",
        "drug": "Haloperidol",
        "limitation": "Beliefs may be reset when the partner changes (trials 7 and 13); here they are carried on.",
        "reference": "Barnby et al. 2024, Nat Ment Health 2:562",
    },
    plan={
        "formulas": (
            "omega2 ~ drug + (drug | participant)",
            # What differs within people varies over them: else one who answers alike throughout
            # fixes the drug's effect for everyone.
            "rating_bias ~ drug + (drug || participant)",
            "log_rating_noise ~ drug + (drug || participant)",
        ),
        "columns": ("outcome=partner_return", "rating=harmful_intent"),
        "scale": (0.0, 100.0),
        "after_outcome": True,
    },
)

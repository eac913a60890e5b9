"""Priors of the parameters of a change-point participant."""

from pcmodel.behaviour.hierarchy.parameter import Parameter

PRIORS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "hazard_logit",
            -2.0,
            1.0,
            0.5,
            about="logit of the probability of a change",
            natural="hazard",
            transform="logistic",
            unit="probability a trial",
            published="H, the hazard rate (Nassar et al. 2010)",
        ),
        Parameter(
            "log_scale",
            0.0,
            0.5,
            0.5,
            about="log k, assumed over true variance of the outcome at the reference noise",
            natural="noise_scale",
            transform="exp",
        ),
        Parameter(
            "noise_exponent",
            1.0,
            0.5,
            about="1: follows the task's noise; 0: ignores it",
        ),
        Parameter(
            "log_process",
            4.0,
            1.5,
            1.0,
            about="log q, screen units squared",
            natural="process_variance",
            transform="exp",
            unit="screen units squared a trial",
        ),
        Parameter(
            "log_sighting",
            1.0,
            1.5,
            about="log variance of a seen helicopter over an outcome's",
            natural="sighting_variance",
            transform="exp",
            unit="outcome's variance at the reference noise",
        ),
        Parameter(
            "log_report_sd",
            1.5,
            0.7,
            0.5,
            about="log SD of a report without an update, screen units",
            natural="report_sd",
            transform="exp",
            unit="screen units",
        ),
        Parameter(
            "log_report_slope",
            -1.5,
            0.7,
            0.7,
            about="log SD of a report per unit of update",
            natural="report_slope",
            transform="exp",
        ),
        Parameter(
            "stay_logit",
            0.0,
            1.5,
            1.0,
            about="logit of repeating the last report where no update is due",
            natural="stay",
            transform="logistic",
            unit="probability",
        ),
        Parameter(
            "log_stay_decay",
            -2.0,
            1.0,
            about="log fall of that logit per unit of update",
            natural="stay_decay",
            transform="exp",
            unit="log odds / screen unit",
        ),
    )
}
"""Priors by the fields of `ParticipantParameters`."""

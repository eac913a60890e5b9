"""Priors of the parameters of a change-point participant."""

from pcmodel.behaviour.hierarchy.parameter import Parameter

PRIORS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "hazard_logit", -2.0, 1.0, 0.5, about="logit of the probability of a change"
        ),
        Parameter("log_scale", 0.0, 0.5, 0.5, about="log k"),
        Parameter(
            "noise_exponent",
            1.0,
            0.5,
            about="1: follows the task's noise; 0: ignores it",
        ),
        Parameter("log_process", 4.0, 1.5, 1.0, about="log q, screen units squared"),
        Parameter(
            "log_sighting",
            1.0,
            1.5,
            about="log variance of a seen helicopter over an outcome's",
        ),
        Parameter(
            "log_report_sd", 1.5, 0.7, 0.5, about="log SD of a report, screen units"
        ),
        Parameter(
            "log_report_slope",
            -1.5,
            0.7,
            0.7,
            about="log SD of a report per unit of update",
        ),
        Parameter(
            "stay_logit", 0.0, 1.5, 1.0, about="logit of repeating the last report"
        ),
        Parameter(
            "log_stay_decay",
            -2.0,
            1.0,
            about="log fall of that logit per unit of update",
        ),
    )
}
"""Priors by the fields of `ParticipantParameters`."""

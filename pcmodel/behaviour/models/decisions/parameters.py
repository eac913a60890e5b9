"""Parameters that several tasks of decisions have."""

from pcmodel.behaviour.models.interface import Parameter

RATE_MEAN, RATE_SD = -0.5, 1.2


def learning_rate(name: str, about: str, published: str) -> Parameter:
    """The logit of a learning rate, `NAME_logit`."""
    return Parameter(
        f"{name}_logit",
        RATE_MEAN,
        RATE_SD,
        0.7,
        about=f"logit of the learning rate {about}",
        natural=name,
        transform="logistic",
        unit="share of the error",
        published=published,
    )


def inverse_temperature(
    name: str, mean: float, about: str, unit: str, published: str
) -> Parameter:
    """The log of an inverse temperature, `log_NAME`."""
    return Parameter(
        f"log_{name}",
        mean,
        0.8,
        0.5,
        about=f"log inverse temperature {about}",
        natural=name.replace("beta", "inverse_temperature"),
        transform="exp",
        unit=unit,
        published=published,
    )


LAPSE = Parameter(
    "lapse_logit",
    -4.0,
    1.0,
    free=False,
    about="logit of the probability of choosing blindly",
    natural="lapse",
    transform="logistic",
    unit="probability",
    published="epsilon; hBayesDM has none in this task",
)

"""The models of the tasks of decisions, by their names on the command line."""

from pcmodel.behaviour.models import filters
from pcmodel.behaviour.models.decisions.discounting import DiscountingModel
from pcmodel.behaviour.models.decisions.go_no_go import GoNoGoModel
from pcmodel.behaviour.models.decisions.kalman import kalman
from pcmodel.behaviour.models.decisions.offered import OfferedModel
from pcmodel.behaviour.models.decisions.two_step import (
    HYBRID,
    HYBRID_ONE_RATE,
    HYBRID_WITHOUT_TRACE,
    TwoStepModel,
)
from pcmodel.behaviour.models.decisions.ultimatum import UltimatumModel
from pcmodel.behaviour.models.interface import Entry, TaskFacts

DAW = "Daw et al. 2011, Neuron 69:1204"
FRANK = "Frank et al. 2004, Science 306:1940"
GUITART = "Guitart-Masip et al. 2012, NeuroImage 62:154"
OPTIONS = 6  # of a probabilistic selection, at least
CUES = 4  # of go / no-go, at least


def _options(facts: TaskFacts) -> int:
    return max(OPTIONS, facts.num_arms)


def _cues(facts: TaskFacts) -> int:
    return max(CUES, facts.num_arms)


LEARNERS = {
    "rescorla_wagner": (
        filters.rescorla_wagner,
        "The chosen option's value is corrected by a fixed share of its error.",
        "Rescorla & Wagner 1972",
    ),
    "two_rates": (
        filters.two_rates,
        "The same with one share after better and another after worse than expected.",
        "Frank et al. 2007, PNAS 104:16311",
    ),
    "kalman": (
        kalman,
        "Values are believed to take random steps: what was not seen for long is learned fast.",
        "Kalman 1960",
    ),
}


def _learners(name: str, *, pairs: bool) -> Entry:
    make, about, source = LEARNERS[name]

    def build(facts: TaskFacts) -> OfferedModel:
        num = _options(facts) if pairs else facts.num_arms
        return OfferedModel(make(num), num)

    return Entry(build, about, source)


DECISION_MODELS: dict[str, dict[str, Entry]] = {
    "two_step": {
        "hybrid": Entry(
            lambda facts: HYBRID,
            "First choices weigh what paid after them against what the states they lead to are worth.",
            DAW,
        ),
        "hybrid_without_trace": Entry(
            lambda facts: HYBRID_WITHOUT_TRACE,
            "As hybrid, with an eligibility trace of 1.",
            f"{DAW}; hBayesDM `ts_par6`",
        ),
        "hybrid_one_rate": Entry(
            lambda facts: HYBRID_ONE_RATE,
            "As hybrid, with one learning rate and inverse temperature for both stages and a trace of 1.",
            "Wunderlich et al. 2012, Neuron 75:418; hBayesDM `ts_par4`",
        ),
        "model_free": Entry(
            lambda facts: TwoStepModel(model_based=0.0),
            "First choices follow what paid after them: SARSA with an eligibility trace.",
            DAW,
        ),
        "model_based": Entry(
            lambda facts: TwoStepModel(model_based=1.0),
            "First choices follow what the states that they lead to are worth.",
            DAW,
        ),
    },
    "selection": {
        "two_rates": _learners("two_rates", pairs=True),
        "rescorla_wagner": _learners("rescorla_wagner", pairs=True),
        "kalman": _learners("kalman", pairs=True),
    },
    "offered": {
        "rescorla_wagner": _learners("rescorla_wagner", pairs=False),
        "two_rates": _learners("two_rates", pairs=False),
        "kalman": _learners("kalman", pairs=False),
        "kalman_decay": Entry(
            lambda facts: OfferedModel(
                kalman(facts.num_arms, decaying=True), facts.num_arms
            ),
            "As kalman, and values are believed to drift back to a centre.",
            "Daw et al. 2006, Nature 441:876",
        ),
    },
    "discounting": {
        "hyperbolic": Entry(
            lambda facts: DiscountingModel("hyperbolic"),
            "An amount is worth 1 / (1 + k d) after a delay d.",
            "Mazur 1987",
        ),
        "exponential": Entry(
            lambda facts: DiscountingModel("exponential"),
            "An amount loses the same share of its worth on every day.",
            "Samuelson 1937",
        ),
        "quasi_hyperbolic": Entry(
            lambda facts: DiscountingModel("quasi_hyperbolic"),
            "As exponential, and whatever does not come at once loses a share for it.",
            "Laibson 1997, Q J Econ 112:443",
        ),
        "constant_sensitivity": Entry(
            lambda facts: DiscountingModel("constant_sensitivity"),
            "As exponential, of a power of the delay.",
            "Ebert & Prelec 2007, Manage Sci 53:1423",
        ),
    },
    "ultimatum": {
        "fehr_schmidt": Entry(
            lambda facts: UltimatumModel("equal"),
            "Having less than the other costs utility, and having more may, too.",
            "Fehr & Schmidt 1999, Q J Econ 114:817",
        ),
        "norm_bayes": Entry(
            lambda facts: UltimatumModel("bayes"),
            "Offers are compared with a norm, the mean of all offers and of a prior.",
            "Xiang et al. 2013, J Neurosci 33:1099; hBayesDM `ug_bayes`",
        ),
        "norm_delta": Entry(
            lambda facts: UltimatumModel("delta"),
            "Offers are compared with a norm that is corrected by a fixed share of each error.",
            "Gu et al. 2015, J Neurosci 35:467; hBayesDM `ug_delta`",
        ),
    },
    "go_no_go": {
        "pavlovian": Entry(
            lambda facts: GoNoGoModel(_cues(facts)),
            "Going and not going are learned; cues of gains invite going, cues of losses hold back.",
            f"{GUITART}; hBayesDM `gng_m3`",
        ),
        "pavlovian_two_sizes": Entry(
            lambda facts: GoNoGoModel(_cues(facts), two_sizes=True),
            "As pavlovian, with gains and losses of different size.",
            "Cavanagh et al. 2013, J Neurosci 33:8541; hBayesDM `gng_m4`",
        ),
        "go_bias": Entry(
            lambda facts: GoNoGoModel(_cues(facts), pavlovian=False),
            "Going and not going are learned, with a bias towards going.",
            f"{GUITART}; hBayesDM `gng_m2`",
        ),
        "no_bias": Entry(
            lambda facts: GoNoGoModel(_cues(facts), go_bias=False, pavlovian=False),
            "Going and not going are learned, without a bias.",
            f"{GUITART}; hBayesDM `gng_m1`",
        ),
    },
}

"""Response models: choices, ratings, confidence and reaction times given a belief.

Each is a log likelihood and a sampler, for one trial or many, elementwise over trials. The
continuous report with a stay mixture is `pcmodel.behaviour.change_point.report`.
"""

from pcmodel.behaviour.responses.choice import ChoiceParameters as ChoiceParameters
from pcmodel.behaviour.responses.choice import as_trace as as_trace
from pcmodel.behaviour.responses.choice import (
    choice_log_probabilities as choice_log_probabilities,
)
from pcmodel.behaviour.responses.choice import (
    chosen_log_probability as chosen_log_probability,
)
from pcmodel.behaviour.responses.choice import draw_choice as draw_choice
from pcmodel.behaviour.responses.choice import (
    traced_log_probabilities as traced_log_probabilities,
)
from pcmodel.behaviour.responses.choice import update_trace as update_trace
from pcmodel.behaviour.responses.detection import (
    DetectionParameters as DetectionParameters,
)
from pcmodel.behaviour.responses.detection import (
    detection_log_likelihood as detection_log_likelihood,
)
from pcmodel.behaviour.responses.detection import draw_detection as draw_detection
from pcmodel.behaviour.responses.judgement import (
    JudgementParameters as JudgementParameters,
)
from pcmodel.behaviour.responses.judgement import (
    confidence_log_likelihood as confidence_log_likelihood,
)
from pcmodel.behaviour.responses.judgement import draw_confidence as draw_confidence
from pcmodel.behaviour.responses.judgement import (
    draw_reaction_time as draw_reaction_time,
)
from pcmodel.behaviour.responses.judgement import (
    reaction_time_log_likelihood as reaction_time_log_likelihood,
)
from pcmodel.behaviour.responses.offered import draw_offered as draw_offered
from pcmodel.behaviour.responses.offered import (
    offered_log_probabilities as offered_log_probabilities,
)
from pcmodel.behaviour.responses.prediction import (
    PredictionParameters as PredictionParameters,
)
from pcmodel.behaviour.responses.prediction import draw_prediction as draw_prediction
from pcmodel.behaviour.responses.prediction import (
    prediction_log_likelihood as prediction_log_likelihood,
)
from pcmodel.behaviour.responses.rating import RatingParameters as RatingParameters
from pcmodel.behaviour.responses.rating import Scale as Scale
from pcmodel.behaviour.responses.rating import (
    censored_log_likelihood as censored_log_likelihood,
)
from pcmodel.behaviour.responses.rating import draw_censored as draw_censored
from pcmodel.behaviour.responses.rating import draw_ordered as draw_ordered
from pcmodel.behaviour.responses.rating import draw_stepped as draw_stepped
from pcmodel.behaviour.responses.rating import expected_censored as expected_censored
from pcmodel.behaviour.responses.rating import expected_stepped as expected_stepped
from pcmodel.behaviour.responses.rating import (
    ordered_log_probabilities as ordered_log_probabilities,
)
from pcmodel.behaviour.responses.rating import read_scale as read_scale
from pcmodel.behaviour.responses.rating import (
    stepped_log_likelihood as stepped_log_likelihood,
)
from pcmodel.behaviour.responses.two_options import draw_of_two as draw_of_two
from pcmodel.behaviour.responses.two_options import (
    two_options_log_likelihood as two_options_log_likelihood,
)
from pcmodel.behaviour.responses.unit_square import draw_binary as draw_binary
from pcmodel.behaviour.responses.unit_square import (
    unit_square_log_likelihood as unit_square_log_likelihood,
)

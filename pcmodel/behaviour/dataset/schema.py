"""What the table of each task must hold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pcmodel.behaviour.dataset.tasks.continuous import PREDICTION
from pcmodel.behaviour.dataset.tasks.decisions import DECISIONS
from pcmodel.behaviour.dataset.tasks.detection import DETECTION
from pcmodel.behaviour.dataset.tasks.interface import Column as Column
from pcmodel.behaviour.dataset.tasks.interface import Kind as Kind
from pcmodel.behaviour.dataset.tasks.interface import Task as Task
from pcmodel.behaviour.dataset.tasks.own import is_own_task, read_task
from pcmodel.errors import unknown_name
from pcmodel.inputs.arguments import checked_arguments

PARTICIPANT = "participant"
# Case and punctuation do not matter: `trial_num` is `TrialNum` and `trial num`.
PARTICIPANT_NAMES = (
    *("participant", "participant_id", "participants", "participant_number"),
    *("participant_no", "participant_nr", "subject", "subject_id", "subject_number"),
    *("subject_no", "subject_nr", "subj", "subj_id", "sub", "sub_id", "id", "pid"),
    *("ppt", "ppid", "person", "person_id", "prolific_id", "prolific_pid"),
    *("participant_private_id", "participant_code", "subject_code"),
    *("subj_idx", "subject_idx", "subject_num", "subj_no", "subj_num", "sub_num"),
    *("subj_nr", "subj_number", "sub_no", "sub_nr", "sub_number", "participant_num"),
    *("sid", "random_id", "user_id"),
)
SESSION_NAMES = (
    *("session", "session_id", "session_number", "session_no", "session_nr"),
    *("session_num", "session_index", "sess", "ses", "ses_id", "visit", "visit_id"),
    *("visit_number", "visit_no", "visit_nr", "sitting", "day", "wave"),
    *("timepoint", "time_point", "testing_session", "n_session"),
)
BLOCK_NAMES = (
    *("run", "run_id", "run_number", "run_no", "run_nr", "run_index", "block"),
    *("block_id", "block_number", "block_no", "block_nr", "block_num", "block_index"),
)
TRIAL_NAMES = (
    *("trial", "trial_number", "trial_num", "trial_no", "trial_nr", "trial_index"),
    *("trial_id", "trial_n", "trials", "trial_count", "n_trial", "trl"),
)
# Columns that distinguish trials from cues, practice and instructions.
PHASE_NAMES = (
    *("trial_type", "event_type", "event", "row_type", "type", "phase", "stage"),
    *("part", "task_part", "section", "practice", "is_practice", "training", "screen"),
    *("test_part", "screen_name", "display", "zone_type", "zone_name", "exp_stage"),
    *("block_code", "trial_code", "sender"),
    *("procedure", "procedure_block", "procedure_trial", "procedure_subtrial"),
    *("running", "running_block", "running_trial", "running_subtrial"),
)


class Identifier(NamedTuple):
    """A column that every table has or may have, which says whose row it is and when.

    name: as in `--columns`.
    names: its usual names, its own first.
    about: what stands in it.
    optional: whether it may be absent.
    examples: its cells in the example of a table, one a trial.
    timed: what it says instead where trials are ordered by their time.
    """

    name: str
    names: tuple[str, ...]
    about: str
    optional: bool = True
    examples: tuple[str, ...] = ()
    timed: str = ""


IDENTIFIERS = (
    Identifier(
        PARTICIPANT,
        PARTICIPANT_NAMES,
        "whose row it is; any label",
        optional=False,
        examples=("p1", "p1", "p1", "p2", "p2", "p2"),
    ),
    Identifier(
        "session",
        SESSION_NAMES,
        "which session of the person; the belief starts afresh in each",
        timed="which session of the person; what is learned is carried on over them",
    ),
    Identifier("block", BLOCK_NAMES, "which block of the session; orders the trials"),
    Identifier(
        "trial",
        TRIAL_NAMES,
        "the trial's number in its session or block; without it the order of the rows",
        examples=("1", "2", "3", "1", "2", "3"),
    ),
)


SCREEN = "in screen units"
HELICOPTER = Task(
    "helicopter",
    "continuous prediction with change points: a position is reported, then an outcome seen",
    (
        Column(
            "outcome",
            "number",
            0.0,
            300.0,
            names=("x_t",),
            about=f"where the outcome fell, {SCREEN}",
            examples=("142", "155", "149", "60", "71", "66"),
        ),
        Column(
            "report",
            "number",
            0.0,
            300.0,
            names=("b_t", "response"),
            about=f"where it was expected, reported before it fell, {SCREEN}",
            examples=("150", "147", "150", "150", "98", "80"),
        ),
        Column(
            "noise_sd",
            "number",
            1e-6,
            complete=True,
            names=("sigma",),
            about=f"SD of outcomes around the hidden position, {SCREEN}",
            examples=("10", "10", "10", "25", "25", "25"),
        ),
        Column(
            "helicopter",
            "number",
            0.0,
            300.0,
            optional=True,
            names=("mu_t",),
            about=f"the hidden position, {SCREEN}",
            examples=("148", "148", "148", "65", "65", "65"),
        ),
        Column(
            "helicopter_seen",
            "flag",
            optional=True,
            default=0.0,
            names=("v_t",),
            about="whether the hidden position was shown (a catch trial)",
            examples=("0", "0", "1", "0", "0", "0"),
        ),
        Column(
            "block_start",
            "flag",
            optional=True,
            names=("new_block",),
            about="whether the trial begins a block",
        ),
        Column(
            "bucket_start",
            "number",
            optional=True,
            names=("z_t",),
            about=f"where the mark stood before the report, {SCREEN}",
        ),
    ),
    response="report",
)
BINARY_OUTCOME = Column(
    "outcome",
    "binary",
    names=("u", "stimulus"),
    about="which of two outcomes was seen",
    examples=("1", "1", "0", "0", "1", "0"),
)
BINARY = Task(
    "binary",
    "a binary outcome is predicted, then seen",
    (
        BINARY_OUTCOME,
        Column(
            "response",
            "binary",
            names=("choice", "y", "prediction", "predicted"),
            about="which was predicted, before it was seen, in the outcome's codes",
            examples=("0", "1", "1", "1", "0", "1"),
        ),
    ),
    response="response",
)
BANDIT = Task(
    "bandit",
    "one of several options is chosen, then its binary outcome seen",
    (
        Column(
            "choice",
            "integer",
            1.0,
            names=("response", "chosen_arm", "action"),
            about="which option was chosen",
            examples=("1", "1", "2", "2", "1", "2"),
        ),
        Column(
            "outcome",
            "binary",
            names=("reward", "feedback", "rew", "won", "win", "rewarded", "payoff"),
            about="whether it won: two values, of which the larger is the win",
            examples=("1", "0", "1", "0", "1", "1"),
        ),
    ),
    response="choice",
)
RATING = Task(
    "rating",
    "a bounded rating is given before or after a binary outcome is seen",
    (
        BINARY_OUTCOME,
        Column(
            "rating",
            "number",
            names=("response", "report"),
            about="how much the outcome 1 is expected, on the scale of --scale",
            examples=("5", "6", "8", "5", "4", "6"),
        ),
    ),
    response="rating",
)
CONDITIONING = Task(
    "conditioning",
    "a stimulus comes, with or without an outcome such as a shock; the share of its time in "
    "which the subject responds",
    (
        Column(
            "time",
            "number",
            -1e6,
            1e6,
            complete=True,
            names=("time_h", "time_hours", "hours", "hour", "onset_h"),
            about="when the trial began, in hours from any moment",
            examples=("0", "0.05", "24", "0", "0.05", "24"),
        ),
        Column(
            "outcome",
            "number",
            -1e3,
            1e3,
            names=("us", "shock", "reinforced", "unconditioned_stimulus"),
            about="the outcome's size, 0 for none",
            examples=("1", "1", "0", "1", "0", "0"),
        ),
        Column(
            "response",
            "number",
            0.0,
            1.0,
            names=("freezing", "cr", "conditioned_response", "share"),
            about="share of the stimulus's time with the response",
            examples=("0.1", "0.4", "0.6", "0.2", "0.5", "0.3"),
        ),
        Column(
            "stimulus",
            "number",
            -1e3,
            1e3,
            optional=True,
            complete=True,
            default=1.0,
            names=("cs", "tone", "cue", "stimulus_1", "cs_1"),
            about="intensity of the stimulus, 0 for none",
            examples=("1", "1", "1", "1", "1", "1"),
        ),
        *(
            Column(
                f"stimulus_{n}",
                "number",
                -1e3,
                1e3,
                optional=True,
                complete=True,
                names=(f"cs_{n}",),
                about="intensity of a further stimulus",
            )
            for n in (2, 3, 4)
        ),
        Column(
            "context",
            "integer",
            1.0,
            optional=True,
            complete=True,
            about="in which place the trial was",
        ),
    ),
    response="response",
    timed=True,
)
TASKS = {
    task.name: task
    for task in (
        *(HELICOPTER, BINARY, BANDIT, RATING, CONDITIONING),
        *(PREDICTION, DETECTION),
        *DECISIONS,
    )
}


@checked_arguments
def find_task(name: str) -> Task:
    """The task of that name, or of a YAML file; UserError that lists the tasks for any other name."""
    if is_own_task(name):
        return read_task(name, TASKS)
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    return TASKS[name]


def kind_of(name: str) -> str:
    """The shipped task whose models a task has: itself, or what a file says it is like; UserError as of `find_task`."""
    return find_task(name).kind


RT_NAMES = (
    *("rt", "reaction_time_s", "reaction_time_ms", "rt_s", "rt_sec", "rt_ms"),
    *("rt_msec", "response_time", "response_time_s", "response_time_ms", "latency"),
    *("rt_us", "reaction_time_us", "response_time_us"),
)
JUDGEMENTS = {
    "confidence": Column(
        "confidence",
        "number",
        names=("conf", "confidence_rating"),
        about="how certain the response was, on any scale, greater for more certain",
    ),
    "reaction_time": Column(
        "reaction_time",
        "number",
        1e-6,
        names=RT_NAMES,
        about="time to the response, in s, ms or us (--units)",
    ),
}


@checked_arguments
def with_judgements(task: Task, names: Sequence[str]) -> Task:
    """The task with columns of judgements beside each response, such as confidence.

    They are read only where they are asked for; cells may be missing. UserError for the
    name of no judgement.
    """
    for name in names:
        if name not in JUDGEMENTS:
            raise unknown_name("judgement", name, JUDGEMENTS, where="judgements")
    added = tuple(JUDGEMENTS[name] for name in dict.fromkeys(names))
    return replace(task, columns=(*task.columns, *added))

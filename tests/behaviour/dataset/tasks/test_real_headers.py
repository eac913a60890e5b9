"""Headers of tables as people post and publish them: each column is taken for what it is.

Sources: example tables of hBayesDM, HDDM and HSSM and what their users posted, the collection Psych-201, the delay-discounting
toolbox of B. Vincent, ADOpy, oTree's ultimatum game, RLWM data of A. Collins, and published two-step data.
"""

import pytest

from tests.behaviour.dataset.small_tables import load

# Task, header, one row of values (the participant, and what counts, are filled in), what is taken for what.
HEADERS = {
    "hBayesDM ts": (
        "two_step",
        "subjID trial level1_choice level2_choice reward A1prob A2prob B1prob B2prob",
        {
            "participant": "subjID",
            "first_choice": "level1_choice",
            "second_choice": "level2_choice",
            "outcome": "reward",
        },
    ),
    "two-step in Psych-201": (
        "two_step",
        "subject_id trial_num drift1 drift2 stage1_select stage1_rt transition stage2_select "
        "stage2_state stage2_rt reward",
        {
            "first_choice": "stage1_select",
            "second_choice": "stage2_select",
            "second_state": "stage2_state",
            "outcome": "reward",
            "trial": "trial_num",
        },
    ),
    "two-step from Pavlovia": (
        "two_step",
        "subject_id trial choice_1 choice_2 rt_1 rt_2 transition reward state",
        {
            "first_choice": "choice_1",
            "second_choice": "choice_2",
            "second_state": "state",
            "outcome": "reward",
        },
    ),
    "two-step of Feher da Silva": (
        "two_step",
        "participant trial common isymbol_lft isymbol_rgt rt1 choice1 final_state rt2 choice2 reward",
        {
            "first_choice": "choice1",
            "second_choice": "choice2",
            "second_state": "final_state",
            "outcome": "reward",
        },
    ),
    "hBayesDM pst": (
        "selection",
        "subjID type choice reward",
        {"pair": "type", "choice": "choice", "outcome": "reward"},
    ),
    "hBayesDM bandit4arm2": (
        "offered",
        "subjID choice outcome",
        {"participant": "subjID", "choice": "choice", "outcome": "outcome"},
    ),
    "hBayesDM bandit2arm": (
        "bandit",
        "subjID trial choice outcome",
        {"participant": "subjID", "choice": "choice", "outcome": "outcome"},
    ),
    "hBayesDM aversive learning": (
        "bandit",
        "subjID choice trial outcome bluepunish orangepunish",
        {"trial": "trial", "choice": "choice", "outcome": "outcome"},
    ),
    "HDDM reinforcement learning": (
        "bandit",
        "subj_idx split_by trial response rt feedback q_init",
        {"participant": "subj_idx", "choice": "response", "outcome": "feedback"},
    ),
    "HSSM": (
        "bandit",
        "participant_id trial_id response rt feedback",
        {
            "participant": "participant_id",
            "trial": "trial_id",
            "choice": "response",
            "outcome": "feedback",
        },
    ),
    "RLWM": (
        "offered",
        "subno block ns stimseq choice key cor rew rt",
        {
            "participant": "subno",
            "block": "block",
            "choice": "choice",
            "outcome": "rew",
        },
    ),
    "a Japanese template": (
        "bandit",
        "ID Trial Reward Choice",
        {"participant": "ID", "choice": "Choice", "outcome": "Reward"},
    ),
    "a pilot's table": (
        "bandit",
        "id n_session n_trial reward choice rt",
        {
            "participant": "id",
            "session": "n_session",
            "trial": "n_trial",
            "choice": "choice",
            "outcome": "reward",
        },
    ),
    "Psych-101": (
        "offered",
        "participant trial choice reward",
        {"participant": "participant", "choice": "choice", "outcome": "reward"},
    ),
    "hBayesDM dd": (
        "discounting",
        "subjID trial delay_later amount_later delay_sooner amount_sooner choice",
        {
            "amount_later": "amount_later",
            "delay_later": "delay_later",
            "amount_sooner": "amount_sooner",
            "delay_sooner": "delay_sooner",
            "choice": "choice",
        },
    ),
    "Vincent's toolbox": (
        "discounting",
        "id A DA B DB R",
        {
            "amount_sooner": "A",
            "delay_sooner": "DA",
            "amount_later": "B",
            "delay_later": "DB",
            "choice": "R",
        },
    ),
    "ADOpy": (
        "discounting",
        "subject trial t_ss t_ll r_ss r_ll response",
        {
            "amount_sooner": "r_ss",
            "delay_sooner": "t_ss",
            "amount_later": "r_ll",
            "delay_later": "t_ll",
            "choice": "response",
        },
    ),
    "hBayesDM ug": (
        "ultimatum",
        "trial offer accept subjID group",
        {"offer": "offer", "accept": "accept", "participant": "subjID"},
    ),
    "oTree": (
        "ultimatum",
        "participant.code player.amount_offered player.offer_accepted",
        {
            "participant": "participant.code",
            "offer": "player.amount_offered",
            "accept": "player.offer_accepted",
        },
    ),
    "hBayesDM gng": (
        "go_no_go",
        "trialNum cue keyPressed success congruentOutcome outcome subjID",
        {
            "trial": "trialNum",
            "cue": "cue",
            "response": "keyPressed",
            "outcome": "outcome",
        },
    ),
    "TAPAS": ("binary", "subject trial u y", {"outcome": "u", "response": "y"}),
}

FIRST = (1, 2, 1, 2, 2, 1)
VALUES = {
    "first_choice": FIRST,
    "second_choice": (1, 4, 2, 3, 4, 2),
    "second_state": (1, 2, 1, 2, 2, 1),
    "outcome": (1, 0, 0, 1, 1, 0),
    "pair": (12, 34, 12, 56, 12, 34),
    "choice": FIRST,
    "response": (0, 1, 1, 0, 1, 0),
    "accept": (0, 1, 1, 0, 1, 0),
    "cue": (1, 2, 3, 4, 1, 2),
    "offer": (3, 10, 5, 8, 2, 9),
    "amount_later": (30, 25, 55, 20, 40, 80),
    "amount_sooner": (20, 21, 25, 18, 30, 30),
    "delay_later": (7, 30, 14, 60, 30, 15),
    "delay_sooner": (0, 0, 1, 0, 1, 0),
    "trial": (1, 2, 3, 1, 2, 3),
    "session": (1,) * 6,
    "block": (1,) * 6,
    "participant": ("p1",) * 3 + ("p2",) * 3,
}
BINARY_CHOICE = {"selection", "discounting"}


def table_of(task, header, taken):
    """A table with this header, of which the columns that count hold what they should."""
    place = {column: name for name, column in taken.items()}
    usual = {"subjID", "subject_id", "participant", "subject", "id", "ID"}
    columns = {}
    for column in header.split():
        name = place.get(column, "participant" if column in usual else "")
        name = name or ("trial" if column in ("trial", "Trial") else "")
        cells = VALUES.get(name, ("x",) * 6)
        if name == "choice" and task in BINARY_CHOICE:
            cells = VALUES["response"]
        columns[column] = cells
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, r)) for r in rows)]) + "\n"


@pytest.mark.parametrize("source", HEADERS)
def test_columns_are_recognised_by_their_names(source, tmp_path):
    task, header, taken = HEADERS[source]
    series = load(tmp_path, table_of(task, header, taken), task=task)
    notes = dict(note.split(": ", 1) for note in series.notes)
    for name, column in taken.items():
        assert notes[name] == f"column {column!r}", name


def test_a_loss_of_one_is_no_code_and_999_is_one(tmp_path):
    header = "subjID cue keyPressed outcome"
    taken = {"cue": "cue", "response": "keyPressed", "outcome": "outcome"}
    text = table_of("go_no_go", header, taken)
    lost = text.replace(",0\n", ",-1\n", 2)
    assert load(tmp_path, lost, task="go_no_go").values["outcome"].min() == -1.0
    with pytest.raises(ValueError, match="looks like a code for a missing value"):
        load(tmp_path, text.replace(",0\n", ",999\n", 1), task="go_no_go")

"""Tasks of decisions: their tables' columns, with the names that hBayesDM and others give them."""

from pcmodel.behaviour.dataset.tasks.interface import Column, Task

OUTCOME_NAMES = (
    *("reward", "feedback", "points", "payoff", "win", "won", "money", "rew", "r"),
    *(
        "outcome_value",
        "reward_value",
    ),
)
TWO_STEP = Task(
    "two_step",
    "one of two options is chosen, which leads to one of two states, and there one of two "
    "options again, which pays or not",
    (
        Column(
            "first_choice",
            "integer",
            1.0,
            2.0,
            names=(
                *("level1_choice", "choice1", "choice_1", "stage1_choice", "s1_choice"),
                *("first_stage_choice", "choice_stage1", "step1_choice", "a1"),
                *("stage_1_choice", "level_1_choice", "c1", "step_one_choice"),
                *("stage_one_choice", "first_step_choice", "stage1_select"),
                *("stage_1_select", "choice_first", "s1_select"),
            ),
            about="the first choice: 1 leads mostly to state 1, 2 mostly to state 2",
            examples=("1", "2", "1", "2", "2", "1"),
        ),
        Column(
            "second_choice",
            "integer",
            1.0,
            4.0,
            names=(
                *("level2_choice", "choice2", "choice_2", "stage2_choice", "s2_choice"),
                *("second_stage_choice", "choice_stage2", "step2_choice", "a2"),
                *("stage_2_choice", "level_2_choice", "c2", "step_two_choice"),
                *("stage_two_choice", "second_step_choice", "stage2_select"),
                *("stage_2_select", "choice_second", "s2_select"),
            ),
            about="the second choice: 1 or 2 in state 1, 3 or 4 in state 2; with a column "
            "second_state 1 or 2 in both",
            examples=("1", "4", "3", "3", "4", "2"),
        ),
        Column(
            "outcome",
            "number",
            names=OUTCOME_NAMES,
            signed=True,
            about="what was won; negative for a loss, in any unit",
            examples=("1", "0", "0", "1", "1", "0"),
        ),
        Column(
            "second_state",
            "number",
            1.0,
            3.0,
            optional=True,
            names=(
                *("state", "state2", "second_stage", "final_state", "s2", "state_2"),
                *("second_stage_state", "stage2_state", "second_step"),
            ),
            about="the state that was reached, 1 or 2; or 2 or 3",
        ),
    ),
    response="first_choice",
)
SELECTION = Task(
    "selection",
    "probabilistic selection: one of the two options of a pair is chosen, with gains and losses in "
    "training, without outcomes in transfer",
    (
        Column(
            "pair",
            "number",
            12.0,
            98.0,
            complete=True,
            names=("type", "pair_type", "stim_pair", "stimulus_pair"),
            about="the two options shown, each a digit: 12 for options 1 and 2",
            examples=("12", "34", "12", "56", "12", "34"),
        ),
        Column(
            "choice",
            "binary",
            names=("response", "accuracy", "chose_first", "correct"),
            about="1 for the pair's first option, 0 for its second",
            examples=("1", "0", "1", "1", "0", "1"),
        ),
        Column(
            "outcome",
            "number",
            names=OUTCOME_NAMES,
            signed=True,
            about="what was won or lost, in any unit; n/a in transfer trials",
            examples=("1", "0", "1", "0", "1", "1"),
        ),
    ),
    response="choice",
)
OFFERED = Task(
    "offered",
    "some of several options are offered, one of them is chosen, then its outcome seen, a "
    "number of points",
    (
        Column(
            "choice",
            "integer",
            1.0,
            names=("response", "chosen", "chosen_option", "action", "chosen_arm"),
            about="the number of the option chosen, of all there are",
            examples=("1", "3", "2", "1", "2", "3"),
        ),
        Column(
            "outcome",
            "number",
            names=OUTCOME_NAMES,
            signed=True,
            about="what was won, in any unit; negative for a loss",
            examples=("40", "12", "55", "38", "61", "15"),
        ),
        *(
            Column(
                f"option_{n}",
                "number",
                1.0,
                optional=True,
                names=(
                    *(f"option{n}", f"offered_{n}", f"stimulus_{n}", f"stim_{n}"),
                    *(f"arm_{n}", f"item_{n}"),
                ),
                about="the number of an option offered; without these columns all are"
                if n == 1
                else "the number of another option offered",
                examples=example,
            )
            for n, example in (
                (1, ("1", "3", "2", "1", "2", "1")),
                (2, ("2", "1", "3", "3", "1", "3")),
                (3, ()),
                (4, ()),
            )
        ),
    ),
    response="choice",
)
DISCOUNTING = Task(
    "discounting",
    "a smaller amount sooner or a larger one later is chosen",
    (
        Column(
            "choice",
            "binary",
            names=(
                *("response", "chose_later", "chose_ll", "ll", "later", "delayed"),
                *("chose_delayed", "r", "ll_choice", "choice_ll", "later_chosen"),
            ),
            about="1 for the later amount, 0 for the sooner",
            examples=("1", "0", "1", "0", "0", "1"),
        ),
        Column(
            "amount_later",
            "number",
            complete=True,
            names=(
                *("ll_amount", "amount_ll", "later_amount", "delayed_amount", "ldr"),
                *("larger_later", "llv", "amount_delayed", "large_amount", "v_ll"),
                *("r_ll", "b", "a_ll", "amount_large", "ll_amt"),
            ),
            about="the later amount, in any unit",
            examples=("30", "25", "55", "20", "40", "80"),
        ),
        Column(
            "delay_later",
            "number",
            0.0,
            complete=True,
            names=(
                *("ll_delay", "delay_ll", "later_delay", "delay", "delay_days", "t_ll"),
                *("delay_in_days", "days", "wait", "long_delay", "db", "d_ll"),
            ),
            about="when the later amount comes, in days",
            examples=("7", "30", "14", "60", "30", "14"),
        ),
        Column(
            "amount_sooner",
            "number",
            complete=True,
            names=(
                *("ss_amount", "amount_ss", "sooner_amount", "immediate_amount", "sir"),
                *("smaller_sooner", "ssv", "amount_immediate", "amount_now"),
                *("small_amount", "v_ss", "amount_today", "r_ss", "a", "a_ss"),
                *("amount_small", "ss_amt"),
            ),
            about="the sooner amount, in the same unit",
            examples=("20", "20", "25", "18", "30", "30"),
        ),
        Column(
            "delay_sooner",
            "number",
            0.0,
            optional=True,
            complete=True,
            default=0.0,
            names=(
                *("ss_delay", "delay_ss", "sooner_delay", "t_ss", "short_delay"),
                *("da", "d_ss"),
            ),
            about="when the sooner amount comes, in days; 0 without the column",
            examples=("0", "0", "0", "0", "0", "0"),
        ),
    ),
    response="choice",
    event="amount_later",
)
ULTIMATUM = Task(
    "ultimatum",
    "somebody offers a share of a sum, which is accepted, or rejected, so that nobody has anything",
    (
        Column(
            "offer",
            "number",
            0.0,
            names=(
                *("amount", "offer_amount", "proposal", "share", "offered"),
                *("amount_offered", "offer_size", "split"),
            ),
            about="what was offered, of the sum",
            examples=("3", "10", "5", "8", "2", "9"),
        ),
        Column(
            "accept",
            "binary",
            names=(
                *("accepted", "response", "choice", "decision", "acceptance"),
                *("offer_accepted", "is_accepted", "accept_offer"),
            ),
            about="1 for accepted, 0 for rejected",
            examples=("0", "1", "0", "1", "0", "1"),
        ),
        Column(
            "total",
            "number",
            1e-12,
            optional=True,
            complete=True,
            default=20.0,
            names=("pie", "stake", "sum", "endowment", "pot", "total_amount"),
            about="the sum to be divided; 20 without the column, as in hBayesDM",
            examples=("20", "20", "20", "20", "20", "20"),
        ),
    ),
    response="accept",
    event="offer",
)
GO_NO_GO = Task(
    "go_no_go",
    "a cue is answered by pressing a key or not, then an outcome seen; with Pavlovian biases",
    (
        Column(
            "cue",
            "integer",
            1.0,
            complete=True,
            names=(
                *("stimulus", "stim", "image", "cue_id", "cue_type", "robot"),
                *("cue_number", "fractal"),
            ),
            about="which cue was shown",
            examples=("1", "2", "3", "4", "1", "2"),
        ),
        Column(
            "response",
            "binary",
            names=(
                *("key_pressed", "pressed", "go", "choice", "press", "is_go"),
                *("went", "responded", "action"),
            ),
            about="1 for pressed (go), 0 for not",
            examples=("1", "0", "1", "0", "1", "1"),
        ),
        Column(
            "outcome",
            "number",
            names=OUTCOME_NAMES,
            signed=True,
            about="what followed: positive for a gain, negative for a loss, 0 for neither",
            examples=("1", "0", "-1", "0", "1", "-1"),
        ),
    ),
    response="response",
)
DECISIONS = (TWO_STEP, SELECTION, OFFERED, DISCOUNTING, ULTIMATUM, GO_NO_GO)

"""A row that is a person with all trials is told, and made long; two stimuli are no trials."""

import pytest

from tests.behaviour.dataset.small_tables import both, follow, table


def wide(names, people=("a", "b", "c"), first="subject"):
    rows = [
        f"{who}," + ",".join("01"[i % 2] for i in range(len(names))) for who in people
    ]
    return table(f"{first},{','.join(names)}", *rows)


@pytest.mark.parametrize(
    "names",
    [
        ("outcome_1", "outcome_2", "response_1", "response_2"),
        ("outcome1", "outcome2", "response1", "response2"),
        ("outcome.1", "outcome.2", "response.1", "response.2"),
        ("T1_outcome", "T2_outcome", "T1_response", "T2_response"),
        ("trial1.outcome", "trial2.outcome", "trial1.response", "trial2.response"),
        ("outcome_t1", "outcome_t2", "response_t1", "response_t2"),
    ],
)
def test_a_row_that_is_a_person_is_told_how_to_be_made_long(names, tmp_path, capsys):
    said = both(tmp_path, capsys, wide(names))
    assert f"one row is one trial: put {names[0]!r}, {names[1]!r} and so on" in said
    assert f"put {names[2]!r}" in said and "pivot_longer" in said


def test_two_stimuli_of_one_trial_are_no_wide_table(tmp_path, capsys):
    rows = [
        f"{who},{t},{t % 2},{1 - t % 2},{t // 2 % 2}" for who in "ab" for t in range(4)
    ]
    text = table("subject,trial,stimulus_1,stimulus_2,response", *rows)
    said = both(tmp_path, capsys, text)
    assert "no column 'outcome' or 'u' or 'stimulus' for the outcome" in said
    assert "below each other" not in said
    assert "say which it is (--columns outcome=COLUMN)" in said
    option = ("--columns", "outcome=stimulus_2")
    series, _ = follow(tmp_path, capsys, text, *option)
    assert series.values["outcome"][0].tolist() == [1, 0, 1, 0]
    # Nobody is named, and two stimuli are no trials either.
    said = both(tmp_path, capsys, text.replace("subject", "code"))
    assert "below each other" not in said


def test_otree_tables_of_all_apps_are_sent_back_for_that_of_the_app(tmp_path, capsys):
    names = [
        f"bandit.{i}.{name}"
        for i in range(1, 4)
        for name in ("player.choice", "player.reward", "subsession.round_number")
    ]
    text = wide(names, first="participant.code")
    said = both(tmp_path, capsys, text, task="bandit")
    assert said.startswith("1 thing") and "data.csv, row 1: is oTree's table" in said
    assert "export the table of the app 'bandit' alone" in said


def test_otree_tables_of_one_app_are_read(tmp_path, capsys):
    header = (
        "participant.id_in_session,participant.code,participant._is_bot,session.code,"
        "player.id_in_group,player.choice,player.reward,player.payoff,group.id_in_subsession,"
        "subsession.round_number"
    )
    rows = [
        f"{n},{who},0,xyz,1,{1 + t % 3},{t % 2},{5 * (t % 2)},1,{t}"
        for n, who in enumerate(("k2j", "p9d"), 1)
        for t in range(1, 7)
    ]
    series, notes = follow(tmp_path, capsys, table(header, *rows), task="bandit")
    assert series.values["choice"].tolist() == [[2, 3, 1, 2, 3, 1]] * 2
    assert series.values["outcome"].tolist() == [[1, 0, 1, 0, 1, 0]] * 2
    assert notes["choice"] == "column 'player.choice'"

from qlorakit.kinds import multilabel, single_label
from qlorakit.shots import draw_shots, with_shots, without_answers

TASK = single_label("toy/way", summary="?", instruction="Which way?", labels=("up", "down"))
ROWS = [{"text": f"text {number}", "label": "up" if number < 6 else "down"} for number in range(8)]


def said(example):
    return [(message.role, message.text) for message in example.messages]


def test_shown_rows_stand_with_their_answers_between_instruction_and_question():
    (example,) = with_shots(TASK, ROWS[5:7]).format({"text": "asked"})
    assert said(example) == [
        ("system", "Which way?"), ("user", "text 5"), ("assistant", "up"), ("user", "text 6"), ("assistant", "down"),
        ("user", "asked"),
    ]  # fmt: skip


def test_what_is_shown_is_never_cut_and_the_question_still_may_be():
    (example,) = with_shots(TASK, ROWS[:1]).format({"text": "asked"})
    assert [part.may_cut for message in example.messages for part in message.parts] == [False, False, False, True]


def test_choices_target_and_key_stay():
    row = {"text": "asked", "label": "down"}
    (plain,), (shown,) = TASK.format(row), with_shots(TASK, ROWS[:2]).format(row)
    assert (shown.choices, shown.target, shown.key) == (plain.choices, plain.target, plain.key)


def test_of_several_questions_the_one_with_the_same_key_is_shown():
    task = multilabel("toy/tags", summary="?", instruction="Tags?", labels=("red", "big"), question="Is it {label}?")
    red, big = with_shots(task, [{"text": "apple", "labels": ["red"]}]).format({"text": "house"})
    assert said(red)[1:3] == [("user", "apple\n\nIs it red?"), ("assistant", "yes")]
    assert said(big)[1:3] == [("user", "apple\n\nIs it big?"), ("assistant", "no")]


def test_each_label_is_drawn_in_turn_and_the_seed_decides():
    drawn = draw_shots(TASK, ROWS, shots=4, seed=0)
    assert sorted(row["label"] for row in drawn) == ["down", "down", "up", "up"]
    assert drawn == draw_shots(TASK, ROWS, shots=4, seed=0)
    assert any(drawn != draw_shots(TASK, ROWS, shots=4, seed=seed) for seed in range(1, 5))


def test_no_row_is_drawn_twice_and_no_more_than_there_are():
    drawn = draw_shots(TASK, ROWS, shots=20, seed=0)
    assert sorted(row["text"] for row in drawn) == sorted(row["text"] for row in ROWS)


def test_without_answers_rows_are_asked_as_if_they_had_no_labels(task, rows):
    labelled, plain = rows[0], {"text": rows[0]["text"]}
    assert tuple(without_answers(task).format(labelled)) == tuple(task.format(plain))
    assert task.format(labelled)[0].target == labelled["label"]

import math

import numpy as np
import pytest

from qlorakit.errors import DataError, PluginError
from qlorakit.kinds import multilabel, multiple_choice, number, text
from qlorakit.metrics import accuracy
from qlorakit.numbers import Tolerance
from qlorakit.task import Column, Output, Prediction

WORDS = {"summary": "?", "instruction": "Answer."}
TAGS = multilabel("toy/tags", labels=("red", "big"), question="Is it {label}?", **WORDS)
QUIZ = multiple_choice("toy/quiz", options=Column("options"), **WORDS)
SUM = number("toy/sum", context=Column("table"), **WORDS)
NOTE = text("toy/note", **WORDS)


def likely(yes):
    return Prediction("yes" if yes > 0.5 else "no", logprobs={"yes": math.log(yes), "no": math.log(1 - yes)})


def user_text(example):
    return example.messages[-1].text


# Several labels


def test_each_label_is_a_question_behind_the_same_text():
    red, big = TAGS.format({"text": "an apple", "labels": ["red"]})
    assert (user_text(red), user_text(big)) == ("an apple\n\nIs it red?", "an apple\n\nIs it big?")
    assert (red.choices, red.target, red.key, big.target) == (("yes", "no"), "yes", "red", "no")


def test_the_text_may_be_cut_and_the_question_may_not():
    (first, _) = TAGS.format({"text": "an apple"})
    assert [part.may_cut for part in first.messages[-1].parts] == [True, False]


def test_a_label_is_asked_by_its_description():
    task = multilabel("toy/tags", labels={"r": "of red colour", "b": "big"}, question="Is it {label}?", **WORDS)
    assert user_text(task.format({"text": "x"})[0]).endswith("Is it of red colour?")
    assert task.labels == ("r", "b")


@pytest.mark.parametrize(("written", "read"), [
    (["big", "red"], ("red", "big")), ("Red ; BIG", ("red", "big")), ([], ()), ("", ()), (("red",), ("red",)),
    (np.array(["big", "red"]), ("red", "big")), (np.array([], dtype=object), ()),
])  # fmt: skip
def test_labels_are_read_from_lists_and_texts_in_the_tasks_order(written, read):
    assert TAGS.reference({"text": "x", "labels": written}) == read


@pytest.mark.parametrize(("row", "message"), [
    ({"text": "x"}, "column 'labels' is missing or None"),
    ({"text": "x", "labels": None}, "column 'labels' is missing or None"),
    ({"text": "x", "labels": ["rde"]}, "unknown label 'rde'; allowed: 'red', 'big'. Did you mean 'red'?"),
    ({"text": "x", "labels": math.nan}, "column 'labels' is missing or None"),
    ({"text": "x", "labels": ["red", None]}, "column 'labels' holds a list with None in it; give a label there"),
    ({"text": "x", "labels": [math.nan]}, "column 'labels' holds a list with nan in it"),
    ({"text": "x", "labels": 3}, "holds int 3 where a list of labels is needed"),
])  # fmt: skip
def test_labels_that_cannot_be_read_are_named(row, message):
    with pytest.raises(DataError) as caught:
        TAGS.reference(row)
    assert message in str(caught.value)


@pytest.mark.parametrize("row", [{}, {"labels": None}, {"labels": math.nan}])
def test_labels_without_an_answer_are_asked_without_a_target(row):
    assert [example.target for example in TAGS.format({"text": "x", **row})] == [None, None]


def test_a_label_is_given_from_one_half_on():
    examples = TAGS.format({"text": "x"})
    output = TAGS.parse({}, examples, [likely(0.5), likely(0.4999)])
    assert output.value == ("red",)
    assert output.scores == pytest.approx({"red": 0.5, "big": 0.4999})


def test_a_decision_moves_the_thresholds_and_nothing_else():
    output = TAGS.parse({}, TAGS.format({"text": "x"}), [likely(0.3), likely(0.9)])
    decided = TAGS.decision.apply(output, {"red": 0.2, "big": 0.95})
    assert (output.value, decided.value) == (("big",), ("red",))
    assert decided.scores == output.scores


def test_thresholds_are_fitted_on_outputs_and_references():
    outputs = [TAGS.parse({}, TAGS.format({"text": "x"}), [likely(score), likely(0.1)]) for score in (0.1, 0.2, 0.3)]
    fitted = TAGS.decision.fit(outputs, [(), ("red",), ("red",)])
    assert [TAGS.decision.apply(output, fitted).value for output in outputs][1:] == [("red",), ("red",)]


def test_an_invalid_answer_has_no_labels_and_is_not_without_labels():
    examples = TAGS.format({"text": "x"})
    assert TAGS.parse({}, examples, [likely(0.9), Prediction("?", valid=False)]) == Output(None)
    assert TAGS.decision.apply(Output(None), TAGS.decision.default) == Output(None)


def test_a_question_that_does_not_name_the_label_is_refused():
    with pytest.raises(PluginError, match=r"must hold \{label\}"):
        multilabel("toy/tags", labels=("a", "b"), question="Is it so?", **WORDS)


# Several labels, ranked

RANKING = multilabel("toy/tags", labels=("red", "big", "old"), encoding="ranking", **WORDS)


def shares(**of):
    return Prediction(max(of, key=of.get), logprobs={name: math.log(share) for name, share in of.items()})


def test_labels_that_are_ranked_are_the_choices_of_one_question_and_all_right_ones_are_learned():
    (example,) = RANKING.format({"text": "a big red ball", "labels": "big; red"})
    assert example.choices == ("red", "big", "old", "none")
    assert example.right == ("red", "big")
    assert user_text(example) == "a big red ball"
    (unknown,) = RANKING.format({"text": "a big red ball"})
    assert unknown.right == ()
    assert (unknown.messages, unknown.choices, unknown.key) == (example.messages, example.choices, example.key)


def test_a_row_without_labels_is_ranked_as_none():
    (example,) = RANKING.format({"text": "a ball", "labels": []})
    assert example.right == ("none",)
    assert RANKING.reference({"text": "a ball", "labels": ["none"]}) == ()


def test_nothing_in_the_place_of_a_label_is_not_the_label_none():
    with pytest.raises(DataError, match="column 'labels' holds a list with None in it"):
        RANKING.reference({"text": "a ball", "labels": [None]})


def test_ranked_labels_are_given_from_their_thresholds_on():
    answer = RANKING.parse({}, (), [shares(red=0.5, big=0.2, old=0.1, none=0.2)])
    assert answer.value == ("red", "big")
    assert answer.scores == pytest.approx({"red": 0.5, "big": 0.2, "old": 0.1})
    fitted = RANKING.decision.apply(answer, {"red": 0.6, "big": 0.2, "old": 0.05})
    assert fitted.value == ("big", "old")
    assert RANKING.parse({}, (), [Prediction("red", valid=False)]) == Output(None)


def test_an_encoding_of_labels_that_there_is_not_is_refused():
    with pytest.raises(PluginError, match="encoding='list': must be 'questions' or 'ranking'"):
        multilabel("toy/tags", labels=("red", "big"), encoding="list", **WORDS)
    with pytest.raises(PluginError, match="labels must be two or more, distinct"):
        multilabel("toy/tags", labels=("red", "None"), encoding="ranking", **WORDS)


# Options


def test_options_are_listed_with_letters_and_the_letter_is_the_answer():
    (example,) = QUIZ.format({"question": "Which is even?", "options": ["one", "two"], "answer": "B"})
    assert user_text(example) == "Which is even?\nA. one\nB. two"
    assert (example.choices, example.target) == (("A", "B"), "B")


@pytest.mark.parametrize("answer", ["B", " B ", "two"])
def test_an_answer_is_a_letter_or_an_option(answer):
    assert QUIZ.reference({"question": "?", "options": ["one", "two"], "answer": answer}) == "B"


@pytest.mark.parametrize(
    ("first", "answer", "letter"), [(0, 1, "B"), (1, 1, "A"), (1, "2", "B"), (0, 1.0, "B"), (1, "1.0", "A")]
)
def test_an_answer_can_be_a_number(first, answer, letter):
    quiz = multiple_choice("toy/quiz", options=Column("options"), first=first, **WORDS)
    assert quiz.reference({"question": "?", "options": ["3", "4"], "answer": answer}) == letter


@pytest.mark.parametrize("answer", [1, 1.0, np.int64(1), np.float32(1)])
def test_a_number_that_is_counted_from_nobody_knows_where_is_refused(answer):
    row = {"question": "How many?", "options": ["1", "2"], "answer": answer}
    with pytest.raises(DataError, match=r"column 'answer' holds the number 1.*say first=0 or first=1 to the task"):
        QUIZ.reference(row)
    assert QUIZ.reference(row | {"answer": "1"}) == "A"


@pytest.mark.parametrize("answer", [1.5, "1.05", "10", True])
def test_a_number_of_no_option_is_named(answer):
    quiz = multiple_choice("toy/quiz", options=Column("options"), first=1, **WORDS)
    with pytest.raises(DataError, match="none of the row's 2 options; give a number from 1 on"):
        quiz.reference({"question": "?", "options": ["one", "two"], "answer": answer})


@pytest.mark.parametrize("answer", ["C", "three", True])
def test_an_answer_that_is_no_option_is_named(answer):
    with pytest.raises(DataError, match=r"column 'answer' holds .*, which is none of the row's 2 options"):
        QUIZ.reference({"question": "?", "options": ["one", "two"], "answer": answer})


@pytest.mark.parametrize("options", [None, "one", ["one"], ["one", ""], ["one", 2]])
def test_options_that_are_no_list_of_texts_are_named(options):
    with pytest.raises(DataError, match="column 'options': a list of two or more texts"):
        QUIZ.format({"question": "?", "options": options})


def test_a_letter_that_is_also_another_options_text_is_refused():
    row = {"question": "Which vitamin?", "options": ["K", "C", "A", "A"], "answer": "A"}
    for answer in ("A", "C"):
        with pytest.raises(DataError, match=f"'{answer}', a letter that is also the text of another option"):
            QUIZ.reference(row | {"answer": answer})
    assert QUIZ.reference(row | {"options": ["A", "C", "K"]}) == "A"
    assert QUIZ.reference(row | {"options": ["A", "C", "A"]}) == "A"
    assert QUIZ.reference(row | {"answer": "C", "options": ["K", "C"]}) == "B"


def test_options_can_stand_in_columns_and_a_context_before_the_question():
    quiz = multiple_choice("toy/quiz", options=(Column("a"), Column("b")), context=Column("story"), **WORDS)
    row = {"story": "Once.", "question": "Who?", "a": "me", "b": "you", "answer": "you"}
    (example,) = quiz.format(row)
    assert user_text(example) == "Once.\n\nWho?\nA. me\nB. you"
    assert example.messages[-1].parts[0].may_cut
    assert (quiz.reference(row), [column.name for column in quiz.columns]) == (
        "B",
        ["story", "question", "a", "b", "answer"],
    )


# Numbers


def test_the_target_is_the_number_as_it_is_written():
    row = {"table": "2019: 5", "question": "How much?", "answer": " 12.5% "}
    (example,) = SUM.format(row)
    assert (user_text(example), example.target, example.choices) == ("2019: 5\n\nHow much?", "12.5%", None)
    assert SUM.reference(row) == 0.125


@pytest.mark.parametrize("answer", [5, 5.0, "5", "5.00", "$5"])
def test_a_reference_is_a_number_or_a_text_that_holds_one(answer):
    assert SUM.reference({"answer": answer}) == 5.0


@pytest.mark.parametrize("answer", [None, "", "five", "3 or 4", True, math.nan, math.inf])
def test_a_reference_that_is_not_one_number_is_named(answer):
    with pytest.raises(DataError, match="which is not one number"):
        SUM.reference({"answer": answer})


@pytest.mark.parametrize(
    ("said", "value"), [("12", 12.0), ("It is 12.", 12.0), ("3 or 4", None), ("none", None), ("", None)]
)
def test_an_answer_without_one_number_is_invalid(said, value):
    assert SUM.parse({}, (), [Prediction(said)]) == Output(value)


def test_an_answer_that_never_ended_is_invalid():
    assert SUM.parse({}, (), [Prediction("12", valid=False)]) == Output(None)


def test_a_tolerance_decides_what_is_right():
    task = number("toy/sum", tolerance=Tolerance(relative=0.1), **WORDS)
    (metric,) = task.metrics
    assert task.matches(10.9, 10.0)
    assert metric.compute([Output(10.9), Output(12.0), Output(None)], [10.0] * 3, [{}] * 3) == pytest.approx(1 / 3)


# Texts


def test_several_texts_may_be_right_and_the_first_is_learned():
    row = {"text": "a long story", "answer": ["short", "brief"]}
    (example,) = NOTE.format(row)
    assert (example.target, example.choices) == ("short", None)
    assert NOTE.reference(row) == ("short", "brief")
    assert NOTE.matches("Brief", ("short", "brief"))
    assert not NOTE.matches("long", ("short", "brief"))


@pytest.mark.parametrize("answer", [None, "", [], [""], ["a", 3]])
def test_a_missing_text_is_named(answer):
    with pytest.raises(DataError, match="give a text, or a list of texts"):
        NOTE.reference({"text": "x", "answer": answer})


def test_several_columns_are_shown_as_told():
    columns = (Column("text"), Column("section", optional=True))
    task = text("toy/note", source=columns, show=lambda row: f"{row['section']}: {row['text']}", **WORDS)
    (example,) = task.format({"text": "a long story", "section": "plan"})
    assert user_text(example) == "plan: a long story"
    assert task.columns == (*columns, NOTE.columns[-1])
    with pytest.raises(PluginError, match=r"source=\['text', 'section'\]: of several columns, show= must say"):
        text("toy/note", source=columns, **WORDS)


def test_an_empty_answer_is_a_text_and_one_that_never_ended_is_none():
    assert NOTE.parse({}, (), [Prediction("")]) == Output("")
    assert NOTE.parse({}, (), [Prediction("a", valid=False)]) == Output(None)


def test_only_texts_may_not_be_kept_without_being_asked():
    assert [task.tells_text for task in (TAGS, QUIZ, SUM, NOTE)] == [False, False, False, True]


# All of them


def test_metrics_can_be_chosen():
    task = number("toy/sum", metrics=[accuracy()], **WORDS)
    assert [metric.name for metric in task.metrics] == ["accuracy"]


def test_an_unknown_argument_is_named_with_the_nearest():
    with pytest.raises(PluginError, match=r"unknown argument 'metric'.*'metrics'"):
        number("toy/sum", metric=[], **WORDS)


@pytest.mark.parametrize("answer", [3, object(), {"a": 1}, None])
def test_a_right_text_that_is_none_is_named(answer):
    with pytest.raises(DataError, match="column 'answer' holds"):
        NOTE.reference({"text": "x", "answer": answer})


def test_labels_of_a_row_may_be_written_as_json():
    task = multilabel("toy/colours", summary="", instruction="", labels=("red", "big"))
    assert task.reference({"text": "x", "labels": '["big", "red"]'}) == ("red", "big")
    with pytest.raises(DataError, match="begins like a list and is no JSON"):
        task.reference({"text": "x", "labels": "['big']"})

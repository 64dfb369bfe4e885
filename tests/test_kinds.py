import math
from dataclasses import FrozenInstanceError, replace

import pytest

from qlorakit.errors import DataError, PluginError
from qlorakit.kinds import choice_probabilities, required_text, single_label
from qlorakit.task import Column, Message, Output, Part, Prediction


def declare(**changes):
    words = {"summary": "Which way?", "instruction": "Which way?", "labels": ("up", "down")}
    return single_label("toy/direction", **{**words, **changes})


def test_the_instruction_is_the_system_message_and_is_never_cut(task):
    (example,) = task.format({"text": "sales rose", "label": "up"})
    assert example.messages[0] == Message("system", (Part("the direction of the word", may_cut=False),))


def test_the_text_is_the_users_message_and_may_be_cut(task):
    (example,) = task.format({"text": "sales rose", "label": "up"})
    assert example.messages[1:] == (Message("user", (Part("sales rose", may_cut=True),)),)


def test_the_choices_are_the_labels_and_the_target_is_one_of_them(task):
    (example,) = task.format({"text": "sales rose", "label": "up"})
    assert (example.choices, example.target) == (("down", "flat", "up"), "up")


@pytest.mark.parametrize(
    "row", [{"text": "sales rose"}, {"text": "sales rose", "label": None}, {"text": "a", "label": math.nan}]
)
def test_a_row_without_a_label_is_asked_without_a_target(task, row):
    assert task.format(row)[0].target is None


@pytest.mark.parametrize("written", ["Up", " up ", "UP\n"])
def test_case_and_surrounding_spaces_of_a_label_do_not_matter(task, written):
    row = {"text": "sales rose", "label": written}
    assert (task.reference(row), task.format(row)[0].target) == ("up", "up")


def test_the_reference_is_spelled_as_the_task_spells_its_label():
    assert declare(labels=("Up", "Down")).reference({"label": "up"}) == "Up"


def test_a_label_that_is_a_number_is_read_as_its_text():
    assert declare(labels=("0", "1")).reference({"label": 1}) == "1"


def test_an_unknown_label_names_itself_the_allowed_ones_and_the_nearest(task):
    with pytest.raises(DataError, match=r"column 'label': unknown label 'dwn'; allowed: 'down', 'flat', 'up'.*'down'"):
        task.reference({"text": "sales fell", "label": "dwn"})


@pytest.mark.parametrize("row", [{}, {"label": None}, {"label": math.nan}])
def test_a_missing_label_is_no_class_even_where_one_is_called_none(row):
    with pytest.raises(DataError, match="label"):
        declare(labels=("none", "some")).reference(row)


def test_an_empty_label_cell_is_no_label_when_asking(task):
    assert task.format({"text": "sales rose", "label": ""})[0].target is None


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused_with_what_to_do(task, text):
    with pytest.raises(DataError, match="column 'text' is empty; remove the row or fill in its text"):
        task.format({"text": text})


@pytest.mark.parametrize("value", [None, 3, 1.5, ["a"]])
def test_a_text_of_another_type_is_refused_with_its_type(value):
    shown = "" if isinstance(value, list) else f" {value}"
    with pytest.raises(DataError, match=f"column 'body' holds {type(value).__name__}{shown} where text is needed"):
        required_text({"body": value}, "body")


@pytest.mark.parametrize(
    "labels", [(), ("up",), ("up", "up"), ("up", "UP"), ("up", " up"), ("up", ""), ("up", "  ")], ids=repr
)
def test_labels_that_cannot_be_told_apart_are_refused(labels):
    with pytest.raises(PluginError, match="toy/direction: labels must be two or more, distinct"):
        declare(labels=labels)


def test_a_label_with_surrounding_spaces_is_refused():
    with pytest.raises(PluginError, match="toy/direction: labels"):
        declare(labels=("up ", "down"))


def test_the_answer_is_the_likeliest_choice_with_the_probability_of_each(task):
    row = {"text": "sales rose"}
    logprobs = {"down": math.log(0.2), "flat": math.log(0.2), "up": math.log(0.4)}
    output = task.parse(row, task.format(row), [Prediction("up", logprobs=logprobs)])
    assert output.value == "up"
    assert output.scores == pytest.approx({"down": 0.25, "flat": 0.25, "up": 0.5})


def test_an_invalid_prediction_is_no_answer_even_where_its_text_is_a_label(task):
    row = {"text": "sales rose"}
    assert task.parse(row, task.format(row), [Prediction("up", valid=False)]) == Output(None, {})


def test_probabilities_of_very_unlikely_choices_still_add_up_to_one():
    found = choice_probabilities({"up": -2000.0, "down": -2000.0, "flat": -4000.0})
    assert found == pytest.approx({"up": 0.5, "down": 0.5, "flat": 0.0})


def test_the_first_metric_is_macro_f1(task):
    assert [metric.name for metric in task.metrics][:2] == ["macro_f1", "accuracy"]


def test_a_task_may_read_columns_of_its_own():
    own = declare(text=Column("body"), label=Column("way", label=True))
    row = {"body": "sales rose", "way": "up"}
    assert own.format(row)[0].messages[1].text == "sales rose"
    assert own.reference(row) == "up"


def test_a_task_is_adapted_by_replacing_a_field(task):
    assert replace(task, name="toy/other").format({"text": "a"}) == task.format({"text": "a"})


def test_a_task_cannot_be_changed_in_place(task):
    with pytest.raises(FrozenInstanceError):
        task.name = "toy/other"


@pytest.mark.parametrize("labels", ["fraud", (0, 1)])
def test_labels_that_are_no_texts_are_refused(labels):
    with pytest.raises(PluginError, match="labels must be a sequence of texts"):
        single_label("toy/x", summary="", instruction="", labels=labels)


def test_a_missing_text_column_names_those_that_are_there(task):
    with pytest.raises(DataError, match="there is no column 'text'; the row has 'complaint'"):
        task.format({"complaint": "late"})


TITLED = Column("title"), Column("body", optional=True)


def shown(row):
    return f"{row['title']}: {row.get('body', 'nothing')}"


def test_several_columns_are_shown_as_the_task_says():
    task = declare(text=TITLED, show=shown)
    assert [column.name for column in task.columns] == ["title", "body", "label"]
    assert task.format({"title": " News", "body": "sales rose "})[0].messages[1].text == "News: sales rose"


def test_several_columns_need_a_word_on_how_they_are_shown():
    with pytest.raises(PluginError, match=r"\['title', 'body'\]: of several columns, show= must say what is read"):
        declare(text=TITLED)


def test_surrounding_white_space_of_a_text_is_not_read(task):
    assert task.format({"text": "\n sales rose \n"})[0].messages[1].text == "sales rose"


def test_a_label_is_known_by_its_other_names():
    task = declare(synonyms={"Bullish": "up", "bearish": "Down"})
    assert [task.reference({"label": label}) for label in ("bullish", " BEARISH ", "up")] == ["up", "down", "up"]


def test_other_names_are_not_listed_among_the_labels():
    with pytest.raises(DataError, match=r"allowed: 'up', 'down'\."):
        declare(synonyms={"bullish": "up"}).reference({"label": "flat"})


@pytest.mark.parametrize("synonyms", [{"bullish": "upward"}, {"down": "up"}])
def test_another_name_that_cannot_stand_for_a_label_is_refused(synonyms):
    with pytest.raises(PluginError, match="must stand for one of the labels"):
        declare(synonyms=synonyms)


def test_of_many_labels_a_message_names_a_few_and_the_nearest():
    labels = [f"intent {number}" for number in range(40)]
    with pytest.raises(DataError, match=r"'intent 11' and 28 more\. Did you mean 'intent 39'\?") as caught:
        declare(labels=labels).reference({"label": "intent_39"})
    assert "intent 20" not in str(caught.value)

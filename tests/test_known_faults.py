"""Ways in which published scores have gone wrong elsewhere, each as something that cannot happen here."""

import pytest

import qlorakit as qk
from qlorakit.errors import DataError
from qlorakit.kinds import entities, number, single_label, text
from qlorakit.task import Column

TONES = ("positive", "neutral", "negative")
TONE = single_label("toy/tone", summary="Which?", instruction="the tone", labels=TONES)
NAMES = entities("toy/names", summary="Who?", instruction="names", types=("ORG", "ROLE"), encoding="lines")


def judged(predictions, rows, task, **settings):
    return qk.judge(predictions, rows, task=task, resamples=200, **settings)


def tones(*labels):
    return [{"text": f"sentence {place}", "label": label} for place, label in enumerate(labels)]


def metrics(report, name=None):
    system = report.system(name) if name else report.systems[0]
    return {metric: estimate.value for metric, estimate in system.metrics.items()}


def align(text_, answer):
    """What an answer in lines says of a text."""
    from qlorakit.task import Prediction

    row = {"text": text_, "entities": []}
    return [text_[span.start : span.end] for span in NAMES.parse(row, NAMES.format(row), [Prediction(answer)]).value]


def test_an_unreadable_answer_is_not_the_majority_class():
    system = judged(["no idea", "neutral", "neutral"], tones("neutral", "neutral", "positive"), TONE).systems[0]
    assert system.metrics["accuracy"].value == pytest.approx(1 / 3)
    assert system.invalid == pytest.approx(1 / 3)
    assert system.confusion[TONES.index("neutral")] == (0, 1, 0, 1)


def test_a_label_inside_a_sentence_is_not_that_label():
    system = judged(["not positive, rather negative"], tones("positive"), TONE).systems[0]
    assert (system.invalid, system.metrics["accuracy"].value) == (1, 0)


def test_a_wrong_answer_in_words_of_its_own_does_not_raise_the_weighted_f1():
    rows = tones(*["positive", "negative"] * 50)
    named, free = ("negative", "positive"), ("rather bad", "rather good")
    wrong = [
        [answer[place % 2] if place < 20 else row["label"] for place, row in enumerate(rows)]
        for answer in (named, free)
    ]
    found = [metrics(judged(answers, rows, TONE)) for answers in wrong]
    assert found[0]["accuracy"] == found[1]["accuracy"] == pytest.approx(0.8)
    assert found[1]["weighted_f1"] <= found[0]["weighted_f1"] + 1e-12
    assert found[1]["weighted_f1"] == pytest.approx(0.8)


def test_wrong_answers_in_words_of_their_own_are_no_classes_of_their_own():
    system = judged(["up", "down", "neutral"], tones("positive", "negative", "neutral"), TONE).systems[0]
    assert [one.label for one in system.classes] == list(TONES)


def test_an_entity_that_ends_the_text_is_found():
    assert align("We visited Apple Inc", "Apple Inc | ORG") == ["Apple Inc"]


def test_a_mention_is_not_found_inside_a_longer_word():
    assert align("Incredible results of Apple Inc", "Inc | ORG") == ["Inc"]
    assert align("Incredible results", "Inc | ORG") == []


def test_a_mention_that_is_repeated_is_found_as_often_as_it_is_answered():
    assert align("Apple sued Apple", "Apple | ORG\nApple | ORG") == ["Apple", "Apple"]
    assert align("Apple sued Apple", "Apple | ORG") == ["Apple"]


def test_upper_and_lower_case_are_not_the_same_entity():
    assert align("the may report of May", "May | ORG") == ["May"]


def test_tags_without_a_beginning_are_entities_where_the_scheme_says_so():
    task = entities("toy/tags", summary="Who?", instruction="names", types=("ORG",), scheme="IOB1")
    row = {"tokens": ["Apple", "Inc", "and", "Pear"], "tags": ["I-ORG", "I-ORG", "O", "I-ORG"]}
    assert len(task.reference(row)) == 2
    assert metrics(judged([row["tags"]], [row], task))["entity_f1"] == 1


def test_tags_are_not_read_by_a_scheme_that_they_do_not_follow():
    task = entities("toy/tags", summary="Who?", instruction="names", types=("ORG",), scheme="IOB2")
    with pytest.raises(DataError, match="I-ORG"):
        task.reference({"tokens": ["Apple", "Inc"], "tags": ["I-ORG", "I-ORG"]})


def test_an_entity_of_the_wrong_length_is_both_missed_and_false():
    rows = [{"text": "We visited Apple Inc", "entities": [{"start": 11, "end": 20, "type": "ORG"}]}]
    found = metrics(judged([[{"start": 11, "end": 16, "type": "ORG"}]], rows, NAMES))
    assert (found["entity_precision"], found["entity_recall"], found["entity_f1"]) == (0, 0, 0)


def test_a_table_of_known_mentions_is_a_baseline_that_shows_when_it_is_enough():
    (dictionary,) = NAMES.baselines
    seen = [{"text": "the Lender and the Borrower", "entities": [[4, 10, "ROLE"], [19, 27, "ROLE"]]}]
    asked = [{"text": f"{n} Borrower", "entities": [[2, 10, "ROLE"]]} for n in range(5)]
    outputs = dictionary.answer(NAMES, seen, asked)
    assert [output.value for output in outputs] == [NAMES.reference(row) for row in asked]


def test_an_untyped_number_in_a_sentence_is_not_guessed_from_several():
    task = number("toy/sum", summary="How much?", instruction="sum")
    rows = [{"question": "how much?", "answer": "12"}]
    system = judged(["either 12 or 13"], rows, task).systems[0]
    assert (system.invalid, system.metrics["numeric_match"].value) == (1, 0)


def test_rouge_of_a_text_in_another_script_is_an_error_and_no_zero():
    pytest.importorskip("rouge_score")
    task = text("toy/short", summary="Short", instruction="sum up", answer=Column("short", label=True))
    with pytest.raises(DataError, match="chrf"):
        judged(["摘要"], [{"text": "长文", "short": "摘要"}], task)


def test_every_number_comes_with_an_interval():
    rows = tones(*TONES * 20)
    answers = ["neutral" if place % 5 == 0 else row["label"] for place, row in enumerate(rows)]
    system = judged(answers, rows, TONE).systems[0]
    for name in ("accuracy", "macro_f1", "weighted_f1", "mcc"):
        assert system.metrics[name].low < system.metrics[name].value < system.metrics[name].high

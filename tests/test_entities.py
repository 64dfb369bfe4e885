import json
import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qlorakit.encoding import Encoder
from qlorakit.entities import align, entities
from qlorakit.errors import DataError, PluginError
from qlorakit.prefix_tree import common_length
from qlorakit.spans import Span, join_words, split_words, without_overlaps
from qlorakit.tag_schemes import SCHEMES, Chunk, write_tags
from qlorakit.task import Column, Output, Prediction

TYPES = ("ORG", "PER")
TEXT = "Ann Lee left Apple Inc for Incredible Inc"
ENTITIES = [(0, 7, "PER"), (13, 22, "ORG"), (27, 41, "ORG")]
ROW = {"text": TEXT, "entities": ENTITIES}
LINES = "Ann Lee | PER\nApple Inc | ORG\nIncredible Inc | ORG"
quick = settings(deadline=None, max_examples=50, derandomize=True)
each_encoding = pytest.mark.parametrize("encoding", ["lines", "words"])


def declare(**changes):
    words = {"summary": "Who is named?", "instruction": "Find organisations and persons.", "types": TYPES}
    return entities("toy/names", **{**words, "encoding": "lines", **changes})


def answered(text, answer, **changes):
    """The entities of a generated answer."""
    return align(answer, split_words(text), changes.get("types", TYPES))


def said(text, spans):
    return [(text[span.start : span.end], span.type) for span in spans]


def targets(task, row):
    return [example.target for example in task.format(row)]


def from_targets(task, row):
    """What parsing makes of the row's own targets."""
    examples = task.format(row)
    return task.parse(row, examples, [Prediction(example.target) for example in examples])


def word_predictions(task, row, tags, share=0.9):
    """Log-probabilities in which each word's tag has this share."""
    choices = task.format(row)[0].choices
    rest = (1 - share) / (len(choices) - 1)
    return [
        Prediction(tag, logprobs={choice: math.log(share if choice == tag else rest) for choice in choices})
        for tag in tags
    ]


def spans_in(words):
    """Spans over runs of words, which may overlap."""
    places = st.tuples(*[st.integers(0, len(words.bounds) - 1)] * 2)
    chunks = st.builds(lambda ends, kind: Chunk(min(ends), max(ends) + 1, kind), places, st.sampled_from(TYPES))
    return st.lists(chunks.map(words.span), max_size=6, unique=True).map(lambda found: tuple(sorted(found)))


def texts(vocabulary):
    return st.lists(st.sampled_from(vocabulary), min_size=1, max_size=14).map(join_words)


# What is asked


@each_encoding
def test_the_system_message_is_the_instruction_and_how_to_answer(encoding):
    system = declare(encoding=encoding).format(ROW)[0].messages[0]
    assert system.role == "system"
    assert system.text.startswith("Find organisations and persons.\n\n")
    assert "ORG, PER" in system.text
    assert not any(part.may_cut for part in system.parts)


@each_encoding
def test_the_users_message_begins_with_the_text_which_alone_may_be_cut(encoding):
    for example in declare(encoding=encoding).format(ROW):
        assert [part.text for part in example.messages[1].parts if part.may_cut] == [TEXT]
        assert example.messages[1].text.startswith(TEXT)


def test_one_line_is_asked_for_each_entity_in_order_of_appearance():
    (example,) = declare().format(ROW)
    assert (example.choices, example.target) == (None, LINES)


def test_a_text_without_entities_is_answered_by_a_fixed_word():
    assert targets(declare(), {"text": TEXT, "entities": []}) == ["none"]


def test_a_mention_is_written_on_one_line_whatever_its_white_space():
    row = {"text": "Mr Ann\n  Lee left", "entities": [(3, 12, "PER")]}
    assert targets(declare(), row) == ["Ann Lee | PER"]
    assert declare().expressible(row).value == (Span(3, 12, "PER"),)


def test_each_word_is_asked_with_the_tags_of_the_types_as_choices():
    examples = declare(encoding="words").format(ROW)
    assert [example.target for example in examples] == ["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "B-ORG", "I-ORG"]
    assert {example.choices for example in examples} == {("O", "B-ORG", "I-ORG", "B-PER", "I-PER")}
    assert [example.key for example in examples] == list(range(8))


def test_the_word_asked_is_shown_by_number_between_its_neighbours():
    asked = [example.messages[1].text.removeprefix(TEXT) for example in declare(encoding="words").format(ROW)]
    assert asked[0] == "\n\nWord 1: [Ann] Lee left Apple"
    assert asked[4] == "\n\nWord 5: Lee left Apple [Inc] for Incredible Inc"
    assert asked[7] == "\n\nWord 8: Inc for Incredible [Inc]"


def test_no_two_words_of_a_text_are_asked_alike():
    row = {"text": "yes and no " * 20, "entities": []}
    asked = [example.messages for example in declare(encoding="words").format(row)]
    assert len(set(asked)) == len(asked) == 60


def test_the_words_of_tagged_rows_are_the_rows_own():
    task = declare(encoding="words", scheme="BIO")
    row = {"tokens": ["Inc.-based", "Apple"], "tags": ["O", "B-ORG"]}
    assert targets(task, row) == ["O", "B-ORG"]
    assert task.reference(row) == (Span(11, 16, "ORG"),)


@each_encoding
@pytest.mark.parametrize("row", [{"text": TEXT}, {"text": TEXT, "entities": None}, {"text": TEXT, "entities": ""}])
def test_a_row_without_entities_known_is_asked_without_a_target(encoding, row):
    assert set(targets(declare(encoding=encoding), row)) == {None}


@each_encoding
def test_the_reference_comes_from_the_row_and_never_through_the_encoding(encoding):
    row = {"text": "Incredible", "entities": [(0, 3, "ORG")]}
    assert declare(encoding=encoding).reference(row) == (Span(0, 3, "ORG"),)


# How generated lines are read


def test_lines_become_spans_of_the_text():
    assert answered(TEXT, LINES).value == tuple(Span(*span) for span in ENTITIES)


def test_the_answer_is_sorted_whatever_the_order_of_its_lines():
    backwards = "\n".join(reversed(LINES.splitlines()))
    assert answered(TEXT, backwards).value == answered(TEXT, LINES).value


@pytest.mark.parametrize("answer", ["none", "None", " NONE \n"])
def test_the_fixed_word_means_no_entities(answer):
    assert answered(TEXT, answer).value == ()


@pytest.mark.parametrize(
    "answer", ["", "\n", "I see no names here.", "Ann Lee, PER", "| PER", "Ann Lee |", "none\nnone"]
)
def test_an_answer_without_a_line_of_the_form_asked_for_is_invalid(answer):
    assert answered(TEXT, answer).value is None


def test_an_answer_that_did_not_end_is_invalid_though_its_lines_are_right():
    task = declare()
    assert task.parse(ROW, task.format(ROW), [Prediction(LINES, valid=False)]).value is None


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("Ann Lee", "malformed_lines"),
        ("none", "malformed_lines"),
        ("| ORG", "malformed_lines"),
        ("Apple |", "malformed_lines"),
        ("Apple | FRUIT", "unknown_type_lines"),
        ("Google | ORG", "unaligned_lines"),
        ("apple | ORG", "unaligned_lines"),
    ],
)
def test_a_line_that_is_no_entity_is_dropped_and_counted(line, counted):
    output = answered(TEXT, f"Ann Lee | PER\n{line}\nIncredible Inc | ORG")
    assert said(TEXT, output.value) == [("Ann Lee", "PER"), ("Incredible Inc", "ORG")]
    assert {name: count for name, count in output.scores.items() if count} == {"lines": 3, counted: 1}


def test_the_case_of_a_type_does_not_matter():
    assert answered(TEXT, "Apple Inc|org").value == (Span(13, 22, "ORG"),)


def test_a_mention_may_hold_the_separator():
    assert said("a|b c", answered("a|b c", "a|b | ORG").value) == [("a|b", "ORG")]


def test_a_line_too_many_for_a_mention_is_not_found_again():
    output = answered(TEXT, "Ann Lee | PER\nAnn Lee | PER")
    assert output.value == (Span(0, 7, "PER"),)
    assert output.scores["unaligned_lines"] == 1


def test_a_line_means_the_first_occurrence_behind_the_entity_before():
    text = "may we ask May if Ann may, said May"
    found = answered(text, "Ann | PER\nmay | ORG").value
    assert found == (Span(18, 21, "PER"), Span(22, 25, "ORG"))


def test_a_line_out_of_order_means_the_first_occurrence_that_is_left():
    found = answered("Ann met Bob", "Bob | PER\nAnn | PER").value
    assert found == (Span(0, 3, "PER"), Span(8, 11, "PER"))


def test_a_line_out_of_order_prefers_a_place_of_its_own_as_well():
    found = answered("Bank of York, York, Ann", "Bank of York | ORG\nAnn | PER\nYork | PER").value
    assert found == (Span(0, 12, "ORG"), Span(14, 18, "PER"), Span(20, 23, "PER"))


def test_a_line_of_an_unknown_type_takes_its_occurrence():
    found = answered("Apple and Apple", "Apple | FRUIT\nApple | ORG").value
    assert found == (Span(10, 15, "ORG"),)


def test_nested_entities_and_those_of_two_types_are_found():
    text = "Bank of York"
    found = answered(text, "Bank of York | ORG\nBank of York | PER\nYork | PER").value
    assert found == (Span(0, 12, "ORG"), Span(0, 12, "PER"), Span(8, 12, "PER"))


def test_a_mention_prefers_a_place_of_its_own_to_one_inside_another_entity():
    text = "Bank of York in York"
    assert answered(text, "Bank of York | ORG\nYork | PER").value == (Span(0, 12, "ORG"), Span(16, 20, "PER"))


@quick
@given(texts(["a", "b", "Inc", "Incredible", "."]), st.text(alphabet="ab.|\n IncrdOGP", max_size=40))
def test_every_line_is_an_entity_or_dropped_and_every_entity_is_in_the_text(words, answer):
    output = align(answer, words, TYPES)
    assert output.value is None or all(words.chunk(span) is not None for span in output.value)
    dropped = sum(count for name, count in output.scores.items() if name != "lines")
    assert len(output.value or ()) + dropped == output.scores["lines"]


# What the encodings can express


@quick
@given(st.permutations(["Ann", "Lee", "left", "Apple", "Inc", ",", "May", "5"]).map(join_words), st.data())
def test_lines_express_any_entities_of_a_text_that_repeats_no_word(words, data):
    spans = data.draw(spans_in(words))
    row = {"text": words.text, "entities": spans}
    assert from_targets(declare(), row).value == declare().expressible(row).value == spans


@quick
@given(texts(["a", "b", "c"]), st.data())
def test_lines_express_every_entity_of_a_text_in_which_a_mention_always_is_one(words, data):
    known = data.draw(st.sets(st.sampled_from(["a", "a b", "b c", "c a b"]), min_size=1))
    longest_first = "|".join(sorted(known, key=len, reverse=True))
    found = re.finditer(rf"\b(?:{longest_first})\b", words.text)
    spans = tuple(Span(*match.span(), "ORG") for match in found)
    assert declare().expressible({"text": words.text, "entities": spans}).value == spans


@quick
@given(texts(["a", "b", "ab", "."]), st.data())
def test_no_line_of_a_target_without_overlaps_is_dropped(words, data):
    spans = without_overlaps(data.draw(spans_in(words)))
    output = from_targets(declare(), {"text": words.text, "entities": spans})
    assert len(output.value) == len(spans)
    assert sum(output.scores.values()) == output.scores["lines"]


@quick
@given(texts(["a", "b", "ab", "."]), st.data())
def test_words_express_whatever_does_not_overlap(words, data):
    spans = without_overlaps(data.draw(spans_in(words)))
    row = {"text": words.text, "entities": spans}
    assert declare(encoding="words").expressible(row).value == spans


@quick
@given(texts(["a", "b", "ab", "."]), st.data())
def test_of_entities_that_overlap_words_express_the_longest(words, data):
    spans = data.draw(spans_in(words))
    assume(spans != without_overlaps(spans))
    row = {"text": words.text, "entities": spans}
    assert declare(encoding="words").reference(row) == spans
    assert declare(encoding="words").expressible(row).value == without_overlaps(spans)


@pytest.mark.parametrize("scheme", SCHEMES)
@each_encoding
@settings(quick, max_examples=20)
@given(data=st.data())
def test_tagged_rows_go_through_words_unharmed_and_through_lines_as_their_spans_do(scheme, encoding, data):
    words = data.draw(texts(["a", "b", "c"]))
    spans = without_overlaps(data.draw(spans_in(words)))
    tags = write_tags(map(words.chunk, spans), len(words.bounds), scheme)
    tagged, plain = declare(encoding=encoding, scheme=scheme), declare(encoding=encoding)
    row = {"tokens": list(words.texts), "tags": tags}
    assert tagged.reference(row) == spans
    assert tagged.expressible(row) == plain.expressible({"text": words.text, "entities": spans})


@each_encoding
def test_an_entity_inside_a_word_lowers_the_ceiling_and_stays_in_the_reference(encoding):
    row = {"text": "Ann took 5mg", "entities": [(0, 3, "PER"), (10, 12, "ORG")]}
    task = declare(encoding=encoding)
    assert task.reference(row) == (Span(0, 3, "PER"), Span(10, 12, "ORG"))
    assert task.expressible(row).value == (Span(0, 3, "PER"),)


def test_an_entity_that_words_cannot_express_rules_out_none_that_they_can():
    row = {"text": "Ann Leeds", "entities": [(0, 3, "PER"), (0, 7, "PER")]}
    assert declare(encoding="words").expressible(row).value == (Span(0, 3, "PER"),)


def test_an_entity_inside_a_word_has_no_line_in_the_target():
    row = {"text": "Incredible Ann", "entities": [(0, 3, "ORG"), (11, 14, "PER")]}
    assert targets(declare(), row) == ["Ann | PER"]
    assert targets(declare(), {"text": "Incredible", "entities": [(0, 3, "ORG")]}) == ["none"]


@each_encoding
def test_what_can_be_expressed_has_no_scores_as_no_model_wrote_it(encoding):
    assert declare(encoding=encoding).expressible(ROW) == Output(tuple(Span(*span) for span in ENTITIES))


def test_lines_cannot_tell_an_occurrence_that_is_no_entity_from_a_later_one_that_is():
    row = {"text": "may I ask, said May; may", "entities": [(21, 24, "PER")]}
    assert declare().expressible(row).value == (Span(0, 3, "PER"),)
    assert declare(encoding="words").expressible(row).value == (Span(21, 24, "PER"),)


# How tags of words are read


def test_tags_of_words_become_spans():
    task = declare(encoding="words")
    output = task.parse(ROW, task.format(ROW), word_predictions(task, ROW, targets(task, ROW)))
    assert output.value == tuple(Span(*span) for span in ENTITIES)


@quick
@given(st.lists(st.dictionaries(st.sampled_from(["O", "B-ORG", "I-ORG", "B-PER", "I-PER"]), st.floats(-50, 0)),
                min_size=3, max_size=3))  # fmt: skip
def test_any_probabilities_give_entities_that_do_not_overlap(logprobs):
    task, row = declare(encoding="words"), {"text": "Ann met Bob"}
    predictions = [Prediction("O", logprobs={"O": -1.0, **line}) for line in logprobs]
    value = task.parse(row, task.format(row), predictions).value
    assert value == without_overlaps(value)


def test_a_word_that_continues_nothing_begins_an_entity_or_is_none():
    task, row = declare(encoding="words"), {"text": "Ann met"}
    sure = word_predictions(task, row, ["O", "I-PER"], share=0.99)
    unsure = word_predictions(task, row, ["O", "I-PER"], share=0.3)
    assert task.parse(row, task.format(row), [unsure[0], sure[1]]).value == (Span(0, 7, "PER"),)
    assert task.parse(row, task.format(row), [sure[0], unsure[1]]).value == ()


@quick
@given(st.lists(st.lists(st.integers(-20, 0), min_size=5, max_size=5), min_size=3, max_size=3), st.integers(-900, 0))
def test_what_all_tags_of_a_word_have_in_common_has_no_say(lines, shift):
    task, row = declare(encoding="words"), {"text": "Ann met Bob"}
    examples = task.format(row)
    moved = [[value + shift for value in lines[0]], *lines[1:]]
    values = [
        task.parse(
            row,
            examples,
            [Prediction("O", logprobs=dict(zip(examples[0].choices, line, strict=True))) for line in each],
        )
        for each in (lines, moved)
    ]
    assert values[0] == values[1]


def test_an_impossible_tagging_of_one_word_leaves_the_others_as_they_are():
    task, row = declare(encoding="words"), {"text": "the Ann"}
    impossible = dict.fromkeys(task.format(row)[0].choices, -math.inf)
    predictions = [Prediction(tag, logprobs={**impossible, tag: 0.0}) for tag in ("I-ORG", "B-PER")]
    assert Span(4, 7, "PER") in task.parse(row, task.format(row), predictions).value


def test_a_word_without_a_valid_answer_makes_the_row_invalid():
    task, row = declare(encoding="words"), {"text": "Ann met"}
    predictions = [Prediction("B-PER"), Prediction("O", valid=False)]
    assert task.parse(row, task.format(row), predictions).value is None


# The declaration


def test_metrics_are_strict_and_the_first_is_f1():
    names = ["entity_f1", "entity_precision", "entity_recall", "entity_macro_f1"]
    assert [metric.name for metric in declare(encoding="words").metrics] == names
    assert [metric.name for metric in declare().metrics] == [*names, "dropped_lines"]


def test_the_kind_tells_no_text_and_scores_its_types():
    task = declare()
    assert (task.kind, task.tells_text, task.labels) == ("entities", False, None)
    assert [each.label for each in task.classes([from_targets(task, ROW)], [task.reference(ROW)])] == list(TYPES)


def test_a_task_may_read_columns_of_its_own():
    task = declare(text=Column("body"), spans=Column("who", label=True))
    assert task.reference({"body": TEXT, "who": ENTITIES}) == declare().reference(ROW)
    assert [column.name for column in task.columns] == ["body", "who"]
    tagged = declare(tokens=Column("words"), tags=Column("bio", label=True), scheme="BIO")
    assert tagged.reference({"words": ["Ann"], "bio": ["B-PER"]}) == (Span(0, 3, "PER"),)


def test_what_a_plugin_declares_besides_is_passed_on():
    metrics, baselines, samples = declare().metrics[:1], declare().baselines, (ROW,)
    task = declare(metrics=metrics, baselines=(), samples=samples, group=len)
    assert (task.metrics, task.baselines, task.samples, task.group) == (metrics, (), samples, len)
    assert [baseline.name for baseline in baselines] == ["dictionary"]


@pytest.mark.parametrize(
    "types",
    [(), ("ORG", "org"), ("ORG", ""), ("ORG ",), ("A|B",), ("A\nB",), ("-A",), ("A-",), "ORG", (1, 2)],
    ids=repr,
)
def test_types_that_cannot_be_told_apart_or_written_are_refused(types):
    with pytest.raises(PluginError, match="toy/names: types must be"):
        declare(types=types)


def test_one_type_is_enough():
    assert targets(declare(types=("PER",)), {"text": "Ann", "entities": [(0, 3, "PER")]}) == ["Ann | PER"]


def test_an_unknown_encoding_names_those_there_are():
    with pytest.raises(PluginError, match="toy/names: encoding='json' is not known; it is one of 'lines', 'words'"):
        declare(encoding="json")


@pytest.mark.parametrize("changes", [{"tags": Column("tags")}, {"tokens": Column("tokens")}, {"scheme": "IOB"}])
def test_the_scheme_of_tags_is_stated_and_never_guessed(changes):
    with pytest.raises(PluginError, match=r"say which scheme the tags follow \(BIO, IOB2, IOB1, IOBES, BILOU\)"):
        declare(**changes)


def test_spans_and_tags_are_not_declared_together():
    with pytest.raises(PluginError, match="either text and spans, or tokens and tags"):
        declare(text=Column("text"), scheme="BIO")


# Rows that cannot be used


@each_encoding
@pytest.mark.parametrize("text", ["", "  ", None, 3])
def test_a_row_without_a_text_is_refused(encoding, text):
    with pytest.raises(DataError, match="column 'text'"):
        declare(encoding=encoding).format({"text": text, "entities": []})


@pytest.mark.parametrize("row", [{"text": TEXT}, {"text": TEXT, "entities": None}])
def test_a_reference_that_is_not_there_is_refused_with_what_to_do(row):
    with pytest.raises(DataError, match=r"column 'entities' is missing or blank; fill in a list \(\[\] where there is"):
        declare().reference(row)


@each_encoding
def test_a_bad_span_is_refused_when_asking_already(encoding):
    with pytest.raises(DataError, match="column 'entities', span 1: from 0 to 99 is not inside the text"):
        declare(encoding=encoding).format({"text": TEXT, "entities": [(0, 99, "ORG")]})


# What other aligners get wrong


@each_encoding
def test_an_entity_at_the_end_of_the_sentence_is_found(encoding):
    row = {"text": "We visited Apple Inc", "entities": [(11, 20, "ORG")]}
    assert from_targets(declare(encoding=encoding), row).value == (Span(11, 20, "ORG"),)


def test_a_mention_is_not_found_inside_a_longer_word():
    text = "Incredible sales at MacInc, said Inc"
    assert answered(text, "Inc | ORG").value == (Span(33, 36, "ORG"),)
    assert answered("Incredible MacInc", "Inc | ORG").value == ()


def test_a_mention_with_capitals_and_commas_stays_one_mention():
    text = "apple fell, Apple, Inc. rose"
    found = answered(text, "Apple, Inc. | ORG").value
    assert said(text, found) == [("Apple, Inc.", "ORG")]
    assert answered("apple fell", "Apple | ORG").value == ()


def test_a_repeated_mention_is_found_each_time_and_not_at_its_first_place_alone():
    text = "Ann met Ann and Ann"
    assert answered(text, "Ann | PER\nAnn | PER").value == (Span(0, 3, "PER"), Span(8, 11, "PER"))
    assert answered(text, "\n".join(["Ann | PER"] * 3)).value[-1] == Span(16, 19, "PER")


def test_iob1_tags_are_entities_and_not_nothing():
    row = {"tokens": ["Ann", "Lee", "Bob", "left"], "tags": ["I-PER", "I-PER", "B-PER", "O"]}
    assert declare(scheme="IOB1").reference(row) == (Span(0, 7, "PER"), Span(8, 11, "PER"))
    with pytest.raises(DataError, match="valid in IOB1"):
        declare(scheme="BIO").reference(row)


# The baseline


def looked_up(train, texts, **changes):
    task = declare(**changes)
    outputs = task.baselines[0].answer(task, train, [{"text": text} for text in texts])
    return [said(text, output.value) for text, output in zip(texts, outputs, strict=True)]


def test_the_dictionary_finds_the_mentions_of_the_training_rows():
    assert looked_up([ROW], ["Lee of Apple  Inc", "Ann Lee, Ann Lee"]) == [
        [("Apple  Inc", "ORG")],
        [("Ann Lee", "PER"), ("Ann Lee", "PER")],
    ]


def test_the_dictionary_gives_a_mention_its_commonest_type():
    train = [{"text": "May", "entities": [(0, 3, kind)]} for kind in ("PER", "ORG", "ORG")]
    assert looked_up(train, ["May"]) == looked_up(train[:2], ["May"]) == [[("May", "ORG")]]


def test_the_dictionary_takes_the_longest_mention_at_each_place():
    train = [{"text": "New York Bank", "entities": [(0, 3, "PER"), (0, 8, "PER"), (0, 13, "ORG"), (4, 8, "PER")]}]
    text = "New York Banks, New York Bank"
    assert looked_up(train, [text]) == [[("New York", "PER"), ("New York Bank", "ORG")]]


def test_the_dictionary_finds_no_mention_inside_a_word_and_none_of_other_case():
    train = [{"text": "Inc", "entities": [(0, 3, "ORG")]}]
    assert looked_up(train, ["Incredible inc"]) == [[]]


def test_the_dictionary_of_rows_without_entities_finds_nothing():
    assert looked_up([{"text": TEXT, "entities": []}], [TEXT]) == [[]]


@quick
@given(texts(["a", "b", "c"]), st.data())
def test_the_dictionary_knows_its_training_row_where_a_mention_always_is_an_entity(words, data):
    spans = tuple(Span(*match.span(), "ORG") for match in re.finditer(r"a b|b", words.text))
    task, row = declare(), {"text": words.text, "entities": spans}
    assert task.baselines[0].answer(task, [row], [row])[0].value == spans


def test_the_dictionary_reads_the_entities_of_the_training_rows_alone():
    task = declare()
    lying = {"text": TEXT, "entities": [(0, 3, "ORG")]}
    answer = task.baselines[0].answer
    assert answer(task, [ROW], [lying]) == answer(task, [ROW], [{"text": TEXT}])


# Through the tokenizer


def encoder_for(max_length):
    from transformers import AutoTokenizer

    from qlorakit_tiny import MODEL

    return Encoder(AutoTokenizer.from_pretrained(MODEL), max_length=max_length)


@pytest.fixture(scope="module")
def encoder():
    return encoder_for(512)


@each_encoding
def test_examples_encode_and_a_target_is_one_of_the_choices(encoder, encoding):
    (row,) = encoder.encode_rows([ROW], declare(encoding=encoding))
    for example, item in zip(row.examples, row.encoded, strict=True):
        assert item.target is not None
        assert not item.cut_tokens
        if example.choices is not None:
            assert item.choices[example.choices.index(example.target)] == item.target


def test_a_decoded_target_is_read_as_the_entities(encoder):
    task = declare()
    (row,) = encoder.encode_rows([ROW], task)
    text = encoder.tokenizer.decode(row.encoded[0].target[:-1]).strip()
    assert task.parse(ROW, row.examples, [Prediction(text)]).value == task.reference(ROW)


def test_the_words_of_a_text_share_their_prompt_up_to_the_number(encoder):
    (row,) = encoder.encode_rows([ROW], declare(encoding="words"))
    prompts = [item.prompt for item in row.encoded]
    shared = prompts[0][: min(common_length(prompts[0], prompt) for prompt in prompts)]
    assert encoder.tokenizer.decode(shared).rstrip().endswith(f"{TEXT}\n\nWord")


def test_a_text_that_is_cut_is_still_asked_word_by_word():
    (row,) = encoder_for(200).encode_rows([{"text": "yes and no " * 60, "entities": []}], declare(encoding="words"))
    assert all(item.cut_tokens for item in row.encoded)
    assert len({item.prompt for item in row.encoded}) == 180


@each_encoding
def test_values_survive_json(encoding):
    task = declare(encoding=encoding)
    written = json.dumps(task.reference(ROW))
    assert task.reference({"text": TEXT, "entities": written}) == task.reference(ROW)


def test_the_dictionary_answers_alike_in_any_order_of_the_training_rows():
    task = declare()
    train = [{"text": "May", "entities": [(0, 3, kind)]} for kind in ("PER", "ORG")]
    answers = [task.baselines[0].answer(task, rows, train) for rows in (train, train[::-1])]
    assert answers[0] == answers[1] == [Output((Span(0, 3, "ORG"),))] * 2

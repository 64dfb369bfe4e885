import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import metrics as seqeval
from seqeval import scheme as seqeval_schemes
from seqeval.metrics.v1 import precision_recall_fscore_support

from qlorakit.entity_metrics import (
    dropped_lines,
    entity_class_scores,
    entity_f1,
    entity_macro_f1,
    entity_precision,
    entity_recall,
)
from qlorakit.spans import Span, join_words
from qlorakit.tag_schemes import SCHEMES, Chunk, read_tags, write_tags
from qlorakit.task import Output

TYPES = ("LOC", "ORG", "PER")
SHORT = entity_f1("short_f1", keep=lambda row, span: span.end - span.start == 1)
METRICS = [entity_f1(), entity_precision(), entity_recall(), entity_macro_f1(TYPES)]
quick = settings(deadline=None, max_examples=40, derandomize=True)
each_metric = pytest.mark.parametrize("metric", [*METRICS, SHORT], ids=lambda metric: metric.name)
spans = st.builds(
    lambda start, size, kind: Span(start, start + size, kind),
    st.integers(0, 4), st.integers(1, 2), st.sampled_from(TYPES),
)  # fmt: skip
span_sets = st.lists(spans, max_size=4, unique=True).map(lambda found: tuple(sorted(found)))
answered_rows = st.lists(st.tuples(span_sets, st.none() | span_sets), min_size=1, max_size=6)


@st.composite
def taggings(draw, length):
    """Entities of a few words that do not overlap."""
    chunks, place = [], 0
    while (first := place + draw(st.integers(0, 2))) < length:
        place = min(length, first + draw(st.integers(1, 2)))
        chunks.append(Chunk(first, place, draw(st.sampled_from(TYPES))))
    return chunks


@st.composite
def tagged_rows(draw):
    """References and answers over the same words, of which some agree."""
    lengths = draw(st.lists(st.integers(1, 8), min_size=1, max_size=5))
    pairs = [(draw(taggings(length)), draw(taggings(length))) for length in lengths]
    agreed = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    return [
        (length, gold, gold if same else other)
        for length, (gold, other), same in zip(lengths, pairs, agreed, strict=True)
    ]


def as_tags(rows, scheme):
    """What seqeval takes: references and answers as lists of tags."""
    return ([write_tags(row[place], row[0], scheme) for row in rows] for place in (1, 2))


def as_spans(tags, scheme):
    words = join_words(["w"] * len(tags))
    return tuple(map(words.span, read_tags(tags, TYPES, scheme)))


def value(metric, pairs):
    return metric.compute([Output(answer) for _, answer in pairs], [gold for gold, _ in pairs], [{}] * len(pairs))


def counts(metric, pairs):
    return np.array([metric.counts(Output(answer), gold, {}) for gold, answer in pairs])


@pytest.mark.parametrize("scheme", SCHEMES)
@quick
@given(rows=tagged_rows())
def test_micro_scores_are_seqevals_in_strict_mode(scheme, rows):
    truth, answers = as_tags(rows, scheme)
    pairs = [(as_spans(gold, scheme), as_spans(said, scheme)) for gold, said in zip(truth, answers, strict=True)]
    strict = {"mode": "strict", "scheme": getattr(seqeval_schemes, {"BIO": "IOB2"}.get(scheme, scheme))}
    for metric, theirs in zip(METRICS, (seqeval.f1_score, seqeval.precision_score, seqeval.recall_score), strict=False):
        assert value(metric, pairs) == pytest.approx(theirs(truth, answers, zero_division=0, **strict))


@pytest.mark.parametrize("scheme", SCHEMES)
@quick
@given(rows=tagged_rows())
def test_scores_of_types_and_their_mean_are_seqevals_in_strict_mode(scheme, rows):
    truth, answers = as_tags(rows, scheme)
    pairs = [(as_spans(gold, scheme), as_spans(said, scheme)) for gold, said in zip(truth, answers, strict=True)]
    named = getattr(seqeval_schemes, {"BIO": "IOB2"}.get(scheme, scheme))
    occurring = sorted({span.type for pair in pairs for side in pair for span in side})
    if not occurring:
        return
    theirs = precision_recall_fscore_support(truth, answers, scheme=named, average=None, zero_division=0)
    found = entity_class_scores([Output(said) for _, said in pairs], [gold for gold, _ in pairs], TYPES)
    ours = [(each.precision, each.recall, each.f1, each.support) for each in found if each.label in occurring]
    assert np.array(ours) == pytest.approx(np.array(theirs).T)
    assert value(METRICS[3], pairs) == pytest.approx(np.mean(theirs[2]))


@each_metric
@quick
@given(pairs=answered_rows)
def test_summed_counts_give_the_computed_value(metric, pairs):
    totals = counts(metric, pairs).sum(axis=0, keepdims=True)
    assert metric.from_counts(totals) == pytest.approx([value(metric, pairs)])


@each_metric
@quick
@given(pairs=answered_rows, random=st.randoms(use_true_random=False))
def test_weighted_counts_give_the_value_of_the_repeated_rows(metric, pairs, random):
    weights = [random.randrange(4) for _ in pairs[1:]] + [1]
    repeated = [pair for pair, weight in zip(pairs, weights, strict=True) for _ in range(weight)]
    totals = np.array([weights], dtype=float) @ counts(metric, pairs)
    assert metric.from_counts(totals) == pytest.approx([value(metric, repeated)])


@each_metric
def test_many_resamples_are_computed_at_once(metric):
    pairs = [((Span(0, 1, "ORG"),), (Span(0, 1, "ORG"),)), ((Span(0, 1, "ORG"),), ())]
    totals = np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]) @ counts(metric, pairs)
    assert metric.from_counts(totals) == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("wrong", [Span(0, 4, "ORG"), Span(1, 5, "ORG"), Span(0, 5, "PER")])
def test_an_entity_counts_only_where_start_end_and_type_are_right(wrong):
    assert value(entity_f1(), [((Span(0, 5, "ORG"),), (wrong,))]) == 0


def test_scores_of_a_worked_example():
    gold = Span(0, 5, "ORG"), Span(6, 9, "PER"), Span(10, 12, "PER")
    pairs = [(gold, (Span(0, 5, "ORG"), Span(6, 9, "ORG")))]
    assert [value(metric, pairs) for metric in METRICS] == pytest.approx([2 / 5, 1 / 2, 1 / 3, (2 / 3 + 0) / 2])


@each_metric
def test_an_invalid_answer_misses_every_entity_and_invents_none(metric):
    gold, other = (Span(0, 5, "ORG"),), (Span(0, 5, "PER"),)
    assert value(metric, [(gold, None), (other, other)]) == value(metric, [(gold, ()), (other, other)])


@each_metric
def test_nothing_to_find_and_nothing_found_is_zero_as_in_seqeval(metric):
    assert value(metric, [((), ())]) == 0


def test_a_type_that_occurs_among_the_answers_alone_lowers_the_mean_over_types():
    right = Span(0, 5, "ORG")
    assert value(entity_macro_f1(TYPES), [((right,), (right, Span(6, 7, "PER")))]) == pytest.approx(1 / 2)


def test_one_entity_with_two_types_is_two():
    both = Span(0, 5, "ORG"), Span(0, 5, "PER")
    assert value(entity_recall(), [(both, both[:1])]) == pytest.approx(1 / 2)


def test_scores_of_types_count_references_and_answers():
    outputs = [Output((Span(0, 1, "ORG"), Span(2, 3, "ORG"))), Output(None)]
    references = [(Span(0, 1, "ORG"),), (Span(0, 1, "ORG"), Span(2, 3, "PER"))]
    found = entity_class_scores(outputs, references, TYPES)
    assert [(each.label, each.support, each.predicted) for each in found] == [
        ("LOC", 0, 0),
        ("ORG", 2, 2),
        ("PER", 1, 0),
    ]
    assert (found[1].precision, found[1].recall, found[1].f1) == (0.5, 0.5, 0.5)


def test_dropped_lines_are_a_share_of_all_lines():
    scores = {"lines": 4.0, "malformed_lines": 1.0, "unknown_type_lines": 0.0, "unaligned_lines": 2.0}
    outputs = [Output((), scores), Output((), {**scores, "malformed_lines": 0.0, "unaligned_lines": 0.0}), Output(None)]
    assert dropped_lines().compute(outputs, [()] * 3, [{}] * 3) == pytest.approx(3 / 8)
    assert not dropped_lines().higher_is_better


def test_no_lines_are_no_dropped_lines():
    assert dropped_lines().compute([Output(None)], [()], [{}]) == 0


@quick
@given(pairs=answered_rows)
def test_f1_of_picked_entities_is_that_of_references_and_answers_without_the_others(pairs):
    def short(found):
        return None if found is None else tuple(span for span in found if span.end - span.start == 1)

    picked = [(short(gold), short(said)) for gold, said in pairs]
    assert value(SHORT, pairs) == pytest.approx(value(entity_f1(), picked))


def test_entities_are_picked_by_what_their_row_says():
    row, other = {"text": "Lender Calder"}, {"text": "Calder Lender"}
    metric = entity_f1("role_f1", keep=lambda row, span: row["text"][span.start : span.end] == "Lender")
    role, name = Span(0, 6, "PER"), Span(7, 13, "PER")
    outputs, references = [Output((role,)), Output((role,))], [(role, name), (Span(0, 6, "PER"), name)]
    assert metric.compute(outputs, references, [row, other]) == pytest.approx(2 / 3)
    assert metric.name == "role_f1"

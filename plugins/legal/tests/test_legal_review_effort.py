"""Review effort: how much must be read to see what is in documents."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.document_metrics import Finding, Reading
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.statistics import Resampling
from qlorakit.task import Output
from qlorakit_legal.review_effort import effort_at_recall, in_reading_order, recall_at_effort, review_effort

LAW = "law"


def reference(*places, question=LAW):
    return Reading((Finding(question, "present" if places else "absent", places),))


def output(*relevance, width=10, question=LAW):
    """Windows side by side, each as wide."""
    windows = tuple((place * width, (place + 1) * width) for place in range(len(relevance)))
    return Output(Reading((Finding(question, "absent"),), windows, (relevance,)), {question: max(relevance)})


def recall_of(outputs, references, effort):
    return recall_at_effort([LAW], effort=effort).compute(outputs, references, [{}] * len(outputs))


def effort_of(outputs, references, recall):
    return effort_at_recall([LAW], recall=recall).compute(outputs, references, [{}] * len(outputs))


def test_the_likeliest_windows_of_all_documents_are_read_first():
    outputs = [output(0.9, 0.1), output(0.2, 0.8)]
    references = [reference((1, 5)), reference((1, 5), (12, 18))]
    assert recall_of(outputs, references, 0.25) == pytest.approx(1 / 3)
    assert recall_of(outputs, references, 0.5) == pytest.approx(2 / 3)
    assert recall_of(outputs, references, 0.75) == 1
    assert effort_of(outputs, references, 1.0) == 0.75


def test_windows_that_tie_are_read_in_random_order():
    outputs, references = [output(0.5, 0.5, 0.5, 0.5)], [reference((1, 5))]
    assert recall_of(outputs, references, 0.25) == 0.25
    assert effort_of(outputs, references, 0.5) == 0.5


@pytest.mark.parametrize(("place", "shown"), [((6, 14), True), ((6, 15), False), ((2, 10), True)])
def test_a_place_is_seen_where_a_window_holds_half_of_it(place, shown):
    assert recall_of([output(0.9, 0.1)], [reference(place)], 0.5) == shown


def test_a_place_longer_than_a_window_is_seen_where_it_fills_half_of_one():
    assert recall_of([output(0.1, 0.9, 0.1)], [reference((5, 40))], 1 / 3) == 1
    assert recall_of([output(0.9, 0.1, 0.1)], [reference((6, 40))], 1 / 3) == 0


def test_a_place_in_overlapping_windows_is_seen_with_the_first_that_is_read():
    reading = Reading((Finding(LAW, "present"),), ((0, 20), (10, 30)), ((0.1, 0.9),))
    assert recall_of([Output(reading, {LAW: 0.9})], [reference((12, 18))], 0.5) == 1


def test_what_no_window_shows_is_never_seen():
    outputs, references = [output(0.9, 0.1), Output(None)], [reference((1, 5)), reference((1, 5))]
    assert recall_of(outputs, references, 1) == 0.5
    assert effort_of(outputs, references, 0.95) == 1


def test_answers_without_evidence_and_questions_without_any_do_not_count():
    unknown = Reading((Finding(LAW, "present"),))
    metric = recall_at_effort([LAW, "never asked"], effort=0.5)
    assert metric.compute([output(0.9, 0.1), output(0.2, 0.3)], [reference((1, 5)), unknown], [{}] * 2) == 1
    assert math.isnan(recall_of([output(0.9, 0.1)], [unknown], 0.5))


def test_systems_without_windows_have_no_effort():
    majority = Output(Reading((Finding(LAW, "present"),)), {LAW: 1.0})
    assert math.isnan(recall_of([majority], [reference((1, 5))], 0.5))
    assert math.isnan(effort_of([majority], [reference((1, 5))], 0.5))
    (law,) = review_effort([majority], [reference((1, 5))], [LAW], texts=["any"])
    assert (law.windows, law.words) == (0, 0)
    assert all(math.isnan(one) for one in (law.recall, law.effort, law.reading_order, law.words_to_read))


def test_systems_whose_outputs_are_all_invalid_show_nothing():
    invalid = Output(None)
    assert (recall_of([invalid], [reference((1, 5))], 0.5), effort_of([invalid], [reference((1, 5))], 0.5)) == (0, 1)


def test_the_table_tells_places_windows_and_the_floor_of_reading_from_the_beginning():
    outputs, references = [output(0.1, 0.2, 0.9, 0.3), output(0.4, 0.1)], [reference((21, 25)), reference()]
    (law,) = review_effort(outputs, references, [LAW], effort=0.2, recall=1)
    assert (law.question, law.places, law.windows, law.recall) == (LAW, 1, 6, 1)
    assert law.effort == pytest.approx(1 / 6)
    assert law.reading_order == pytest.approx(5 / 6)
    assert law.windows_to_read == pytest.approx(1)
    assert (law.words, law.words_to_read) == (None, None)


def test_words_are_counted_in_the_windows_that_are_read():
    texts = ["one two   three     four five six       ", "a b c d e "]
    outputs, references = [output(0.1, 0.2, 0.9, 0.3), output(0.9)], [reference((11, 16), (21, 25)), reference()]
    (law,) = review_effort(outputs, references, [LAW], recall=1, texts=texts)
    assert (law.windows, law.words) == (5, 2 + 1 + 2 + 1 + 5)
    assert (law.windows_to_read, law.words_to_read) == pytest.approx((4, 2 + 5 + 1 + 1))


def test_shorter_windows_save_reading_without_a_better_order():
    texts, references = ["word " * 300], [reference((700, 750))]
    found = [output(*[0.1] * before, 0.9, *[0.1] * before, width=width) for before, width in ((1, 500), (7, 100))]
    long, short = (review_effort([one], references, [LAW], recall=1, texts=texts)[0] for one in found)
    assert (long.effort, short.effort) == pytest.approx((1 / 3, 1 / 15))
    assert (long.words_to_read, short.words_to_read) == pytest.approx((100, 20))


def test_texts_that_are_not_those_of_the_outputs_are_refused():
    with pytest.raises(DataError, match="texts: 2 for 1 outputs"):
        review_effort([output(0.5)], [reference()], [LAW], texts=["a", "b"])
    with pytest.raises(DataError, match="a window of output 1 ends behind its text"):
        review_effort([output(0.5)], [reference()], [LAW], texts=["short"])


def test_reading_in_order_goes_through_all_documents_side_by_side():
    ordered = in_reading_order([output(0.1, 0.9), output(0.5, 0.2, 0.3), Output(None)])
    assert [one.value.relevance for one in ordered[:2]] == [((1, 0.5),), ((1, 0.5, 1 / 3),)]
    assert ordered[2].value is None


@pytest.mark.parametrize("share", [0, -0.1, 1.5, math.nan])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(ConfigurationError, match=r"effort=.*above 0 and at most 1"):
        recall_at_effort([LAW], effort=share)
    with pytest.raises(ConfigurationError, match=r"recall=.*above 0 and at most 1"):
        effort_at_recall([LAW], recall=share)
    with pytest.raises(ConfigurationError, match="effort="):
        review_effort([output(0.5)], [reference()], [LAW], effort=share)


def test_outputs_without_references_are_refused():
    with pytest.raises(DataError, match="1 outputs and 0 references"):
        review_effort([output(0.5)], [], [LAW])


ratings = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=6)
documents = st.lists(st.tuples(ratings, st.lists(st.integers(0, 70), max_size=4)), min_size=1, max_size=6)


def _of(drawn):
    outputs = [output(*rated) for rated, _ in drawn]
    return outputs, [reference(*((start, start + 4) for start in sorted(set(starts)))) for _, starts in drawn]


@given(documents, st.data())
def test_resamples_have_the_values_of_the_documents_that_they_draw(drawn, data):
    outputs, references = _of(drawn)
    places = data.draw(st.lists(st.integers(0, len(drawn) - 1), min_size=len(drawn), max_size=len(drawn)))
    weights = np.bincount(places, minlength=len(drawn)).astype(float)[None]
    for metric in (recall_at_effort([LAW], effort=0.3), effort_at_recall([LAW], recall=0.6)):
        fast = metric.resampled(outputs, references, [{}] * len(drawn))(weights)[0]
        slow = metric.compute([outputs[at] for at in places], [references[at] for at in places], [{}] * len(places))
        assert fast == pytest.approx(slow, nan_ok=True)


@given(documents, st.floats(0.01, 1))
def test_effort_and_recall_agree(drawn, recall):
    outputs, references = _of(drawn)
    effort = effort_of(outputs, references, recall)
    reached = recall_of(outputs, references, 1)
    if not math.isnan(effort):
        assert recall_of(outputs, references, effort) == pytest.approx(min(recall, reached), abs=1e-6) or (
            recall_of(outputs, references, effort) >= recall - 1e-6
        )
        assert 0 < effort <= 1


@given(documents)
def test_recall_grows_with_effort(drawn):
    outputs, references = _of(drawn)
    found = [recall_of(outputs, references, effort) for effort in (0.1, 0.4, 0.7, 1)]
    assert math.isnan(found[0]) or found == sorted(found)


@given(documents)
def test_relevance_counts_by_its_order_alone(drawn):
    outputs, references = _of(drawn)
    squared = [output(*(one**2 / 2 for one in rated)) for rated, _ in drawn]
    assert recall_of(squared, references, 0.3) == pytest.approx(recall_of(outputs, references, 0.3), nan_ok=True)


def test_intervals_are_found_over_whole_documents():
    rng = np.random.default_rng(0)
    names = [f"q{number}" for number in range(5)]
    outputs, references = zip(*(_contract(rng, names) for _ in range(20)), strict=True)
    resampled = Resampling(resamples=200).apply(recall_at_effort(names), outputs, references, [{}] * 20)
    assert 0 < resampled.value < 1
    assert np.isfinite(resampled.values).all()


def _contract(rng, names):
    windows = tuple((place * 100, place * 100 + 110) for place in range(20))
    findings = tuple(Finding(name, "present", ((start := int(rng.integers(2000)), start + 40),)) for name in names)
    relevance = tuple(tuple(map(float, rng.random(20))) for _ in names)
    return Output(Reading(findings, windows, relevance), {"q0": 1.0}), Reading(findings)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from qlorakit.document_metrics import (
    Finding,
    Reading,
    answer_accuracy,
    answer_f1,
    answer_macro_f1,
    answer_scores,
    evidence_f1,
    found_in,
    matched,
    micro_f1,
    overlap,
    question_macro_f1,
    question_scores,
    same_answers,
)
from qlorakit.metrics import exact_match
from qlorakit.score_metrics import multilabel_auprc
from qlorakit.task import Output

QUESTIONS, ANSWERS = ("law", "term", "fees"), ("nothing", "yes", "no")
READINGS = st.lists(st.sampled_from(ANSWERS), min_size=3, max_size=3).map(
    lambda given_: Reading(tuple(map(Finding, QUESTIONS, given_)))
)
PAIRS = st.lists(st.tuples(READINGS, READINGS), min_size=1, max_size=8)
METRICS = (
    question_macro_f1(QUESTIONS, "nothing"), micro_f1("nothing"), answer_macro_f1(ANSWERS), answer_accuracy(),
    answer_f1("f1_yes", "yes"), evidence_f1("nothing"),
)  # fmt: skip


def reading(*findings):
    return Reading(tuple(Finding(*one) for one in findings))


def value(metric, outputs, references):
    return metric.compute([Output(one) for one in outputs], references, [{}] * len(references))


def flat(pairs):
    return [
        (true.answer, said.answer)
        for output, reference in pairs
        for true, said in zip(reference.findings, output.findings, strict=True)
    ]


@given(PAIRS)
def test_over_answers_it_is_what_scikit_learn_says(pairs):
    true, said = zip(*flat(pairs), strict=True)
    outputs, references = zip(*pairs, strict=True)
    expected = f1_score(true, said, average="macro")
    assert value(answer_macro_f1(ANSWERS), outputs, references) == pytest.approx(expected)
    assert value(answer_accuracy(), outputs, references) == pytest.approx(accuracy_score(true, said))
    of_yes = f1_score(true, said, labels=["yes"], average="macro", zero_division=0)
    assert value(answer_f1("f1_yes", "yes"), outputs, references) == pytest.approx(of_yes)
    scores = answer_scores([Output(one) for one in outputs], references, ANSWERS)
    for one in scores:
        assert one.f1 == pytest.approx(f1_score(true, said, labels=[one.label], average="macro", zero_division=0))
        assert one.support == true.count(one.label)
        assert one.predicted == said.count(one.label)


def test_over_questions_the_mean_leaves_out_what_does_not_occur():
    references = [reading(("law", "yes"), ("term", "nothing")), reading(("law", "yes"), ("fees", "nothing"))]
    outputs = [reading(("law", "yes"), ("term", "yes")), reading(("law", "nothing"), ("fees", "nothing"))]
    # law: 1 right, 1 given, 2 true: 2/3; term: none right, 1 given: 0; fees: neither
    assert value(question_macro_f1(QUESTIONS, "nothing"), outputs, references) == pytest.approx(1 / 3)
    assert value(micro_f1("nothing"), outputs, references) == pytest.approx(0.5)
    law, term, fees = question_scores([Output(one) for one in outputs], references, QUESTIONS, "nothing")
    assert (law.precision, law.recall, law.support) == (1.0, 0.5, 2)
    assert (term.predicted, term.f1) == (1, 0.0)
    assert (fees.support, fees.predicted) == (0, 0)


def test_an_invalid_output_misses_everything():
    references = [reading(("law", "yes"), ("term", "nothing"))]
    for metric in (question_macro_f1(QUESTIONS, "nothing"), answer_macro_f1(ANSWERS), answer_accuracy()):
        assert value(metric, [None], references) == 0.0
    assert answer_scores([Output(None)], references, ANSWERS)[1].predicted == 0


def test_questions_that_the_reference_leaves_open_are_not_judged():
    outputs, references = [reading(("law", "yes"), ("term", "yes"))], [reading(("law", "yes"))]
    assert {value(metric, outputs, references) for metric in METRICS[:5]} == {1.0}
    assert same_answers(outputs[0], references[0])
    assert not same_answers(references[0], outputs[0])


@given(PAIRS, st.integers(0, 99))
def test_totals_of_drawn_rows_give_what_the_drawn_rows_give(pairs, seed):
    drawn = np.random.default_rng(seed).integers(0, len(pairs), len(pairs))
    chosen = [pairs[place] for place in drawn]
    for metric in METRICS:
        totals = sum(np.array(metric.counts(Output(output), reference, {})) for output, reference in chosen)
        expected = value(metric, *zip(*chosen, strict=True))
        assert float(metric.from_counts(totals[None])[0]) == pytest.approx(expected)


def test_evidence_is_found_where_half_of_the_characters_are_shared():
    assert overlap((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert overlap((0, 10), (10, 15)) == 0.0
    assert matched([(0, 10)], [(0, 20)]) == 1
    assert matched([(0, 10)], [(0, 21)]) == 0
    assert matched([(0, 10)], [(0, 10), (0, 11)]) == 1, "each is used once"
    references = [reading(("law", "yes", ((0, 10), (50, 60))), ("term", "nothing"), ("fees", "yes"))]
    outputs = [reading(("law", "yes", ((0, 11),)), ("term", "yes", ((70, 80),)), ("fees", "yes", ((1, 2),)))]
    # one right of two given and two true; where the evidence of the fees is nobody knows
    assert value(evidence_f1("nothing"), outputs, references) == pytest.approx(0.5)


def test_a_metric_of_something_else_follows_from_a_reading():
    def named(one):
        return tuple(finding.question for finding in one.findings if finding.answer != "nothing")

    references = [reading(("law", "yes")), reading(("law", "nothing"))]
    outputs = [Output(references[0], {"law": 0.9}), Output(None, {"law": 0.2})]
    assert found_in(exact_match(), named).compute(outputs, references, [{}, {}]) == 0.5
    assert found_in(exact_match(), named).counts(outputs[0], references[0], {}) == (1.0, 1.0)
    outputs[1] = Output(references[1], {"law": 0.2})
    ranking = found_in(multilabel_auprc(("law",)), named)
    assert ranking.needs_scores
    assert ranking.compute(outputs, references, [{}, {}]) == 1.0
    assert ranking.resampled(outputs, references, [{}, {}])(np.ones((1, 2))) == pytest.approx([1.0])
    assert ranking.counts is None

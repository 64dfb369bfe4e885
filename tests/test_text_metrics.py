import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_checks import assert_resamples_agree, quick, value, weights_of

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.task import Output
from qlorakit.text_metrics import ROUGE_VARIANTS, chrf, exact_match_text, normalised, rouge, word_error_rate

rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
sacrebleu = pytest.importorskip("sacrebleu")
jiwer = pytest.importorskip("jiwer")

METRICS = [
    *(rouge(variant, stemming=stemming) for variant in ROUGE_VARIANTS for stemming in (False, True)),
    chrf(), exact_match_text(),
]  # fmt: skip
each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)

WORDS = ["Running", "runs", "the", "loss", "of", "12.5", "per-cent", "naïve", "3,000", "don't", "\n", "É", "b"]
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
right_texts = st.lists(texts.map(lambda text: f"{text} a"), min_size=1, max_size=3).map(tuple)
rows_of_texts = st.lists(st.tuples(right_texts, texts | st.none()), min_size=1, max_size=6).map(
    lambda rows: [(reference, Output(answer)) for reference, answer in rows]
)


def of(*pairs):
    return [((right,) if isinstance(right, str) else right, Output(answer)) for right, answer in pairs]


@each_metric
@quick
@given(data=st.data())
def test_resamples_have_the_values_of_the_repeated_rows(metric, data):
    rows = data.draw(rows_of_texts)
    assert_resamples_agree(metric, rows, data.draw(weights_of(rows)))


@pytest.mark.parametrize("stemming", [False, True])
@pytest.mark.parametrize("variant", ROUGE_VARIANTS)
@quick
@given(right=right_texts, answer=texts)
def test_rouge_is_rouge_scores_own_best_over_the_right_texts(variant, stemming, right, answer):
    scorer = rouge_scorer.RougeScorer([variant], use_stemmer=stemming)
    expected = max(scorer.score(text, answer)[variant].fmeasure for text in right)
    assert value(rouge(variant, stemming=stemming), of((right, answer))) == pytest.approx(expected)


@quick
@given(right=right_texts, answer=texts)
def test_chrf_is_sacrebleus_own_on_a_scale_of_one(right, answer):
    expected = sacrebleu.sentence_chrf(answer, list(right)).score / 100
    assert value(chrf(), of((right, answer))) == pytest.approx(expected)


def test_english_is_scored_by_its_words_and_not_by_its_characters():
    # The same letters in other words: by characters much is alike, by words nothing is.
    rows = of(("listen to no tale", "silent not to eal"))
    assert value(rouge("rouge1"), rows) == pytest.approx(2 * 1 / 8)
    assert value(rouge("rouge2"), rows) == 0


def test_rouge_counts_what_the_papers_example_counts():
    # Lin (2004), section 3: "police killed the gunman" against two candidates.
    rows = of(
        ("police killed the gunman", "police kill the gunman"), ("police killed the gunman", "the gunman kill police")
    )
    assert [value(rouge("rougeL"), [row]) for row in rows] == [0.75, 0.5]
    assert value(rouge("rougeL"), rows) == pytest.approx(0.625)
    assert value(rouge("rougeL", stemming=True), rows[:1]) == 1


def test_chrf_is_a_mean_over_rows_and_not_the_score_of_the_corpus():
    rows = of(("a rather long right text of many letters", "a rather long right text"), ("yes", "no"))
    corpus = sacrebleu.corpus_chrf([out.value for _, out in rows], [[right[0] for right, _ in rows]]).score / 100
    assert value(chrf(), rows) == pytest.approx(sum(value(chrf(), [row]) for row in rows) / 2)
    assert value(chrf(), rows) != pytest.approx(corpus, abs=0.1)


@each_metric
def test_the_best_of_the_right_texts_counts(metric):
    assert value(metric, of((("something else", "the loss narrowed", "nothing"), "the loss narrowed"))) == 1


def test_rouge_of_word_pairs_is_zero_for_a_right_text_of_one_word():
    assert value(rouge("rouge2"), of(("yes", "yes"))) == 0


def test_the_best_value_is_that_of_the_right_texts_themselves():
    references = [("yes",), ("the loss narrowed", "no")]
    assert rouge("rouge2").best(references, [{}, {}]) == 0.5
    assert all(rouge(variant).best(references, [{}, {}]) == 1 for variant in ("rouge1", "rougeL"))


@each_metric
@pytest.mark.parametrize("answer", ["", "  \n", None], ids=["empty", "blank", "invalid"])
def test_an_empty_or_invalid_text_scores_zero(metric, answer):
    assert value(metric, of(("the loss narrowed", answer), ("yes it is", "yes it is"))) == 0.5
    assert value(metric, of((("", "the loss"), answer))) == 0


def test_names_tell_the_variant_and_the_stemming():
    names = [metric.name for metric in METRICS]
    assert names == ["rouge1", "rouge1_stemmed", "rouge2", "rouge2_stemmed", "rougeL", "rougeL_stemmed", *names[6:]]
    assert names[6:] == ["chrf2", "exact_match_text"]
    assert rouge().name == "rougeL"


def test_a_variant_that_is_not_offered_is_refused():
    with pytest.raises(ConfigurationError, match="variant='rougeLsum': must be one of 'rouge1', 'rouge2', 'rougeL'"):
        rouge("rougeLsum")


# Word errors


@quick
@given(data=st.data())
def test_resampled_word_error_rates_are_those_of_the_repeated_rows(data):
    rows = data.draw(rows_of_texts)
    assert_resamples_agree(word_error_rate(), rows, data.draw(weights_of(rows)))


@quick
@given(st.lists(st.tuples(texts.map(lambda text: f"{text} a"), texts), min_size=1, max_size=6))
def test_the_word_error_rate_is_jiwers_own_of_all_rows_together(rows):
    expected = jiwer.wer([normalised(right) for right, _ in rows], [normalised(answer) for _, answer in rows])
    assert value(word_error_rate(), of(*rows)) == pytest.approx(expected)


def test_word_errors_are_words_replaced_removed_and_added():
    rows = of(("no pain in the left knee", "pain in the right knee now"), ("He is well", " he IS\nwell "))
    assert value(word_error_rate(), rows) == pytest.approx((1 + 1 + 1) / 9)
    assert not word_error_rate().higher_is_better


@pytest.mark.parametrize("answer", ["", " \n", None])
def test_an_answer_without_words_misses_every_word(answer):
    assert value(word_error_rate(), of(("the loss narrowed", answer))) == 1


def test_of_several_right_texts_the_nearest_one_gives_the_errors_and_the_words():
    assert value(word_error_rate(), of((("", "a b c d", "a b"), "a b c"))) == 1 / 4


# Exact matches


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Net  Loss\n", "net loss"),
        ("ﬁve", "five"),
        ("STRASSE", "straße"),
        ("\u00bd", "1\u20442"),
        ("\uff11\uff12", "12"),
        ("é", "e\u0301"),
    ],
)
def test_what_differs_in_writing_alone_is_the_same(one, other):
    assert normalised(one) == normalised(other)
    assert value(exact_match_text(), of((one, other))) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("-5%", "5"), ("1.5", "15"), ("the loss", "loss"), ("a b", "ab"), ("no", "no.")]
)
def test_what_may_differ_in_meaning_is_not_the_same(one, other):
    assert value(exact_match_text(), of((one, other))) == 0


@given(st.text())
def test_what_is_normalised_stays_so(text):
    assert normalised(normalised(text)) == normalised(text)


# Bad input


@each_metric
@pytest.mark.parametrize("right", ["one text", (), (None,), (3,)])
def test_a_reference_that_is_no_tuple_of_texts_is_an_error_that_names_its_row(metric, right):
    with pytest.raises(DataError, match="row 2: the reference must be a tuple of one or more right texts"):
        metric.compute([Output("a"), Output("a")], [("a",), right], [{}, {}])


@each_metric
def test_right_texts_that_are_all_empty_are_an_error(metric):
    with pytest.raises(DataError, match="row 1: every right text of it is empty"):
        value(metric, of((("", " "), "")))


@pytest.mark.parametrize("variant", ROUGE_VARIANTS)
def test_text_without_words_that_rouge_knows_is_an_error_and_not_a_zero(variant):
    rows = of(("loss", "loss"), ("убыток", "убыток"))
    with pytest.raises(DataError, match=r"row 2: no reference has a letter from a to z or a digit.* use chrf"):
        value(rouge(variant), rows)
    assert value(chrf(), rows) == value(exact_match_text(), rows) == 1


@each_metric
def test_outputs_and_references_of_different_length_or_none_are_refused(metric):
    with pytest.raises(DataError, match="1 outputs and 0 references"):
        metric.compute([Output("a")], [], [])
    with pytest.raises(DataError, match="no rows"):
        metric.compute([], [], [])


# Optional packages


@pytest.mark.parametrize(
    ("factory", "module", "package", "name"),
    [
        (rouge, "rouge_score", "rouge-score", "rougeL"),
        (chrf, "sacrebleu", "sacrebleu", "chrf2"),
        (word_error_rate, "jiwer", "jiwer", "word_error_rate"),
    ],
)
def test_a_missing_package_is_named_with_the_metric_and_the_line_that_installs_it(
    factory, module, package, name, monkeypatch
):
    for loaded in [known for known in sys.modules if known.split(".")[0] == module]:
        monkeypatch.setitem(sys.modules, loaded, None)
    message = rf"the metric '{name}' needs the package {package}, .* pip install qlorakit\[text\]"
    for answer in ("a", None):
        with pytest.raises(ConfigurationError, match=message):
            value(factory(), of(("a", answer)))


def test_exact_matches_and_names_need_no_optional_package():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['rouge_score', 'sacrebleu', 'numpy', 'sklearn']))\n"
        "from qlorakit.task import Output\n"
        "from qlorakit.text_metrics import chrf, exact_match_text, rouge\n"
        "print(rouge().name, chrf().name, exact_match_text().compute([Output('A')], [('a',)], [{}]))"
    )
    process = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert process.stdout.split() == ["rougeL", "chrf2", "1.0"]


def test_a_text_is_scored_once_for_the_value_and_its_bootstrap(monkeypatch):
    metric, scored = rouge("rouge1"), []
    original = rouge_scorer.RougeScorer.score_multi
    spy = lambda self, targets, text: scored.append(text) or original(self, targets, text)  # noqa: E731
    monkeypatch.setattr(rouge_scorer.RougeScorer, "score_multi", spy)
    rows = of(("the loss", "the loss"), ("a gain", "the gain"))
    value(metric, rows)
    assert_resamples_agree(metric, rows, [1, 2])
    assert scored == ["the loss", "the gain"]

import pytest

from qlorakit.baselines import majority, tfidf, user_text
from qlorakit.kinds import single_label
from qlorakit.task import Output


def unlabelled(rows):
    return [{"text": row["text"]} for row in rows]


def test_the_majority_is_the_commonest_label_of_the_training_rows(task, rows):
    train = [*rows, {"text": "sales rose again", "label": "UP"}]
    assert majority(task, train, unlabelled(rows[:2])) == [Output("up"), Output("up")]


def test_a_tie_goes_to_the_first_label_by_name_whatever_the_order(task, rows):
    assert majority(task, rows, rows[:1]) == majority(task, rows[::-1], rows[:1]) == [Output("down")]


def test_tfidf_learns_a_word_that_decides(task, rows):
    asked = [{"text": f"the company's sales {word} in May"} for word in ("rose", "fell", "was")]
    assert [output.value for output in tfidf(task, rows, asked)] == ["up", "down", "flat"]


def test_tfidf_gives_every_label_a_probability(task, rows):
    (output,) = tfidf(task, rows, unlabelled(rows[:1]))
    assert set(output.scores) == {"down", "flat", "up"}
    assert sum(output.scores.values()) == pytest.approx(1)
    assert output.value == max(output.scores, key=output.scores.get)


def test_tfidf_learns_from_fewer_rows_than_folds(task, rows):
    assert [output.value for output in tfidf(task, rows[:6], rows[6:9])] == [row["label"] for row in rows[6:9]]


def test_tfidf_answers_alike_when_asked_again(task, rows):
    assert tfidf(task, rows, rows) == tfidf(task, rows, rows)


def test_tfidf_tells_word_pairs_apart(task):
    train = [{"text": "not up but down", "label": "down"}, {"text": "not down but up", "label": "up"}] * 5
    train = [{**row, "text": f"{row['text']} {index}"} for index, row in enumerate(train)]
    asked = [{"text": "not up but down"}, {"text": "not down but up"}]
    assert [output.value for output in tfidf(task, train, asked)] == ["down", "up"]


def test_tfidf_reads_the_label_from_nowhere_but_the_training_rows(task, rows):
    lying = [{**row, "label": "flat"} for row in rows]
    assert tfidf(task, rows, lying) == tfidf(task, rows, unlabelled(rows))


def test_tfidf_answers_where_the_training_rows_have_one_label_only(task, rows):
    train = [row for row in rows if row["label"] == "up"]
    assert [output.value for output in tfidf(task, train, rows[:2])] == ["up", "up"]


def test_tfidf_answers_where_no_text_has_a_word(task):
    train = [{"text": "+", "label": "up"}, {"text": "-", "label": "down"}, {"text": "+ +", "label": "up"}]
    assert len(tfidf(task, train, [{"text": "+"}])) == 1


def test_tfidf_reads_what_the_user_says_and_not_the_instruction():
    task = single_label("toy/a", summary="", instruction="decide", labels=("up", "down"))
    assert user_text({"text": "sales rose"}, task) == "sales rose"

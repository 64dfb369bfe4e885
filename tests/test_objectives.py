import random
from dataclasses import replace

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import reference
from engine import distance

from qlorakit.encoding import Encoded, EncodedRow
from qlorakit.layout import Layout
from qlorakit.objectives import lessons_of

MODEL = "llama"


def tokens(draw, count):
    return tuple(draw.randrange(6, 300) for _ in range(count))


@pytest.fixture(scope="module")
def rows():
    """Three rows about three texts: a question with four choices, one with two, and one in free text."""
    draw, rows = random.Random(0), []  # noqa: S311  # nothing secret
    stem, many, few = tokens(draw, 20), [tokens(draw, count) for count in (1, 3, 2, 3)], [(7, 8), (7, 9)]
    for place in range(3):
        text = stem + tokens(draw, 10)
        questions = [text + tokens(draw, 4) for _ in range(3)]
        encoded = (
            Encoded(questions[0], many[place], tuple(many)),
            Encoded(questions[1], few[place % 2], tuple(few)),
            Encoded(questions[2], tokens(draw, 2 + place)),
            Encoded(questions[2] + (5,), None, tuple(many)),  # an answer that nobody knows
        )
        rows.append(EncodedRow((), encoded[: 4 - place % 2]))
    return rows


def logprob(prompt, answer):
    """From all logits of this one sequence."""
    with torch.no_grad():
        logits = reference(MODEL)[0](torch.tensor([[*prompt, *answer]]), use_cache=False).logits[0].double()
    places = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
    return sum(float(logits[place].log_softmax(-1)[token]) for place, token in zip(places, answer, strict=True))


def brute_force(rows, *, objective, loss_weight):
    """Mean loss over all examples that have a target."""
    total = weight = 0.0
    for row in rows:
        losses = []
        for item in row.encoded:
            if item.target is not None:
                losses.append((-logprob(item.prompt, item.target), len(item.target)))
                if objective == "choices" and item.choices:
                    every = torch.tensor([logprob(item.prompt, choice) for choice in item.choices]).logsumexp(0)
                    losses[-1] = (losses[-1][0] + float(every), 1)
        size = sum(count for _, count in losses)
        total += sum(loss for loss, _ in losses) / (size if loss_weight == "row" else 1)
        weight += 1 if loss_weight == "row" else size
    return total / weight


def loss_and_gradients(rows, *, shared, token_budget=10_000, **how):
    """As a training step computes them, batch by batch."""
    model = reference(MODEL)[0]
    model.zero_grad()
    lessons, total = lessons_of(rows, **how), 0.0
    layout = Layout(shared=shared, token_budget=token_budget, pad=0)
    batches = layout.batches(lessons.sequences, lessons.rows, lessons.units)
    for batch in batches:
        loss = lessons.loss(batch, batch.logprobs(model)) / lessons.total_weight
        loss.backward()
        total += float(loss.detach())
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return total, grads, len(batches)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("loss_weight", ["token", "row"])
@pytest.mark.parametrize("objective", ["language_model", "choices"])
def test_the_loss_is_that_of_brute_force(rows, objective, loss_weight, shared):
    expected = brute_force(rows, objective=objective, loss_weight=loss_weight)
    found, _, _ = loss_and_gradients(rows, shared=shared, objective=objective, loss_weight=loss_weight)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss_weight", ["token", "row"])
@pytest.mark.parametrize("objective", ["language_model", "choices"])
@pytest.mark.parametrize("token_budget", [1, 60, 80, 10_000])
def test_a_tree_has_the_gradients_of_padded_rows_whatever_the_budget(rows, objective, loss_weight, token_budget):
    how = {"objective": objective, "loss_weight": loss_weight}
    loss, expected, _ = loss_and_gradients(rows, shared=False, **how)
    found, grads, batches = loss_and_gradients(rows, shared=True, token_budget=token_budget, **how)
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5
    assert (batches > 1) == (token_budget < 10_000)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("token_budget", [1, 60])
def test_the_choices_of_a_question_are_never_cut_apart(rows, shared, token_budget):
    lessons = lessons_of(rows, objective="choices", loss_weight="token")
    layout = Layout(shared=shared, token_budget=token_budget, pad=0)
    for batch in layout.batches(lessons.sequences, lessons.rows, lessons.units):
        units = [lessons.units[item] for item in batch.items]
        assert all(units.count(unit) == lessons.units.count(unit) for unit in units)


def test_the_right_answer_comes_first_and_every_other_choice_once(rows):
    lessons = lessons_of(rows, objective="choices", loss_weight="token").lessons
    items = [item for row in rows for item in row.encoded if item.target]
    for lesson, item in zip(lessons, items, strict=True):
        assert {sequence.prompt for sequence in lesson.sequences} == {item.prompt}
        assert lesson.sequences[0].answer == item.target
        assert sorted(sequence.answer for sequence in lesson.sequences) == sorted(item.choices or [item.target])


def test_the_language_model_learns_the_right_answers_alone(rows):
    lessons = lessons_of(rows, objective="language_model", loss_weight="token")
    assert [sequence.answer for sequence in lessons.sequences] == [
        item.target for row in rows for item in row.encoded if item.target
    ]


def test_rows_and_questions_are_remembered_for_each_sequence(rows):
    lessons = lessons_of(rows, objective="choices", loss_weight="token")
    assert lessons.rows == (0,) * 7 + (1,) * 7 + (2,) * 7
    assert lessons.units == tuple(unit for unit, size in enumerate([4, 2, 1] * 3) for _ in range(size))


@pytest.mark.parametrize("objective", ["language_model", "choices"])
def test_by_row_the_weights_of_each_row_add_up_to_one(rows, objective):
    lessons = lessons_of(rows, objective=objective, loss_weight="row")
    for place in range(len(rows)):
        assert sum(lesson.weight * lesson.size for lesson in lessons.lessons if lesson.row == place) == pytest.approx(1)
    assert lessons.total_weight == pytest.approx(len(rows))


def test_by_token_every_target_token_or_choice_counts_one(rows):
    as_text = lessons_of(rows, objective="language_model", loss_weight="token")
    as_choice = lessons_of(rows, objective="choices", loss_weight="token")
    assert as_text.total_weight == sum(len(item.target) for row in rows for item in row.encoded if item.target)
    assert as_choice.total_weight == sum(
        1 if item.choices else len(item.target) for row in rows for item in row.encoded if item.target
    )


def test_no_rows_give_no_lessons():
    lessons = lessons_of([], objective="choices", loss_weight="token")
    assert (lessons.sequences, lessons.total_weight) == ((), 0)


# Negatives


@pytest.fixture(scope="module")
def many():
    """A hundred questions with thirty choices."""
    draw = random.Random(1)  # noqa: S311  # nothing secret
    choices = tuple((100 + place, 5) for place in range(30))
    return [EncodedRow((), (Encoded(tokens(draw, 8), choices[place % 30], choices),)) for place in range(100)]


def drawn(rows, negatives, draw):
    lessons = lessons_of(rows, objective="choices", loss_weight="token", negatives=negatives, draw=draw).lessons
    return [[sequence.answer for sequence in lesson.sequences] for lesson in lessons]


@pytest.mark.parametrize(("negatives", "answers"), [(1, 2), (7, 8), (29, 30), (500, 30), (None, 30)])
def test_negatives_bound_what_the_right_answer_is_compared_with(many, negatives, answers):
    for row, found in zip(many, drawn(many, negatives, "0 0"), strict=True):
        assert found[0] == row.encoded[0].target
        assert len(set(found)) == len(found) == answers
        assert set(found) <= set(row.encoded[0].choices)


def test_negatives_are_the_same_for_the_same_seed_wherever_a_row_stands(many):
    assert drawn(many, 5, "0 3") == drawn(many, 5, "0 3") == drawn(many[::-1], 5, "0 3")[::-1]
    assert drawn(many[40:50], 5, "0 3") == drawn(many, 5, "0 3")[40:50]


def test_negatives_differ_between_steps_and_between_questions(many):
    first, second = drawn(many, 5, "0 3"), drawn(many, 5, "0 4")
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 5
    assert len({tuple(sorted(answers[1:])) for answers in first}) > 90


def test_every_wrong_choice_is_drawn_about_equally_often(many):
    seen = [answer for step in range(20) for answers in drawn(many, 5, f"0 {step}") for answer in answers[1:]]
    counts = [seen.count(choice) for choice in many[0].encoded[0].choices]
    assert len(seen) == 10_000
    assert 250 < min(counts) <= max(counts) < 420


def test_with_fewer_choices_than_negatives_nothing_is_drawn_twice(rows):
    assert drawn(rows, 3, "0 0") == drawn(rows, None, "")


def test_the_draw_is_the_same_in_every_process():
    """Python's own hash of text differs from process to process; this one must not."""
    choices = tuple((100 + place, 5) for place in range(30))
    (answers,) = drawn([EncodedRow((), (Encoded((1, 2, 3), choices[0], choices),))], 5, "0 0")
    assert [answer[0] for answer in answers] == [100, 128, 111, 126, 125, 117]


@pytest.fixture
def several(many):
    """The question with many choices, of which two are right."""
    (item,) = many[0].encoded[:1]
    return [EncodedRow((), (replace(item, also=tuple(c for c in item.choices if c != item.target)[:1]),))]


def test_each_of_several_right_answers_is_learned(several):
    (item,) = several[0].encoded
    lessons = lessons_of(several, objective="language_model", loss_weight="token").lessons
    assert [lesson.sequences[0].answer for lesson in lessons] == [item.target, *item.also] == [*item.right]


def test_right_answers_are_compared_with_wrong_ones_and_not_with_each_other(several):
    (item,) = several[0].encoded
    wrong = set(item.choices) - set(item.right)
    for lesson, right in zip(
        lessons_of(several, objective="choices", loss_weight="token").lessons, item.right, strict=True
    ):
        assert lesson.sequences[0].answer == right
        assert {sequence.answer for sequence in lesson.sequences[1:]} == wrong

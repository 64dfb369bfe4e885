import logging
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import single_label
from qlorakit.rows import input_key, row_content
from qlorakit.splits import overlap

LABELS = ("down", "flat", "up")
TASK = single_label("toy/direction", summary="", instruction="Which way?", labels=LABELS)
GROUPED = replace(TASK, group=lambda row: row["document"])
quick = settings(deadline=None, max_examples=30, derandomize=True)


def distinct(n, labels=LABELS):
    return [{"text": f"number {index}", "label": labels[index % len(labels)]} for index in range(n)]


texts = st.integers(0, 60).map("number {}".format)
repeats = st.lists(st.fixed_dictionaries({"text": texts, "label": st.sampled_from(LABELS)}), max_size=30)
some_rows = repeats.map(lambda more: distinct(50) + more)


def sides(rows, *, task=TASK, seed=0, **shares):
    return {side: data.to_list() for side, data in split(rows, task=task, seed=seed, **shares).items()}


def contents(found):
    return {side: sorted(map(row_content, rows)) for side, rows in found.items()}


@quick
@given(some_rows, st.integers(0, 3))
def test_no_question_stands_on_two_sides(rows, seed):
    keys = [{input_key(row, TASK) for row in side} for side in sides(rows, seed=seed).values()]
    assert sum(map(len, keys)) == len(set.union(*keys))


@quick
@given(some_rows, st.integers(0, 3))
def test_every_different_row_is_kept_exactly_once(rows, seed):
    kept = Counter((row["text"], row["label"]) for side in sides(rows, seed=seed).values() for row in side)
    assert kept == Counter({(row["text"], row["label"]) for row in rows})


@quick
@given(some_rows, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_has_no_say(rows, rng):
    shuffled = rng.sample(rows, len(rows))
    assert contents(sides(rows)) == contents(sides(shuffled))


def test_which_of_two_repeats_comes_first_has_no_say():
    rows = [{**row, "source": source} for row in distinct(40) for source in ("wire", "web")]
    assert contents(sides(rows)) == contents(sides(rows[::-1]))


def test_the_rows_of_a_side_keep_the_order_of_the_file():
    rows = distinct(40)
    for side in sides(rows).values():
        assert side == [row for row in rows if row in side]


def test_every_label_has_its_share_of_every_side():
    found = sides(distinct(300))
    assert {side: Counter(row["label"] for row in rows) for side, rows in found.items()} == {
        "train": dict.fromkeys(LABELS, 70), "validation": dict.fromkeys(LABELS, 10), "test": dict.fromkeys(LABELS, 20),
    }  # fmt: skip


def test_a_rare_label_reaches_every_side():
    rows = distinct(200, ("down",)) + [{"text": f"rare {index}", "label": "up"} for index in range(10)]
    rare = {side: sum(row["label"] == "up" for row in found) for side, found in sides(rows).items()}
    assert rare == {"train": 7, "validation": 1, "test": 2}


def test_many_labels_of_few_rows_still_fill_every_side():
    labels = tuple(f"label {index}" for index in range(40))
    many = single_label("toy/many", summary="", instruction="", labels=labels)
    found = sides(distinct(160, labels), task=many)
    assert len(found["validation"]) == pytest.approx(16, abs=8)


def test_repeats_are_dropped_and_reported(caplog):
    rows = [*distinct(40), {"text": "number  0 ", "label": "down"}, distinct(40)[1]]
    with caplog.at_level(logging.WARNING):
        found = sides(rows)
    assert sum(map(len, found.values())) == 40
    assert caplog.messages == ["split: left out 2 repeated rows of 42"]


def test_conflicting_labels_stay_on_one_side_and_are_reported(caplog):
    rows = [*distinct(40), *({**row, "label": "up"} for row in distinct(40) if row["label"] == "flat")]
    with caplog.at_level(logging.WARNING):
        found = sides(rows)
    for side in found.values():
        assert {row["text"] for row in side if row["label"] == "flat"} <= {
            r["text"] for r in side if r["label"] == "up"
        }
    assert caplog.messages == ["split: 13 texts carry different labels; each stays on one side"]


def test_clean_rows_are_split_without_a_word(caplog):
    with caplog.at_level(logging.WARNING):
        sides(distinct(40))
    assert caplog.messages == []


def test_the_rows_of_a_group_stay_on_one_side():
    rows = [{**row, "document": f"document {index // 5}"} for index, row in enumerate(distinct(200))]
    found = [{row["document"] for row in side} for side in sides(rows, task=GROUPED).values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 40


def test_one_question_in_two_groups_brings_both_to_one_side():
    rows = [{**row, "document": f"document {index}"} for index, row in enumerate(distinct(60))]
    rows += [{**row, "label": "up", "document": f"other {row['document']}"} for row in rows if row["label"] != "up"]
    keys = [{input_key(row, TASK) for row in side} for side in sides(rows, task=GROUPED).values()]
    assert sum(map(len, keys)) == len(set.union(*keys))


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (contents(sides(distinct(60), seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_row_that_is_added_moves_few_others():
    before, after = sides(distinct(300)), sides([*distinct(300), {"text": "new", "label": "up"}])
    moved = [row for side, rows in before.items() for row in rows if row not in after[side]]
    assert len(moved) <= 3


@pytest.mark.parametrize(
    ("validation", "test"), [(-0.1, 0.2), (0.1, 1.0), (0.5, 0.5), (1.2, 0), (float("nan"), 0.2), (0.1, float("nan"))]
)
def test_shares_that_leave_nothing_to_train_on_are_refused(validation, test):
    with pytest.raises(ConfigurationError, match=r"validation=.*, test=.*: shares must be at least 0"):
        sides(distinct(60), validation=validation, test=test)


def test_a_side_that_is_not_wanted_is_left_out():
    found = sides(distinct(60), validation=0)
    assert {side: len(rows) for side, rows in found.items()} == {"train": 48, "test": 12}


def test_too_few_rows_for_a_side_are_refused():
    with pytest.raises(DataError, match=r"rows are too few.*(validation|test)"):
        sides(distinct(3))


def test_rows_that_are_all_repeats_are_too_few():
    with pytest.raises(DataError, match="1 rows are too few"):
        sides(distinct(1) * 50)


def test_a_group_that_holds_everything_leaves_a_side_empty():
    rows = [{**row, "document": "the only one"} for row in distinct(60)]
    with pytest.raises(DataError, match="too few"):
        sides(rows, task=GROUPED)


def test_a_row_without_a_label_is_named():
    with pytest.raises(DataError, match="row 2: column 'label'"):
        sides([distinct(1)[0], {"text": "unlabelled"}])


def test_no_rows_cannot_be_split():
    with pytest.raises(DataError, match="there are none"):
        sides([])


def test_a_dataset_keeps_its_columns_and_types(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id,text,label\n" + "".join(f"{i},number {i},{LABELS[i % 3]}\n" for i in range(60)))
    rows = read_rows(path, task=TASK)
    found = split(rows, task=TASK, seed=0)
    assert all(data.features == rows.features for data in found.values())


def test_overlap_finds_rows_that_ask_what_was_trained_on():
    train = [{"text": "number 1", "label": "up"}]
    other = [{"text": "number 2"}, {"text": " number\n1", "label": "down"}, {"text": "Number 1"}]
    assert overlap(train, other, TASK) == [1]


def test_the_sides_of_a_split_do_not_overlap():
    rows = distinct(60) + distinct(60)[::2]
    found = sides(rows)
    assert overlap(found["train"], found["validation"] + found["test"], TASK) == []

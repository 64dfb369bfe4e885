import logging
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import load_split, read_rows, read_split, save_split, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import multilabel, single_label
from qlorakit.rows import input_key, row_content
from qlorakit.splits import hash_of, overlap

LABELS = ("down", "flat", "up")
TASK = single_label("toy/direction", summary="", instruction="Which way?", labels=LABELS)
GROUPED = replace(TASK, group=lambda row: row["document"])
quick = settings(deadline=None, max_examples=30, derandomize=True)


def spelled(number):
    # Digits do not tell texts apart, letters do.
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def distinct(n, labels=LABELS):
    return [{"text": f"number {spelled(index)}", "label": labels[index % len(labels)]} for index in range(n)]


texts = st.integers(0, 60).map(spelled).map("number {}".format)
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
    rows = distinct(200, ("down",)) + [{"text": f"rare {spelled(index)}", "label": "up"} for index in range(10)]
    rare = {side: sum(row["label"] == "up" for row in found) for side, found in sides(rows).items()}
    assert rare == {"train": 7, "validation": 1, "test": 2}


def test_many_labels_of_few_rows_still_fill_every_side():
    labels = tuple(f"label {index}" for index in range(40))
    many = single_label("toy/many", summary="", instruction="", labels=labels)
    found = sides(distinct(160, labels), task=many)
    assert len(found["validation"]) == pytest.approx(16, abs=8)


def test_repeats_are_dropped_and_reported(caplog):
    rows = [*distinct(40), {"text": "number  a ", "label": "down"}, distinct(40)[1]]
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


@pytest.mark.parametrize("nothing", [None, "", "  ", float("nan")])
def test_rows_without_a_group_are_on_their_own(nothing):
    rows = [{**row, "document": nothing} for row in distinct(30)]
    assert {side: len(found) for side, found in sides(rows, task=GROUPED).items()} == {
        "train": 21, "validation": 3, "test": 6,
    }  # fmt: skip


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
    path.write_text("id,text,label\n" + "".join(f"{i},number {spelled(i)},{LABELS[i % 3]}\n" for i in range(60)))
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


# Near-duplicates

BODY = "the quarterly report of the group shows that revenue in all three divisions rose while costs fell slightly "


def varied(n):
    # Texts of which each stands beside one that differs in a few words.
    for index in range(n):
        own = " ".join(spelled(index * 7919 + place) for place in range(20))
        for version in ("first", "second"):
            yield {"text": f"{own} {BODY}{own} {version}", "label": LABELS[index % 3]}


def test_near_duplicates_stay_on_one_side_and_are_reported(caplog):
    with caplog.at_level(logging.WARNING):
        found = sides(list(varied(60)))
    stems = [{row["text"].rpartition(" ")[0] for row in side} for side in found.values()]
    assert sum(map(len, stems)) == len(set.union(*stems)) == 60
    assert caplog.messages == ["split: 120 of 120 different texts are near-duplicates; they stay together"]


def test_texts_that_differ_in_digits_alone_stay_together_unless_told_otherwise():
    rows = [
        {"text": f"{spelled(index)} rose by {share} percent", "label": "up"} for index in range(40) for share in "12"
    ]
    together = [{row["text"].split()[0] for row in side} for side in sides(rows).values()]
    assert sum(map(len, together)) == 40
    apart = [{row["text"].split()[0] for row in side} for side in sides(rows, ignore_digits=False).values()]
    assert sum(map(len, apart)) > 40


def test_a_task_says_whether_digits_tell_rows_apart_unless_the_user_does():
    rows = [
        {"text": f"a loan of {n} euro over {n % 7 + 1} years at {n % 5} %", "label": LABELS[n % 3]} for n in range(60)
    ]
    of_numbers = replace(TASK, ignore_digits=False)
    assert len(split(rows, task=of_numbers, seed=0)["test"]) == 12
    with pytest.raises(DataError, match="ignore_digits"):
        split(rows, task=of_numbers, seed=0, ignore_digits=True)


def test_near_duplicates_may_be_split_apart_if_asked():
    found = sides(list(varied(60)), near_duplicates=None)
    stems = [{row["text"].rpartition(" ")[0] for row in side} for side in found.values()]
    assert sum(map(len, stems)) > 60


def test_rows_of_numbers_are_tied_together_with_a_word_on_what_to_do(caplog):
    rows = [{"text": f"amount {index} age {index % 7}", "label": LABELS[index % 3]} for index in range(60)]
    with caplog.at_level(logging.WARNING), pytest.raises(DataError, match="ignore_digits=False where numbers tell"):
        sides(rows)
    assert "60 texts are all tied together as near-duplicates" in caplog.text
    assert sum(map(len, sides(rows, ignore_digits=False).values())) == 60


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_a_threshold_that_is_no_similarity_is_refused(threshold):
    with pytest.raises(ConfigurationError, match="threshold"):
        sides(distinct(60), near_duplicates=threshold)


# Groups by a column


def test_rows_with_the_same_value_of_a_column_stay_on_one_side():
    rows = [{**row, "patient": index // 5} for index, row in enumerate(distinct(200))]
    found = [{row["patient"] for row in side} for side in sides(rows, group_by="patient").values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 40


@pytest.mark.parametrize("nothing", [None, "", "  ", float("nan")])
def test_rows_without_a_value_to_group_by_are_on_their_own(nothing):
    rows = [{**row, "patient": nothing} for row in distinct(300)]
    assert {side: len(found) for side, found in sides(rows, group_by="patient").items()} == {
        "train": 210, "validation": 30, "test": 60,
    }  # fmt: skip


def test_a_column_to_group_by_that_is_not_there_is_named():
    with pytest.raises(DataError, match="row 1: there is no column 'patient' to group by; the row has 'text', 'label'"):
        sides(distinct(60), group_by="patient")


# Stability


@quick
@given(st.integers(0, 400), st.sampled_from(LABELS), st.integers(0, 2))
def test_a_row_that_is_added_moves_at_most_two_and_of_its_own_label_alone(index, label, seed):
    before = sides(distinct(200), seed=seed)
    after = sides([*distinct(200), {"text": f"new {spelled(index)}", "label": label}], seed=seed)
    moved = [row for side, rows in before.items() for row in rows if row not in after[side]]
    assert len(moved) <= 2
    assert {row["label"] for row in moved} <= {label}


def test_references_that_are_sets_give_the_same_split_in_every_process():
    assert hash_of(frozenset({"a", "b", "c"})) == hash_of(frozenset({"c", "b", "a"})) == 1066699450113348161


# Fixed numbers of rows


def test_a_number_of_rows_of_each_label_is_trained_on():
    found = sides(distinct(90) + [{"text": f"more {spelled(n)}", "label": "up"} for n in range(60)], rows_per_class=5)
    assert Counter(row["label"] for row in found["train"]) == dict.fromkeys(LABELS, 5)
    assert Counter(row["label"] for row in found["test"]) == {"down": 6, "flat": 6, "up": 18}


def test_numbers_may_be_given_for_every_side():
    found = sides(distinct(90), rows_per_class={"train": 10, "validation": 3, "test": 7})
    for side, count in {"train": 10, "validation": 3, "test": 7}.items():
        assert Counter(row["label"] for row in found[side]) == dict.fromkeys(LABELS, count)


def test_a_label_with_too_few_rows_is_named_by_one_of_them():
    rows = [*distinct(90, ("down", "up")), {"text": "alone", "label": "flat"}]
    with pytest.raises(DataError, match=r"the label of row 91 has 1 different rows.*too few for rows_per_class"):
        sides(rows, rows_per_class={"train": 10, "test": 7})


@pytest.mark.parametrize("wrong", [0, -1, {"training": 5}, {"test": 5}, {"train": 2.5}])
def test_numbers_of_rows_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="rows_per_class="):
        sides(distinct(60), rows_per_class=wrong)


def test_near_duplicates_stay_together_with_fixed_numbers_too():
    found = sides(list(varied(60)), rows_per_class={"train": 6, "test": 4})
    stems = [{row["text"].rpartition(" ")[0] for row in side} for side in found.values()]
    assert sum(map(len, stems)) == len(set.union(*stems))


# An earlier split


def test_rows_of_an_earlier_split_stay_where_they_were(tmp_path):
    path = save_split(split(distinct(100), task=TASK, seed=0), tmp_path / "split.json")
    more = [*distinct(100), *({"text": f"new {spelled(n)}", "label": "up"} for n in range(50))]
    found = split(more, task=TASK, seed=7, previous=read_split(path))
    again = load_split(path, [row for side in found.values() for row in side])
    assert contents({side: list(rows) for side, rows in again.items()}) == contents(sides(distinct(100)))
    assert sum(map(len, found.values())) == 150
    assert len(found["test"]) > 20


def test_what_is_tied_to_rows_of_an_earlier_split_joins_them(tmp_path):
    first, second = list(varied(60))[::2], list(varied(60))
    before = split(first, task=TASK, seed=0)
    found = split(second, task=TASK, seed=1, previous=read_split(save_split(before, tmp_path / "split.json")))
    for side in before:
        stems = {row["text"].rpartition(" ")[0] for row in before[side]}
        assert Counter(row["text"].rpartition(" ")[0] for row in found[side]) == dict.fromkeys(stems, 2)


def test_a_new_copy_of_an_old_row_does_not_take_its_place(tmp_path):
    rows = [{**row, "source": "wire"} for row in distinct(60)]
    before = split(rows, task=TASK, seed=0)
    copies = [{**row, "source": "a copy"} for row in distinct(60)]
    found = split([*copies, *rows], task=TASK, seed=0, previous=read_split(save_split(before, tmp_path / "s.json")))
    assert {side: set(data["source"]) for side, data in found.items()} == {side: {"wire"} for side in before}


TAGS = multilabel("toy/tags", summary="", instruction="Is it?", labels=("rare", "some", "common"))


def tagged(n):
    labels = [["common"], ["common", "some"], ["common"], [], ["common", "some", "rare"], ["common"]]
    return [{"text": f"number {spelled(index)}", "labels": labels[index % 6]} for index in range(n)]


@quick
@given(st.integers(1, 12), st.integers(0, 3))
def test_rows_of_several_labels_are_drawn_until_each_label_has_so_many(most, seed):
    rows, all_rows = (
        sides(tagged(120), task=TAGS, seed=seed, **settings) for settings in ({"rows_per_class": most}, {})
    )
    counts, there = (
        Counter(label for row in of["train"] for label in row["labels"] or ["no label"]) for of in (rows, all_rows)
    )
    assert {label: count >= min(most, there[label]) for label, count in counts.items()} == dict.fromkeys(there, True)
    assert counts["no label"] == min(most, there["no label"])
    assert counts["common"] <= 2 * most  # those that come with rare ones, and no more than are needed
    assert contents(rows)["test"] == contents(all_rows)["test"]
    assert {row_content(row) for row in rows["train"]} <= {row_content(row) for row in all_rows["train"]}


def test_numbers_by_side_are_refused_where_rows_have_several_labels():
    with pytest.raises(ConfigurationError, match=r"rows of toy/tags have several labels.*give one number"):
        sides(tagged(60), task=TAGS, rows_per_class={"train": 5, "test": 5})

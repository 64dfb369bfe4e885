import pytest

from qlorakit.encoding import Encoded, EncodedRow
from qlorakit.sampling import StepLoader, StepRows, find_documents, part_of


def order(steps, epoch=0):
    steps.set_epoch(epoch)
    return [row for step in steps for row in step]


def rows_with(*prompts):
    return [EncodedRow((), (Encoded(tuple(map(ord, prompt)), (1,)),)) for prompt in prompts]


@pytest.mark.parametrize(("rows", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 8, [3])])
def test_every_row_is_in_one_step_of_an_epoch(rows, batch_size, sizes):
    steps = StepRows(rows, batch_size, seed=0)
    assert [len(step) for step in steps] == sizes
    assert len(steps) == len(sizes)
    assert sorted(order(steps)) == list(range(rows))


def test_an_incomplete_step_can_be_left_out():
    assert [len(step) for step in StepRows(10, 4, seed=0, drop_last=True)] == [4, 4]


def test_the_order_follows_from_seed_and_epoch():
    first, same, other = StepRows(50, 8, seed=1), StepRows(50, 8, seed=1), StepRows(50, 8, seed=2)
    assert order(first, 3) == order(same, 3)
    assert len({tuple(order(steps, epoch)) for steps in (first, other) for epoch in (0, 1)}) == 4


def test_the_loader_hands_the_epoch_on():
    loader = StepLoader(list(range(20)), batch_sampler=StepRows(20, 20, seed=0), collate_fn=list)
    first = next(iter(loader))
    loader.set_epoch(1)
    assert next(iter(loader)) != first
    assert sorted(first) == list(range(20))


def test_rows_of_a_document_stand_next_to_each_other():
    documents = [row % 5 for row in range(30)]
    steps = StepRows(30, 6, seed=0, documents=documents)
    assert [len({documents[row] for row in step}) for step in steps] == [1] * 5
    assert sorted(order(steps)) == list(range(30))


def test_a_document_stands_in_two_steps_at_most_and_these_follow_each_other():
    documents = [row // 10 for row in range(320)]
    steps = list(StepRows(320, 16, seed=0, documents=documents))
    assert {len(step) for step in steps} == {16}
    for document in range(32):
        places = [number for number, step in enumerate(steps) if document in {documents[row] for row in step}]
        assert places in ([places[0]], [places[0], places[0] + 1])


def test_documents_and_their_rows_come_in_another_order_in_each_epoch():
    steps = StepRows(30, 6, seed=0, documents=[row // 6 for row in range(30)])
    first, second = order(steps, 0), order(steps, 1)
    assert [row // 6 for row in first] != [row // 6 for row in second]
    assert [row for row in first if row < 6] != [row for row in second if row < 6]


def test_rows_that_share_most_of_their_text_are_a_document():
    rows = rows_with("say: contract one? a", "say: letter two! a", "say: contract one? bc", "say: letter two! d")
    documents = find_documents(rows)
    assert documents[0] == documents[2] != documents[1] == documents[3]


def test_an_instruction_that_all_rows_share_makes_no_document():
    rows = rows_with(*(f"a long instruction for everyone: {word}" for word in ("stone", "paper", "wood")))
    assert len(set(find_documents(rows))) == 3


def test_one_row_with_another_instruction_changes_no_document():
    texts = [f"say: {word * 9}? {question}" for word in ("stone", "paper", "wood", "iron") for question in "abc"]
    alike, with_another = find_documents(rows_with(*texts)), find_documents(rows_with(*texts, "tell: of a bird"))
    assert len(set(alike)) == 4
    assert len({tuple(place for place in range(12) if with_another[place] == found) for found in alike}) == 4
    assert len(set(with_another)) == 5


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_processes_divide_a_step_evenly(processes):
    rows = rows_with(*"abcde")
    parts = [part_of(rows, process, processes) for process in range(processes)]
    assert [row for part in parts for row in part] == rows
    assert max(map(len, parts)) - min(map(len, parts)) <= 1

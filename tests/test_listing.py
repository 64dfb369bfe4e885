import dataclasses

import pytest

from qlorakit import get_task, list_tasks
from qlorakit.listing import TaskList
from qlorakit.plugins import Plugins
from qlorakit.task import PublicDataset

DATA = PublicDataset(
    name="Direction Bank", identifier="toys/direction", url="https://example.org", licence="CC BY 4.0: any use",
    citation="A. Toy (2020)", columns=("text", "label"),
)  # fmt: skip


@pytest.fixture
def listed(task):
    names = ["toy/size", "toy/direction"]
    tasks = {name: dataclasses.replace(task, name=name, summary=f"About {name}", datasets=(DATA,)) for name in names}
    return TaskList(
        Plugins(tasks=tasks, broken={"odd 2.0": "ImportError: no odd"}, origin=dict.fromkeys(names, "toy 1.0"))
    )


def test_it_is_the_sequence_of_the_names_in_their_order(listed):
    assert list(listed) == ["toy/direction", "toy/size"]
    assert (listed[0], listed[-1], listed[:1], len(listed)) == ("toy/direction", "toy/size", ["toy/direction"], 2)
    assert "toy/size" in listed
    assert listed == ["toy/direction", "toy/size"]
    assert listed != ["toy/size", "toy/direction"]
    assert listed != "toy/direction"


def test_printed_it_says_of_each_task_what_a_reader_chooses_by(listed, task):
    direction, size = str(listed).split("toy/size: ")
    for said in (
        "toy/direction: About toy/direction",
        task.kind,
        "Direction Bank",
        "toys/direction",
        "any use",
        "toy 1.0",
    ):
        assert said in direction
    assert all(metric.name in " ".join(direction.split()) for metric in task.metrics)
    assert size.startswith("About toy/size")


def test_a_task_without_data_sets_is_printed_as_one_without_public_data(listed, task):
    bare = dataclasses.replace(task, datasets=())
    assert "none that is public" in str(bare)
    assert "none that is public" in str(TaskList(Plugins(tasks={task.name: bare}, broken={}, origin={})))
    assert "none that is public" not in str(listed)


def test_printed_it_names_the_plugins_that_were_left_out_with_the_reason(listed):
    assert str(listed).endswith("odd 2.0 is left out: ImportError: no odd")


def test_a_task_is_printed_with_its_columns_and_a_sample_as_it_is_asked():
    task = get_task("finance/sentiment")
    said = " ".join(str(task).split())
    assert "labels negative, neutral, positive" in said
    assert "columns text (also called sentence, headline" in said
    assert "target (optional; also called company" in said
    assert "label (the label; also called sentiment" in said
    assert "files Financial PhraseBank .txt" in said
    assert f"[user] {' '.join(task.samples[0]['text'].split())}" in said


def test_many_labels_are_not_all_printed(task):
    many = dataclasses.replace(task, labels=tuple(f"label {number}" for number in range(30)), samples=())
    assert "label 11 and 18 more" in str(many)
    assert "label 12" not in str(many)


def test_it_shows_itself_as_it_is_printed(listed):
    assert repr(listed) == str(listed)
    assert not any(line.endswith(" ") for line in str(listed).splitlines())


def test_an_empty_one_says_how_to_get_tasks():
    assert str(TaskList(Plugins())) == (
        "No tasks are installed. A plugin brings those of its domain: pip install qlorakit-..."
    )


def test_text_that_looks_like_markup_is_printed_as_it_is(task):
    odd = dataclasses.replace(task, summary="[bold]odd[/bold] :smile:")
    assert "[bold]odd[/bold] :smile:" in str(TaskList(Plugins(tasks={"toy/odd": odd})))


def test_the_tasks_of_this_environment_can_be_listed_and_fetched():
    assert list(list_tasks()) == sorted(list_tasks())
    assert [get_task(name).name for name in list_tasks()] == list_tasks()

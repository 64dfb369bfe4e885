import json

import pytest

from qlorakit import to_chat
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import multilabel

ROWS = [{"text": "sales rose", "label": "up"}, {"text": "sales fell"}]
TAGS = multilabel("toy/tags", summary="?", instruction="Answer.", labels=("red", "big"))


def test_a_row_becomes_what_the_model_is_asked_and_the_right_answer(task):
    known, unknown = to_chat(ROWS, task=task)
    assert [turn["role"] for turn in known["messages"]] == ["system", "user", "assistant"]
    assert [turn["content"] for turn in known["messages"][1:]] == ["sales rose", "up"]
    assert [turn["role"] for turn in unknown["messages"]] == ["system", "user"]
    assert known["question"] is None
    assert known["row"] != unknown["row"]


def test_several_questions_of_a_row_are_several_conversations():
    chats = to_chat([{"id": 7, "text": "a red ball", "labels": ["red"]}], task=TAGS)
    assert chats["question"][:] == ["red", "big"]
    assert chats["row"][:] == ["7", "7"]
    assert [turns[-1]["content"] for turns in chats["messages"]] == ["yes", "no"]


def test_it_can_be_written_as_lines_of_json(task, tmp_path):
    to_chat(ROWS, task=task).to_json(tmp_path / "chat.jsonl")
    lines = (tmp_path / "chat.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["messages"][2] == {"role": "assistant", "content": "up"}


def test_a_row_that_cannot_be_read_is_named(task):
    with pytest.raises(DataError, match="row 2: there is no column 'text'"):
        to_chat([ROWS[0], {"body": "x"}], task=task)
    with pytest.raises(DataError, match="none left"):
        to_chat([], task=task)


def test_a_name_is_no_task():
    with pytest.raises(ConfigurationError, match="is not a Task"):
        to_chat(ROWS, task="toy/direction")

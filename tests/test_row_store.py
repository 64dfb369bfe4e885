import subprocess
import sys
from pathlib import Path

import pytest

from qlorakit import row_store
from qlorakit.errors import DataError, OutputError
from qlorakit.row_store import to_dataset


@pytest.fixture
def small(monkeypatch):
    # Whatever is larger than a few rows goes to a file.
    monkeypatch.setattr(row_store, "KEPT_IN_MEMORY", 2_000)
    monkeypatch.setattr(row_store, "ROWS_AT_A_TIME", 10)


def rows(count):
    for number in range(count):
        yield {"text": f"text {number} " * 5, "number": number, **({"late": "x"} if number > count // 2 else {})}


def test_few_rows_stay_in_memory():
    assert to_dataset(rows(10)).cache_files == []


def test_many_rows_are_mapped_from_a_file(small):
    found = to_dataset(rows(500))
    assert len(found.cache_files) == 1
    assert [row["number"] for row in found] == list(range(500))
    assert found[0] == {"text": "text 0 " * 5, "number": 0, "late": None}
    assert found[499]["late"] == "x"


def test_only_the_file_that_is_mapped_is_left(small):
    path = Path(to_dataset(rows(500)).cache_files[0]["filename"])
    assert [other for other in path.parent.iterdir() if other.stat().st_mtime >= path.stat().st_mtime] == [path]


def test_only_the_user_can_look_into_the_folder(small):
    folder = Path(to_dataset(rows(500)).cache_files[0]["filename"]).parent
    assert folder.stat().st_mode & 0o077 == 0


def test_the_same_rows_come_out_mapped_or_not(small, monkeypatch):
    mapped = to_dataset(rows(200))
    monkeypatch.undo()
    kept = to_dataset(rows(200))
    assert mapped.to_list() == kept.to_list()
    assert mapped.features == kept.features


def test_whole_numbers_and_others_go_together(small):
    found = to_dataset({"value": number if number < 300 else number + 0.5} for number in range(400))
    assert found[0]["value"] == 0
    assert found[399]["value"] == 399.5


def test_types_that_do_not_go_together_are_an_error(small):
    with pytest.raises(DataError, match=r"data\.csv: a column holds values of different types"):
        to_dataset(({"value": number if number < 300 else "x"} for number in range(400)), source="data.csv")


def test_no_rows_are_an_empty_data_set():
    assert len(to_dataset([])) == 0


def test_the_files_go_when_the_program_ends():
    program = (
        "from qlorakit import row_store; row_store.KEPT_IN_MEMORY = 10\n"
        "print(row_store.to_dataset([{'a': 'x' * 50}] * 3000).cache_files[0]['filename'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    path = Path(done.stdout.strip())
    assert path.suffix == ".arrow"
    assert not path.parent.exists()


def test_a_temporary_folder_without_room_is_an_error(small, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(row_store.tempfile, "NamedTemporaryFile", full)
    with pytest.raises(OutputError, match="set TMPDIR to a folder with more room"):
        to_dataset(rows(500))


def test_a_disk_that_fills_up_leaves_no_half_file(small, monkeypatch):
    import pyarrow as pa

    before = set(row_store._folder().iterdir())
    original, written = pa.ipc.RecordBatchStreamWriter.write_table, []

    def fills_up(writer, table, **settings):
        written.append(table)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        original(writer, table, **settings)

    monkeypatch.setattr(pa.ipc.RecordBatchStreamWriter, "write_table", fills_up)
    with pytest.raises(OutputError, match="No space left"):
        to_dataset(rows(500))
    assert set(row_store._folder().iterdir()) == before

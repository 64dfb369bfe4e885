import getpass
import json
import re
import socket
from pathlib import Path

import pytest
from engine import equal, lora_weights, run_python, train
from reproduced import WAYS_OF_TRAINING, everything, trained

from qlorakit.rows import fingerprint

ELSEWHERE = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
os.umask(0o077)
base, rows, folder = map(Path, sys.argv[1:4])
os.chdir(folder)
import datasets
from reproduced import everything
found = everything(base, json.loads(rows.read_text()), Path("runs"), given=datasets.Dataset.from_list,
                   dataloader_num_workers=2)
Path("found.json").write_text(json.dumps(found))
"""
PARTS = [*WAYS_OF_TRAINING, "evaluated", "split", "audit", "report"]


@pytest.fixture(scope="module")
def many_rows(rows):
    return [{**row, "site": "north" if place % 3 else "south"} for place, row in enumerate(rows[:17])]


@pytest.fixture(scope="module")
def here(base_folder, many_rows, tmp_path_factory):
    return everything(base_folder, many_rows, tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def elsewhere(base_folder, many_rows, tmp_path_factory):
    """What a process makes of it that has other hashes, another time zone, locale, folder and mask, and workers."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "rows.json").write_text(json.dumps(many_rows))
    other = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "HF_HUB_OFFLINE": "1"}
    done = run_python(ELSEWHERE, base_folder, folder / "rows.json", folder, Path(__file__).parent, **other)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("part", PARTS)
def test_another_process_in_other_surroundings_finds_the_very_same(part, here, elsewhere):
    assert elsewhere[part] == here[part]


def test_the_number_of_workers_has_no_say_in_the_weights(base_folder, rows, task, tmp_path):
    several = {"lora": {"dropout": 0.2}, "num_train_epochs": 2}
    none, one, two = (
        lora_weights(train(base_folder, rows, task, tmp_path / str(count), dataloader_num_workers=count, **several)[0])
        for count in (0, 1, 2)
    )
    assert equal(none, one)
    assert equal(none, two)


def test_ways_of_training_and_seeds_are_not_all_the_same(base_folder, many_rows, here, tmp_path):
    weights = {name: here[name]["weights"] for name in (*WAYS_OF_TRAINING, "evaluated")}
    assert weights["evaluated"] == weights["plain"]  # measuring changes nothing
    other_seed = trained(base_folder, many_rows, tmp_path / "run", seed=1)["weights"]
    assert len({*weights.values(), other_seed}) >= len(WAYS_OF_TRAINING)


def test_a_run_records_what_decides_its_last_bits_and_names_no_machine(here):
    machine = here["plain"]["record"]["machine"]
    assert set(machine) == {"python", "system", "processor", "instructions", "threads", "device"}
    assert machine["threads"] == 1
    assert not [name for name in (socket.gethostname(), getpass.getuser()) if name in json.dumps(machine).split('"')]


def test_a_fingerprint_takes_a_set_for_the_same_in_whatever_order():
    names = [f"name {number}" for number in range(50)]
    backwards = names[::-1]
    first, second = set(names), set(backwards)
    assert list(first) != list(second)
    assert fingerprint([{"of": first}]) == fingerprint([{"of": second}])


def test_the_page_about_it_runs(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[1] / "docs" / "reproducibility.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile("".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), "page", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    told = re.findall(r"^\| ([a-z ,]+) \|", page.partition("| check |")[2], re.MULTILINE)
    assert told
    assert [name for group in told for name in group.split(", ") if f"\n{name}  " not in printed] == []

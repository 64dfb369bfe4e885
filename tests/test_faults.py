"""The fault tests of ``benchmarks/faults.py``, with five kills and one or two of each other kind."""

import errno
import importlib
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from qlorakit.adapters import read_manifest, save_tokenizer
from qlorakit.checkpoints import read_checkpoint
from qlorakit.errors import QlorakitError, unwritable
from qlorakit.testing import small_tokenizer

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        patch.delitem(sys.modules, "faults", raising=False)
        yield importlib.import_module("faults")


@pytest.fixture(scope="module")
def faults(benchmark, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("faults")
    benchmark.write_base(scratch / "base")
    with benchmark.Bench(scratch) as bench:
        yield benchmark.Faults(bench, 0, mounts=benchmark.may_mount(scratch))


def outcomes(cases):
    """How many ended in which way; a failure tells its story."""
    cases = list(cases)
    assert [f"{case.kind}, {case.what}: {case.told}" for case in cases if case.outcome == "failed"] == []
    return Counter(case.outcome for case in cases)


def test_a_run_killed_at_a_step_or_a_change_of_a_file_ends_as_if_untouched(faults):
    assert outcomes(faults.kills(3)) == {"equal": 3}


def test_a_run_killed_at_any_moment_in_an_interpreter_of_its_own_ends_as_if_untouched(faults):
    assert outcomes(faults.kills_at_any_moment(1)) == {"equal": 1}


def test_a_run_ended_in_the_middle_of_a_write_ends_as_if_untouched(faults):
    assert outcomes(faults.kills(1, "cut")) == {"equal": 1}


def test_damaged_and_removed_checkpoints_are_passed_over(faults):
    assert outcomes(faults.damaged(1)) == {"equal": 1}
    assert outcomes(faults.removed(1)) == {"equal": 2, "refused": 1}  # of the last nothing is left to go on from


def test_a_best_checkpoint_that_is_lost_during_the_run_is_not_replaced_by_another_silently(faults):
    assert outcomes(faults.best_is_hit(2)) == {"refused": 2}


def test_an_adapter_with_a_damaged_or_missing_file_is_refused_by_its_name(faults):
    assert outcomes(faults.damaged_adapters(1)) == {"refused": 1}
    assert outcomes(faults.removed_adapters(1)) == {"refused": 1}


def test_a_run_whose_folder_vanishes_says_so_or_ends_as_if_untouched(faults):
    assert outcomes(faults.vanishings(1)).total() == 1


def test_a_full_or_read_only_disk_is_told_and_the_run_goes_on_when_there_is_room(faults):
    if not faults.mounts:
        pytest.skip("disks cannot be mounted here")
    assert outcomes(faults.full_disks(1)).total() == 2
    assert outcomes([faults.other_file("split", "split.json")]) == {"refused": 1}
    assert outcomes(faults.read_only_folders(1)) == {"refused": 1}


@pytest.mark.parametrize("name", ["adapter/manifest.json", "checkpoints/checkpoint-20/qlorakit.json"])
def test_a_value_changed_in_a_record_of_hashes_is_damage_as_well(faults, name):
    path = faults.bench.folder(faults.whole) / name
    path.write_text(path.read_text().replace('"max_length": 128', '"max_length": 129'))
    with pytest.raises(QlorakitError, match=r"damaged: .*changed"):
        read_manifest(path.parent) if path.name == "manifest.json" else read_checkpoint(path.parent)


def test_what_a_finished_run_left_behind_is_gone_when_it_is_asked_to_go_on(faults):
    output = faults.bench.folder(faults.whole)
    (output / ".adapter.old").mkdir()
    assert "holds a finished run of 20 steps" in faults.bench.run(output, resume=True).message
    assert not (output / ".adapter.old").exists()


@pytest.mark.parametrize(
    ("error", "advice"),
    [(OSError(errno.ENOSPC, "No space left"), "Free some space"), (RuntimeError("write failed"), "Free some space"),
     (OSError(errno.EROFS, "Read-only"), "choose a place that can be written")],
    ids=str,
)  # fmt: skip
def test_what_to_do_depends_on_why_a_file_could_not_be_written(error, advice):
    assert advice in str(unwritable("a.json", error))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_tokenizer_that_could_not_be_written_is_an_error_of_the_system(tmp_path):
    (tmp_path / "tokenizer.json").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as raised:
        save_tokenizer(small_tokenizer(), tmp_path)
    assert raised.value.errno == errno.ENOSPC


# The judge


def test_a_run_that_ended_otherwise_is_told_apart(benchmark, faults):
    other = benchmark.Result.of(faults.old)
    told = other.difference(faults.reference)
    assert "adapter/adapter_model.safetensors differs" in told
    assert "history differs" in told
    assert faults.reference.difference(faults.reference) == ""


@pytest.mark.parametrize(
    ("error", "message", "why"),
    [
        ("OSError", "/run/a.json: disk full. Free some space", "no error of the library's own"),
        ("OutputError", "the disk is full. Free some space", "does not name"),
        ("OutputError", "/run/a.json: the disk is full", "does not say what to do"),
        ("OutputError", "/run/a.json: the disk is full. Free some space", ""),
    ],
)
def test_a_message_is_clear_if_it_names_the_file_and_says_what_to_do(benchmark, error, message, why):
    ended = benchmark.Ended(3, error, message, "", ())
    assert bool(why) == bool(benchmark.unclear(ended, r"a\.json", "disk"))
    assert why in benchmark.unclear(ended, r"a\.json", "disk")


def test_steps_that_are_done_again_although_they_were_saved_are_told(benchmark):
    ended = benchmark.Ended(0, "", "", "", ((0.0, "step 4"), (0.1, "step 5")))
    assert benchmark.lost(ended, 3) == ""
    assert "went on from step 3, although 6 was saved" in benchmark.lost(ended, 6)


# The page


@pytest.mark.parametrize(("script", "figures"), [("faults", "faults.json"), ("long_run", "long_run.json")])
def test_the_page_on_reliability_holds_what_was_measured(benchmark, script, figures):
    module, generated = importlib.import_module(script), importlib.import_module("generated")
    found = json.loads((FOLDER / "results" / figures).read_text(encoding="utf-8"))
    assert generated.block_of(generated.RELIABILITY, module.BLOCK) == module.told(found)


def test_the_faults_of_the_page_were_fifty_kills_and_none_failed(benchmark):
    found = json.loads((FOLDER / "results" / "faults.json").read_text(encoding="utf-8"))
    kinds = Counter(case["kind"] for case in found["cases"])
    assert sum(kinds[kind] for kind in (benchmark.KILL, benchmark.ANYTIME, benchmark.CUT)) >= 50
    assert set(kinds) == set(benchmark.PARTS)
    assert {case["outcome"] for case in found["cases"]} == {"equal", "refused"}
    assert re.fullmatch(r"python benchmarks/faults\.py --kills \d+ --seed \d+", found["command"])


def test_the_long_run_was_long_and_its_memory_flat():
    numbers = json.loads((FOLDER / "results" / "long_run.json").read_text(encoding="utf-8"))["summary"]
    assert numbers["steps"] >= 20_000
    assert numbers["most_mib"] < 1.1 * numbers["mib_at_10_percent"]

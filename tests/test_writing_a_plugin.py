import json
import re
import shutil
from dataclasses import dataclass

import pytest
from fresh_environment import ROOT, environment_with_core

PAGE = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[\w./-]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LIST = "import qlorakit as qk\nprint(qk.list_tasks())"
CHECK = "from qlorakit.testing import check_plugin\ncheck_plugin('qlorakit-railway')"

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Step:
    """A block of the page that was run, and what it printed."""

    number: int
    text: str
    printed: str
    promised: str


def matches(promised, printed):
    """Whether what is promised stands in what was printed: white space apart, and ``...`` for anything."""
    pattern = ".*".join(r"\s+".join(map(re.escape, piece.split())) for piece in promised.split("..."))
    return re.search(pattern, " ".join(printed.split()), flags=re.DOTALL) is not None


def walk(environment, folder):
    """Follow the page from its first block to its last."""
    steps = []
    for number, block in enumerate(BLOCK.finditer(PAGE), start=1):
        if block["file"]:
            path = folder / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "python":
            steps.append(Step(number, block["text"], environment.python(block["text"], folder=folder), ""))
        elif block["kind"] == "sh":
            printed = environment.run("sh", "-ec", block["text"], folder=folder)
            steps.append(Step(number, block["text"], printed, ""))
        elif block["kind"] == "text":
            last = steps.pop()
            steps.append(Step(last.number, last.text, last.printed, block["text"]))
    return steps


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return environment_with_core(tmp_path_factory.getbasetemp(), "tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("empty") / "qlorakit-railway"


@pytest.fixture(scope="module")
def steps(environment, folder):
    folder.mkdir()
    return walk(environment, folder)


@pytest.fixture
def variant(environment, folder, steps, tmp_path):
    """Installs the page's plugin with changes: a file, a piece of it, and what stands there instead."""

    def install(*changes, options=("--no-deps",)):
        copy = shutil.copytree(folder, tmp_path / "qlorakit-railway", ignore=shutil.ignore_patterns("dist", "runs"))
        for file, piece, other in changes:
            text = (copy / file).read_text(encoding="utf-8")
            assert text.count(piece) == 1
            (copy / file).write_text(text.replace(piece, other), encoding="utf-8")
        environment.run("pip", "install", *options, ".", folder=copy)

    yield install
    environment.run("pip", "uninstall", "-y", "qlorakit-railway", folder=tmp_path)


def test_every_step_prints_what_the_page_says(steps):
    wrong = [step for step in steps if not step.promised or not matches(step.promised, step.printed)]
    assert not wrong, "\n".join(
        f"block {step.number} printed\n{step.printed}\nand not\n{step.promised}" for step in wrong
    )


def test_nothing_is_left_out_of_the_list_on_the_page(steps):
    (listed,) = [step.printed for step in steps if "print(qk.list_tasks())" in step.text]
    assert "railway/cause" in listed
    assert "left out" not in listed


def test_the_report_of_the_page_measures_by_the_plugins_own_metric(steps, folder):
    report = json.loads((folder / "runs/cause/report.json").read_text(encoding="utf-8"))
    assert {system["name"] for system in report["systems"]} >= {"tuned", "base", "majority", "tfidf"}
    assert all("attributed_minutes" in system["metrics"] for system in report["systems"])
    assert "attributed_minutes" in (folder / "runs/cause/report.html").read_text(encoding="utf-8")


def test_after_uninstalling_nothing_of_the_plugin_is_left(steps, environment, folder):
    look = environment.look(folder=folder)
    assert not [name for name in [*look.tasks, *look.origin.values(), *look.left_out] if "railway" in name]
    assert not [path for path in look.files if "railway" in str(path)]


def test_the_files_at_the_top_of_the_page_are_those_that_it_writes():
    blocks = list(BLOCK.finditer(PAGE))
    (tree,) = [block["text"] for block in blocks if block["kind"] == "tree"]
    written = {block["file"] for block in blocks if block["file"]}
    assert {line.split()[0] for line in tree.splitlines()} == written - {"march.log"}


def test_a_plugin_for_another_core_is_listed_with_the_reason(variant, environment, folder):
    variant(("pyproject.toml", "qlorakit>=0.1,<0.2", "qlorakit>=9"))
    listed = environment.python(LIST, folder=folder)
    (promise,) = [block["text"] for block in BLOCK.finditer(PAGE) if block["kind"] == "promise"]
    assert matches(promise, listed)
    assert "qlorakit >=9" in listed
    assert "railway/cause" not in listed


def test_pip_refuses_a_plugin_for_another_core(variant):
    with pytest.raises(AssertionError, match="No matching distribution found for qlorakit>=9"):
        variant(("pyproject.toml", "qlorakit>=0.1,<0.2", "qlorakit>=9"), options=())


def test_a_plugin_that_cannot_be_imported_is_listed_with_the_reason(variant, environment, folder):
    variant(("src/qlorakit_railway/cause.py", "import math\n", "import maths\n"))
    assert matches(
        "qlorakit-railway 0.1.0 is left out: ...No module named 'maths'", environment.python(LIST, folder=folder)
    )


def test_everything_that_is_wrong_with_a_plugin_is_told_at_once(variant, environment, folder):
    variant(
        ("README.md", "`railway/cause`", "`railway/reason`"),
        ("src/qlorakit_railway/cause.py", "minutes if output.value == reference", "minutes if output.value"),
        ("src/qlorakit_railway/cause.py", "        minutes = math.nan\n", "        raise\n"),
        ("src/qlorakit_railway/samples.py", '(("line", _LINE), ("train", _TRAIN), ("people", _PEOPLE))',
         '(("line", _LINE), ("train", _TRAIN))'),
    )  # fmt: skip
    told = environment.python(CHECK, folder=folder, succeeds=False).rpartition("PluginError")[2]
    assert "README: the task 'railway/cause' is not named" in told
    assert "metric 'attributed_minutes'" in told
    assert "column 'minutes'" in told
    assert "none has the label 'people'" in told

import ast
import re
from pathlib import Path

import pytest

import qlorakit

FOLDER = Path(qlorakit.__file__).parent
LIGHT = (
    "errors", "task", "cells", "sentences", "metrics", "score_metrics", "text_metrics", "quotes", "statistics",
    "numbers", "thresholds", "decision_metrics", "baselines", "document_metrics", "document_baselines",
    "tag_schemes", "spans", "entity_metrics", "entities", "kinds", "document_questions", "shots", "slicing",
    "recognisers",
    "hookspecs", "plugins",
    "display", "listing", "row_store", "rows", "chat_form", "text_encoding", "file_readers", "reading",
    "records", "documents", "verification", "near_duplicates", "splits", "fixed_splits", "split_files",
    "person_names", "country_recognisers", "privacy",
    "encoding", "prefix_tree", "report", "report_tables", "report_plots",
    "report_text", "report_html", "measuring", "comparing",
    "text_checks", "audit_advice", "audit_findings", "audit_scan", "audit_checks", "audit_text", "audit_html",
    "data_audit", "class_balance", "template_trial",
)  # fmt: skip
ENGINE = (
    "bitsandbytes_offline", "machine", "model_folders", "memory", "quantization", "last_layer", "logits", "attention",
    "fused_lora", "padded_batch", "tree_batch", "self_check", "layout",
    "objectives", "sampling", "checkpoint_contents",
    "lora_settings", "adapters", "checkpoints", "inference", "agreement", "memory_need", "evaluation",
    "stepping", "trainer", "training_settings", "memory_probe", "run_folders", "finishing",
    "merged_model", "merging",
    "training", "verifying",
    "fakes", "problems", "sample_checks", "answer_checks", "metric_checks", "hostile_rows", "plugin_checks", "testing",
)  # fmt: skip
ORDER = LIGHT + ENGINE
# The methods of a task, a report or an audit reach, when they are called, for what is built on them.
LATE = {
    "task": {"listing"},
    "report": {"report_text", "report_html", "comparing"},
    "audit_findings": {"audit_text", "audit_html"},
}
ENGINE_ONLY = {"torch", "transformers", "peft", "bitsandbytes", "accelerate"}
REACH_FOR_BITSANDBYTES = {"transformers", "peft", "bitsandbytes"}
DOMAINS = re.compile(r"financ|medic|clinic|legal(?!_)|sentiment", re.IGNORECASE)


def tree_of(module):
    return ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def runtime_nodes(node):
    # Everything below a node but what only type checkers read.
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from (other, *runtime_nodes(other))
        else:
            yield from (child, *runtime_nodes(child))


def imported(nodes):
    # The full names that import statements name, in their order.
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_module_level(module):
    # What importing the module imports, in its order.
    return list(imported(node for node in tree_of(module).body if isinstance(node, ast.Import | ast.ImportFrom)))


def own_modules(names):
    return {name.split(".")[1] for name in names if name.startswith("qlorakit.")}


def docstrings(tree):
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, owners)]
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def words(tree):
    # Every name and string of a module, without comments and docstrings.
    left_out = docstrings(tree)
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        for field in ("id", "attr", "arg", "name", "value"):
            if isinstance(word := getattr(node, field, None), str):
                yield word


def test_every_module_has_its_place_in_the_order():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(("__init__", *ORDER))


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_modules_above_it(module):
    above = set(ORDER[: ORDER.index(module)])
    assert own_modules(imported(runtime_nodes(tree_of(module)))) <= above | LATE.get(module, set())


def test_what_is_reached_for_late_is_not_imported_at_once():
    for module, late in LATE.items():
        assert not own_modules(at_module_level(module)) & late


@pytest.mark.parametrize("module", LIGHT)
def test_a_light_module_leaves_the_engine_out(module):
    assert not {name.split(".")[0] for name in at_module_level(module)} & ENGINE_ONLY


@pytest.mark.parametrize("module", [module for module in ENGINE if module != "bitsandbytes_offline"])
def test_bitsandbytes_is_taken_offline_before_anything_imports_it(module):
    names = [name.removeprefix("qlorakit.").split(".")[0] for name in at_module_level(module)]
    reaching = [index for index, name in enumerate(names) if name in REACH_FOR_BITSANDBYTES]
    assert not reaching or "bitsandbytes_offline" in names[: reaching[0]]


@pytest.mark.parametrize("module", [module for module in ORDER if module != "bitsandbytes_offline"])
def test_only_one_module_imports_bitsandbytes_and_peft_themselves(module):
    names = {name.split(".")[0] for name in imported(runtime_nodes(tree_of(module)))}
    assert not names & {"bitsandbytes", "peft"}


@pytest.mark.parametrize("module", ["__init__", *ORDER])
def test_the_core_names_no_domain(module):
    assert [word for word in words(tree_of(module)) if DOMAINS.search(word)] == []

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_readme_example_has_about_fifteen_lines_and_runs_offline(tmp_path, monkeypatch, capsys):
    pytest.importorskip("qlorakit_finance")
    example, later = code_blocks(README, "python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 16
    monkeypatch.chdir(tmp_path)
    exec(compile(example + "import qlorakit as qk\n" + later, "README.md", "exec"), {})  # noqa: S102  # our own
    assert "tuned" in capsys.readouterr().out
    assert (tmp_path / "runs/sentiment/report.json").is_file()


def test_the_guide_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(code_blocks(guide, "python")), "guide.md", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    assert "line 2" in printed
    assert "Did you mean 'urgent'?" in printed
    assert "tuned" in printed


@pytest.mark.parametrize("page", sorted(ROOT.glob("plugins/*/README.md")), ids=lambda page: page.parent.name)
def test_the_code_in_the_readme_of_a_plugin_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(code_blocks(page.read_text(encoding="utf-8"), "python"))
    exec(compile(code, str(page), "exec"), {})  # noqa: S102  # our own


@pytest.mark.parametrize(("name", "plugin"), [("contract-review", "qlorakit_legal")])
def test_a_page_about_a_domain_runs_and_prints_what_it_shows(name, plugin, tmp_path, monkeypatch, capsys):
    pytest.importorskip(plugin)
    page = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(code_blocks(page, "python")), f"{name}.md", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    assert [shown for shown in code_blocks(page, "text") if shown not in printed] == []


def test_the_readme_names_every_plugin_and_every_verb():
    import qlorakit

    for plugin in (ROOT / "plugins").iterdir():
        assert f"qlorakit-{plugin.name}" in README
    verbs = {name for name in qlorakit.__all__ if name.islower()} - {"get_task", "list_tasks"}
    assert not [verb for verb in verbs if f"`{verb}`" not in README]


def test_every_plugin_has_the_same_skeleton():
    needed = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "src", "tests"}
    for plugin in (ROOT / "plugins").iterdir():
        assert needed <= {path.name for path in plugin.iterdir()}, plugin


@pytest.mark.parametrize("domain", ["finance", "legal", "medical"])
def test_the_results_of_a_domains_tasks_are_those_that_the_benchmark_wrote(domain):
    page = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    written = (ROOT / f"benchmarks/results/{domain}.md").read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if line.startswith("| ") and line not in page] == []


def test_the_figures_of_whole_contracts_are_those_that_the_benchmark_wrote():
    page = (ROOT / "docs/contract-review.md").read_text(encoding="utf-8")
    written = (ROOT / "benchmarks/results/review.md").read_text(encoding="utf-8").splitlines()
    lines = [line for line in written if line.startswith(("|", "- "))]
    assert len(lines) > 12
    assert [line for line in lines if line not in page] == []


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}"

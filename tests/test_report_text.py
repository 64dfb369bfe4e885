import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report_samples import NOTHING, TONES, first_changed, hostile_report, replaced, sample_report, small_report

from qlorakit.display import TEXT_WIDTH, as_text
from qlorakit.documents import clean
from qlorakit.report import Cost, Estimate, Slice, Slices
from qlorakit.report_text import render_markdown, render_text
from qlorakit.task import ClassScores

MARKUP = (
    "[red]", "[/]", "[bold]up[/bold]", ":warning:", "a|b", "[link=x]", "<script>alert(1)</script>", "*a* _b_", "`",
    "{braces} {0} %s",
)  # fmt: skip


def words(text):
    return " ".join(text.split())


def line_of(text, start):
    """The cells of the only line that begins with some words."""
    (line,) = (line.strip() for line in text.splitlines() if re.match(rf"\s*{re.escape(start)}(\s{{2,}}|$)", line))
    return re.split(r"\s{2,}", line)


def wrong_rows(made):
    return sum(not item["tuned"]["right"] for item in made.predictions)


def test_the_text_begins_with_the_headline_and_goes_on_with_the_sentences():
    made = sample_report()
    assert words(render_text(made)).startswith(words(" ".join([made.headline(), *made.summary()])))


def test_metrics_are_rows_and_systems_columns():
    made = small_report()
    text = render_text(made)
    assert line_of(text, "metric") == ["metric", "tuned", "majority"]
    assert line_of(text, "macro_f1") == ["macro_f1", *(str(system.metrics["macro_f1"]) for system in made.systems)]


def test_a_metric_that_a_system_lacks_is_a_dash():
    made = small_report()
    assert line_of(render_text(made), "log_loss") == ["log_loss", str(made.systems[0].metrics["log_loss"]), "-"]


def test_an_estimate_that_is_not_a_number_is_a_dash():
    nan = Estimate(float("nan"), float("nan"), float("nan"))
    made = small_report()
    made = first_changed(made, metrics={"macro_f1": nan, "log_loss": nan})
    assert line_of(render_text(made), "macro_f1")[1] == "-"
    assert "nan" not in render_text(made).replace("finance", "")


def test_the_ceiling_is_a_column_of_its_own():
    text = render_text(small_report(ceiling={"macro_f1": 0.981}))
    assert line_of(text, "metric")[-1] == "ceiling"
    assert line_of(text, "macro_f1")[-1] == "0.981"
    assert line_of(text, "log_loss")[-1] == "-"
    assert "ceiling" not in render_text(small_report())


def test_the_share_of_invalid_answers_stands_below_the_metrics():
    assert line_of(render_text(first_changed(small_report(), invalid=0.0254)), "invalid answers")[1] == "2.5%"


def test_the_table_of_metrics_names_task_rows_and_confidence():
    assert "finance/sentiment: 452 rows, value [95% interval]" in render_text(small_report())


def test_the_text_says_of_which_metrics_less_is_better():
    assert "Note: lower is better: log_loss" in render_text(small_report())


def test_cost_is_told_in_seconds_tokens_memory_and_parameters():
    text = render_text(sample_report())
    assert line_of(text, "seconds") == ["seconds", "10.1", "9.0", "31.7"]
    assert line_of(text, "tokens computed") == ["tokens computed", "48,211", "48,211", "177,030"]
    assert line_of(text, "tokens saved") == ["tokens saved", "60.4%", "60.4%", "85.7%"]
    assert line_of(text, "peak memory") == ["peak memory", "1.3 GiB", "1.3 GiB", "1.6 GiB"]
    assert line_of(text, "trainable parameters") == ["trainable parameters", "811,008", "-", "-"]


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (5 << 20, "5 MiB"), (3 << 40, "3.0 TiB")]
)
def test_memory_is_told_in_the_unit_that_fits(size, said):
    text = render_text(first_changed(small_report(), cost=Cost(1.0, 10, 0, size)))
    assert line_of(text, "peak memory") == ["peak memory", said]
    assert line_of(text, "tokens saved") == ["tokens saved", "-"]


def test_costs_are_left_out_where_nothing_was_asked():
    systems = tuple(replace(one, cost=None) for one in small_report().systems)
    assert "peak memory" not in render_text(small_report(systems=systems))


def test_each_class_has_its_scores():
    made = small_report()
    scores = made.systems[0].classes[1]
    shares = [f"{share:.3f}" for share in (scores.f1, scores.precision, scores.recall)]
    lines = [re.split(r"\s{2,}", line.strip()) for line in render_text(made).splitlines()]
    assert ["neutral", *shares, str(scores.support), str(scores.predicted)] in lines


def test_fitted_thresholds_stand_beside_their_classes():
    text = render_text(first_changed(small_report(), decision=dict.fromkeys(TONES, 0.125), confusion=None))
    assert line_of(text, "positive")[-1] == "0.125"


def test_the_confusion_has_invalid_answers_last():
    made = first_changed(small_report(), classes=None, confusion=((7, 1, 0, 2), (0, 8, 3, 0), (4, 0, 9, 5)))
    text = render_text(made)
    assert line_of(text, "true label") == ["true label", *TONES, "invalid"]
    assert line_of(text, "positive") == ["positive", "4", "0", "9", "5"]


def test_of_many_labels_the_commonest_confusions_are_named():
    labels = tuple(f"label {place}" for place in range(40))
    confusion = tuple(tuple(9000 if i == j else 41 * i + j for j in range(41)) for i in range(40))
    made = first_changed(replaced(small_report(), labels=labels), classes=None, confusion=confusion)
    text = render_text(made)
    assert "tuned, the 15 commonest of 1600 confusions" in text
    assert re.search(r"label 39 +invalid +1639 ", text)
    assert re.search(r"label 39 +label 38 +1637 ", text)
    assert "9000" not in text  # right answers are no confusion


def test_slices_show_their_rows_and_the_largest_gap():
    text = render_text(small_report())
    assert "macro_f1 by site, largest gap 0.131 [0.022, 0.258]" in text
    assert line_of(text, "New York")[1] == "47"


def test_slices_without_a_gap_show_none():
    sliced = Slices("site", "macro_f1", (Slice("all", 3, NOTHING),), NOTHING)
    text = render_text(small_report(slices=(sliced,)))
    assert "gap" not in text
    assert line_of(text, "all") == ["all", "3", "-"]


def test_notes_come_last():
    assert words(render_text(sample_report())).endswith(words(f"Note: {sample_report().notes[0]}"))


def test_settings_are_left_to_other_formats():
    assert "token_budget" not in render_text(sample_report())


def test_a_report_without_classes_slices_or_notes_is_just_the_metrics():
    made = replaced(small_report(slices=(), notes=(), labels=None))
    text = render_text(first_changed(made, classes=None, confusion=None, cost=None))
    for word in ("per class", "confusion", "gap", "peak memory"):
        assert word not in text


def test_every_number_of_many_systems_and_metrics_is_whole():
    made = sample_report()
    metrics = {f"a_metric_of_some_length_{i}": Estimate(i / 10, i / 10 - 0.012, i / 10 + 0.013) for i in range(1, 8)}
    systems = tuple(replace(made.systems[0], name=f"system {place}", metrics=metrics) for place in range(9))
    higher = {**made.settings, "higher_is_better": dict.fromkeys(metrics, True)}
    text = render_text(replaced(made, systems=systems, comparisons=(), settings=higher))
    for estimate in list(metrics.values())[1:]:  # the first one stands in the headline as well
        assert text.count(str(estimate)) == 9
    assert max(map(len, text.splitlines())) <= TEXT_WIDTH


@pytest.mark.parametrize("data", MARKUP)
def test_data_prints_literally(data):
    text = render_text(hostile_report(data))
    assert sum(data in line for line in text.splitlines()) >= 9  # class, confusion, error, slice, note, name, task
    assert data in words(text.splitlines()[0])  # the headline


def test_the_text_has_no_colours_and_data_brings_none():
    made = hostile_report("\x1b[31mred\x1b[0m\x9b31m\x07\u202eabc\u2066\u2028")
    for text in (render_text(made), render_markdown(made)):
        assert "red" in text
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
    assert "\x1b" not in as_text("[red]a")


def test_what_no_file_can_hold_is_replaced(tmp_path):
    made = small_report(notes=("half a pair: \ud83d",))
    for name in ("report.txt", "report.md", "report.html"):
        assert "half a pair: \N{REPLACEMENT CHARACTER}" in made.save(tmp_path / name).read_text(encoding="utf-8")


def test_one_row_is_enough():
    made = sample_report(rows=1)
    assert "finance/sentiment: 1 row, value" in render_text(made)
    assert "finance/sentiment: 1 row, value" in render_markdown(made)


def test_a_class_that_never_occurs_has_no_recall():
    made = small_report()
    absent = ClassScores("neutral", 0.0, 0.0, 0.0, support=0, predicted=3)
    never = ClassScores("positive", 0.0, 0.0, 0.0, support=0, predicted=0)
    text = render_text(first_changed(made, classes=(made.systems[0].classes[0], absent, never), confusion=None))
    assert line_of(text, "neutral") == ["neutral", "0.000", "0.000", "-", "0", "3"]
    assert line_of(text, "positive") == ["positive", "-", "-", "-", "0", "0"]


def test_the_surest_errors_are_listed_without_their_texts():
    made = small_report()
    text = render_text(made)
    assert f"on {wrong_rows(made)} of 452 rows. The 12 it was surest of follow." in text
    assert line_of(text, "row-0074") == ["row-0074", "positive", "negative", "0.966"]
    assert "order book" not in text


def test_what_is_risked_is_told_for_the_first_system():
    text = render_text(small_report())
    assert "tuned, when only its surest answers are given" in text
    assert line_of(text, "answered") == ["answered", "wrong", "threshold"]


# Markdown


def shown(markdown):
    """The text that a reader of the rendered page sees, cell by cell and paragraph by paragraph."""
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(markdown)
    inlines = [token for token in tokens if token.type == "inline"]
    assert {child.type for token in inlines for child in token.children} <= {"text", "text_special"}
    assert not [token for token in tokens if token.type == "html_block"]
    return ["".join(child.content for child in token.children) for token in inlines]


def test_markdown_says_what_the_terminal_says():
    made = sample_report()
    cells = shown(render_markdown(made))
    assert cells[: 2 + len(made.summary())] == [made.task, made.headline(), *made.summary()]
    assert made.notes[0] in cells[: 5 + len(made.summary())]
    for system in made.systems:
        assert system.name in cells
        assert all(str(estimate) in cells for estimate in system.metrics.values())


@pytest.mark.parametrize(
    "title",
    [
        "Differences, with 95% interval", "finance/sentiment: 452 rows, value [95% interval]", "tuned, per class",
        "tuned, confusion (lines are true labels, columns answers)", "tuned, when only its surest answers are given",
        "macro_f1 by site, largest gap 0.131 [0.022, 0.258]", "tuned, calibration in numbers",
        "base, calibration in numbers", "Learning curve in numbers", "Cost of asking all rows once",
        "Settings and fingerprints",
    ],
)  # fmt: skip
def test_markdown_holds_what_the_page_holds(title):
    assert title in shown(render_markdown(sample_report()))


def test_markdown_holds_texts_of_errors_only_where_the_report_does():
    assert any("The order book grew" in cell for cell in shown(render_markdown(sample_report())))
    assert "order book" not in render_markdown(sample_report(texts=False))


def test_markdown_makes_no_links():
    assert "http\\://x.y" in render_markdown(small_report(notes=("http://x.y www.x.y",)))
    assert "www\\.x.y" in render_markdown(small_report(notes=("http://x.y www.x.y",)))


def test_every_line_of_a_markdown_table_has_as_many_cells():
    text = render_markdown(sample_report(labels=("a|b", "c\\|d", "e\\")))
    table = [line for line in text.splitlines() if line.startswith("|") and "a\\|b" in line]
    assert table
    counts = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table if line.startswith("| true label")}
    assert counts == {6}


BLOCKS = ("# a", "- a", "+ a", "1. a", "12) a", "---", "- - -", "===", "> a", "    a", "```", "\ta")
INLINE = ("a\nb", "&lt;b&gt;", "![x](y)", "[a](javascript:x)", "~~a~~", "a\\", "https://x.y", "<!-- a", "a@b.c")


@pytest.mark.parametrize("data", [*MARKUP, *BLOCKS, *INLINE])
def test_markdown_shows_data_literally(data):
    cells, harmless = (shown(render_markdown(hostile_report(found))) for found in (data, "harmless"))
    assert cells.count(words(data)) == harmless.count("harmless")
    assert words(f"By macro_f1, tuned beats {data}.") in cells or words(f"By macro_f1, tuned beats '{data}'.") in cells


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(words))
def test_markdown_shows_any_text_literally(data):
    cells, harmless = (shown(render_markdown(hostile_report(found))) for found in (data, "harmless"))
    assert cells.count(words(clean(data))) >= harmless.count("harmless")

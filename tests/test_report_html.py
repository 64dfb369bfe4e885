import base64
import hashlib
import re
import time
from dataclasses import replace

import pytest
from browser import browser, find_browser
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from report_samples import NOTHING, first_changed, hostile_report, replaced, sample_report, small_report

from qlorakit.documents import clean
from qlorakit.report import Estimate, Slice, Slices
from qlorakit.report_html import MANY_CLASSES, MINUS, WIDEST_MATRIX, WORST_CLASSES, render_html
from qlorakit.task import ClassScores

SECTIONS = (
    "Result", "All metrics", "Classes", "Confusion", "Calibration", "Risk against coverage", "Learning curve",
    "Worst errors", "Slices", "Cost", "Settings and fingerprints",
)  # fmt: skip
TAGS = {
    "html", "head", "meta", "link", "title", "style", "body", "header", "main", "footer", "nav", "section", "aside",
    "h1", "h2", "h3", "p", "a", "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "blockquote", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "desc", "line", "rect", "circle",
    "polyline", "text",
}  # fmt: skip
HOSTILE = (
    "<script>document.title = 1</script>", "</style><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>', "' autofocus onfocus=alert(1) '", "</title><base href=//x.y>", "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp; &#60;", "<!-- a", "]]><!DOCTYPE html>", "javascript:alert(1)", "\u202eabc\x00\x1b[31m",
)  # fmt: skip


def read(report):
    return Page(render_html(report))


def section(report, title):
    """The part of the page below a heading, as text."""
    page = render_html(report)
    found = [part for part in re.split(r"(?=<section )", page.partition("<footer>")[0]) if f'">{title}</h2>' in part]
    return Page(found[0].replace("</main>", "")).text if found else None


@pytest.mark.parametrize("title", SECTIONS)
def test_the_page_has_every_part(title):
    assert section(sample_report(), title)


def test_the_contents_link_to_every_part():
    page = render_html(sample_report())
    assert re.findall(r'<li><a href="#(.*?)">', page) == re.findall(r'<section id="(.*?)"', page)
    assert tuple(re.findall(r'<li><a href="#.*?">(.*?)<', page)) == SECTIONS


def test_the_page_begins_with_the_headline():
    made = sample_report()
    pieces = read(made).pieces
    assert pieces[:4] == [
        "finance/sentiment: evaluation",
        "Evaluation report · single label",
        made.task,
        made.headline(),
    ]


def test_notes_stand_above_the_results():
    text = read(sample_report()).text
    assert text.index("the numbers flatter the tuned model") < text.index("Result")


def test_every_metric_of_every_system_has_its_interval():
    made = sample_report()
    text = section(made, "All metrics")
    for system in made.systems:
        for name, found in system.metrics.items():
            assert name in text
            assert found.value is None or f"{found.value:.3f} {found.low:.3f} to {found.high:.3f}" in text


def test_the_page_says_of_each_metric_what_is_better():
    text = section(small_report(), "All metrics")
    assert "macro_f1 higher is better" in text
    assert "log_loss lower is better" in text


def test_differences_have_signs_intervals_and_tests():
    made = sample_report()
    text, found = section(made, "Result"), made.comparisons[-1]
    assert all(sentence in text for sentence in made.summary())
    assert f"+0.002 {MINUS}0.043 to +0.047" in text
    assert f"0.951 1.000 {found.mcnemar.only_first} {found.mcnemar.only_second} 1.000 0.951" in text


def test_a_ceiling_is_shown_as_a_column_and_explained():
    text = section(small_report(ceiling={"macro_f1": 0.981}), "All metrics")
    assert "ceiling" in text
    assert "0.981" in text
    assert "ceiling" not in section(small_report(), "All metrics")


def test_the_confusion_has_counts_and_shares():
    made = first_changed(small_report(), confusion=((7, 1, 0, 2), (0, 8, 0, 0), (4, 0, 9, 5)))
    text = section(made, "Confusion")
    assert "true label negative neutral positive invalid negative 7 70% 1 10% 0 2 20% neutral 0 8 100% 0 0" in text
    assert 'class="number hit shade-7"' in render_html(made)
    assert 'class="number miss shade-2"' in render_html(made)


def test_a_confusion_of_many_labels_is_drawn():
    made = sample_report([f"label {place}" for place in range(WIDEST_MATRIX + 1)])
    assert "label 3 answered as label 3" in section(made, "Confusion")
    assert "15 commonest of" in section(made, "Confusion")


def test_of_many_classes_the_worst_that_occur_come_first_and_all_are_folded_away():
    labels = [f"label {place:02}" for place in range(MANY_CLASSES + 1)]
    made = first_changed(
        sample_report(labels),
        classes=tuple(ClassScores(label, 0.5, 0.5, place / 99, place, 3) for place, label in enumerate(labels)),
    )
    text = section(made, "Classes")
    worst, everything = text.split("all 31 classes", 1)
    assert f"the {WORST_CLASSES} classes with the lowest F1" in worst
    assert re.findall(r"label \d\d", worst) == labels[1 : 1 + WORST_CLASSES]
    assert re.findall(r"label \d\d", everything) == labels


def test_a_class_that_never_occurs_has_no_bar():
    classes = ClassScores("a", 1.0, 1.0, 1.0, 9, 9), ClassScores("b", 0.0, 0.0, 0.0, 0, 0)
    made = first_changed(small_report(labels=("a", "b")), classes=classes, confusion=None)
    assert "a 1.000 1.000 1.000 9 9 b - - - 0 0" in section(made, "Classes")
    assert render_html(made).count('class="track-area"') == 1


def test_every_system_with_probabilities_has_a_reliability_diagram():
    text = section(sample_report(), "Calibration")
    for name in ("tuned", "base", "base, 8 shots", "tfidf"):
        assert f"Reliability diagram of {name}" in text
    assert "Reliability diagram of majority" not in text


def test_risk_is_told_in_numbers_beside_the_curves():
    made = sample_report()
    text = section(made, "Risk against coverage")
    assert "tuned, when only its surest answers are given" in text
    assert f"tuned: {made.systems[0].risk_coverage.risk[-1]:.3f} wrong where all rows are answered" in text


def test_the_learning_curve_shows_loss_and_metric():
    text = section(sample_report(), "Learning curve")
    assert "Loss by step" in text
    assert "macro_f1 on validation rows by step" in text
    assert "From 1.516 at step 10" in text


def test_a_single_logged_step_can_be_drawn():
    made = small_report(training=({"step": 3, "loss": 0.5}, {"step": 3, "eval_macro_f1": 0.0}))
    assert "From 0.500 at step 3" in section(made, "Learning curve")


def test_errors_name_row_truth_answer_and_probability():
    text = section(sample_report(), "Worst errors")
    assert "row-0074 probability 0.966 answer negative true positive The order book" in text
    assert "Texts are left out" not in text


def test_texts_are_only_shown_where_the_report_holds_them():
    assert "order book" not in render_html(sample_report(texts=False))
    assert "Texts are left out; evaluate(..., include_text=True) keeps them." in read(sample_report(texts=False)).text


def test_slices_show_rows_intervals_and_the_largest_gap():
    text = section(sample_report(), "Slices")
    assert "macro_f1 by site, largest gap 0.131 [0.022, 0.258]" in text
    assert re.search(r"New York 47 0\.\d{3} 0\.\d{3} to 0\.\d{3}", text)


def test_a_slice_without_a_value_is_a_dash():
    sliced = Slices("site", "macro_f1", (Slice("north", 3, NOTHING),), NOTHING)
    assert "north 3 -" in section(small_report(slices=(sliced,)), "Slices")


def test_cost_shows_time_tokens_memory_and_parameters():
    text = section(sample_report(), "Cost")
    for line in ("seconds 10.1 9.0 31.7", "tokens computed 48,211", "tokens saved 60.4%", "peak memory 1.3 GiB"):
        assert line in text
    assert "trainable parameters 811,008 - -" in text


def test_settings_and_fingerprints_are_told_apart():
    text = section(sample_report(), "Settings and fingerprints")
    measured, fingerprints = text.split("Fingerprints", 1)
    assert "base.quantization.type nf4" in measured
    assert f"rows_fingerprint {'03ac674216f3e15c' * 4}" in fingerprints
    assert "higher_is_better" not in text


def test_what_was_not_measured_has_no_part():
    made = small_report(labels=None, slices=(), training=(), comparisons=(), notes=(), predictions=())
    bare = replace(made.systems[0], classes=None, confusion=None, calibration=None, risk_coverage=None, cost=None)
    page = render_html(replaced(made, systems=(bare,)))
    assert re.findall(r'-title">(.*?)</h2>', page) == ["Result", "All metrics", "Settings and fingerprints"]
    assert "What a reader must know" not in page


@pytest.mark.parametrize(
    "value", [NOTHING, Estimate(float("nan"), float("nan"), float("nan")), Estimate(0.5, None, None)]
)
def test_values_that_are_not_known_are_dashes(value):
    made = first_changed(small_report(), metrics={"macro_f1": value, "log_loss": value})
    assert "nan" not in read(made).text.replace("finance", "").lower()


def test_values_beyond_one_have_room():
    made = first_changed(
        small_report(), metrics={"macro_f1": Estimate(-0.2, -0.3, 0.1), "log_loss": Estimate(14.0, 12.0, 16.0)}
    )
    assert f"from {MINUS}0.3 to 1" in section(made, "Result")


@pytest.mark.parametrize("rows", [1, 2])
def test_a_page_of_hardly_any_rows_can_be_drawn(rows):
    assert f"rows {rows} labels 3" in read(sample_report(rows=rows)).text


# Escaping


HREFS = {"data:,", *(f"#{name}" for name in re.findall(r'<section id="(.*?)"', render_html(sample_report())))}


def count(data, page):
    """How many pieces of text hold some data, as it is."""
    return sum(" ".join(clean(data).split()) in piece for piece in page.pieces)


@pytest.mark.parametrize("data", HOSTILE)
def test_data_is_text_and_nothing_else(data):
    page = read(hostile_report(data))
    assert page.tags <= TAGS
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert {value for name, value in page.attributes if name == "href"} <= HREFS
    assert count(data, page) == count("data", read(hostile_report("data")))


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=30).filter(lambda text: text.split()))
def test_any_data_is_text_and_nothing_else(data):
    page = read(hostile_report(data))
    assert page.tags <= TAGS
    assert count(data, page) >= count("data", read(hostile_report("data")))


def test_nothing_is_loaded_and_nothing_may_be():
    page = render_html(sample_report())
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<script|src=", page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page


# In a browser

LONG = "a_name_without_any_space_" * 12
REPORTS = {
    "three labels": sample_report(),
    "many labels": sample_report([f"intent {place}: about something long" for place in range(77)], 300),
    "long words": hostile_report(LONG),
    "hostile": hostile_report(HOSTILE[1]),
}
CONTRAST = """
(() => {
  const parse = colour => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = colour => {
    const [r, g, b] = colour.slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const white = [255, 255, 255, 1], own = element => parse(getComputedStyle(element).backgroundColor);
  const ground = element => element ? over(own(element), ground(element.parentElement)) : white;
  let worst = [99, ""];
  for (const element of document.body.querySelectorAll("*")) {
    const written = [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim());
    if (!written || !element.getClientRects().length || ["title", "desc"].includes(element.tagName)) continue;
    const style = getComputedStyle(element), below = ground(element.closest("svg") || element);
    const ink = over(parse(element.tagName == "text" ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x), contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst[0]) worst = [contrast, element.outerHTML.slice(0, 200)];
  }
  return worst;
})()
"""
OVERLAPS = """
[...document.querySelectorAll("svg.plot")].flatMap(plot => {
  const boxes = [...plot.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()]);
  return boxes.flatMap(([text, a], place) => boxes.slice(place + 1)
    .filter(([_, b]) => a.left < b.right - 1 && b.left < a.right - 1)
    .filter(([_, b]) => a.top < b.bottom - 2 && b.top < a.bottom - 2)
    .map(([other]) => text.textContent + " / " + other.textContent));
})
"""
SMALLEST = """
Math.min(...[...document.querySelectorAll("svg.plot text")].map(text =>
  parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a))
"""
LEAVING = """
[...document.body.querySelectorAll("*")].filter(element => {
  const box = element.getBoundingClientRect();
  return !element.closest(".scroll") && box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map(element => element.outerHTML.slice(0, 120))
"""


@pytest.fixture(scope="module")
def page():
    if not find_browser():
        pytest.skip("there is no Chromium")
    with browser() as found:
        yield found


@pytest.fixture
def show(page, tmp_path):
    def open_report(name, **how):
        page.open(REPORTS[name].save(tmp_path / "report.html"), **how)
        return page

    return open_report


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_opens_without_an_error_and_asks_for_nothing(show, name):
    page = show(name)
    assert page.heard("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    asked = [event["request"]["url"].partition(":")[0] for event in page.heard("Network.requestWillBeSent")]
    assert set(asked) <= {"file", "data"}
    assert asked.count("file") == 1


def test_hostile_data_runs_nothing_and_looks_as_it_is(show):
    page = show("hostile")
    assert page.evaluate("document.querySelectorAll('script, img, iframe, object, embed, form, base').length") == 0
    assert page.evaluate("document.title") == f"{HOSTILE[1]}: evaluation"
    assert page.evaluate("document.querySelector('h1').textContent") == HOSTILE[1]


@pytest.mark.parametrize("width", [320, 390, 1200])
@pytest.mark.parametrize("name", ["many labels", "long words"])
def test_the_page_is_as_wide_as_the_screen(show, name, width):
    page = show(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LEAVING) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["three labels", "many labels"])
def test_all_words_stand_out_from_the_ground(show, name, dark):
    contrast, where = show(name, dark=dark).evaluate(CONTRAST)
    assert contrast >= 4.5, where  # WCAG 2.2, level AA


def test_dark_is_dark_and_light_is_light(show):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert show("three labels").evaluate(ground) == "rgb(255, 255, 255)"
    assert show("three labels", dark=True).evaluate(ground) == "rgb(20, 24, 30)"


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", ["three labels", "many labels"])
def test_words_of_plots_do_not_overlap_and_can_be_read(show, name, width):
    page = show(name, width=width)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALLEST) >= 9


def test_numbers_of_a_column_end_in_line(show):
    cells = "[...document.querySelectorAll('#cost tr td:nth-child(2) .value')]"
    ends = show("three labels").evaluate(f"{cells}.map(cell => cell.getBoundingClientRect().right)")
    assert len(ends) == 7
    assert len(set(map(round, ends))) == 1


def eventually(page, expression):
    for _ in range(100):
        if page.evaluate(expression):
            return True
        time.sleep(0.05)
    return False


def test_on_paper_everything_is_open_and_nothing_is_cut(show):
    page = show("three labels", width=720)
    shown = "document.querySelector('details .scroll').checkVisibility({contentVisibilityAuto: true})"
    assert page.evaluate(shown) is False
    page.ask("Emulation.setEmulatedMedia", media="print")
    assert eventually(page, shown)  # the browser lays out anew in its own time
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    ends = page.evaluate("[...document.querySelectorAll('table')].map(table => table.getBoundingClientRect().right)")
    assert max(ends) <= 721

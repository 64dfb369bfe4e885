import base64
import hashlib
import re

import pytest
from browser import browser, find_browser
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page

from qlorakit.audit_findings import Audit, Finding
from qlorakit.audit_html import LONGEST_TABLE, render_html
from qlorakit.documents import clean

TAGS = {
    "html", "head", "meta", "link", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "p",
    "ul", "li", "dl", "dt", "dd", "div", "span", "blockquote", "details", "summary", "table", "thead", "tbody", "tr",
    "th", "td",
}  # fmt: skip
HOSTILE = (
    "<script>document.title = 1</script>", "</style><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>', "</title><base href=//x.y>", "{{ 7 * 7 }}{% raw %}", "&lt;b&gt; &amp;", "<!-- a",
    "\u202eabc\x00\x1b[31m",
)  # fmt: skip


def finding(**changes):
    given = {
        "code": "overlap", "severity": "warning", "title": "5 % of 'test'", "why": "It matters.",
        "what_to_do": "Do it.", "rows": (1, 4), "numbers": (2, 5), "total": 40,
        "figures": {"share": 0.05, "by label": {"red": 3, "blue": 1200}},
    }  # fmt: skip
    return Finding(**{**given, **changes})


def audit_of(*findings, **changes):
    return Audit(**{"task": "tests/colour", "rows": 1000, "findings": findings, **changes})


def test_the_page_says_what_each_finding_says():
    said = Page(render_html(audit_of(finding(), finding(severity="fatal"), skipped=("lengths",)))).pieces
    assert {"tests/colour", "5 % of 'test'", "It matters.", "Do it.", "2, 5 and 38 more", "0.050", "1,200"} <= set(said)
    assert {"fatal", "warning", "lengths", "Audit of 1,000 rows: 1 fatal, 1 warning, 0 notes"} <= set(said)


def test_an_audit_without_findings_is_a_page_too():
    assert "Audit of 1 row: 0 fatal, 0 warnings, 0 notes" in Page(render_html(audit_of(rows=1))).pieces


@pytest.mark.parametrize("hostile", HOSTILE)
def test_data_is_shown_and_never_obeyed(hostile):
    one = finding(title=hostile, figures={hostile: 1, "t": {hostile: 2}}, texts=(hostile, "plain"))
    page = Page(render_html(audit_of(one, task=hostile, skipped=(hostile,))))
    assert page.open == []
    assert page.tags <= TAGS
    assert page.pieces.count(" ".join(clean(hostile).split())) >= 5


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_no_text_leaves_its_place(words):
    page = Page(render_html(audit_of(finding(title=words, texts=(words,)), task=words)))
    assert page.open == []
    assert page.tags <= TAGS


def test_the_page_loads_nothing_and_runs_nothing():
    page = render_html(audit_of(finding()))
    names = {name for name, _ in Page(page).attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "style", "action"})
    style = re.search("<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in page
    assert "url(" not in style
    assert "@import" not in style


def test_a_long_table_is_folded_away_and_a_short_one_is_not():
    short, long = ({f"label {place}": place for place in range(count)} for count in (LONGEST_TABLE, LONGEST_TABLE + 1))
    assert "<details>" not in render_html(audit_of(finding(figures={"by label": short})))
    assert "<details>" in render_html(audit_of(finding(figures={"by label": long})))


def test_texts_are_shown_where_they_were_asked_for():
    page = render_html(audit_of(finding(texts=("one text", "another"))))
    assert {"row 2", "row 5", "one text", "another"} <= set(Page(page).pieces)
    assert "blockquote" not in Page(render_html(audit_of(finding()))).tags


@pytest.mark.skipif(not find_browser(), reason="no Chromium to look at the page with")
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone_without_complaints(tmp_path, dark):
    long = finding(
        title="column " + "x" * 200, figures={"n" * 90: 1, "by label": {"y" * 120: 2}}, texts=("z" * 300, "w")
    )
    path = audit_of(long, finding(severity="fatal"), task="t" * 80).save(tmp_path / "audit.html")
    with browser() as page:
        page.open(path, width=375, dark=dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(20, 24, 30)" if dark else "rgb(255, 255, 255)")
        assert not page.heard("Log.entryAdded", "Runtime.exceptionThrown")

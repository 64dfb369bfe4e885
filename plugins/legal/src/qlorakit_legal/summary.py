"""``legal/summary``: what do terms of service or a bill say, in plain language?

A row: ``{"text": "We may amend these terms ...", "answer": "The terms can change.", "service": "a.example"}``; the
service is not shown, but keeps what was written by one company on one side of a split.

Runs of white space are shown as one space, and blank lines as a line break: bills are set with indents, which would
take 43 % of their tokens.  What then does not fit in the model's context is cut and counted: of BillSum the greater
part at 1,024 tokens.

Words that a summary quotes are looked up in the whole text, cut or not.  The published summaries quote nothing: a model
that learns from them has no reason to, and the metrics of quotes are for those that do.
"""

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.kinds import text
from qlorakit.quotes import invented_quote_rate, invented_quotes
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit.text_metrics import chrf, rouge
from qlorakit_legal.summary_samples import SUMMARY_SAMPLES

TOLD = tuple(
    (name, "it is a summary of the text, and often the right one in other letters")
    for name in ("title_text", "case_text", "tldr_text")
)
TEXT = Column("text", aliases=("original_text", "passage", "bill", "content"), refused=TOLD)
ANSWER = Column("answer", aliases=("reference_summary", "summary", "target"), label=True)
SERVICE = Column("service", aliases=("company", "provider"), optional=True)
PUBLISHED = ("original_text", "reference_summary")
_FIRST_ENTRY = re.compile(r'\s*\{\s*"[^"]+"\s*:\s*\{')
_ADDRESS = re.compile(r"'([^']+)'")
_BLANK_LINES = re.compile(r"\n\s*\n")


def shown(row: Row) -> str:
    """What the model reads of a row: the text with single spaces, and a line break for blank lines."""
    paragraphs = (" ".join(part.split()) for part in _BLANK_LINES.split(source_text(row)))
    return "\n".join(filter(None, paragraphs))


def source_text(row: Row) -> str:
    """The whole text of a row, in which quotes are looked up."""
    return required_text(row, TEXT.name)


def of_one_service(row: Row) -> Hashable:
    """Whose terms a text is of, up to case and white space; ``None`` where the row does not tell."""
    service = row.get(SERVICE.name)
    return None if is_blank(service) else " ".join(str(service).split()).casefold()


# Files


def _is_published(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head)
    entries = _FIRST_ENTRY.search(beginning[:200])
    return path.suffix.lower() == ".json" and bool(entries) and all(f'"{name}"' in beginning for name in PUBLISHED)


def _read_published(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each entry; the number is that of the entry."""
    for number, (uid, entry) in enumerate(_entries(path).items(), start=1):
        missing = [name for name in PUBLISHED if not isinstance(entry, dict) or name not in entry]
        if missing:
            msg = f"{path}, entry {uid!r}: there is no {missing[0]!r} in it; download the file once more"
            raise DataError(msg)
        yield number, {
            "text": entry["original_text"], "answer": entry["reference_summary"], "service": _service(entry),
            "doc": entry.get("doc", ""), "uid": uid,
        }  # fmt: skip


def _service(entry: Mapping[str, Any]) -> str:
    """The first of a service's addresses by the alphabet; the document's name where there are none."""
    addresses = _ADDRESS.findall(str(entry.get("urls", "")))
    return min(addresses) if addresses else str(entry.get("doc", ""))


def _entries(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(
            path.read_text(encoding=file_encoding(path)), object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as error:  # a name occurs twice, or it is no JSON
        msg = f"{path} cannot be read as JSON ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} holds a {type(found).__name__} where entries by their names are expected"
        raise DataError(msg)
    return found


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a name occurs twice in it, of which the json module would keep the last without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        msg = f"the name {twice!r} occurs twice in an object"
        raise ValueError(msg)
    return found


PLAIN_ENGLISH_JSON = FileFormat(
    "Plain English Summarization of Contracts .json (uid, original_text, reference_summary)",
    _is_published,
    _read_published,
)

PLAIN_ENGLISH = PublicDataset(
    name="Plain English Summarization of Contracts",
    identifier="lauramanor/legal_summarization",
    url="https://github.com/lauramanor/legal_summarization",
    licence="Apache-2.0 for the repository; the rights of the services in their terms were not verified",
    citation="Manor, Li (2019): Plain English Summarization of Contracts. Natural Legal Language Processing Workshop",
    columns=PUBLISHED,
    traps=(
        "one JSON object by uid; all_v1.json is the other two files together: reading all three repeats every row",
        "446 rows are few: 361 of TOS;DR (111 services), 85 of TLDRLegal (9 documents)",
        (
            "lower-cased, with a full stop as the only punctuation: apostrophes are lost ('don t'), and so are the "
            "quotation marks of defined terms; no text and no summary quotes anything"
        ),
        "some summaries are jokes or say nothing, such as 'hi.', 'no malware.' and 'don t blame google.' (twice)",
        (
            "221 rows have a summary that another row has too, the commonest 11 times: phrases of the site, of which "
            "the commonest are right without reading; 63 of them stand under several services, which a split by "
            "service does not keep apart"
        ),
        "1 text occurs twice, under two services and with two summaries: it stays on one side of a split",
        "documents are called 'Privacy Policy' (111 rows) and so on: urls tell the service, in 1 row they hold a text",
        (
            "one of title_text, case_text and tldr_text is the right summary before it was lower-cased, in all rows of "
            "TOS;DR: refused as inputs"
        ),
        "20 rows are marked (q-) for a summary that is an excerpt, though few stand in their text word for word (4 do)",
        (
            "summaries have 13 words in the median and 80 at most, and 91 % of their runs of three words are not in "
            "the text: ROUGE is low for good answers too"
        ),
        "12 texts are cut at 1,024 tokens of qlorakit/tiny, 256 of which are kept for the answer",
    ),
)

BILLSUM = PublicDataset(
    name="BillSum",
    identifier="FiscalNote/billsum",
    url="https://github.com/FiscalNote/BillSum",
    licence="CC0",
    citation=(
        "Kornilova, Eidelman (2019): BillSum: A Corpus for Automatic Summarization of US Legislation. Workshop on New "
        "Frontiers in Summarization. arXiv:1910.00523"
    ),
    columns=("text", "summary", "title"),
    traps=(
        "figures are of 100 bills of the training set, US Congress; the official tests are others (US and California)",
        (
            "bills have 1,594 to 8,563 tokens of qlorakit/tiny, with white space made single 1,015 to 5,036: at 1,024 "
            "every bill is cut, half of them by about two thirds or more: summaries tell what the model has not read"
        ),
        (
            "summaries have 140 words in the median and 708 at most; 11 have at most 60, 30 at most 100, 66 at most "
            "200: 40 of 100 exceed the 256 tokens of max_new_tokens, and training refuses them unless that is raised"
        ),
        "the language of summaries is that of Congress ('Amends the Internal Revenue Code to ...', 47 so)",
        "75 of 100 summaries begin with the short title of the act, which stands in the first lines of the bill",
        "quotation marks are `` and '' in all bills, which count as double ones; no summary quotes anything",
        (
            "cleaning has hurt summaries: semicolons of lists are full stops ('. Or (2)', '. And (2)', in 48), '70 12' "
            "is 70 1/2 (2), 'nbsp' is left of a space (3); some lack their beginning"
        ),
        "title ('To amend ... to ...') is half a summary: it is not shown",
        (
            "no two of these 100 bills are alike (Jaccard index of three-word shingles from 0.5 on), but Congress "
            "introduces many bills twice: near-duplicates are kept together by a split, official splits may not do so"
        ),
    ),
)

SUMMARY = text(
    "legal/summary",
    summary="Terms of service and bills in plain language: what a passage means, or what an act would do",
    instruction=(
        "Sum up the legal text in plain language. Say in a sentence what terms mean for the user, or in a few what a "
        "bill would do."
    ),
    source=(TEXT, SERVICE),
    answer=ANSWER,
    show=shown,
    file_formats=(PLAIN_ENGLISH_JSON,),
    group=of_one_service,
    metrics=(
        rouge("rougeL"), rouge("rouge1"), rouge("rouge2"), chrf(),
        invented_quote_rate(source_text), invented_quotes(source_text),
    ),
    samples=SUMMARY_SAMPLES,
    datasets=(PLAIN_ENGLISH, BILLSUM),
)  # fmt: skip

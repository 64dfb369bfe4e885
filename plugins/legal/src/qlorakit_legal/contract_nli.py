"""ContractNLI as it is published: non-disclosure agreements, and what each says of 17 fixed hypotheses.

A file is one JSON object, with a list of ``documents`` and the hypotheses under ``labels``.  A document comes with its
``text``, with ``spans`` (places of its sentences and list items in characters), and with annotations: for each
hypothesis a choice, and the numbers of the spans that are evidence of it.

A document becomes a row with 17 answers, the evidence as places in its text, spans that follow each other as one::

    {
        "document": "nda.pdf",
        "text": "Recipient shall not decompile the software. ...",
        "answers": [{"question": "nda-11", "answer": "entailment", "evidence": [[0, 43]]}, ...],
    }
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank
from qlorakit.errors import DataError, did_you_mean
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

logger = logging.getLogger(__name__)

ABSENT = "not mentioned"
LABELS = ("entailment", "contradiction", ABSENT)
CHOICES = {"Entailment": "entailment", "Contradiction": "contradiction", "NotMentioned": ABSENT}
HYPOTHESES = {
    "nda-11": (
        "Receiving Party shall not reverse engineer any objects which embody Disclosing Party's Confidential "
        "Information."
    ),
    "nda-16": (
        "Receiving Party shall destroy or return some Confidential Information upon the termination of Agreement."
    ),
    "nda-15": "Agreement shall not grant Receiving Party any right to Confidential Information.",
    "nda-10": "Receiving Party shall not disclose the fact that Agreement was agreed or negotiated.",
    "nda-2": "Confidential Information shall only include technical information.",
    "nda-1": "All Confidential Information shall be expressly identified by the Disclosing Party.",
    "nda-19": "Some obligations of Agreement may survive termination of Agreement.",
    "nda-12": "Receiving Party may independently develop information similar to Confidential Information.",
    "nda-20": (
        "Receiving Party may retain some Confidential Information even after the return or destruction of Confidential "
        "Information."
    ),
    "nda-3": "Confidential Information may include verbally conveyed information.",
    "nda-18": "Receiving Party shall not solicit some of Disclosing Party's representatives.",
    "nda-7": (
        "Receiving Party may share some Confidential Information with some third-parties (including consultants, "
        "agents and professional advisors)."
    ),
    "nda-17": "Receiving Party may create a copy of some Confidential Information in some circumstances.",
    "nda-8": (
        "Receiving Party shall notify Disclosing Party in case Receiving Party is required by law, regulation or "
        "judicial process to disclose any Confidential Information."
    ),
    "nda-13": "Receiving Party may acquire information similar to Confidential Information from a third party.",
    "nda-5": "Receiving Party may share some Confidential Information with some of Receiving Party's employees.",
    "nda-4": (
        "Receiving Party shall not use any Confidential Information for any purpose other than the purposes stated in "
        "Agreement."
    ),
}

BYTE_ORDER_MARK = "\ufeff".encode().decode("latin-1")  # UTF-8's, in a head that is read as Latin-1
OBJECT = re.compile(r'\s*\{\s*"(?:documents|labels)"\s*:')
KEYS = re.compile(r'"(?:annotation_sets|document_type|spans|short_description|hypothesis)"\s*:')
READ = frozenset(("text", "spans", "annotation_sets"))
TAKEN = frozenset(("document", "text", "answers"))  # what rows of the task have


def _is_contract_nli(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head).removeprefix(BYTE_ORDER_MARK)
    return path.suffix.lower() == ".json" and bool(OBJECT.match(beginning) and KEYS.search(beginning))


def _read_contract_nli(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each document; the number is its place in the list."""
    whole = _json_object(path)
    _check_hypotheses(whole.get("labels", {}), path)
    documents = whole.get("documents")
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        msg = f"{path}: 'documents' must be a list of objects; download the file once more"
        raise DataError(msg)
    blank = 0
    for number, document in enumerate(documents, start=1):
        yield number, _row_of(document, number, f"{path}, document {number}")
        blank += _blank_evidence(document)
    if blank:
        logger.warning("%s: %d spans of evidence hold nothing but white space and are left out", path, blank)


def _blank_evidence(document: Mapping[str, Any]) -> int:
    """How many spans that are evidence hold nothing to read, in a document that is sound."""
    found = document["annotation_sets"][0]["annotations"].values() if document.get("annotation_sets") else ()
    spans = [document["spans"][number] for entry in found for number in entry.get("spans", ())]
    return sum(_is_blank(span, document["text"]) for span in spans)


def _json_object(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding=file_encoding(path)), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # a name occurs twice, or it is no JSON
        msg = f"{path} cannot be read as JSON ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} holds a {type(found).__name__} where an object with 'documents' is expected"
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


def _check_hypotheses(labels: Any, path: Path) -> None:  # noqa: ANN401  # whatever the file holds
    """Raise where a file has hypotheses that the task does not ask."""
    if not isinstance(labels, dict) or not all(isinstance(entry, dict) for entry in labels.values()):
        msg = f"{path}: 'labels' must be an object with an entry for each hypothesis; download the file once more"
        raise DataError(msg)
    for key, entry in labels.items():
        _check_key(key, f"{path}, 'labels'")
        text = entry.get("hypothesis", HYPOTHESES[key])
        if text != HYPOTHESES[key]:
            msg = (
                f"{path}: the hypothesis {key!r} reads {text!r}, and the task asks {HYPOTHESES[key]!r}; other "
                "hypotheses need a task of their own (qlorakit.document_questions)"
            )
            raise DataError(msg)


def _check_key(key: str, where: str) -> None:
    if key not in HYPOTHESES:
        msg = (
            f"{where}: unknown hypothesis {key!r}; known are {', '.join(HYPOTHESES)}.{did_you_mean(key, HYPOTHESES)} "
            "Other hypotheses need a task of their own (qlorakit.document_questions)"
        )
        raise DataError(msg)


def _row_of(document: Mapping[str, Any], number: int, where: str) -> Row:
    """The row of a document, without answers where it has no annotations."""
    text, name = document.get("text"), document.get("file_name") or document.get("id", number)
    if not isinstance(text, str) or not text.strip():
        msg = f"{where}: 'text' is missing or empty; fill it in, or remove the document"
        raise DataError(msg)
    others = {key: cell for key, cell in document.items() if key not in READ}
    if not TAKEN.isdisjoint(others):
        msg = f"{where}: the name {min(TAKEN & set(others))!r} is a column of the task's own; rename it"
        raise DataError(msg)
    row = {"document": str(name).strip(), "text": text, **others}
    annotations = _annotations(document, where)
    if annotations is None:
        return row
    spans = _spans(document.get("spans"), len(text), where)
    answers = [_answer(key, entry, len(spans), where) for key, entry in annotations.items()]
    for answer in answers:
        answer["evidence"] = _joined([spans[number] for number in answer["evidence"]], text)
    return {**row, "answers": answers}


def _annotations(document: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    """The annotations by the keys of their hypotheses; ``None`` where there are none."""
    sets = document.get("annotation_sets", [])
    if not isinstance(sets, list):
        msg = f"{where}: 'annotation_sets' must be a list with one object in it"
        raise DataError(msg)
    if len(sets) > 1:
        msg = f"{where}: {len(sets)} annotation sets, and only one can be the reference; keep one of them"
        raise DataError(msg)
    if not sets:
        return None
    found = sets[0].get("annotations") if isinstance(sets[0], dict) else None
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        msg = f"{where}: 'annotations' must be an object with an entry for each hypothesis"
        raise DataError(msg)
    return found


def _spans(spans: Any, length: int, where: str) -> list[list[int]]:  # noqa: ANN401  # whatever the file holds
    """The spans, each of which is a place in the text."""
    if not isinstance(spans, list):
        msg = f"{where}: 'spans' must be a list of places in the text, of which annotations give the numbers"
        raise DataError(msg)
    for number, span in enumerate(spans):
        whole = isinstance(span, list) and [type(end) for end in span] == [int, int]
        if not whole or not 0 <= span[0] < span[1] <= length:
            msg = f"{where}: span {number} is {span!r}, and no place in a text of {length} characters; correct it"
            raise DataError(msg)
    return spans


def _answer(key: str, entry: Mapping[str, Any], spans: int, where: str) -> dict[str, Any]:
    """The answer to a question, with the numbers of the spans that are its evidence."""
    _check_key(key, where)
    choice, numbers = entry.get("choice"), entry.get("spans", [])
    if not isinstance(choice, str) or choice not in CHOICES:
        msg = f"{where}, {key}: unknown choice {choice!r}; it must be one of {', '.join(CHOICES)}"
        raise DataError(msg)
    if not isinstance(numbers, list):
        msg = f"{where}, {key}: 'spans' must be a list of numbers, not {numbers!r}"
        raise DataError(msg)
    wrong = [number for number in numbers if type(number) is not int or not 0 <= number < spans]
    if wrong:
        msg = f"{where}, {key}: there is no span {wrong[0]!r}, as the document has {spans}, counted from 0"
        raise DataError(msg)
    if numbers and CHOICES[choice] == ABSENT:
        msg = f"{where}, {key}: {choice} with span {numbers[0]} as evidence; correct the choice, or remove the spans"
        raise DataError(msg)
    return {"question": key, "answer": CHOICES[choice], "evidence": numbers}


def _joined(spans: Sequence[list[int]], text: str) -> list[list[int]]:
    """Spans in order, without blank ones; those with nothing but white space between them as one."""
    joined: list[list[int]] = []
    for start, end in sorted(span for span in spans if not _is_blank(span, text)):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end])
    return joined


def _is_blank(span: Sequence[int], text: str) -> bool:
    return not text[span[0] : span[1]].strip()


def document_of(row: Row) -> str | None:
    """The name of a row's document, where it is known."""
    name = row.get("document")
    return None if is_blank(name) else str(name).strip()


CONTRACT_NLI_JSON = FileFormat(
    "ContractNLI .json (documents with spans and annotation_sets)", _is_contract_nli, _read_contract_nli
)

CONTRACT_NLI = PublicDataset(
    name="ContractNLI",
    identifier="stanfordnlp/contract-nli",
    url="https://stanfordnlp.github.io/contract-nli/",
    licence="CC BY 4.0",
    citation=(
        "Koreeda, Manning (2021): ContractNLI: A dataset for document-level natural language inference for contracts. "
        "Findings of EMNLP. arXiv:2110.01799"
    ),
    columns=("id", "file_name", "text", "document_type", "url", "spans", "annotation_sets"),
    traps=(
        (
            "counts are of dev.json (61 contracts), test.json (123) and the first 50 of the 423 in train.json, all "
            "of them PDF files from a search engine; the others, files of the SEC among them, could not be looked at"
        ),
        (
            "contradictions are 11 % of the answers (429 of 3,978); always the commonest answer to a hypothesis, "
            "learned from those 50, has an accuracy of 0.66 and a macro-F1 of 0.62 on test.json without reading "
            "anything"
        ),
        (
            "5 of the 17 hypotheses (nda-8, 12, 13, 15 and 18) are contradicted in none of all 607 contracts, as far "
            "as the pairs tell, 3 more (nda-10, 11 and 16) in 1 to 4: next to nothing can be learned of it"
        ),
        (
            "219 of 234 contracts have more than 1,024 tokens of the small base, half of them more than 2,200 to "
            "2,900, one 10,468: in windows of 1,024 half take 4 or more, one takes 14; a model that cuts them misses "
            "most"
        ),
        (
            "1,253 of 2,305 findings have several spans as evidence, 899 of them not in a row; 149 stretch over more "
            "than 800 tokens: no window holds all of it"
        ),
        (
            "spans are sentences or list items within sentences; those that follow each other are read as one piece "
            "of evidence, and with all sentences chosen right its F1 reaches 0.86 on test.json (0.67 if they were "
            "not joined)"
        ),
        (
            "half of the spans that are evidence begin or end with white space; one, in dev.json, holds nothing "
            "else, and is left out"
        ),
        "line breaks are kept, indentation and empty lines are not; some lines end within sentences",
        (
            "copies: 3 pairs of contracts in test.json are the same up to a few words, another one to 94 % "
            "(three-word shingles); one of dev.json and one of test.json to 72 %: their answers are not independent"
        ),
        "the only reference is one set of annotations: how far lawyers would agree is not in the files",
        "keys are not in order, and there are no nda-6, 9 and 14: keys, not places, say which hypothesis it is",
    ),
)

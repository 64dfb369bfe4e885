"""CUAD's whole contracts with what lawyers marked in them, as rows of documents under 41 questions.

A row holds a contract, and an answer for each category, with the places of the marked words in the text::

    {
        "document": "ACME - SUPPLY AGREEMENT.PDF",
        "text": "SUPPLY AGREEMENT ...",
        "answers": [{"question": "Governing Law", "answer": "present", "evidence": [[812, 903]]}, ...],
    }

``CUAD_v1.json`` holds all of it in one file and is read as it is.  Where only the marked words and the texts of the
contracts are at hand, :func:`read_cuad` joins them.
"""

import json
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank
from qlorakit.errors import DataError, did_you_mean, first_few
from qlorakit.file_readers import Reader
from qlorakit.quotes import Place, QuoteFinder
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit_legal.cuad import CATEGORIES, Annotation, category_name, quoted_spans, read_master_clauses

logger = logging.getLogger(__name__)

ABSENT, PRESENT = "absent", "present"
NAMED = 5  # contracts in a message

# Of each category, in the order of CATEGORIES.
QUESTIONS = {
    "Document Name": "What is the contract called?",
    "Parties": "Who are the parties to the contract?",
    "Agreement Date": "On which date was the contract made or signed?",
    "Effective Date": "From which date does the contract take effect?",
    "Expiration Date": "When does the initial term end?",
    "Renewal Term": "For how long is the term extended or renewed afterwards?",
    "Notice Period to Terminate Renewal": "How early must notice be given to prevent renewal?",
    "Governing Law": "The law of which state or country governs the contract?",
    "Most Favored Nation": "Must a party get terms as good as any third party's?",
    "Competitive Restriction Exception": "Are there exceptions to non-competition, exclusivity or non-solicitation?",
    "Non-Compete": "Is a party barred from competing, or from some field or area?",
    "Exclusivity": "Must a party deal with the other party alone?",
    "No-Solicit of Customers": "Is a party forbidden to solicit the other's customers?",
    "No-Solicit of Employees": "Is a party forbidden to solicit or hire the other's staff?",
    "Non-Disparagement": "Is a party forbidden to speak ill of the other?",
    "Termination for Convenience": "May a party end the contract without cause?",
    "Rofr/Rofo/Rofn": "Does a party have a right of first refusal, offer or negotiation?",
    "Change of Control": "Does a merger, sale or change of owners have consequences?",
    "Anti-Assignment": "Does assigning the contract need consent or notice?",
    "Revenue/Profit Sharing": "Must a party share revenue or profit with the other?",
    "Price Restrictions": "Are there limits on raising or lowering prices?",
    "Minimum Commitment": "Must a party buy, sell or pay a minimum?",
    "Volume Restriction": "Does use above a threshold cost more or need consent?",
    "IP Ownership Assignment": "Does intellectual property that one party creates go to the other?",
    "Joint IP Ownership": "Do the parties own intellectual property jointly?",
    "License Grant": "Does a party grant the other a license?",
    "Non-Transferable License": "Is a license not transferable?",
    "Affiliate License-Licensor": "Does a license include intellectual property of the licensor's affiliates?",
    "Affiliate License-Licensee": "Does a license extend to affiliates of the licensee?",
    "Unlimited/All-You-Can-Eat-License": "Does a license allow unlimited use?",
    "Irrevocable or Perpetual License": "Is a license irrevocable or perpetual?",
    "Source Code Escrow": "Must source code be deposited in escrow?",
    "Post-Termination Services": "Are there duties after the contract has ended?",
    "Audit Rights": "May a party audit the other's books, records or premises?",
    "Uncapped Liability": "Is a party's liability without limit, at least for some breaches?",
    "Cap on Liability": "Is liability limited in amount, kind or time?",
    "Liquidated Damages": "Are damages or a termination fee agreed in advance?",
    "Warranty Duration": "How long does a warranty last?",
    "Insurance": "Must a party keep insurance?",
    "Covenant Not to Sue": "Has a party promised not to contest rights, or not to sue?",
    "Third Party Beneficiary": "May someone who is no party enforce the contract?",
}

_ENDING = re.compile(r"\.(?:pdf|txt)\W*$", re.IGNORECASE)
_FILED = re.compile(r"(.+?)_(?:\d{2}_\d{2}_\d{4}|\d{8})[-_].*?EX(?:-|\d)")  # filer, date, and the number of an exhibit
_IDENTIFIER = re.compile(r".*__(?P<category>.+?)(?:_\d+)?", re.DOTALL)  # "<contract>__<category>", also "..._0"


# Joined from two sources


def read_cuad(clauses: str | Path, contracts: str | Path) -> list[dict[str, Any]]:
    """Whole contracts with the places of what lawyers marked in them.

    Contracts belong together where their names are the same but for ending, case, punctuation and Unicode form, as the
    two sources do not spell all of them alike.

    A category is present where words of the contract were marked for it, whatever the column of answers says.  These
    are looked up in the text up to white space and quotation marks, each part of ``<omitted>`` by itself.  Where they
    stand in several places, the first one is taken that is made of whole words, and that comes after the part before.
    Words that are nowhere in the text leave their category present, without this evidence.  All of this is counted in
    the log.

    Args:
        clauses: ``master_clauses.csv``.
        contracts: A folder with a text file for each contract, as ``full_contract_txt``, or JSON lines with ``name``
            and ``text``.

    Returns:
        ``{"document", "text", "answers"}`` of each contract, in the order of ``clauses``, with all 41 categories in
        each of them.

    Raises:
        DataError: A contract is in one of the sources only, two have the same name, or one of the sources is damaged.
    """
    marked = {name: annotations for _, name, annotations in read_master_clauses(Path(clauses))}
    texts = _by_key(dict(_contracts(Path(contracts))), contracts)
    keys = {key: name for name, (key, _) in zip(marked, _by_key(marked, clauses).items(), strict=True)}
    _check_matches(keys, {key: name for key, (name, _) in texts.items()}, clauses, contracts)
    counts: Counter[str] = Counter()
    rows = [_joined(name, texts[key][1], marked[name], counts) for key, name in keys.items()]
    for what, count in counts.items():
        logger.warning("%s and %s: %s: %d", clauses, contracts, what, count)
    return rows


def _contracts(path: Path) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            yield file.name, file.read_text(encoding=file_encoding(file))
        return
    seen = set()
    for item in Reader(path).json_lines():
        name, text = (item.row or {}).get("name"), (item.row or {}).get("text")
        if not isinstance(name, str) or not isinstance(text, str) or not text.strip() or name in seen:
            again = f"the contract {name!r} is there again" if name in seen else "'name' and 'text' must both be texts"
            msg = f"{path}, line {item.number}: {item.error or again}"
            raise DataError(msg)
        seen.add(name)
        yield name, text


def name_key(name: str) -> str:
    """What a contract's name has in common in both sources: its letters and digits without the file's ending."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", _ENDING.sub("", name.strip()))).casefold()


def _by_key(named: Mapping[str, Any], source: str | Path) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for name, value in named.items():
        key = name_key(name)
        if key in found:
            msg = f"{source}: {found[key][0]!r} and {name!r} are the same but for punctuation; rename one of them"
            raise DataError(msg)
        found[key] = name, value
    return found


def _check_matches(
    marked: Mapping[str, str], texts: Mapping[str, str], clauses: str | Path, contracts: str | Path
) -> None:
    for source, names, others, other in ((contracts, marked, texts, clauses), (clauses, texts, marked, contracts)):
        missing = [repr(names[key]) for key in names if key not in others]
        if missing:
            msg = (
                f"{source}: {len(missing)} of the {len(names)} contracts of {other} are not in it: "
                f"{first_few(missing, NAMED)}; remove them there, or add them"
            )
            raise DataError(msg)


def _joined(name: str, text: str, marked: Mapping[str, Annotation], counts: Counter[str]) -> dict[str, Any]:
    finder = QuoteFinder(text)
    answers = []
    for category, annotation in marked.items():
        places = {place for quote in annotation.quotes for place in _places(finder, quote, counts)}
        if not annotation.quotes and annotation.answer.casefold() not in {"", "no"}:
            counts["categories with an answer but without marked words, taken as absent"] += 1
        answers.append(_answer(category, sorted(places), present=bool(annotation.quotes)))
    return {"document": name, "text": text, "answers": answers}


def _answer(category: str, places: Sequence[Place], *, present: bool) -> dict[str, Any]:
    return {
        "question": category,
        "answer": PRESENT if present else ABSENT,
        "evidence": [list(place) for place in places],
    }


def _places(finder: QuoteFinder, quote: str, counts: Counter[str]) -> Iterator[Place]:
    """Where the parts of a quote stand."""
    after = 0
    for part in quoted_spans(quote):
        found = finder.find_all(part)
        if not found:
            counts["marked words that are not in the contract, left out"] += 1
            continue
        whole = [place for place in found if _is_whole(finder.source, place)] or found
        counts["marked words that stand in several places, of which one is taken"] += len(whole) > 1
        place = next((place for place in whole if place[0] >= after), whole[0])
        after = place[1]
        yield place


def _is_whole(text: str, place: Place) -> bool:
    """Whether a stretch neither begins nor ends within a word."""
    start, end = place
    joins = [text[edge - 1 : edge + 1] for edge in (start, end) if edge > 0]
    return not any(len(pair) > 1 and pair[0].isalnum() and pair[1].isalnum() for pair in joins)


# In one file


def _is_cuad_json(path: Path, head: Sequence[str]) -> bool:
    """Whether a JSON file begins as one of questions with answers in a context, as SQuAD's do."""
    beginning = "\n".join(head)
    keys = ('"data"', '"paragraphs"')
    return path.suffix.lower() == ".json" and all(key in beginning for key in keys)


def _read_cuad_json(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each text, numbered from 1."""
    try:
        whole = json.loads(path.read_text(encoding=file_encoding(path)))
    except (ValueError, RecursionError) as error:
        msg = f"{path} cannot be read as JSON ({error}); download it once more"
        raise DataError(msg) from error
    number = 0
    for title, paragraphs in _documents(whole, path):
        for place, paragraph in enumerate(paragraphs, start=1):
            number += 1
            name = title if len(paragraphs) == 1 else f"{title}, part {place}"
            yield number, _row_of(paragraph, name, f"{path}, text {number}")


def _documents(whole: Any, path: Path) -> Iterator[tuple[str, Sequence[Any]]]:  # noqa: ANN401  # whatever the file holds
    data = whole.get("data") if isinstance(whole, dict) else None
    for place, entry in enumerate(data if isinstance(data, list) else [None], start=1):
        title, paragraphs = (entry.get("title"), entry.get("paragraphs")) if isinstance(entry, dict) else (None, None)
        if not isinstance(title, str) or not isinstance(paragraphs, list):
            msg = f"{path}, document {place}: 'data' must be a list of objects with a 'title' and 'paragraphs'"
            raise DataError(msg)
        yield title, paragraphs


def _row_of(paragraph: Any, name: str, where: str) -> Row:  # noqa: ANN401  # whatever the file holds
    text, asked = (paragraph.get("context"), paragraph.get("qas")) if isinstance(paragraph, dict) else (None, None)
    if not isinstance(text, str) or not text.strip() or not isinstance(asked, list):
        msg = f"{where}: a 'context' with text and a list of 'qas' are needed; download the file once more"
        raise DataError(msg)
    places: dict[str, set[Place]] = {}
    for place, item in enumerate(asked, start=1):
        category, found = _question(item, text, f"{where}, question {place}")
        places.setdefault(category, set()).update(found)
    given = [category for category in CATEGORIES if category in places]
    answers = [_answer(key, sorted(places[key]), present=bool(places[key])) for key in given]
    return {"document": name, "text": text, "answers": answers}


def _question(item: Any, text: str, where: str) -> tuple[str, list[Place]]:  # noqa: ANN401  # whatever the file holds
    """The category that a question asks for, and the places of its answers."""
    identifier = item.get("id") if isinstance(item, dict) else None
    match = _IDENTIFIER.fullmatch(identifier) if isinstance(identifier, str) else None
    if match is None:
        msg = f"{where}: its id is {identifier!r}, and must end in two underscores and CUAD's category"
        raise DataError(msg)
    category = category_name(match["category"])
    if category not in QUESTIONS:
        hint = did_you_mean(match["category"], CATEGORIES)
        msg = f"{where}, {identifier!r}: unknown category {match['category']!r}; CUAD has 41 of them.{hint}"
        raise DataError(msg)
    where = f"{where}, {identifier!r}"
    places = [_place(answer, text, where) for answer in _answers(item.get("answers", []), where)]
    if bool(item.get("is_impossible", not places)) == bool(places):
        msg = (
            f"{where}: is_impossible is {item['is_impossible']} with {len(places)} answers; it must be true where "
            "there is no answer, and false where there is one"
        )
        raise DataError(msg)
    return category, places


def _answers(given: Any, where: str) -> Sequence[Any]:  # noqa: ANN401  # whatever the file holds
    """The answers to a question, one by one also where a file has a list of texts and one of their places."""
    if isinstance(given, list):
        return given
    texts, starts = (given.get("text"), given.get("answer_start")) if isinstance(given, dict) else (None, None)
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        msg = (
            f"{where}: 'answers' must be a list of objects with 'text' and 'answer_start', empty where there is none, "
            "or an object with a list of each, of the same length"
        )
        raise DataError(msg)
    return [{"text": words, "answer_start": start} for words, start in zip(texts, starts, strict=True)]


def _place(answer: Any, text: str, where: str) -> Place:  # noqa: ANN401  # whatever the file holds
    words, start = (answer.get("text"), answer.get("answer_start")) if isinstance(answer, dict) else (None, None)
    if not isinstance(words, str) or not words.strip() or type(start) is not int:
        msg = f"{where}: an answer needs a 'text' and a number 'answer_start'"
        raise DataError(msg)
    if start < 0 or not text.startswith(words, start):
        msg = (
            f"{where}: the answer is not where answer_start={start} says; was the context or the file's encoding "
            "changed? Download it once more"
        )
        raise DataError(msg)
    return start, start + len(words)


def filer_of(row: Row) -> str | None:
    """Who filed a contract with the authorities, by the name of its document.

    Names such as ``"ACME,INC_02_07_2020-EX-10.18-SUPPLY AGREEMENT.PDF"`` begin with the filer, the date and the number
    of the exhibit.  Of others it is the whole name.  Contracts of one filer repeat each other, as amendments do.

    Args:
        row: With the column ``document``.

    Returns:
        Letters and digits of the filer's name in lower case, or the document's; ``None`` where it has none.
    """
    if is_blank(row.get("document")):
        return None
    name = str(row["document"])
    match = _FILED.match(name)
    return name_key(match[1]) if match else name.strip()


CUAD_JSON = FileFormat("CUAD_v1.json (SQuAD form)", _is_cuad_json, _read_cuad_json)

CUAD_CONTRACTS = PublicDataset(
    name="CUAD v1, whole contracts",
    identifier="theatticusproject/cuad",
    url="https://www.atticusprojectai.org/cuad",
    licence="CC BY 4.0; the contracts are public filings with the U.S. Securities and Exchange Commission",
    citation=(
        "Hendrycks, Burns, Chen, Ball (2021): CUAD: An expert-annotated NLP dataset for legal contract review. NeurIPS "
        "Datasets and Benchmarks. arXiv:2103.06268"
    ),
    columns=("title", "context", "qas"),
    traps=(
        "contracts have 109 to 47,733 words, 5,039 in the middle, and come with page headers between and in sentences",
        (
            "a contract has something on 13 of the 41 questions, from 510 contracts (Document Name) to 13 (Source Code "
            "Escrow); 11 % of the text is marked for the 38 categories without names and dates"
        ),
        "the texts' file names are spelled otherwise in master_clauses.csv for 11 contracts, apart from their ending",
        (
            "master_clauses.csv has no places: 2,530 of 13,831 marked pieces are found up to white space alone, 2,259 "
            "in several places, of which 150 are not of names and dates, and 90 begin or end in a word of it"
        ),
        (
            "694 of 13,101 quotes are joined by <omitted> from two or more pieces, which do not always come in the "
            "contract's order"
        ),
        "160 cells have marked words and no answer, and 16 an answer, such as perpetual, and no marked words",
        "1,208 of 12,393 marked places are marked for several categories",
        "19 % of the marked places outside names and dates go over more than one sentence",
        (
            "one contract is there twice, word for word, and differs in 2 of 41 answers; three more pairs are near-"
            "duplicates, one of these under two filers' names, and amendments repeat what they amend"
        ),
        "85 contracts come from 34 filers with two to five each, which are kept on one side of a split",
        (
            "3,324 page footers of 180 contracts begin with Source: and name the filer, and 116 contracts have words "
            "redacted by asterisks in brackets, 65 of them by [***]"
        ),
    ),
)

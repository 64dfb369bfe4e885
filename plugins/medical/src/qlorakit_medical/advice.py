"""``medical/advice``: an answer to a patient's question, as pages of patient education give it.

A row: ``{"question": "What are the symptoms of gout?", "answer": "Gout causes ...", "focus": "Gout"}``; the topic
stands in the question anyway: it is not shown, but keeps the questions about it together.  Rows without a topic are
not kept together: a split may put questions on one topic on different sides.

The base model of qlorakit-tiny was pretrained on nine tenths of the topics of MedQuAD.  A measurement with it must use
the rows of the others, for which ``qlorakit_tiny.pretraining.corpus.is_reserved_topic(row["focus"])`` holds: 1,668.
Leave out of these the 27 whose topic was read under another spelling, such as "stiff-person syndrome", and 180 more
whose answer is nearly one that was read (:func:`~qlorakit.near_duplicates.near_duplicate_groups`): 1,461 remain.  They
are not all new: pages of GHR and GARD are written by one pattern, and 759 of the answers have 13 words in a row in
common with one that was read, 179 of them half of these runs or more.

Critical errors are not counted: an answer of a hundred words has many right wordings that name other problems.
"""

import logging
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.kinds import text
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit.text_metrics import chrf, rouge
from qlorakit_medical.advice_samples import ADVICE_SAMPLES
from qlorakit_medical.csv_rows import header_of, read_csv

logger = logging.getLogger(__name__)

QUESTION = Column("question", aliases=("text", "query", "message"))
FOCUS = Column("focus", aliases=("focus_area", "question_focus", "topic"), optional=True)
ANSWER = Column("answer", aliases=("response", "target"), label=True)
KIND = {"qtype", "question_type"}  # one of which a copy has
DECLARATION = re.compile("<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def question(row: Row) -> str:
    """The question of a row, without what MedQuAD puts before its last question mark: a space, and at times another."""
    written = required_text(row, QUESTION.name)
    asked = written.rstrip()
    if not (asked.endswith("?") and asked[-2:-1].isspace()):
        return written
    return asked.removesuffix("?").rstrip().removesuffix("?").rstrip() + "?"


def topic(row: Row) -> Hashable:
    """What a question is about, up to case and punctuation; ``None`` where the row does not tell."""
    if is_blank(row.get(FOCUS.name)):
        return None
    from qlorakit.near_duplicates import normalise

    focus = required_text(row, FOCUS.name)
    return normalise(focus, ignore_digits=False) or focus  # type 1 and type 2 are two topics


def read_medquad(folder: str | Path) -> Iterator[Row]:
    """Rows of all XML files below a folder, in the order of their names.

    How many pairs of each folder have no answer and are left out is logged.

    Args:
        folder: Such as a copy of the repository as published.

    Yields:
        ``{"question", "answer", "focus", "qtype", "source", "url"}``.

    Raises:
        DataError: There are no XML files, or one cannot be read.
    """
    paths = sorted(Path(folder).rglob("*.xml"))
    if not paths:
        msg = f"{folder} holds no .xml files; give the folder in which MedQuAD was unpacked"
        raise DataError(msg)
    left_out: Counter[Path] = Counter()
    for path in paths:
        pairs = _pairs(path)
        yield from filter(_is_answered, pairs)
        left_out[path.parent] += sum(not _is_answered(pair) for pair in pairs)
    for parent, count in left_out.items():
        _tell(parent, count)


def _is_xml(path: Path, head: Sequence[str]) -> bool:
    return path.suffix.lower() == ".xml" and any("<Document" in line or "<QAPair" in line for line in head)


def _read_xml(path: Path) -> Iterable[tuple[int, Row]]:
    """The pairs of one document that have an answer; the number is that of the pair."""
    pairs = _pairs(path)
    yield from ((number, pair) for number, pair in enumerate(pairs, start=1) if _is_answered(pair))
    _tell(path, sum(not _is_answered(pair) for pair in pairs))


def _is_answered(pair: Mapping[str, str]) -> bool:
    return bool(pair["answer"])


def _tell(where: Path, left_out: int) -> None:
    if left_out:
        logger.warning("%s: left out %d questions without an answer", where, left_out)


def _pairs(path: Path) -> list[dict[str, str]]:
    """All questions of a document, answered or not."""
    document = _document(path)
    about = {
        "focus": _words(document.find("Focus")),
        "source": document.get("source", ""),
        "url": document.get("url", ""),
    }
    return [_pair(pair, about, f"{path}, pair {place}") for place, pair in enumerate(document.iter("QAPair"), start=1)]


def _pair(pair: ET.Element, about: Mapping[str, str], where: str) -> dict[str, str]:
    asked, answer = pair.find("Question"), pair.find("Answer")
    if asked is None or answer is None:
        msg = f"{where}: there is no <{'Question' if asked is None else 'Answer'}> in it; download the file once more"
        raise DataError(msg)
    lines = (" ".join(line.split()) for line in "".join(answer.itertext()).splitlines())
    return {
        "question": _words(asked), "answer": "\n".join(filter(None, lines)), "qtype": asked.get("qtype", ""), **about,
    }  # fmt: skip


def _words(element: ET.Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _document(path: Path) -> ET.Element:
    """The root of an XML file.

    A file with a document type is refused before it is parsed: entities can read other files or grow without bounds.

    Raises:
        DataError: It has one, or is not well-formed.
    """
    content = path.read_text(encoding=file_encoding(path))
    if DECLARATION.search(content):
        msg = f"{path} declares a document type or entities, which no file of MedQuAD does; it is not read"
        raise DataError(msg)
    try:
        return ET.fromstring(content)  # noqa: S314  # without a document type there are no entities to expand
    except ET.ParseError as error:
        msg = f"{path}, line {error.position[0]}: not well-formed XML ({error}); download the file once more"
        raise DataError(msg) from error


def _is_copy(path: Path, head: Sequence[str]) -> bool:
    names = header_of(path, head)
    return names >= {"question", "answer"} and bool(names & KIND) and names.isdisjoint((FOCUS.name, *FOCUS.aliases))


def _read_copy(path: Path) -> Iterable[tuple[int, Row]]:
    """Rows without topics."""
    logger.warning(
        "%s does not say what each question is about: a split may put questions on one topic on different sides", path
    )
    yield from read_csv(path)


MEDQUAD_XML = FileFormat("MedQuAD .xml (a document with its questions and answers)", _is_xml, _read_xml)
MEDQUAD_CSV = FileFormat("MedQuAD .csv (qtype,Question,Answer)", _is_copy, _read_copy)

MEDQUAD = PublicDataset(
    name="MedQuAD",
    identifier="abachaa/MedQuAD",
    url="https://github.com/abachaa/MedQuAD",
    licence="CC BY 4.0",
    citation=(
        "Ben Abacha, Demner-Fushman (2019): A question-entailment approach to question answering. BMC Bioinformatics 20"
    ),
    columns=("focus", "qtype", "question", "answer"),
    traps=(
        (
            "31,034 of the 47,441 pairs have no answer, which A.D.A.M., drugs and herbs (folders 10 to 12) were "
            "published without: 16,407 remain"
        ),
        (
            "1,428 questions repeat others, 875 have several answers, 48 pairs repeat others: rows of one topic "
            "(focus) belong on one side of a split"
        ),
        (
            "topics are written in several ways: 5,125 as they stand, 4,741 without regard to case, 4,711 without "
            "punctuation; 14 rows have none"
        ),
        (
            "copies on the Hub with the columns qtype, Question and Answer do not tell topics; another has them as "
            "question_focus: rows without a topic, in memory as in files, are not kept together by a split"
        ),
        (
            "10,819 rows are from pages of GHR and GARD on rare diseases, written by one pattern; 49 answers, of 588 "
            "rows, belong to several topics, the commonest in 348 rows: a split by topic does not keep them apart"
        ),
        "16,364 of the questions are made from 16 templates, unlike what patients write",
        '16,090 questions end with " ?", 322 of them with "? ?"; 4,231 say "is (are)"',
        "letters outside ASCII and apostrophes are lost in places: doesnt, Mnires disease",
        "half of the answers have more than 138 words, one in twenty more than 523: more than is generated by default",
    ),
)

ADVICE = text(
    "medical/advice",
    summary="Answer of patient education to a question about health",
    instruction="Answer the patient's question about health in plain words, as a page of patient education does.",
    source=(QUESTION, FOCUS),
    show=question,
    answer=ANSWER,
    file_formats=(MEDQUAD_XML, MEDQUAD_CSV),
    group=topic,
    metrics=(rouge("rougeL"), rouge("rouge1"), rouge("rouge2"), chrf()),
    samples=ADVICE_SAMPLES,
    datasets=(MEDQUAD,),
)

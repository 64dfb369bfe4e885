"""``legal/holding``: which of five holdings belongs in the place of the one that is masked in a court's opinion.

A row: ``{"context": "See Roe v. Doe ([Masked Holding]). So here", "options": ["holding that ...", ...], "label": 2}``,
with the number of the right option from 0.  Masks may be written ``[Masked Holding]`` or ``<HOLDING>``, and are asked
as the first.  A context without a mask, as 16 of 1,000 published ones are, ends where the holding stood: one is put
there.

What stands next to the mask decides.  So where a question is too long for the model's context, words far from the mask
are cut, and never the :data:`NEAR` words before it, nor an option; what was cut is counted in the report.  Where that
is not enough the row is an error.  Nothing is cut from the published rows at 1,024 tokens.

Macro-F1 over the five places comes first, as LexGLUE reports it.  LexGLUE's TF-IDF with a linear SVM has 22.4: it reads
the context and all options as one bag of words, which does not tell the places apart.  CaseLaw-BERT has 75.4.  Both are
of the official test, after training on the official 45,000 rows.  The baseline ``overlap`` asks more than that SVM.

CaseHOLD's own files, with the columns ``citing_prompt`` and ``holding_0`` to ``holding_4``, are read as they are.  Rows
of that form in memory or on the Hub pass through :func:`with_options` first.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.cells import required_text
from qlorakit.errors import DataError
from qlorakit.file_readers import ENDINGS, READERS, Reader
from qlorakit.kinds import MAJORITY, multiple_choice
from qlorakit.metrics import accuracy, macro_f1
from qlorakit.score_metrics import ece, log_loss
from qlorakit.task import Baseline, Column, Example, FileFormat, Output, Part, PublicDataset, Row, Task
from qlorakit_legal.holding_samples import HOLDING_SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

MASK = "[Masked Holding]"
LETTERS = tuple("ABCDE")
NEAR = 80
"""So many words before the mask are never cut."""
PROMPT = "citing_prompt"
HOLDINGS = tuple(f"holding_{number}" for number in range(len(LETTERS)))
CONTEXT = Column("context", aliases=(PROMPT,), refused=(("answer", "it is the right holding"),))
OPTIONS = Column(
    "options",
    aliases=("endings", "holdings"),
    refused=((HOLDINGS[0], "each holding has a column; pass the rows through qlorakit_legal.holding.with_options"),),
)
LABEL = Column("label", label=True)
TABLES = frozenset(("csv", "tsv", "json", "jsonl"))
_ANY_MASK = re.compile(r"\[Masked Holding\]|<HOLDING>", re.IGNORECASE)
_WORD = re.compile(r"\w+")


# What is asked


def masked(context: str) -> str:
    """The context with each mask as :data:`MASK`, which is put at its end where there is none."""
    text, found = _ANY_MASK.subn(MASK, context.strip())
    return text if found else f"{text} ({MASK})"


def _parts(context: str) -> tuple[Part, ...]:
    """A masked context: what is far before the mask, what is near, and what comes after."""
    before, mask, after = context.partition(MASK)
    starts = [word.start() for word in re.finditer(r"\S+", before)]
    far = before[: starts[-NEAR]].rstrip() if len(starts) > NEAR else ""
    return Part(far, may_cut=True), Part(before[len(far) :] + mask), Part(after, may_cut=True)


def _five_options(row: Row) -> Row:
    """The row itself.

    Raises:
        DataError: It has more or fewer than five options.
    """
    options = row.get(OPTIONS.name)
    if isinstance(options, list | tuple) and len(options) != len(LETTERS):
        msg = f"column {OPTIONS.name!r} has {len(options)} options, where five are needed; complete or remove the row"
        raise DataError(msg)
    return row


# Baseline


def overlap(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Answer with the option that is the most like the context.

    Likeness is the Jaccard index of the sets of words, without regard to case; of equals the first option is taken.
    """
    del task, train
    return [Output(_likest(row)) for row in rows]


def _likest(row: Row) -> str:
    context = _words(_ANY_MASK.sub(" ", required_text(row, CONTEXT.name)))
    found = [_jaccard(context, _words(option)) for option in row[OPTIONS.name]]
    return LETTERS[found.index(max(found))]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


# CaseHOLD's own form


def with_options(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as CaseHOLD publishes them, with the five holdings in one column.

    Args:
        rows: With the columns ``citing_prompt``, ``holding_0`` to ``holding_4`` and perhaps ``label``.

    Returns:
        ``{"context", "options", "label"}`` and all other columns as they are.

    Raises:
        DataError: A row lacks a column; the message says which row.
    """
    return [_row_of(row, f"row {number}") for number, row in enumerate(rows, start=1)]


def _row_of(row: Row, where: str) -> dict[str, Any]:
    missing = next((name for name in (PROMPT, *HOLDINGS) if name not in row), None)
    if missing is not None:
        needed = f"{PROMPT} and {HOLDINGS[0]} to {HOLDINGS[-1]}"
        msg = f"{where}: there is no column {missing!r}; rows of CaseHOLD's own form have {needed}"
        raise DataError(msg)
    others = {name: cell for name, cell in row.items() if name not in {PROMPT, *HOLDINGS}}
    return {CONTEXT.name: row[PROMPT], OPTIONS.name: [row[name] for name in HOLDINGS], **others}


def _is_casehold(path: Path, head: Sequence[str]) -> bool:
    """Whether a table or JSON has the published columns."""
    names = re.findall(r"\w+", "\n".join(head))
    return ENDINGS.get(path.suffix.lower()) in TABLES and {PROMPT, *HOLDINGS} <= set(names)


def _read_casehold(path: Path) -> Iterator[tuple[int, Row]]:
    reader = Reader(path)
    for item in READERS[ENDINGS[path.suffix.lower()]](reader):
        where = f"{path}, line {item.number}"
        if item.row is None:
            msg = f"{where}: {item.error}"
            raise DataError(msg)
        yield item.number, _row_of(item.row, where)
    for note in reader.notes:
        logger.warning("%s: %s", path, note)


CASEHOLD_TABLE = FileFormat("CaseHOLD (citing_prompt, holding_0 to holding_4, label)", _is_casehold, _read_casehold)

CASEHOLD = PublicDataset(
    name="CaseHOLD",
    identifier="casehold/casehold; coastalcph/lex_glue, case_hold",
    url="https://github.com/reglab/casehold",
    licence="Apache-2.0 for CaseHOLD's repository, CC BY 4.0 for LexGLUE",
    citation=(
        "Zheng, Guha, Anderson, Henderson, Ho (2021): When Does Pretraining Help? Assessing Self-Supervised Learning "
        "for Law and the CaseHOLD Dataset. ICAIL. arXiv:2104.08671; in the form of LexGLUE, Chalkidis et al. (2022), "
        "arXiv:2110.00976"
    ),
    columns=("context", "endings", "label"),
    traps=(
        "figures are of 1,000 rows drawn from LexGLUE's official test",
        "the mask is <HOLDING> in the original and on the Hub, [Masked Holding] in copies made into prompts",
        "16 of 1,000 contexts have no mask, and end with the citation after which the holding stood",
        "a context is the words around a citation, without a beginning or an end",
        "what was left out of a context leaves no mark, even inside a word: 'the c eption to the general rule'",
        "contexts have 54 to 168 words, all but 5 to 13 of them before the mask; options have 2 to 142",
        "a question that is cut at its end loses options",
        "options are without capitals and punctuation, with words run together (selfincrimination)",
        "530 of 5,000 options have two spaces where something was left out",
        "25 options have three words or fewer, such as 'recognizing this rule'; a row with an empty one is refused",
        "the option most like the context (Jaccard index of words) is right in 478 of 1,000 rows, always D in 216",
        "the longest option is right in 261 of 1,000 rows, the shortest in 107",
        "the right option is the first in 215 rows, then in 187, 195, 216 and 187: places say nothing",
        "wrong options are holdings of other rows: 420 options stand in several rows",
        "76 of 4,000 wrong options are right in another row, which a random split may leave in training",
        "in 1 row two wrong options are the same; a twin of the right option would count as wrong",
        "copies made into prompts hold the right holding as answer, never shown; 11 end with white space",
        "LexGLUE left out what a line break parts in the original csv, and lines of 5,000 characters or more",
    ),
)


def _holding() -> Task[str]:
    task = multiple_choice(
        "legal/holding",
        summary="Which of five holdings belongs in the place of the masked one in a court's opinion",
        instruction=f"Choose the holding that belongs in the place of {MASK}. Answer with its letter.",
        question=CONTEXT,
        options=OPTIONS,
        answer=LABEL,
        first=0,
        file_formats=(CASEHOLD_TABLE,),
        metrics=(macro_f1(LETTERS), accuracy(), log_loss(), ece()),
        baselines=(MAJORITY, Baseline("overlap", overlap)),
        samples=HOLDING_SAMPLES,
        datasets=(CASEHOLD,),
    )

    def ask(row: Row) -> tuple[Example, ...]:
        context = masked(required_text(row, CONTEXT.name))
        (example,) = task.format({**_five_options(row), CONTEXT.name: context})
        instruction, question = example.messages
        parts = (*_parts(context), Part(question.text.removeprefix(context)))
        return (dataclasses.replace(example, messages=(instruction, dataclasses.replace(question, parts=parts))),)

    return dataclasses.replace(task, format=ask, reference=lambda row: task.reference(_five_options(row)))


HOLDING = _holding()

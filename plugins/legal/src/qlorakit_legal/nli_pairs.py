"""``legal/nli_pairs``: does a passage of a contract entail a hypothesis, contradict it, or not mention it?

A row: ``{"premise": "Recipient may keep one archival copy.", "hypothesis": "Receiving Party may create a copy of some
Confidential Information in some circumstances.", "label": "entailment"}``.

The hypothesis comes first, so that where a passage is too long it is cut, and the hypothesis is not.

The public pairs are made from the evidence of ContractNLI: somebody has already found the passages that matter, which
is the harder half of the task that ``legal/nli`` asks about whole contracts.  And as there are 17 hypotheses only, most
labels can be guessed without the passage: hence the baseline that reads the hypothesis alone.
"""

import csv
import logging
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qlorakit import baselines
from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.file_readers import Reader
from qlorakit.kinds import MAJORITY, TFIDF, single_label
from qlorakit.task import Baseline, Column, Example, FileFormat, Message, Output, Part, PublicDataset, Row, Task
from qlorakit_legal.contract_nli import ABSENT, BYTE_ORDER_MARK, LABELS
from qlorakit_legal.nli_pair_samples import NLI_PAIR_SAMPLES

logger = logging.getLogger(__name__)

PUBLISHED = frozenset(("concatenated_spans", "hypothesis", "label"))
EVIDENCE, SPANS, TOKENS = "num_evidence_spans", "num_spans", "num_tokens"
NUMBERED = {"0": "entailment", "1": "contradiction", "2": ABSENT}
TOLD = (
    (EVIDENCE, "it is 0 exactly where the label is 'not mentioned'"),
    (SPANS, "it is a number of the whole contract, and nothing to read"),
    (TOKENS, "it is a number of the whole contract, and nothing to read"),
)
PREMISE = Column("premise", aliases=("concatenated_spans", "passage", "evidence", "context", "text"), refused=TOLD)
HYPOTHESIS = Column("hypothesis", aliases=("statement",), refused=TOLD)
LABEL = Column("label", aliases=("answer", "gold_label"), label=True)


def shown(row: Row) -> str:
    """What the model reads of a row: the hypothesis, and then the passage."""
    return f"{_hypothesis(row)}\n\n{required_text(row, PREMISE.name).strip()}"


def _hypothesis(row: Row) -> str:
    return f"Hypothesis: {required_text(row, HYPOTHESIS.name).strip()}"


def contract_of(row: Row) -> Hashable:
    """The contract of a row, where that is known."""
    contract: Hashable = row.get("contract")
    return None if is_blank(contract) else str(contract)


def hypothesis_alone(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> Sequence[Output[str]]:
    """Answer as TF-IDF with logistic regression does that has not read the passage.

    What a system does not gain on it, it does not owe to reading contracts.

    Args:
        task: With the column ``hypothesis``.
        train: Labelled rows to learn from.
        rows: To be answered.
    """
    return baselines.tfidf(replace(task, format=_without_premise), train, rows)


def _without_premise(row: Row) -> Sequence[Example]:
    return (Example((Message("user", (Part(_hypothesis(row)),)),)),)


# Files


def _is_pairs(path: Path, head: Sequence[str]) -> bool:
    names = next(csv.reader([head[0].removeprefix(BYTE_ORDER_MARK)] if head else []), [])
    return path.suffix.lower() == ".csv" and {name.strip().casefold() for name in names} >= PUBLISHED


def _read_pairs(path: Path) -> Iterable[tuple[int, Row]]:
    """Pairs with the numbers of their lines; those without a passage are left out, and how many is logged."""
    empty = []
    for item in Reader(path).delimited():
        if item.row is None:
            msg = f"{path}, line {item.number}: {item.error}"
            raise DataError(msg)
        cells = {name.strip().casefold(): cell for name, cell in item.row.items()}
        if not cells.keys() >= PUBLISHED:
            msg = f"{path}: the columns {', '.join(sorted(PUBLISHED))} are needed; is the header damaged?"
            raise DataError(msg)
        if is_blank(cells["concatenated_spans"]):
            empty.append(item.number)
        else:
            yield item.number, _pair(cells, f"{path}, line {item.number}")
    if empty:
        logger.warning(
            "%s: %d pairs have no passage to read and are left out, the first in line %d", path, len(empty), empty[0]
        )


def _pair(cells: dict[str, Any], where: str) -> Row:
    """A row of the task.  Its contract is told by two numbers, as those of different contracts hardly ever agree."""
    given = cells.pop("label").strip()
    label, evidence = NUMBERED.get(given, given), (cells.get(EVIDENCE) or "").strip()
    if given in NUMBERED and evidence.isdigit() and (int(evidence) == 0) != (label == ABSENT):
        msg = (
            f"{where}: the label {given} stands for {label!r} in the published file, which {evidence} spans of "
            "evidence do not fit; write the labels in words if they are counted in another order"
        )
        raise DataError(msg)
    row = {"premise": cells.pop("concatenated_spans"), **cells, "label": label}
    known = [(cells.get(name) or "").strip() for name in (SPANS, TOKENS)]
    return {**row, "contract": f"{known[0]} spans, {known[1]} tokens"} if all(known) else row


CONTRACT_NLI_CSV = FileFormat("ContractNLI pairs .csv (concatenated_spans, hypothesis, label)", _is_pairs, _read_pairs)

CONTRACT_NLI_PAIRS = PublicDataset(
    name="ContractNLI pairs",
    identifier="ajit-srikanth/Contract-NLI, dataset/csv/all_labels",
    url="https://github.com/ajit-srikanth/Contract-NLI",
    licence="CC BY 4.0, that of ContractNLI, from which the pairs were made; of the copy itself not verified",
    citation=(
        "Made from Koreeda, Manning (2021): ContractNLI: A dataset for document-level natural language inference for "
        "contracts. Findings of EMNLP. arXiv:2110.01799"
    ),
    columns=("concatenated_spans", "hypothesis", SPANS, EVIDENCE, TOKENS, "label"),
    traps=(
        "num_evidence_spans is 0 in all rows that are not mentioned and in no other: refused as an input",
        (
            "passages are the evidence itself, where there is any, and random spans of the contract where there is "
            "none: easier than finding them in a contract, so that figures are above those of legal/nli for no merit"
        ),
        (
            "the hypothesis alone tells much: TF-IDF that has not read the passage has an accuracy of 0.66 and a "
            "macro-F1 of 0.62 on the test file (majority 0.46 and 0.21), one that has read both 0.85 and 0.83"
        ),
        "so does the passage alone: TF-IDF that has not read the hypothesis has 0.80 and 0.73",
        (
            "0 is entailment, 1 contradiction, 2 not mentioned, in this file: other sets number such labels in other "
            "orders, so that numbers are refused everywhere else"
        ),
        "contradictions are 12 % of train (841 of 7,191), 9 % of validation (95 of 1,037), 11 % of test (220 of 2,091)",
        (
            "contracts are not named; num_spans and num_tokens together tell them apart, 422 of the 423 in train and "
            "122 of the 123 in test, and rows of one are kept together by them"
        ),
        (
            "the three files share no contract, but 62 pairs of test are in train as well, up to white space, 3 of "
            "them with another label, and 4 of validation are; 74, 3 and 23 pairs repeat others of their own file"
        ),
        "5 pairs, all of them not mentioned, have nothing but white space as their passage and are left out",
        "5 of the 17 hypotheses are never contradicted, 3 more 1 to 4 times in the three files",
        "passages hold line breaks, in 7,433 of 10,319 pairs; the longest pair has 758 tokens of the small base",
    ),
)

NLI_PAIRS = single_label(
    "legal/nli_pairs",
    summary="Does a passage of a contract entail a hypothesis, contradict it, or not mention it",
    instruction=(
        "Say whether the passage of a contract entails the hypothesis or contradicts it, or whether the hypothesis is "
        "not mentioned in it."
    ),
    labels=LABELS,
    text=(PREMISE, HYPOTHESIS),
    label=LABEL,
    show=shown,
    synonyms={"NotMentioned": ABSENT, "not_mentioned": ABSENT, "neutral": ABSENT},
    file_formats=(CONTRACT_NLI_CSV,),
    group=contract_of,
    baselines=(MAJORITY, Baseline("hypothesis alone", hypothesis_alone), TFIDF),
    samples=NLI_PAIR_SAMPLES,
    datasets=(CONTRACT_NLI_PAIRS,),
)

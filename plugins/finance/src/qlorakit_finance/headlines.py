"""``finance/headlines``: six yes/no questions about a headline on gold.

A row: ``{"text": "Gold slides as stocks rally", "labels": ["price down", "asset comparison", "past information"]}``.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from qlorakit.cells import required_text
from qlorakit.errors import DataError
from qlorakit.kinds import multilabel
from qlorakit.metrics import (
    exact_match,
    example_f1,
    multilabel_macro_f1,
    multilabel_mcc,
    multilabel_micro_f1,
)
from qlorakit.score_metrics import multilabel_auprc, multilabel_auroc
from qlorakit.task import Column, FileFormat, Row
from qlorakit_finance.gold_headlines import DATE, GOLD_HEADLINES, TEXT, published_names, read_gold_headlines
from qlorakit_finance.headline_samples import HEADLINE_SAMPLES

QUESTIONS = {
    "price up": "Does it say or imply that the price of gold goes up?",
    "price constant": "Does it say or imply that the price of gold stays the same?",
    "price down": "Does it say or imply that the price of gold goes down?",
    "asset comparison": "Does it compare gold with another asset?",
    "past information": "Is it about something that has already happened?",
    "future information": "Is it about something that is still to come?",
}
LABELS = tuple(QUESTIONS)
PUBLISHED_NAMES = {
    "price up": ("Price Direction Up",),
    "price constant": ("Price Direction Constant",),
    "price down": ("Price Direction Down",),
    "asset comparison": ("Asset Comparision", "Asset Comparison"),  # as published, and as it should be
    "past information": ("Past Information",),
    "future information": ("Future Information",),
}


def _has_questions(path: Path, head: Sequence[str]) -> bool:
    names = set(published_names(path, head))
    return all(names.intersection(known) for known in PUBLISHED_NAMES.values())


def _read_questions(path: Path) -> Iterable[tuple[int, Row]]:
    """Headlines with the labels that are answered by 1, and their dates in ISO 8601."""
    for number, cells in read_gold_headlines(path):
        labels = [label for label in LABELS if _holds(cells, label, f"{path}, line {number}")]
        yield number, {"text": cells[TEXT], "labels": labels, "date": cells[DATE] or None}


def _holds(cells: Mapping[str, str], label: str, where: str) -> bool:
    name = next((name for name in PUBLISHED_NAMES[label] if name in cells), None)
    if name is None:
        msg = f"{where}: there is no column {PUBLISHED_NAMES[label][0]!r}; is the header damaged?"
        raise DataError(msg)
    value = cells[name].strip()
    if value not in {"0", "1"}:
        msg = f"{where}: column {name!r} holds {cells[name]!r}, where 0 (no) or 1 (yes) is expected; correct it"
        raise DataError(msg)
    return value == "1"


def without_digits(row: Row) -> Hashable:
    """The headline up to digits and punctuation: what is written anew every day with other prices belongs together."""
    from qlorakit.near_duplicates import normalise

    text = required_text(row, "text")
    return normalise(text) or text


HEADLINES = multilabel(
    "finance/headlines",
    summary="Six yes/no questions about a headline on gold: price up, constant, down; comparison; past; future",
    instruction="Read the headline about gold and answer the question about it with yes or no.",
    labels=QUESTIONS,
    question="{label}",
    text=Column("text", aliases=("headline", "news", "title", "sentence", "content")),
    none_label=False,  # every published headline has a label: a further class would hold nothing but mistakes
    file_formats=(FileFormat("gold headlines .csv (six columns of 0 and 1)", _has_questions, _read_questions),),
    group=without_digits,
    metrics=(
        multilabel_macro_f1(LABELS), multilabel_mcc(LABELS), multilabel_micro_f1(LABELS), example_f1(), exact_match(),
        multilabel_auroc(LABELS), multilabel_auprc(LABELS),
    ),
    samples=HEADLINE_SAMPLES,
    datasets=(GOLD_HEADLINES,),
)  # fmt: skip

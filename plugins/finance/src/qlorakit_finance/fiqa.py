"""FiQA 2018, task 1, as it is published: headlines and posts, with a score for each company that they name.

A file is one JSON object: ``{"55": {"sentence": "...", "info": [{"target": "...", "sentiment_score": "-0.2", ...}]}}``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row

NEUTRAL_UP_TO = 0.1  # the absolute score; FiQA has scores from -1 to 1 and no classes


def _is_fiqa(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head)
    return path.suffix.lower() == ".json" and '"sentence"' in beginning and '"info"' in beginning


def _read_fiqa(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each company that an item names; the number is that of the item."""
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        msg = f"{path} cannot be read as JSON in UTF-8 ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(items, Mapping):
        msg = f"{path} holds a {type(items).__name__} where items by their numbers are expected"
        raise DataError(msg)
    for number, (key, item) in enumerate(items.items(), start=1):
        try:
            opinions = [(opinion["target"], float(opinion["sentiment_score"])) for opinion in item["info"]]
            sentence = item["sentence"]
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path}, item {key!r}: {type(error).__name__} {error}; it needs a sentence and an info list, each "
            msg += "entry of which has a target and a sentiment_score"
            raise DataError(msg) from error
        for target, score in opinions:
            yield number, _row(sentence, target, score)


def _row(sentence: Any, target: Any, score: float) -> Row:  # noqa: ANN401  # the task checks what they are
    label = "neutral" if abs(score) <= NEUTRAL_UP_TO else "positive" if score > 0 else "negative"
    return {"text": sentence, "target": target, "label": label, "score": score}


FIQA_JSON = FileFormat("FiQA 2018 task 1 .json (a score for each company of a sentence)", _is_fiqa, _read_fiqa)

FIQA = PublicDataset(
    name="FiQA 2018, task 1",
    identifier="TheFinAI/fiqa-sentiment-classification",
    url="https://sites.google.com/view/fiqa",
    licence="none stated by the challenge (a copy on the Hub says MIT): treat as research use only",
    citation=(
        "Maia, Handschuh, Freitas, Davis, McDermott, Zarrouk, Balahur (2018): WWW'18 open challenge: Financial opinion "
        "mining and question answering"
    ),
    columns=("sentence", "snippets", "target", "sentiment_score", "aspects"),
    traps=(
        "a score from -1 to 1 and no class: up to 0.1 either way counts as neutral here",
        "a headline may be good for one company and bad for another: the target must stand in the prompt",
        "headlines occur once for each company: rows of one headline belong on one side of a split",
    ),
)

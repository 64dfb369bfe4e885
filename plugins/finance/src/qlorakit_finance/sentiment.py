"""``finance/sentiment``: is a text good, bad or no news for an investor?

A row: ``{"text": "Operating profit rose to EUR 13.1 mn from EUR 8.7 mn.", "label": "positive"}``, and with the company
it is asked about, where a text names several: ``{"text": ..., "target": "Norvik", "label": ...}``.
"""

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.kinds import single_label
from qlorakit.task import Column, Row
from qlorakit_finance.fiqa import FIQA, FIQA_CSV, FIQA_JSON, FIQA_PARQUET
from qlorakit_finance.gold_headlines import GOLD_HEADLINES, GOLD_SENTIMENT
from qlorakit_finance.phrasebank import LABEL, LABELS, PHRASEBANK, PHRASEBANK_CSV, PHRASEBANK_TEXT
from qlorakit_finance.sentiment_samples import SENTIMENT_SAMPLES

TEXT = Column("text", aliases=("sentence", "headline", "title", "tweet", "post", "content"))
TARGET = Column("target", aliases=("company", "entity", "ticker", "cashtag"), optional=True)
SYNONYMS = {"bearish": "negative", "bullish": "positive"}


def with_target(row: Row) -> str:
    """The text of a row, after the company that it is asked about if the row names one.

    Raises:
        DataError: There is no text, or the company is one of the labels, which a model must not see.
    """
    text = required_text(row, TEXT.name)
    if is_blank(row.get(TARGET.name)):
        return text
    target = required_text(row, TARGET.name).strip()
    if target.casefold() in (*LABELS, *SYNONYMS):
        msg = (
            f"column {TARGET.name!r} holds {target!r}, a label, where the company is expected that the text is asked "
            "about; remove the column, or rename it to 'label' if the labels are there"
        )
        raise DataError(msg)
    return f"Company: {target}\n\n{text}"


def headline(row: Row) -> str | None:
    """The text of a row that is asked about one of its companies: rows about the others belong with it."""
    return None if is_blank(row.get(TARGET.name)) else " ".join(required_text(row, TEXT.name).casefold().split())


SENTIMENT = single_label(
    "finance/sentiment",
    summary="Sentiment of a financial text for an investor: negative, neutral or positive",
    instruction=(
        "Classify the sentiment of the financial text from the point of view of an investor. "
        "Answer with one of: negative, neutral, positive."
    ),
    labels=LABELS,
    ordered=True,
    text=(TEXT, TARGET),
    show=with_target,
    label=LABEL,
    synonyms=SYNONYMS,
    file_formats=(PHRASEBANK_TEXT, PHRASEBANK_CSV, FIQA_JSON, FIQA_CSV, FIQA_PARQUET, GOLD_SENTIMENT),
    group=headline,
    samples=SENTIMENT_SAMPLES,
    datasets=(PHRASEBANK, FIQA, GOLD_HEADLINES),
)

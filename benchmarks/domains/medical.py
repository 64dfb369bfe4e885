"""The tasks of the medical plugin."""

from collections.abc import Sequence
from functools import partial

from domains.job import Job
from qlorakit.task import Row
from qlorakit_tiny.pretraining.corpus import is_reserved_topic

CRITICAL = ("rouge1", "critical_error_rate", "critical_errors")
RECORDS = "mtsamples/mtsamples.csv"
DIALOGUES = {
    "train": "mts_dialog/MTS-Dialog-TrainingSet.csv", "validation": "mts_dialog/MTS-Dialog-ValidationSet.csv",
    "test": "mts_dialog/MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
}  # fmt: skip


def unseen_by_the_base(rows: Sequence[Row]) -> list[int]:
    """The places of MedQuAD's rows of whose topic and answer the embedded model read no copy in pretraining.

    They are of the topics that were kept out of it, unless another spelling of the topic or a near-duplicate of the
    answer was in: 1,461 of 1,668.  Answers with the pattern or single sentences of one that was read remain.
    """
    from qlorakit.near_duplicates import near_duplicate_groups

    groups = near_duplicate_groups([row["answer"] for row in rows]).tolist()
    read = [not is_reserved_topic(row["focus"] or "") for row in rows]
    topics = {_letters(row["focus"]) for row, was in zip(rows, read, strict=True) if was}
    answers = {group for group, was in zip(groups, read, strict=True) if was}
    return [
        place for place, row in enumerate(rows) if _letters(row["focus"]) not in topics and groups[place] not in answers
    ]


def _letters(text: str | None) -> str:
    return "".join(filter(str.isalnum, (text or "").casefold()))


def short_answers(rows: Sequence[Row], *, words: int) -> list[int]:
    """The places of the rows whose answer has so many words at most: the base writes and reads 1,024 tokens in all."""
    return [place for place, row in enumerate(rows) if len(row["answer"].split()) <= words]


def unseen_short_answers(rows: Sequence[Row]) -> list[int]:
    """The places of the rows that are unseen by the base and have an answer of at most 100 words."""
    return sorted({*unseen_by_the_base(rows)}.intersection(short_answers(rows, words=100)))


JOBS = (
    Job(
        "specialty", "medical/specialty", "MTSamples, one row per text", {"all": RECORDS},
        max_length=640, epochs=3.0, training={"objective": "choices"},
        further=("organ_macro_f1", "document_macro_f1", "multilabel_micro_f1", "exact_match"),
    ),
    Job(
        "organ_specialty", "medical/organ_specialty", "MTSamples, texts with one organ specialty", {"all": RECORDS},
        further=("accuracy", "top_3_accuracy"),
    ),
    Job(
        "section", "medical/section", "MTS-Dialog as published, test set 1", DIALOGUES,
        further=("accuracy", "top_3_accuracy"), training={"objective": "choices"},
    ),
    Job(
        "note", "medical/note", "MTS-Dialog as published, test set 1, section given, notes up to 100 words", DIALOGUES,
        max_length=640, max_new_tokens=256, keep=partial(short_answers, words=100), further=CRITICAL,
    ),
    Job(
        "record_summary", "medical/summary", "MTSamples, records to descriptions up to 60 words", {"all": RECORDS},
        {"train": 600, "validation": 60, "test": 150}, max_length=640, max_new_tokens=128,
        keep=partial(short_answers, words=60), further=CRITICAL,
    ),
    Job(
        "question_summary", "medical/summary", "MeQSum, patients' questions", {"all": "meqsum/meqsum.csv"},
        max_new_tokens=64, further=CRITICAL,
    ),
    Job(
        "entities", "medical/entities", "BC5CDR as published",
        {"train": "bc5cdr/train.tsv", "validation": "bc5cdr/devel.tsv", "test": "bc5cdr/test.tsv"},
        {"train": 600, "validation": 80, "test": 300}, further=("entity_macro_f1",),
    ),
    Job(
        "diagnosis", "medical/diagnosis", "Symptom2Disease", {"all": "symptom2disease/Symptom2Disease.csv"},
        further=("accuracy", "top_3_accuracy"), training={"objective": "choices"},
    ),
    Job(
        "exam", "medical/exam", "MedMCQA, development set", {"all": "medmcqa/dev.json"},
        {"train": 1600, "validation": 300, "test": 800}, learning_rate=2e-3,
        further=("subject_macro_accuracy",),
    ),
    Job(
        "questions", "medical/questions", "PubMedQA as published", {"all": "pubmedqa/ori_pqal.json"},
        split_column="published_split", max_length=1024, learning_rate=2e-3, further=("accuracy",),
    ),
    Job(
        "advice", "medical/advice", "MedQuAD, topics kept from the base, answers up to 100 words",
        {"all": "../corpus/medquad/medquad.jsonl"}, {"train": 600, "validation": 40, "test": 100},
        max_length=512, max_new_tokens=240, keep=unseen_short_answers,
        further=("rouge1", "chrf2"),
    ),
)  # fmt: skip

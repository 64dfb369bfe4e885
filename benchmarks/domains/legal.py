"""The tasks of the legal plugin."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import qlorakit as qk
from domains.job import Job
from qlorakit.document_questions import excerpts
from qlorakit.task import Row
from qlorakit_legal.contract_nli import ABSENT as NOT_MENTIONED
from qlorakit_legal.cuad_contracts import read_cuad
from qlorakit_legal.entities import cut_preambles

LEXGLUE = "lexglue_samples"
TERMS = "legal_summarization/all_v1.json"
PAIRS = {side: f"contract_nli/all_labels_{side}.csv" for side in ("train", "validation", "test")}


def whole_contracts(files: Mapping[str, Path]) -> Sequence[Row]:
    """CUAD's contracts with what was marked in them."""
    return read_cuad(files["clauses"], files["contracts"])


def pieces_to_review(rows: Sequence[Row]) -> list[Row]:
    """Pieces of contracts, each with what it holds and four questions to which it holds nothing."""
    return excerpts(rows, task=qk.get_task("legal/review"))


def pieces_to_infer(rows: Sequence[Row]) -> list[Row]:
    """Pieces of contracts, each with the hypotheses that it tells of and six that it does not mention."""
    return excerpts(rows, task=qk.get_task("legal/nli"), absent=NOT_MENTIONED, others=6)


def short_summaries(rows: Sequence[Row]) -> list[int]:
    """The places of the rows whose summary has 100 words at most: the base writes and reads 1,024 tokens in all."""
    return [place for place, row in enumerate(rows) if len(row["answer"].split()) <= 100]  # noqa: PLR2004


JOBS = (
    Job(
        "clauses",
        "legal/clauses",
        "CUAD, split by contract",
        {"all": "cuad/cuad_clauses.jsonl"},
        {"train": 3000, "validation": 300, "test": 1000},
        epochs=2.0,
        max_length=544,
        training={"objective": "choices", "negatives": 10},
        further=("multilabel_micro_f1", "exact_match", "multilabel_auprc"),
    ),
    Job(
        "provisions",
        "legal/provisions",
        "LEDGAR, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/ledgar.jsonl"},
        max_length=1024,
        epochs=3.0,
        further=("accuracy", "top_3_accuracy"),
        training={"objective": "choices", "negatives": 10},
    ),
    Job(
        "unfair",
        "legal/unfair",
        "UNFAIR-ToS, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/unfair_tos.jsonl"},
        epochs=6.0,
        further=("multilabel_micro_f1_with_none", "exact_match"),
        training={"objective": "choices"},
    ),
    Job(
        "holding",
        "legal/holding",
        "CaseHOLD, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/case_hold.jsonl"},
        learning_rate=2e-3,
        epochs=1.0,
        max_length=1024,
        further=("accuracy",),
        training={"objective": "choices"},
    ),
    Job(
        "entities",
        "legal/entities",
        "InLegalNER, development set, long preambles in pieces",
        {"all": "in_legal_ner/dev.jsonl"},
        most={"train": 400, "validation": 40, "test": 100},
        epochs=2.0,
        max_length=768,
        change=cut_preambles,
        further=("preamble_f1", "sentence_f1", "entity_macro_f1"),
    ),
    Job(
        "nli",
        "legal/nli",
        "ContractNLI, 50 of the 423 contracts to train",
        {
            "train": "contract_nli/train_truncated.json",
            "validation": "contract_nli/dev.json",
            "test": "contract_nli/test.json",
        },
        most={"validation": 25, "test": 50},
        epochs=1.0,
        max_length=1024,
        lessons=pieces_to_infer,
        training={"objective": "choices"},
        further=("accuracy", "f1_entailment", "f1_contradiction", "evidence_f1"),
    ),
    Job(
        "nli_pairs",
        "legal/nli_pairs",
        "pairs made from ContractNLI, evidence given",
        PAIRS,
        {"train": 2000, "validation": 300, "test": 1000},
        epochs=2.0,
        max_length=832,
        training={"objective": "choices"},
        further=("accuracy",),
    ),
    Job(
        "review",
        "legal/review",
        "CUAD, whole contracts, split by company",
        {"clauses": "cuad/master_clauses.csv", "contracts": "cuad_contracts_text/contracts.jsonl"},
        {"train": 140, "validation": 20, "test": 30},
        epochs=1.0,
        max_length=1024,
        join=whole_contracts,
        lessons=pieces_to_review,
        training={"objective": "choices"},
        further=(
            "micro_f1",
            "multilabel_auprc",
            "evidence_f1",
            "recall_at_10_percent_effort",
            "effort_at_95_percent_recall",
        ),
    ),
    Job(
        "terms",
        "legal/summary",
        "Plain English Summarization of Contracts",
        {"all": TERMS},
        max_length=768,
        max_new_tokens=96,
        keep=short_summaries,
        further=("rouge1", "invented_quotes"),
    ),
    Job(
        "bills",
        "legal/summary",
        "BillSum, summaries up to 100 words, beginning of the bill",
        {"all": "billsum_sample/us_train_data_sample.jsonl"},
        max_length=1024,
        max_new_tokens=256,
        keep=short_summaries,
        further=("rouge1", "invented_quotes"),
    ),
)

"""The tasks of the legal plugin."""

from domains.job import Job

LEXGLUE = "lexglue_samples"

JOBS = (
    Job(
        "clauses",
        "legal/clauses",
        "CUAD, split by contract",
        {"all": "cuad/cuad_clauses.jsonl"},
        {"validation": 400, "test": 1000},
        epochs=2.0,
        max_length=544,
        training={"objective": "choices"},
        further=("multilabel_micro_f1", "exact_match", "multilabel_auprc"),
    ),
    Job(
        "provisions",
        "legal/provisions",
        "LEDGAR, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/ledgar.jsonl"},
        max_length=1024,
        epochs=6.0,
        further=("accuracy", "top_3_accuracy"),
        training={"objective": "choices"},
    ),
    Job(
        "unfair",
        "legal/unfair",
        "UNFAIR-ToS, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/unfair_tos.jsonl"},
        learning_rate=8e-3,
        further=("multilabel_micro_f1_with_none", "exact_match"),
        training={"objective": "choices"},
    ),
    Job(
        "holding",
        "legal/holding",
        "CaseHOLD, 1,000 rows of the test split",
        {"all": f"{LEXGLUE}/case_hold.jsonl"},
        learning_rate=2e-3,
        epochs=3.0,
        max_length=1024,
        further=("accuracy",),
        training={"objective": "choices"},
    ),
    Job(
        "entities",
        "legal/entities",
        "InLegalNER, development set",
        {"all": "in_legal_ner/dev.jsonl"},
        epochs=3.0,
        max_length=1024,
        further=("preamble_f1", "sentence_f1", "entity_macro_f1"),
    ),
)

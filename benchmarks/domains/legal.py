"""The tasks of the legal plugin."""

from domains.job import Job

LEXGLUE = "lexglue_samples"

JOBS = (
    Job(
        "unfair", "legal/unfair", "UNFAIR-ToS, 1,000 sentences of the test split", {"all": f"{LEXGLUE}/unfair_tos.jsonl"},
        learning_rate=8e-3, further=("multilabel_micro_f1", "exact_match"), training={"objective": "choices"},
    ),
    Job(
        "holding", "legal/holding", "CaseHOLD, 1,000 rows of the test split", {"all": f"{LEXGLUE}/case_hold.jsonl"},
        learning_rate=2e-3, epochs=3.0, max_length=1024, further=("accuracy",), training={"objective": "choices"},
    ),
)

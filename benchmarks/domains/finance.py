"""The tasks of the finance plugin."""

from domains.job import Job

JOBS = (
    Job(
        "sentiment", "finance/sentiment", "Financial PhraseBank, all annotators agree",
        {"all": "financial_phrasebank/Sentences_AllAgree.txt"},
        further=("accuracy", "ordinal_cost", "quadratic_kappa"),
    ),
    Job(
        "gold_sentiment", "finance/sentiment", "gold headlines, price sentiment",
        {"all": "gold_headlines/gold-dataset-sinha-khandait.csv"}, {"train": 1600, "validation": 300, "test": 600},
        learning_rate=2e-3, further=("accuracy", "ordinal_cost", "quadratic_kappa"),
    ),
    Job(
        "entities_filings", "finance/entities", "agreements: FIN5 to train, FIN3 to test",
        {"train": "sec_ner_fin5_fin3/FIN5.txt", "test": "sec_ner_fin5_fin3/FIN3.txt"},
        {"train": 700, "validation": 120},
        further=("entity_f1_without_role_words", "role_word_f1", "entity_macro_f1"),
    ),
    Job(
        "entities_news", "finance/entities", "news: FiNER-ORD as published",
        {
            "train": "finer_ord/train_gold_data.csv.gz", "validation": "finer_ord/val_gold_data.csv.gz",
            "test": "finer_ord/test_gold_data.csv.gz",
        },
        {"train": 700, "validation": 120, "test": 400},
        further=("entity_macro_f1",),
    ),
    Job(
        "headlines", "finance/headlines", "gold headlines, six questions each",
        {"all": "gold_headlines/gold-dataset-sinha-khandait.csv"}, {"train": 1600, "validation": 300, "test": 600},
        further=("multilabel_mcc", "exact_match"),
    ),
    Job(
        "intent", "finance/intent", "Banking77 as published",
        {"train": "banking77/train.csv", "test": "banking77/test.csv"},
        {"train": 3080, "validation": 308, "test": 1000},
        max_length=192, epochs=8.0, further=("accuracy", "top_3_accuracy"),
    ),
    Job(
        "fraud", "finance/fraud", "ccFraud as published",
        {"train": "credit_ccfraud/ccfraud_train.csv", "test": "credit_ccfraud/ccfraud_test.csv"},
        {"train": 3000, "validation": 700},
        learning_rate=2e-3, further=("recall_at_5_percent", "expected_cost", "macro_f1"),
    ),
    Job(
        "credit_risk", "finance/credit_risk", "German credit",
        {"all": "credit_german/german.data"},
        learning_rate=2e-3, further=("recall_at_5_percent", "expected_cost", "macro_f1"),
    ),
    Job(
        "numbers", "finance/numbers", "ConvFinQA, last question of each conversation",
        {"all": "convfinqa/convfinqa_dev.json"}, learning_rate=2e-3, max_length=1024,
        further=("match_up_to_sign", "match_up_to_scale"),
    ),
)  # fmt: skip

"""``finance/intent``: what does a customer of a bank want?

A row: ``{"text": "Please stop the payment that I sent a minute ago.", "label": "cancel_transfer"}``.
"""

from qlorakit.kinds import single_label
from qlorakit.metrics import accuracy, macro_f1, mcc, weighted_f1
from qlorakit.score_metrics import auprc, auroc, brier, ece, log_loss, top_k_accuracy
from qlorakit.task import Column, PublicDataset
from qlorakit_finance.intent_samples import INTENT_SAMPLES

# As published, capital and question mark included.
LABELS = (
    "card_arrival", "card_linking", "exchange_rate", "card_payment_wrong_exchange_rate",
    "extra_charge_on_statement", "pending_cash_withdrawal", "fiat_currency_support", "card_delivery_estimate",
    "automatic_top_up", "card_not_working", "exchange_via_app", "lost_or_stolen_card", "age_limit", "pin_blocked",
    "contactless_not_working", "top_up_by_bank_transfer_charge", "pending_top_up", "cancel_transfer",
    "top_up_limits", "wrong_amount_of_cash_received", "card_payment_fee_charged",
    "transfer_not_received_by_recipient", "supported_cards_and_currencies", "getting_virtual_card",
    "card_acceptance", "top_up_reverted", "balance_not_updated_after_cheque_or_cash_deposit",
    "card_payment_not_recognised", "edit_personal_details", "why_verify_identity", "unable_to_verify_identity",
    "get_physical_card", "visa_or_mastercard", "topping_up_by_card", "disposable_card_limits", "compromised_card",
    "atm_support", "direct_debit_payment_not_recognised", "passcode_forgotten", "declined_cash_withdrawal",
    "pending_card_payment", "lost_or_stolen_phone", "request_refund", "declined_transfer", "Refund_not_showing_up",
    "declined_card_payment", "pending_transfer", "terminate_account", "card_swallowed", "transaction_charged_twice",
    "verify_source_of_funds", "transfer_timing", "reverted_card_payment?", "change_pin", "beneficiary_not_allowed",
    "transfer_fee_charged", "receiving_money", "failed_transfer", "transfer_into_account", "verify_top_up",
    "getting_spare_card", "top_up_by_cash_or_cheque", "order_physical_card", "virtual_card_not_working",
    "wrong_exchange_rate_for_cash_withdrawal", "get_disposable_virtual_card", "top_up_failed",
    "balance_not_updated_after_bank_transfer", "cash_withdrawal_not_recognised", "exchange_charge",
    "top_up_by_card_charge", "activate_my_card", "cash_withdrawal_charge", "card_about_to_expire",
    "apple_pay_or_google_pay", "verify_my_identity", "country_support",
)  # fmt: skip

# Without the question mark, and with spaces for underscores.
SYNONYMS = {
    other: label
    for label in LABELS
    for other in {label.rstrip("?"), label.replace("_", " "), label.rstrip("?").replace("_", " ")} - {label}
}

BANKING77 = PublicDataset(
    name="banking77",
    identifier="PolyAI/banking77",
    url="https://github.com/PolyAI-LDN/task-specific-datasets",
    licence="CC BY 4.0",
    citation=(
        "Casanueva, Temcinas, Gerz, Henderson, Vulic (2020): Efficient intent detection with dual sentence encoders. "
        "Workshop on NLP for Conversational AI. arXiv:2003.04807"
    ),
    columns=("text", "category"),
    traps=(
        'one label has a capital, "Refund_not_showing_up", and one a question mark, "reverted_card_payment?"',
        "12 texts begin or end with white space or line breaks",
        "7 of the 3,080 test requests are in the training file too, up to white space",
        "some requests carry the label of another intent (Ying, Thomas, 2022: Label errors in BANKING77)",
        "35 to 187 training rows for each intent, 40 test rows: accuracy and macro-F1 differ in training data alone",
    ),
)

INTENT = single_label(
    "finance/intent",
    summary="Which of 77 intents a request to a bank's customer support has",
    instruction="Name the intent of the customer's request to the bank.",  # the choices are ranked, not listed
    labels=LABELS,
    text=Column("text", aliases=("request", "query", "question", "utterance", "message", "sentence", "content")),
    label=Column("label", aliases=("category", "intent", "label_text", "class"), label=True),
    synonyms=SYNONYMS,
    metrics=(
        macro_f1(LABELS), accuracy(), top_k_accuracy(3), weighted_f1(LABELS), mcc(LABELS), auroc(LABELS), auprc(LABELS),
        log_loss(LABELS), brier(LABELS), ece(),
    ),
    samples=INTENT_SAMPLES,
    datasets=(BANKING77,),
)  # fmt: skip

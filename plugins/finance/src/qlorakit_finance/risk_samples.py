"""Rows of tables written by hand for this plugin: every transaction and every applicant is made up."""

from qlorakit.task import Row

_TRANSACTION = (
    "amount", "merchant", "country", "channel", "hour", "minutes_since_last", "new_device", "failed_pins",
    "account_age_months",
)  # fmt: skip
_GENUINE = (
    (4.8, "bakery", "Spain", "chip", 8, 1430, False, 0, 71),
    (62.15, "supermarket", "Spain", "contactless", 18, 610, False, 0, 71),
    (1240, "travel agency", "Norway", "online", 20, 4300, False, 0, 118),
    (15.99, "music streaming", "Ireland", "recurring", 3, 2100, False, 0, 26),
    (38.4, "petrol station", "Poland", "chip", 7, 890, False, 1, 54),
    (210, "dentist", "Portugal", "chip", 11, 5020, False, 0, 140),
    (9.5, "museum", "Italy", "contactless", 14, 95, False, 0, 33),
    (780, "monthly rent", "Denmark", "standing order", 1, 720, False, 0, 87),
    (54.9, "bookshop", "Austria", "online", 21, 1880, True, 0, 64),
    (120.75, "restaurant", "France", "chip", 22, 240, False, 0, 45),
    (3150, "university fees", "Scotland", "bank transfer", 10, 9800, False, 0, 29),
    (27.3, "pharmacy", "Belgium", "contactless", 9, 1300, False, 0, 152),
    (88, "bicycle repair", "Netherlands", "chip", 16, 3400, False, 0, 19),
    (19.9, "cinema", "Sweden", "online", 19, 460, False, 0, 101),
    (430, "car insurance", "Czechia", "direct debit", 2, 1500, False, 0, 76),
    (6.2, "city bus", "Finland", "contactless", 7, 55, False, 0, 12),
    (145, "garden centre", "Wales", "chip", 13, 2700, False, 0, 96),
    (2300, "kitchen maker", "Slovenia", "bank transfer", 15, 6100, True, 0, 133),
    (71.6, "shoe shop", "Greece", "chip", 17, 180, False, 1, 58),
    (33, "swimming club", "Estonia", "direct debit", 4, 2950, False, 0, 40),
)
_FRAUDULENT = (
    (1, "donation page", "Latvia", "online", 3, 2, True, 0, 62),
    (999, "gift cards", "Latvia", "online", 3, 1, True, 0, 62),
    (640, "electronics", "Brazil", "magnetic stripe", 4, 35, True, 3, 110),
    (2450, "crypto exchange", "Cyprus", "bank transfer", 2, 6, True, 0, 84),
    (300, "cash machine", "Thailand", "magnetic stripe", 5, 4, False, 2, 37),
    (300, "hotel lobby machine", "Thailand", "magnetic stripe", 5, 3, False, 4, 37),
    (1875.5, "luxury watches", "Turkey", "keyed in", 1, 12, True, 0, 17),
    (79.99, "phone top-up", "Nigeria", "online", 0, 1, True, 0, 143),
    (4990, "unknown payee", "Malta", "bank transfer", 23, 8, True, 1, 205),
    (518, "airline tickets", "Panama", "keyed in", 2, 15, True, 0, 9),
    (0.5, "software trial", "Ukraine", "online", 4, 3, True, 0, 51),
    (1320, "jewellery", "Hungary", "online", 3, 7, True, 0, 28),
    (95, "game credits", "Vietnam", "online", 1, 1, True, 0, 66),
    (860, "money transfer", "Ghana", "online", 22, 5, True, 2, 90),
    (2750, "laptops", "Romania", "keyed in", 6, 20, True, 0, 13),
    (400, "betting site", "Curacao", "online", 2, 2, False, 0, 47),
    (150, "perfume", "Albania", "online", 5, 4, True, 0, 35),
    (5600, "new landlord", "Lithuania", "bank transfer", 0, 11, True, 3, 160),
    (245, "trainers", "China", "online", 4, 9, True, 0, 73),
    (720, "concert tickets", "Mexico", "keyed in", 3, 2, True, 1, 5),
)
_APPLICATION = (
    "purpose", "amount", "months", "income_per_year", "employment", "years_in_job", "housing", "savings",
    "late_payments", "other_loans", "guarantor",
)  # fmt: skip
_GOOD = (
    ("used car", 6400, 36, 41000, "nurse", 9, "owns a flat", 8200, 0, 0, False),
    ("new kitchen", 11500, 60, 58000, "teacher", 14, "owns a house", 21000, 0, 1, False),
    ("washing machine", 700, 12, 23500, "shop assistant", 4, "rents", 1900, 0, 0, False),
    ("master's degree", 9000, 72, 30500, "lab technician", 3, "lives with parents", 5400, 0, 0, True),
    ("roof repair", 14200, 84, 66000, "civil engineer", 21, "owns a house", 33000, 1, 1, False),
    ("bakery oven", 18000, 60, 49000, "master baker", 12, "owns a shop", 15500, 0, 1, True),
    ("piano", 4300, 24, 37500, "organist", 8, "rents", 6100, 0, 0, False),
    ("wedding", 7500, 36, 52000, "accountant", 6, "rents a house", 12800, 0, 0, False),
    ("heat pump", 16800, 96, 61500, "train driver", 17, "owns a terrace", 18700, 0, 0, False),
    ("dental implants", 5200, 24, 44500, "electrician", 11, "owns a flat", 9600, 0, 1, False),
    ("delivery bicycle", 3100, 18, 27000, "courier", 2, "shares a flat", 2500, 0, 0, True),
    ("moving house", 2600, 12, 39000, "librarian", 10, "rents", 7700, 0, 0, False),
    ("solar panels", 12900, 84, 72000, "surgeon", 15, "owns a farm", 54000, 0, 1, False),
    ("caravan", 21000, 72, 55500, "bus mechanic", 19, "owns a bungalow", 26000, 0, 0, False),
    ("sewing machines", 5800, 30, 33000, "tailor", 16, "rents a workshop", 8800, 1, 0, True),
    ("laptop", 1400, 12, 25500, "trainee", 1, "lives with parents", 1200, 0, 0, True),
    ("bathroom", 8700, 48, 47500, "police officer", 13, "owns a flat", 11000, 0, 0, False),
    ("beehives", 2200, 24, 35500, "forester", 7, "lives on a farm", 4600, 0, 0, False),
    ("language course", 1900, 18, 31000, "receptionist", 5, "rents a studio", 3300, 0, 0, False),
    ("wheelchair van", 24500, 84, 59000, "physiotherapist", 18, "owns a house", 29500, 0, 0, True),
)
_BAD = (
    ("sports car", 38000, 84, 29000, "waiter", 1, "rents", 150, 3, 4, False),
    ("debt consolidation", 15500, 72, 24500, "warehouse worker", 0, "shares a flat", 0, 5, 6, False),
    ("television", 2400, 36, 14500, "unemployed", 0, "lives with friends", 40, 2, 2, False),
    ("holiday", 6800, 48, 19500, "call centre agent", 1, "rents a room", 90, 4, 3, False),
    ("night club", 52000, 96, 33500, "bartender", 2, "rents", 1100, 2, 3, False),
    ("motorbike", 12600, 60, 21000, "temporary worker", 0, "rents a studio", 0, 1, 2, False),
    ("online shop", 17500, 60, 16000, "self-employed", 1, "lives with parents", 300, 3, 1, False),
    ("jewellery", 4900, 36, 22500, "hairdresser", 1, "rents", 60, 6, 4, False),
    ("new sofa", 3600, 48, 18500, "seasonal picker", 0, "in a hostel", 0, 2, 1, False),
    ("unpaid bills", 5100, 36, 20500, "cleaner", 2, "rents", 20, 7, 5, False),
    ("food truck", 29000, 84, 26500, "cook", 1, "behind with the rent", 500, 4, 2, False),
    ("gaming computer", 3900, 30, 13500, "student", 0, "shares a flat", 10, 1, 3, False),
    ("gym franchise", 64000, 120, 36000, "trainer", 3, "rents a house", 2000, 3, 4, False),
    ("cosmetic surgery", 8800, 60, 23000, "model", 0, "rents", 0, 2, 2, False),
    ("second car", 19500, 72, 28500, "taxi driver", 2, "rents a flat", 350, 5, 3, False),
    ("course fees", 7200, 60, 11500, "intern", 0, "lives with relatives", 0, 1, 4, False),
    ("horse", 9900, 60, 27500, "groom", 1, "rents a cottage", 120, 3, 2, False),
    ("tattoo studio", 22500, 84, 17000, "apprentice", 0, "sublets", 80, 2, 1, False),
    ("boat repair", 13800, 72, 25000, "deckhand", 1, "lives aboard", 0, 4, 2, False),
    ("furniture", 5600, 60, 15500, "parcel sorter", 0, "rents a room", 30, 6, 3, False),
)


def _labelled(columns: tuple[str, ...], first: tuple[str, tuple[tuple[object, ...], ...]],
              second: tuple[str, tuple[tuple[object, ...], ...]]) -> tuple[Row, ...]:  # fmt: skip
    """Rows of two labels in turn."""
    (one, ones), (other, others) = first, second
    pairs = zip(ones, others, strict=True)
    return tuple(
        {**dict(zip(columns, cells, strict=True)), "label": label}
        for pair in pairs
        for cells, label in zip(pair, (one, other), strict=True)
    )


_FRAUD_TEXTS: tuple[Row, ...] = (
    {"text": "Weekly shop paid by chip, four streets from home, at the hour it always is.", "label": "genuine"},
    {"text": "Three top-ups for different telephones within two minutes, from a device never seen before.",
     "label": "fraud"},
    {"text": "The yearly dues of a rowing club, collected by the mandate that was signed two summers ago.",
     "label": "genuine"},
    {"text": "A transfer of the whole balance to a new payee abroad, an hour after the password was reset.",
     "label": "fraud"},
)  # fmt: skip
_CREDIT_TEXTS: tuple[Row, ...] = (
    {"text": "A carpenter with a steady order book wants a planing machine; two earlier loans were repaid on time.",
     "label": "good"},
    {"text": "Asks for half a year's income to go on a cruise, with no job and three reminders still unanswered.",
     "label": "bad"},
    {"text": "A couple of teachers replace their boiler and keep enough savings to pay for it twice.",
     "label": "good"},
    {"text": "Wants to pay one instalment loan with the next, and has moved four times without giving notice.",
     "label": "bad"},
)  # fmt: skip
FRAUD_SAMPLES: tuple[Row, ...] = (
    *_labelled(_TRANSACTION, ("genuine", _GENUINE), ("fraud", _FRAUDULENT)),
    *_FRAUD_TEXTS,
)
CREDIT_SAMPLES: tuple[Row, ...] = (*_labelled(_APPLICATION, ("good", _GOOD), ("bad", _BAD)), *_CREDIT_TEXTS)

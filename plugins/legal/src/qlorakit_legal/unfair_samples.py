"""Rows written by hand for ``legal/unfair``: sentences of terms of service of services that do not exist."""

from collections.abc import Mapping

from qlorakit.task import Row

# Of each service: sentences, lower-cased and with spaces around brackets as in the public data, and their labels.
_SENTENCES: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "brightparcel": (
        (
            "you may track your parcel on the map page once the courier has scanned its barcode.",
            (),
        ),
        (
            (
                "brightparcel shall not be liable for lost profits, lost data or any indirect damage, even if it was "
                "warned."
            ),
            ("Limitation of liability",),
        ),
    ),
    "kitestring mail": (
        (
            "we can close your account whenever we see fit and without telling you why.",
            ("Unilateral termination",),
        ),
        (
            "the courts of tallinn alone shall hear any lawsuit about these terms.",
            ("Jurisdiction",),
        ),
    ),
    "larkspur reader": (
        (
            "larkspur reader stores your bookmarks so that you find them on each of your devices.",
            (),
        ),
        (
            "we reserve the right to rewrite these terms at any moment by putting a new version on this page.",
            ("Unilateral change",),
        ),
    ),
    "hazelnut forum": (
        (
            "by opening the app you accept everything that is written here.",
            ("Contract by using",),
        ),
        (
            "editors may delete a review at their sole discretion and shut out whoever posted it.",
            ("Content removal", "Unilateral termination"),
        ),
    ),
    "mossgrove gardens": (
        (
            "please keep your password to yourself and choose one that is hard to guess.",
            (),
        ),
        (
            "this contract follows the law of new zealand, wherever you happen to live.",
            ("Choice of law",),
        ),
    ),
    "fernleaf pictures": (
        (
            (
                "every quarrel between you and fernleaf ( save for claims before a small claims court ) goes to one "
                "arbitrator, whose award is final."
            ),
            ("Arbitration",),
        ),
        (
            "photos of plants that we find unsuitable can be taken down by us without notice.",
            ("Content removal",),
        ),
    ),
    "tidewater rentals": (
        (
            "a deposit of one night is charged when the booking is confirmed and returned after check-out.",
            (),
        ),
        (
            "prices, features and opening hours of the marina may be altered by tidewater as it pleases.",
            ("Unilateral change",),
        ),
    ),
    "saltmarsh ferries": (
        (
            "under no circumstances do we owe more than the sum that you paid during the past three months.",
            ("Limitation of liability",),
        ),
        (
            "swedish law governs this agreement, and the district court of malmö has exclusive competence.",
            ("Choice of law", "Jurisdiction"),
        ),
    ),
    "quillbox": (
        (
            "if something does not work, write to our support desk between nine and five.",
            (),
        ),
        (
            "whoever keeps sending letters through quillbox after a revision is deemed to have agreed to it.",
            ("Contract by using",),
        ),
    ),
    "copperfinch": (
        (
            (
                "claims shall be settled by binding arbitration under the rules of the chamber of commerce, and not by"
                " a jury."
            ),
            ("Arbitration",),
        ),
        (
            "we may suspend the premium plan, in whole or in part, for any reason or none.",
            ("Unilateral termination",),
        ),
    ),
}

UNFAIR_SAMPLES: tuple[Row, ...] = tuple(
    {"text": text, "labels": list(labels), "company": company}
    for company, sentences in _SENTENCES.items()
    for text, labels in sentences
)

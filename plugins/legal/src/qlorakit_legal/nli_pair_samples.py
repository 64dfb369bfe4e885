"""Sample pairs of a passage and a hypothesis, written for this package; all parties are made up."""

NLI_PAIR_SAMPLES = (
    {
        "premise": (
            "The Recipient will not take apart, decompile or analyse any prototype in order to learn how it works."
        ),
        "hypothesis": (
            "Receiving Party shall not reverse engineer any objects which embody Disclosing Party's Confidential "
            "Information."
        ),
        "label": "entailment",
    },
    {
        "premise": (
            "Nothing in this letter keeps Tarnfield Optics from examining the sample lenses, including by dismantling "
            "them and measuring every layer."
        ),
        "hypothesis": (
            "Receiving Party shall not reverse engineer any objects which embody Disclosing Party's Confidential "
            "Information."
        ),
        "label": "contradiction",
    },
    {
        "premise": (
            "This Agreement is governed by the law of the place where the Discloser has its registered office, and "
            "its courts alone hear disputes."
        ),
        "hypothesis": (
            "Receiving Party shall not reverse engineer any objects which embody Disclosing Party's Confidential "
            "Information."
        ),
        "label": "not mentioned",
    },
    {
        "premise": (
            "Within ten days after this Agreement ends, the Consultant shall hand back all drawings or shred them and "
            "confirm so in writing."
        ),
        "hypothesis": (
            "Receiving Party shall destroy or return some Confidential Information upon the termination of Agreement."
        ),
        "label": "entailment",
    },
    {
        "premise": (
            "One copy of the materials may stay with the Recipient's legal department after everything else has been "
            "returned, solely as a record of what was received."
        ),
        "hypothesis": (
            "Receiving Party may retain some Confidential Information even after the return or destruction of "
            "Confidential Information."
        ),
        "label": "entailment",
    },
    {
        "premise": (
            "Upon request the Bidder shall erase every file, including backups, and may keep no copy, extract or "
            "summary in any form whatsoever."
        ),
        "hypothesis": (
            "Receiving Party may retain some Confidential Information even after the return or destruction of "
            "Confidential Information."
        ),
        "label": "contradiction",
    },
    {
        "premise": (
            "No failure of either party to insist on a right under this Agreement is a waiver of it.\n"
            "Changes need the signature of both parties."
        ),
        "hypothesis": (
            "Receiving Party may retain some Confidential Information even after the return or destruction of "
            "Confidential Information."
        ),
        "label": "not mentioned",
    },
    {
        "premise": (
            '"Secret Matter" covers the recipes as well as prices, customer lists, hiring plans and any other '
            "business affairs of Plumley Bakeries."
        ),
        "hypothesis": "Confidential Information shall only include technical information.",
        "label": "contradiction",
    },
    {
        "premise": (
            "Only engineering data, that is to say circuit diagrams, firmware and test protocols, are Confidential "
            "Information under this Agreement."
        ),
        "hypothesis": "Confidential Information shall only include technical information.",
        "label": "entailment",
    },
    {
        "premise": (
            "Whatever is told in meetings or by telephone is protected too, whether or not it is later put in writing."
        ),
        "hypothesis": "Confidential Information may include verbally conveyed information.",
        "label": "entailment",
    },
    {
        "premise": (
            "Information is protected only if it was handed over on paper or as a file; what is merely spoken is not."
        ),
        "hypothesis": "Confidential Information may include verbally conveyed information.",
        "label": "contradiction",
    },
    {
        "premise": "The Recipient bears its own costs of the evaluation.\nNotices are sent by registered letter.",
        "hypothesis": "Confidential Information may include verbally conveyed information.",
        "label": "not mentioned",
    },
    {
        "premise": (
            "The Evaluator may show the file to its auditors and outside lawyers, provided that they are bound to "
            "secrecy in the same way."
        ),
        "hypothesis": (
            "Receiving Party may share some Confidential Information with some third-parties (including consultants, "
            "agents and professional advisors)."
        ),
        "label": "entailment",
    },
    {
        "premise": (
            "The Information must stay within the Company; no one outside, be it an adviser, an insurer or a lender, "
            "shall see any of it."
        ),
        "hypothesis": (
            "Receiving Party may share some Confidential Information with some third-parties (including consultants, "
            "agents and professional advisors)."
        ),
        "label": "contradiction",
    },
    {
        "premise": (
            "For two years neither party shall hire away, or try to, anyone who worked for the other on the Project."
        ),
        "hypothesis": "Receiving Party shall not solicit some of Disclosing Party's representatives.",
        "label": "entailment",
    },
    {
        "premise": (
            "An advance payment of 4,000 is due on signature and is set off against the first invoice.\n"
            "The headings are for convenience alone."
        ),
        "hypothesis": "Receiving Party shall not solicit some of Disclosing Party's representatives.",
        "label": "not mentioned",
    },
)

"""Clauses written by hand for ``legal/clauses``: contracts and their parties are made up, and every category occurs."""

from qlorakit.task import Row


def _row(contract: str, labels: str, text: str) -> Row:
    """A clause of a contract, and its categories parted by semicolons."""
    return {"text": text, "labels": labels.split("; "), "contract": contract}


CLAUSE_SAMPLES: tuple[Row, ...] = (
    # A licence for software
    _row(
        "software-licence", "Effective Date",
        "The rights and duties set out below begin on the first Monday after both signatures are on the last page.",
    ),
    _row(
        "software-licence", "Expiration Date; Renewal Term; Notice Period to Terminate Renewal",
        "The term runs for three years and is then extended by one year at a time, unless a party says in writing at "
        "least ninety days before its end that it does not wish to go on.",
    ),
    _row(
        "software-licence", "License Grant; Non-Transferable License",
        "Licensor grants Customer a non-exclusive right, which cannot be passed on, to install and run the Program at "
        "its offices.",
    ),
    _row(
        "software-licence", "License Grant; Affiliate License-Licensee",
        "Customer and each company that it controls may use the Program for their own bookkeeping.",
    ),
    _row(
        "software-licence", "Affiliate License-Licensor",
        "Licensor shall see to it that its sister companies license to Customer whatever patents of theirs the "
        "Program needs.",
    ),
    _row(
        "software-licence", "Source Code Escrow",
        "Within thirty days Licensor shall deposit the source code with an independent escrow agent, who hands it to "
        "Customer if Licensor becomes insolvent.",
    ),
    _row(
        "software-licence", "Warranty Duration",
        "For a year from delivery the Program will do what its manual says; Licensor repairs what does not.",
    ),
    _row(
        "software-licence", "Cap on Liability",
        "In no event shall either side owe more than the fees paid in the twelve months before the claim arose.",
    ),
    _row(
        "software-licence", "Cap on Liability; Uncapped Liability",
        "Damages are limited to one million dollars, except that nothing limits what a party owes for a breach of "
        "secrecy.",
    ),
    _row(
        "software-licence", "Covenant Not to Sue",
        "Customer shall never contest that Licensor owns the marks, nor help anyone else to do so.",
    ),
    # A distribution of pumps
    _row(
        "pump-distribution", "Exclusivity",
        "During the term Maker will appoint nobody else to sell the Pumps in the Territory.",
    ),
    _row(
        "pump-distribution", "Non-Compete",
        "Until two years after the end of this contract Distributor shall not make or market pumps that rival those of "
        "Maker.",
    ),
    _row(
        "pump-distribution", "Competitive Restriction Exception",
        "Notwithstanding the foregoing, Distributor may finish selling the rival models that it had in stock at the "
        "signing.",
    ),
    _row(
        "pump-distribution", "Minimum Commitment",
        "Distributor shall buy no fewer than four hundred Pumps in every calendar year.",
    ),
    _row(
        "pump-distribution", "Price Restrictions",
        "Maker may raise its list prices once a year and by no more than three percent.",
    ),
    _row(
        "pump-distribution", "Most Favored Nation",
        "Should Maker sell like quantities to another buyer for less, Distributor shall have the lower price from that "
        "day on.",
    ),
    _row(
        "pump-distribution", "Anti-Assignment; Change of Control",
        "Without the other's consent neither party may assign this contract, and a sale of most of its shares counts "
        "as an assignment.",
    ),
    _row(
        "pump-distribution", "Governing Law",
        "This contract is governed by the law of Oregon, without regard to its rules on conflicts.",
    ),
    _row(
        "pump-distribution", "Termination for Convenience",
        "Either party may end this contract at any time and for no reason upon sixty days' notice.",
    ),
    _row(
        "pump-distribution", "Post-Termination Services",
        "After the end Maker shall go on delivering spare parts to customers of Distributor for eighteen months.",
    ),
    # A joint development
    _row(
        "battery-development", "Joint IP Ownership",
        "Inventions made by staff of both companies together belong to both in equal undivided shares.",
    ),
    _row(
        "battery-development", "IP Ownership Assignment",
        "Contractor hereby assigns to Sponsor all right and title in the drawings that it makes under this project.",
    ),
    _row(
        "battery-development", "Irrevocable or Perpetual License",
        "Sponsor keeps, for ever and irrevocably, the right to use the test methods in its plants.",
    ),
    _row(
        "battery-development", "Revenue/Profit Sharing",
        "Sponsor shall pay Contractor six percent of the net sales of every cell that embodies the Results.",
    ),
    _row(
        "battery-development", "Rofr/Rofo/Rofn",
        "Before Contractor licenses the Results for marine use to others, it shall offer that license to Sponsor first "
        "and negotiate for forty-five days.",
    ),
    _row(
        "battery-development", "No-Solicit of Employees",
        "For a year after the project neither company shall hire away engineers of the other.",
    ),
    _row(
        "battery-development", "Audit Rights",
        "Once a year, on ten days' notice, an accountant chosen by Contractor may inspect the books from which "
        "royalties are computed.",
    ),
    _row(
        "battery-development", "Uncapped Liability",
        "The limits of this Section shall not apply to claims for infringement of a third person's patents.",
    ),
    _row(
        "battery-development", "Change of Control",
        "If a rival of Sponsor acquires Contractor, Sponsor may withdraw from the project within thirty days of "
        "learning of it.",
    ),
    # The hosting of a shop
    _row(
        "shop-hosting", "Volume Restriction",
        "Where traffic goes beyond fifty thousand visits a day, Host may charge the higher rate of Schedule C.",
    ),
    _row(
        "shop-hosting", "Unlimited/All-You-Can-Eat-License; License Grant",
        "For the flat fee any number of users of Client may work with the platform as much as they like, on any number "
        "of machines.",
    ),
    _row(
        "shop-hosting", "Liquidated Damages",
        "For each full hour without service Host shall credit Client with two hundred dollars, which the parties hold "
        "to be a fair estimate of the harm and no penalty.",
    ),
    _row(
        "shop-hosting", "Insurance",
        "Throughout the term Host shall carry cyber insurance of at least five million dollars and name Client as an "
        "additional insured.",
    ),
    _row(
        "shop-hosting", "Anti-Assignment",
        "Host shall not transfer its duties to anyone else unless Client has agreed in writing beforehand.",
    ),
    _row(
        "shop-hosting", "Third Party Beneficiary",
        "The payment processors named in Schedule D may enforce the preceding paragraph as if they had signed.",
    ),
    _row(
        "shop-hosting", "Governing Law",
        "Disputes are decided under the statutes of the Province of Manitoba and the federal laws of Canada.",
    ),
    _row(
        "shop-hosting", "Audit Rights; Post-Termination Services",
        "Records of uptime are kept for two years beyond termination, during which Client may examine them on request.",
    ),
    # The endorsement of shoes
    _row(
        "shoe-endorsement", "Non-Disparagement",
        "Athlete shall say nothing, in public or online, that belittles the Shoes or the people who make them.",
    ),
    _row(
        "shoe-endorsement", "Exclusivity; Non-Compete",
        "Athlete shall wear and advertise no running shoes but those of Company, and shall take no part in a business "
        "that makes others.",
    ),
    _row(
        "shoe-endorsement", "No-Solicit of Customers",
        "Agent shall not approach the retailers whom it came to know through Company in order to sell them goods of "
        "its own.",
    ),
    _row(
        "shoe-endorsement", "Expiration Date",
        "This agreement ends with the closing ceremony of the second summer games held after its signing.",
    ),
    _row(
        "shoe-endorsement", "Renewal Term",
        "Company may prolong the arrangement twice, by two seasons each time, on the same terms.",
    ),
    _row(
        "shoe-endorsement", "License Grant; Irrevocable or Perpetual License",
        "Athlete allows Company to show the films made under this agreement in its museum, permanently and without a "
        "right to take this back.",
    ),
    _row(
        "shoe-endorsement", "Revenue/Profit Sharing; Minimum Commitment",
        "Athlete receives four percent of the proceeds of the Signature Line, of which Company shall produce at least "
        "twenty thousand pairs each season.",
    ),
)  # fmt: skip

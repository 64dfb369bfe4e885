"""Rows written by hand for ``finance/entities``: parties, people and places are made up."""

import re

from qlorakit.task import Row

_ENTITY_OR_WORD = re.compile(r"\[(?P<type>[A-Z]+) (?P<mention>[^]]+)]|(?P<word>\S+)")

# Words with spaces between them; an entity in brackets, its type first.
_SENTENCES = (
    'This agreement is made between [ORG Norvik Bank] ( the " [PER Lender] " ) and [ORG Calder Foods Ltd.] .',
    "The [PER Borrower] shall repay each advance in full on the last day of its interest period .",
    "[PER Ada Holm] , treasurer of [ORG Tessel Robotics] , signed the amended facility in [LOC Rotterdam] .",
    "No amendment of these terms is effective unless it is in writing .",
    "The [PER Lender] may assign its rights to any affiliate without the consent of the [PER Borrower] .",
    "Notices to the company go to 14 [LOC Quay Street] , [LOC Galway] , [LOC Ireland] .",
    "[ORG Harbour Lines] opened a second terminal in [LOC Klaipeda] last spring .",
    "Interest accrues daily on the basis of a year of 360 days .",
    "Chief executive [PER Tomas Rehn] told analysts that margins would hold .",
    "Shares of [ORG Kestrel Air] fell after [ORG Brightwater] sold its stake .",
    "The [PER Borrower] and each guarantor are jointly and severally liable for all sums that fall due .",
    "Regulators in [LOC Norway] and [LOC Denmark] have opened talks with [ORG Meridian Paper] .",
    "[PER Priya Raman] joins the board from [ORG Savill Medical] , where she led research .",
    "Each of the Lenders holds a first charge over the vessel .",
    "The collateral consists of inventory , receivables and equipment , wherever it is kept .",
    "[ORG Lumen Retail] will close its warehouse in [LOC Leipzig] , [LOC Saxony] , by June .",
    "A spokesman said that orders were in line with plans .",
    "[PER Oskar Lindqvist] [PER Mira Sato] and a third director resigned on Friday .",
    "The court of [LOC Santa Rosa] ruled against [ORG Ostrava Steel] in the dispute over freight .",
    "If an event of default continues , the [PER Lender] may declare the loan due at once .",
    "[ORG First Prairie Trust] acts as agent and keeps the register in [LOC Omaha] , [LOC Nebraska] .",
    "Oil slipped a little as traders waited for figures on stocks .",
    "[PER Helen Achterberg] 's fund bought a tenth of [ORG Vantor Energy] .",
    "All fees are payable in dollars and are not refundable once paid .",
    "The [PER Borrower] has its seat at 220 [LOC Elm Avenue] , [LOC Dayton] , [LOC Ohio] .",
    "[ORG Polder Insurance] [ORG Delta Reinsurance] and two smaller rivals raised their premiums .",
    "In [LOC Lisbon] , minister [PER Rui Tavares Melo] defended the tax on windfall gains .",
    "By : [PER Gordon P. Weir] , vice president , [ORG Silver Creek Bank] .",
    "The guarantor waives any right to require prior recourse against the [PER Borrower] .",
    "Growth in [LOC Latin America] offset weak demand at [ORG Ansel Motors] , its finance chief [PER Jo Park] said .",
    "Headings are for convenience and do not affect how a clause is read .",
    "[ORG Northgate Capital] and [PER Samuel Oduya] agreed on a price late on Thursday .",
    "The branch of [ORG Norvik Bank] in [LOC Bergen] moves to new rooms near the station .",
    "Upon request , the [PER Borrower] delivers audited accounts to the [PER Lender] within ninety days .",
    "[ORG Central Bank of Arcadia] kept its key rate , as every economist had expected .",
    "Farmers along the [LOC Tisza] fear another dry summer .",
)  # fmt: skip


def _row(sentence: str) -> Row:
    tokens: list[str] = []
    tags: list[str] = []
    for found in _ENTITY_OR_WORD.finditer(sentence):
        words = (found["word"] or found["mention"]).split()
        tokens += words
        tags += ["O"] if found["word"] else [f"B-{found['type']}", *[f"I-{found['type']}"] * (len(words) - 1)]
    return {"tokens": tokens, "tags": tags}


ENTITY_SAMPLES: tuple[Row, ...] = tuple(map(_row, _SENTENCES))

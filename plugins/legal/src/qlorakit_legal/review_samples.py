"""Sample contracts with what is in them, written for this package; all parties are made up."""

from collections.abc import Mapping
from typing import Any

from qlorakit_legal.cuad import CATEGORIES


def _contract(document: str, text: str, found: Mapping[str, str]) -> dict[str, Any]:
    """A row with all categories; those that no sentences are given for are absent."""
    answers = [
        {
            "question": category,
            "answer": "present" if category in found else "absent",
            "evidence": [found[category]] if category in found else [],
        }
        for category in CATEGORIES
    ]
    return {"document": document, "text": text, "answers": answers}


REVIEW_SAMPLES = (
    _contract(
        "01 - supply of flour",
        """MASTER SUPPLY AGREEMENT

This agreement is made between Harrowgate Mills Ltd (the "Supplier") and Pell Orchard Foods LLC (the "Buyer").
Signed on 4 March 2019.

1. Term. Supply begins on 1 April 2019. This agreement runs for three years from that day. It is then extended by one \
year at a time. Either party may stop an extension by writing to the other at least ninety days before it begins.

2. Quantities. In every calendar year the Buyer shall order no fewer than 400 tonnes of flour. Orders are placed by \
the fifth day of the month and confirmed within two business days.

3. Prices. The prices are listed in Annex A below. The Supplier may raise them once a year and by no more than three \
per cent. If the Supplier sells the same grade to anyone else for less, the Buyer shall pay the lower price from that \
day on.

4. Quality. The Supplier warrants that flour stays fit for baking for six months after delivery. A sample of each lot \
is kept at the mill.

5. General. This agreement is governed by the laws of England and Wales. Notices are sent to the addresses above.""",
        {
            "Document Name": "MASTER SUPPLY AGREEMENT",
            "Parties": (
                'This agreement is made between Harrowgate Mills Ltd (the "Supplier") and Pell Orchard Foods LLC '
                '(the "Buyer").'
            ),
            "Agreement Date": "Signed on 4 March 2019.",
            "Effective Date": "Supply begins on 1 April 2019.",
            "Expiration Date": "This agreement runs for three years from that day.",
            "Renewal Term": "It is then extended by one year at a time.",
            "Notice Period to Terminate Renewal": (
                "Either party may stop an extension by writing to the other at least ninety days before it begins."
            ),
            "Governing Law": "This agreement is governed by the laws of England and Wales.",
            "Most Favored Nation": (
                "If the Supplier sells the same grade to anyone else for less, the Buyer shall pay the lower price "
                "from that day on."
            ),
            "Price Restrictions": "The Supplier may raise them once a year and by no more than three per cent.",
            "Minimum Commitment": "In every calendar year the Buyer shall order no fewer than 400 tonnes of flour.",
            "Warranty Duration": "The Supplier warrants that flour stays fit for baking for six months after delivery.",
        },
    ),
    _contract(
        "02 - planning software",
        """SOFTWARE LICENCE

Between Quillmere Systems Inc., the Licensor, and Tarrant Bay Shipping AS, the Licensee. Dated 12 January 2021.

A. The Licensor grants the Licensee a licence to install and run the program "Berthplan". The Licensee may not hand \
this right on to anyone else. Companies in which the Licensee holds more than half of the shares may run the program \
as well. There is no limit to the number of users, copies or machines.

B. Within thirty days the Licensor shall lodge the source code of every release with Corran Escrow Agents. The agent \
releases it if the Licensor stops supporting the program for sixty days in a row.

C. Once a year the Licensor may send an accountant to inspect the Licensee's records of installations. It announces \
the visit two weeks ahead.

D. Neither side is liable for more than the fees paid in the twelve months before the claim. That limit does not hold \
for a breach of clause F or for wilful damage, for which liability is unlimited.

E. Disputes are decided under the law of Norway.

F. Each side keeps secret what it learns of the other's business.""",
        {
            "Document Name": "SOFTWARE LICENCE",
            "Parties": "Between Quillmere Systems Inc., the Licensor, and Tarrant Bay Shipping AS, the Licensee.",
            "Agreement Date": "Dated 12 January 2021.",
            "Governing Law": "E. Disputes are decided under the law of Norway.",
            "License Grant": (
                'A. The Licensor grants the Licensee a licence to install and run the program "Berthplan".'
            ),
            "Non-Transferable License": "The Licensee may not hand this right on to anyone else.",
            "Affiliate License-Licensee": (
                "Companies in which the Licensee holds more than half of the shares may run the program as well."
            ),
            "Unlimited/All-You-Can-Eat-License": "There is no limit to the number of users, copies or machines.",
            "Source Code Escrow": (
                "B. Within thirty days the Licensor shall lodge the source code of every release with Corran "
                "Escrow Agents. The agent releases it if the Licensor stops supporting the program for sixty days "
                "in a row."
            ),
            "Audit Rights": (
                "C. Once a year the Licensor may send an accountant to inspect the Licensee's records of installations."
            ),
            "Uncapped Liability": (
                "That limit does not hold for a breach of clause F or for wilful damage, for which liability is "
                "unlimited."
            ),
            "Cap on Liability": (
                "D. Neither side is liable for more than the fees paid in the twelve months before the claim."
            ),
        },
    ),
    _contract(
        "03 - distribution of pumps",
        """EXCLUSIVE DISTRIBUTION AGREEMENT

Vantry Pump Works GmbH and Solario Trading SpA agree as follows.

1. Solario alone may sell Vantry pumps in Italy and Malta. While the agreement lasts, Solario shall not sell pumps of \
any other maker in these countries. It may go on selling the garden pumps that it had in stock at the start.

2. Solario shall buy pumps for at least EUR 250,000 a year, counted from 1 July.

3. Vantry delivers to the port of Genoa. Risk passes on unloading, and Solario insures the goods from there on.

4. Either of them may end the agreement at any time, without giving a reason, on four months' notice. For half a year \
after the end Vantry shall go on delivering spare parts, and Solario may sell what is left in its warehouse.

5. Neither may assign the agreement without the written consent of the other.

6. If more than half of Solario's shares change hands, Vantry may end the agreement at once.

Page 2 of 2
Made in Stuttgart and signed on 20 June 2016.""",
        {
            "Document Name": "EXCLUSIVE DISTRIBUTION AGREEMENT",
            "Parties": "Vantry Pump Works GmbH and Solario Trading SpA agree as follows.",
            "Agreement Date": "Made in Stuttgart and signed on 20 June 2016.",
            "Competitive Restriction Exception": (
                "It may go on selling the garden pumps that it had in stock at the start."
            ),
            "Non-Compete": (
                "While the agreement lasts, Solario shall not sell pumps of any other maker in these countries."
            ),
            "Exclusivity": "1. Solario alone may sell Vantry pumps in Italy and Malta.",
            "Termination for Convenience": (
                "4. Either of them may end the agreement at any time, without giving a reason, on four months' notice."
            ),
            "Change of Control": (
                "6. If more than half of Solario's shares change hands, Vantry may end the agreement at once."
            ),
            "Anti-Assignment": "5. Neither may assign the agreement without the written consent of the other.",
            "Minimum Commitment": "2. Solario shall buy pumps for at least EUR 250,000 a year, counted from 1 July.",
            "Post-Termination Services": (
                "For half a year after the end Vantry shall go on delivering spare parts, and Solario may sell "
                "what is left in its warehouse."
            ),
            "Insurance": "Risk passes on unloading, and Solario insures the goods from there on.",
        },
    ),
    _contract(
        "04 - consultant",
        """CONSULTING AGREEMENT

Dr. Imre Castellan (the "Consultant") shall advise Northlea Biologics Inc. (the "Company") on fermentation.

Work. The Consultant gives up to six days a month and reports to the head of process development. He is paid USD 1,900 \
for each day, within thirty days of his invoice.

Results. Everything that the Consultant invents or writes in the course of the work belongs to the Company, and he \
hereby assigns all rights in it. He keeps no copies.

People. For one year after the work has ended the Consultant shall not offer employment to anyone who works for the \
Company. Nor shall he approach its customers on behalf of a competitor.

Reputation. Neither of them shall make disparaging statements about the other, in public or in private.

Cover. The Consultant shall keep professional indemnity insurance of at least USD 1,000,000.

End. The Company may dismiss the Consultant at any time for any reason or none, with ten days' notice. The duties \
under "Results", "People" and "Reputation" continue afterwards.

Law. Massachusetts law applies, without its rules on conflicts of laws.""",
        {
            "Document Name": "CONSULTING AGREEMENT",
            "Parties": (
                'Dr. Imre Castellan (the "Consultant") shall advise Northlea Biologics Inc. (the "Company") on '
                "fermentation."
            ),
            "Governing Law": "Law. Massachusetts law applies, without its rules on conflicts of laws.",
            "No-Solicit of Customers": "Nor shall he approach its customers on behalf of a competitor.",
            "No-Solicit of Employees": (
                "For one year after the work has ended the Consultant shall not offer employment to anyone who "
                "works for the Company."
            ),
            "Non-Disparagement": (
                "Neither of them shall make disparaging statements about the other, in public or in private."
            ),
            "Termination for Convenience": (
                "End. The Company may dismiss the Consultant at any time for any reason or none, with ten days' notice."
            ),
            "IP Ownership Assignment": (
                "Everything that the Consultant invents or writes in the course of the work belongs to the "
                "Company, and he hereby assigns all rights in it."
            ),
            "Insurance": "Cover. The Consultant shall keep professional indemnity insurance of at least USD 1,000,000.",
        },
    ),
    _contract(
        "05 - development of a battery",
        """JOINT DEVELOPMENT AND CROSS-LICENCE AGREEMENT

Ostrava Cell Technologies a.s. and Brightwater Motors Corp., each a Party, conclude this agreement on 9 September \
2014.

1.1 The Parties shall develop a battery of the size described in Exhibit 1 and share the cost in equal halves.

1.2 Inventions that employees of both Parties make together belong to both Parties jointly, and each may use them \
without accounting to the other.

1.3 Ostrava grants Brightwater a licence under its own patents, and under those of its subsidiaries, to make and sell \
vehicles with the battery. The licence is perpetual and cannot be revoked.

1.4 Brightwater shall not contest the validity of Ostrava's patents, nor bring a claim against Ostrava for the use of \
anything shown in a meeting of the project.

1.5 Exhibit 1 may be changed by the project leaders in writing. They meet every other Tuesday.

1.6 Neither Party owes the other compensation for lost profit or for any other indirect loss.

1.7 The agreement takes effect when both boards have approved it, and ends on 31 December 2018.""",
        {
            "Document Name": "JOINT DEVELOPMENT AND CROSS-LICENCE AGREEMENT",
            "Parties": (
                "Ostrava Cell Technologies a.s. and Brightwater Motors Corp., each a Party, conclude this "
                "agreement on 9 September 2014."
            ),
            "Agreement Date": (
                "Ostrava Cell Technologies a.s. and Brightwater Motors Corp., each a Party, conclude this "
                "agreement on 9 September 2014."
            ),
            "Effective Date": (
                "1.7 The agreement takes effect when both boards have approved it, and ends on 31 December 2018."
            ),
            "Expiration Date": (
                "1.7 The agreement takes effect when both boards have approved it, and ends on 31 December 2018."
            ),
            "Joint IP Ownership": (
                "1.2 Inventions that employees of both Parties make together belong to both Parties jointly, and "
                "each may use them without accounting to the other."
            ),
            "License Grant": (
                "1.3 Ostrava grants Brightwater a licence under its own patents, and under those of its "
                "subsidiaries, to make and sell vehicles with the battery."
            ),
            "Affiliate License-Licensor": (
                "1.3 Ostrava grants Brightwater a licence under its own patents, and under those of its "
                "subsidiaries, to make and sell vehicles with the battery."
            ),
            "Irrevocable or Perpetual License": "The licence is perpetual and cannot be revoked.",
            "Cap on Liability": (
                "1.6 Neither Party owes the other compensation for lost profit or for any other indirect loss."
            ),
            "Covenant Not to Sue": (
                "1.4 Brightwater shall not contest the validity of Ostrava's patents, nor bring a claim against "
                "Ostrava for the use of anything shown in a meeting of the project."
            ),
        },
    ),
    _contract(
        "06 - coffee shop",
        """FRANCHISE AGREEMENT

Franchisor: Copperpot Coffee Houses Inc.
Franchisee: Delphine Arquette, trading as Arquette & Daughters

ARTICLE 1. The Franchisee may open one coffee house under the name "Copperpot" at 18 Mill Lane, Ashby. She pays five \
per cent of each week's gross sales to the Franchisor, on the following Wednesday.

ARTICLE 2. The Franchisor may look through the books of the shop, and at its till, on any working day without warning.

ARTICLE 3. Until two years after the end of this agreement the Franchisee shall not take part in another coffee house \
within ten miles.

ARTICLE 4. If the Franchisee wants to sell the shop, she must offer it to the Franchisor first, on the same terms.

ARTICLE 5. A Franchisee who closes the shop early owes damages of 30,000 dollars, which the parties take for a fair \
estimate.

ARTICLE 6. The Franchisee shall carry liability and fire insurance that names the Franchisor.

ARTICLE 7. This agreement shall expire on the tenth anniversary of the opening. If the Franchisee so asks, it is \
renewed for five more years.

ARTICLE 8. The agreement is construed under Ohio law.""",
        {
            "Document Name": "FRANCHISE AGREEMENT",
            "Parties": (
                "Franchisor: Copperpot Coffee Houses Inc.\nFranchisee: Delphine Arquette, trading as Arquette & "
                "Daughters"
            ),
            "Expiration Date": "This agreement shall expire on the tenth anniversary of the opening.",
            "Renewal Term": "If the Franchisee so asks, it is renewed for five more years.",
            "Governing Law": "The agreement is construed under Ohio law.",
            "Non-Compete": (
                "Until two years after the end of this agreement the Franchisee shall not take part in another "
                "coffee house within ten miles."
            ),
            "Rofr/Rofo/Rofn": (
                "If the Franchisee wants to sell the shop, she must offer it to the Franchisor first, on the same "
                "terms."
            ),
            "Revenue/Profit Sharing": (
                "She pays five per cent of each week's gross sales to the Franchisor, on the following Wednesday."
            ),
            "License Grant": (
                'The Franchisee may open one coffee house under the name "Copperpot" at 18 Mill Lane, Ashby.'
            ),
            "Audit Rights": (
                "The Franchisor may look through the books of the shop, and at its till, on any working day "
                "without warning."
            ),
            "Liquidated Damages": (
                "A Franchisee who closes the shop early owes damages of 30,000 dollars, which the parties take for "
                "a fair estimate."
            ),
            "Insurance": "The Franchisee shall carry liability and fire insurance that names the Franchisor.",
        },
    ),
    _contract(
        "07 - hosting",
        """HOSTING SERVICES AGREEMENT

Stackhaven Ltd ("Host") will keep the shop of Mossgate Antiques Ltd ("Client") on its servers as from 15 May 2020.

Service levels
The shop will be reachable for 99.5 per cent of each month. Backups are made every night and held for two weeks.

Traffic
The monthly fee covers 500 gigabytes. Above that the Client pays 0.08 pounds per gigabyte, and above 900 gigabytes the \
Host may slow the shop down until the next month.

Liability
The Host's liability in any contract year shall not exceed 5,000 pounds. Nothing in this agreement limits liability \
for death, injury or fraud.

Term
The agreement continues for twelve months from the day on which the shop goes live. Unless a party objects thirty days \
before they end, another twelve months follow.

On termination
The Host will move the shop and its data to another provider of the Client's choice and answer questions for one \
month.

Assignment
The Client may not transfer its rights. The Host may do so on informing the Client.

Scottish law governs this agreement.""",
        {
            "Document Name": "HOSTING SERVICES AGREEMENT",
            "Parties": (
                'Stackhaven Ltd ("Host") will keep the shop of Mossgate Antiques Ltd ("Client") on its servers as '
                "from 15 May 2020."
            ),
            "Effective Date": (
                'Stackhaven Ltd ("Host") will keep the shop of Mossgate Antiques Ltd ("Client") on its servers as '
                "from 15 May 2020."
            ),
            "Expiration Date": "The agreement continues for twelve months from the day on which the shop goes live.",
            "Renewal Term": "Unless a party objects thirty days before they end, another twelve months follow.",
            "Notice Period to Terminate Renewal": (
                "Unless a party objects thirty days before they end, another twelve months follow."
            ),
            "Governing Law": "Scottish law governs this agreement.",
            "Anti-Assignment": "The Client may not transfer its rights. The Host may do so on informing the Client.",
            "Volume Restriction": (
                "Above that the Client pays 0.08 pounds per gigabyte, and above 900 gigabytes the Host may slow "
                "the shop down until the next month."
            ),
            "Post-Termination Services": (
                "The Host will move the shop and its data to another provider of the Client's choice and answer "
                "questions for one month."
            ),
            "Uncapped Liability": "Nothing in this agreement limits liability for death, injury or fraud.",
            "Cap on Liability": "The Host's liability in any contract year shall not exceed 5,000 pounds.",
        },
    ),
    _contract(
        "08 - endorsement",
        """ENDORSEMENT CONTRACT

between the swimmer Odalys Fenwick ("Athlete") and Reefline Swimwear Pty Ltd ("Reefline"), made the 2nd day of \
February 2018

(1) The Athlete lets Reefline use her name, picture and signature in advertising for swimsuits and goggles. Reefline \
may not pass this permission on.

(2) Throughout the Olympic season she wears no swimsuit but those of Reefline when she competes or trains in public. \
The suit that her national team prescribes is excepted.

(3) She receives AUD 60,000 for the season and two per cent of the net sales of goggles that bear her signature.

(4) She shall say nothing that harms the good name of Reefline or its products.

(5) Reefline may stop at any time by paying what is due for the season. It then takes down all pictures within sixty \
days and returns the negatives.

(6) Before she signs with another maker for the season that follows, she shall give Reefline fourteen days to match \
its offer.

(7) The courts of Queensland have jurisdiction.""",
        {
            "Document Name": "ENDORSEMENT CONTRACT",
            "Parties": (
                'between the swimmer Odalys Fenwick ("Athlete") and Reefline Swimwear Pty Ltd ("Reefline"), made '
                "the 2nd day of February 2018"
            ),
            "Agreement Date": (
                'between the swimmer Odalys Fenwick ("Athlete") and Reefline Swimwear Pty Ltd ("Reefline"), made '
                "the 2nd day of February 2018"
            ),
            "Competitive Restriction Exception": "The suit that her national team prescribes is excepted.",
            "Exclusivity": (
                "(2) Throughout the Olympic season she wears no swimsuit but those of Reefline when she competes "
                "or trains in public."
            ),
            "Non-Disparagement": "(4) She shall say nothing that harms the good name of Reefline or its products.",
            "Termination for Convenience": "(5) Reefline may stop at any time by paying what is due for the season.",
            "Rofr/Rofo/Rofn": (
                "(6) Before she signs with another maker for the season that follows, she shall give Reefline "
                "fourteen days to match its offer."
            ),
            "Revenue/Profit Sharing": (
                "(3) She receives AUD 60,000 for the season and two per cent of the net sales of goggles that bear "
                "her signature."
            ),
            "License Grant": (
                "(1) The Athlete lets Reefline use her name, picture and signature in advertising for swimsuits "
                "and goggles."
            ),
            "Non-Transferable License": "Reefline may not pass this permission on.",
            "Post-Termination Services": "It then takes down all pictures within sixty days and returns the negatives.",
        },
    ),
    _contract(
        "09 - lifts",
        """LIFT MAINTENANCE AGREEMENT No. 5521

Parties: Kestrel Elevator Service Oy; Housing Cooperative Larkspur Court

Kestrel shall inspect the four lifts of Larkspur Court every two months, oil them, and replace worn ropes. A mechanic \
comes within two hours when somebody is stuck.

The yearly fee is 7,400 euros, due in January. It rises with the index of consumer prices and by nothing else.

New parts are guaranteed for 24 months from their installation. Lamps and buttons are excluded.

Tenants of Larkspur Court may themselves claim repair of a lift that stands still, as if they had signed this \
agreement.

Kestrel holds insurance against injury and damage to property, and shows the policy on request.

For each full day on which a lift stands still Kestrel pays 50 euros, whatever the actual loss.

The agreement starts on the first of October 2022 and has no fixed end. Each side may give notice of three months to \
the end of a quarter, for which it needs no cause.

Finnish law applies.""",
        {
            "Document Name": "LIFT MAINTENANCE AGREEMENT No. 5521",
            "Parties": "Parties: Kestrel Elevator Service Oy; Housing Cooperative Larkspur Court",
            "Effective Date": "The agreement starts on the first of October 2022 and has no fixed end.",
            "Expiration Date": "The agreement starts on the first of October 2022 and has no fixed end.",
            "Governing Law": "Finnish law applies.",
            "Termination for Convenience": (
                "Each side may give notice of three months to the end of a quarter, for which it needs no cause."
            ),
            "Price Restrictions": "It rises with the index of consumer prices and by nothing else.",
            "Liquidated Damages": (
                "For each full day on which a lift stands still Kestrel pays 50 euros, whatever the actual loss."
            ),
            "Warranty Duration": "New parts are guaranteed for 24 months from their installation.",
            "Insurance": (
                "Kestrel holds insurance against injury and damage to property, and shows the policy on request."
            ),
            "Third Party Beneficiary": (
                "Tenants of Larkspur Court may themselves claim repair of a lift that stands still, as if they had "
                "signed this agreement."
            ),
        },
    ),
    _contract(
        "10 - pipeline",
        """FIRM TRANSPORTATION SERVICE AGREEMENT

BETWEEN: Gray Mesa Pipeline Company, L.P. ("Transporter")
AND: City of Willow Fork Gas Department ("Shipper")

Receipt and delivery. Transporter shall receive gas at the Dunmore meter and deliver it at Willow Fork, up to 12,000 \
units a day. Gas above that quantity is taken only with Transporter's consent and at one and a half times the rate.

Charges. Shipper shall pay a reservation charge of $[***] each month, whether or not it ships any gas. Transporter \
shall not give any other shipper on this line a lower charge without offering it to Shipper too.

Term. Service commences when the new compressor station is ready. It ends twenty years later.

Measurement. Shipper may examine and test the meters, and have Transporter's charts and records checked, within two \
years of any month.

Successors. The agreement may not be assigned unless the other party agrees in writing, except to whoever acquires \
substantially all assets of the party.

Applicable law. This agreement shall be interpreted under the laws of the State of Wyoming.

Source: GRAY MESA PIPELINE COMPANY, 10-K, 3/1/2011""",
        {
            "Document Name": "FIRM TRANSPORTATION SERVICE AGREEMENT",
            "Parties": (
                'BETWEEN: Gray Mesa Pipeline Company, L.P. ("Transporter")\nAND: City of Willow Fork Gas '
                'Department ("Shipper")'
            ),
            "Effective Date": "Term. Service commences when the new compressor station is ready.",
            "Expiration Date": "It ends twenty years later.",
            "Governing Law": "This agreement shall be interpreted under the laws of the State of Wyoming.",
            "Most Favored Nation": (
                "Transporter shall not give any other shipper on this line a lower charge without offering it to "
                "Shipper too."
            ),
            "Anti-Assignment": (
                "The agreement may not be assigned unless the other party agrees in writing, except to whoever "
                "acquires substantially all assets of the party."
            ),
            "Minimum Commitment": (
                "Shipper shall pay a reservation charge of $[***] each month, whether or not it ships any gas."
            ),
            "Volume Restriction": (
                "Gas above that quantity is taken only with Transporter's consent and at one and a half times the rate."
            ),
            "Audit Rights": (
                "Shipper may examine and test the meters, and have Transporter's charts and records checked, "
                "within two years of any month."
            ),
        },
    ),
    _contract(
        "11 - trademark",
        """TRADEMARK LICENSE AND COEXISTENCE AGREEMENT

Alder & Finch Publishing LLC, as owner of the mark "Firefly Tales", and Firefly Toys KK, as user, sign this document \
on 30 November 2017.

I. The owner allows the user to put the mark on wooden toys for children under six. This permission is free of charge, \
lasts for ever and may not be withdrawn.

II. The permission covers marks that sister companies of the owner have registered in Japan.

III. The user's parent and its other subsidiaries may rely on the permission too.

IV. The user will never attack the owner's registration. The owner will not sue the user over toys sold before the \
date of signature.

V. Should a publisher of books gain control over the user, the permission ends on that day.

VI. Designs that both draw for a common catalogue are owned by both in equal shares.

VII. Both send each other a sample of new packaging. No reply within ten days counts as approval.""",
        {
            "Document Name": "TRADEMARK LICENSE AND COEXISTENCE AGREEMENT",
            "Parties": (
                'Alder & Finch Publishing LLC, as owner of the mark "Firefly Tales", and Firefly Toys KK, as user, '
                "sign this document on 30 November 2017."
            ),
            "Agreement Date": (
                'Alder & Finch Publishing LLC, as owner of the mark "Firefly Tales", and Firefly Toys KK, as user, '
                "sign this document on 30 November 2017."
            ),
            "Change of Control": (
                "V. Should a publisher of books gain control over the user, the permission ends on that day."
            ),
            "Joint IP Ownership": (
                "VI. Designs that both draw for a common catalogue are owned by both in equal shares."
            ),
            "License Grant": "I. The owner allows the user to put the mark on wooden toys for children under six.",
            "Affiliate License-Licensor": (
                "II. The permission covers marks that sister companies of the owner have registered in Japan."
            ),
            "Affiliate License-Licensee": (
                "III. The user's parent and its other subsidiaries may rely on the permission too."
            ),
            "Irrevocable or Perpetual License": (
                "This permission is free of charge, lasts for ever and may not be withdrawn."
            ),
            "Covenant Not to Sue": (
                "IV. The user will never attack the owner's registration. The owner will not sue the user over "
                "toys sold before the date of signature."
            ),
        },
    ),
    _contract(
        "12 - outsourced payroll",
        """OUTSOURCING AGREEMENT FOR PAYROLL SERVICES

Customer: Bellweather Hospitals Trust
Provider: Payfold Processing Limited

SECTION ONE. The Provider calculates and pays the wages of the Customer's staff from 1 January 2013 until 31 December \
2016.

SECTION TWO. The Customer may use the Provider's portal, for its own payroll only and without the right to sublicense \
or transfer. As many of its managers may log in as it likes, as often as they like, at no extra fee.

SECTION THREE. Reports and tables that the Provider designs for the Customer become the Customer's property on \
payment.

SECTION FOUR. During the term and for nine months thereafter neither of them may recruit employees of the other who \
have worked on the payroll. The Provider shall also leave the Customer's private patients alone in its own marketing.

SECTION FIVE. A deposit agent keeps the portal's source code and hands it to the Customer if the Provider is wound up.

SECTION SIX. The Provider's losses from a breach of data protection are to be made good by it in full and without any \
ceiling.

SECTION SEVEN. An early end costs the party that causes it 15,000 pounds as agreed compensation.""",
        {
            "Document Name": "OUTSOURCING AGREEMENT FOR PAYROLL SERVICES",
            "Parties": "Customer: Bellweather Hospitals Trust\nProvider: Payfold Processing Limited",
            "Effective Date": (
                "The Provider calculates and pays the wages of the Customer's staff from 1 January 2013 until 31 "
                "December 2016."
            ),
            "Expiration Date": (
                "The Provider calculates and pays the wages of the Customer's staff from 1 January 2013 until 31 "
                "December 2016."
            ),
            "No-Solicit of Customers": (
                "The Provider shall also leave the Customer's private patients alone in its own marketing."
            ),
            "No-Solicit of Employees": (
                "During the term and for nine months thereafter neither of them may recruit employees of the other "
                "who have worked on the payroll."
            ),
            "IP Ownership Assignment": (
                "Reports and tables that the Provider designs for the Customer become the Customer's property on "
                "payment."
            ),
            "License Grant": (
                "The Customer may use the Provider's portal, for its own payroll only and without the right to "
                "sublicense or transfer."
            ),
            "Non-Transferable License": (
                "The Customer may use the Provider's portal, for its own payroll only and without the right to "
                "sublicense or transfer."
            ),
            "Unlimited/All-You-Can-Eat-License": (
                "As many of its managers may log in as it likes, as often as they like, at no extra fee."
            ),
            "Source Code Escrow": (
                "A deposit agent keeps the portal's source code and hands it to the Customer if the Provider is "
                "wound up."
            ),
            "Uncapped Liability": (
                "The Provider's losses from a breach of data protection are to be made good by it in full and "
                "without any ceiling."
            ),
            "Liquidated Damages": "An early end costs the party that causes it 15,000 pounds as agreed compensation.",
        },
    ),
    _contract(
        "13 - amendment without a title",
        """The arrangement of 2009 on the loading of grain is changed as follows.

First, barges are loaded at Pier 6 instead of Pier 4 while the river stands below nine feet. The carrier gives a day's \
notice by telephone.

Second, the fee for demurrage is billed on the first of the month. Bills that are not disputed within a week are due.

Third, people who live beside the pier are no parties to the arrangement, yet they may enforce the hours of quiet in \
Schedule B.

Fourth, the carrier gets the first chance to bid for the carriage of soybeans.

Everything else stays as it was. The change holds from the day on which the later of the two signs.

For the elevator: ____________ 17 August 2012
For the carrier: ____________ 21 August 2012""",
        {
            "Agreement Date": (
                "For the elevator: ____________ 17 August 2012\nFor the carrier: ____________ 21 August 2012"
            ),
            "Effective Date": "The change holds from the day on which the later of the two signs.",
            "Rofr/Rofo/Rofn": "Fourth, the carrier gets the first chance to bid for the carriage of soybeans.",
            "Third Party Beneficiary": (
                "Third, people who live beside the pier are no parties to the arrangement, yet they may enforce the "
                "hours of quiet in Schedule B."
            ),
        },
    ),
)

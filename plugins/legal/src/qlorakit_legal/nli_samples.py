"""Sample non-disclosure agreements, written for this package; all parties are made up.

Answers quote their evidence, whole sentences which each contract holds word for word.  What a contract is silent about
is not listed.
"""

from collections.abc import Mapping
from typing import Any

from qlorakit_legal.contract_nli import ABSENT, HYPOTHESES

ENTAILMENT, CONTRADICTION = "entailment", "contradiction"


def _contract(document: str, text: str, told: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """A row, from what is not absent: the answer to a question, and the evidence of it."""
    answers = {question: told.get(question, (ABSENT,)) for question in HYPOTHESES}
    found = [
        {"question": question, "answer": answer, "evidence": evidence}
        for question, (answer, *evidence) in answers.items()
    ]
    return {"document": document, "text": text, "answers": found}


NLI_SAMPLES = (
    _contract(
        "Harlow Kites",
        "CONFIDENTIALITY AGREEMENT between Harlow Kites Ltd (the Owner) and Messum Fabrics (the Mill).\n"
        "1. The Owner wishes the Mill to weave a trial batch of sailcloth, and will disclose patterns and samples for "
        "that purpose.\n"
        "2. Confidential Information means every pattern, sample, price and business plan of the Owner, whether on "
        "paper, on a disk or told in conversation.\n"
        "3. The Mill shall use the Confidential Information for weaving the trial batch and for nothing else.\n"
        "4. The Mill may show it to those of its workers who need it for the trial, and to nobody else. Dyers, "
        "carriers and other outsiders shall not see it.\n"
        "5. The Mill shall not unpick, test or analyse any sample to find out how it is made.\n"
        "6. When this Agreement ends the Mill shall send back all patterns and samples within a week. It shall keep "
        "nothing, not even a scrap.\n"
        "7. The duties of clauses 3 to 5 last for six years after the end of this Agreement.",
        {
            "nda-11": (
                ENTAILMENT,
                "5. The Mill shall not unpick, test or analyse any sample to find out how it is made.",
            ),
            "nda-16": (
                ENTAILMENT,
                "6. When this Agreement ends the Mill shall send back all patterns and samples within a week.",
            ),
            "nda-2": (
                CONTRADICTION,
                (
                    "2. Confidential Information means every pattern, sample, price and business plan of the Owner, "
                    "whether on paper, on a disk or told in conversation."
                ),
            ),
            "nda-19": (
                ENTAILMENT,
                "7. The duties of clauses 3 to 5 last for six years after the end of this Agreement.",
            ),
            "nda-20": (CONTRADICTION, "It shall keep nothing, not even a scrap."),
            "nda-3": (
                ENTAILMENT,
                (
                    "2. Confidential Information means every pattern, sample, price and business plan of the Owner, "
                    "whether on paper, on a disk or told in conversation."
                ),
            ),
            "nda-7": (CONTRADICTION, "Dyers, carriers and other outsiders shall not see it."),
            "nda-5": (
                ENTAILMENT,
                "4. The Mill may show it to those of its workers who need it for the trial, and to nobody else.",
            ),
            "nda-4": (
                ENTAILMENT,
                (
                    "3. The Mill shall use the Confidential Information for weaving the trial batch and for nothing "
                    "else."
                ),
            ),
        },
    ),
    _contract(
        "Quillfeather mutual",
        "MUTUAL NON-DISCLOSURE AGREEMENT. Quillfeather Games and Ostrand Audio intend to talk about the music of a new "
        "game. Each may thereby learn secrets of the other.\n"
        "Confidential Information is only what the party that gives it has stamped CONFIDENTIAL. What is spoken is not "
        "protected, unless it is confirmed in a stamped letter within ten days.\n"
        "Each party may share it with its employees, lawyers and accountants who have promised secrecy in writing.\n"
        "Nothing herein stops a party from composing or programming something alike on its own, without use of what it "
        "has learned here, or from receiving the same from somebody who is free to pass it on.\n"
        "Should a court or an authority order a party to disclose, it shall tell the other at once, so that the other "
        "may object.\n"
        "That the parties are talking at all is itself a secret, and neither shall announce it.\n"
        "No licence under any copyright or patent is given by this Agreement.\n"
        "For one year neither party shall lure away the other's composers.",
        {
            "nda-15": (ENTAILMENT, "No licence under any copyright or patent is given by this Agreement."),
            "nda-10": (
                ENTAILMENT,
                "That the parties are talking at all is itself a secret, and neither shall announce it.",
            ),
            "nda-1": (
                ENTAILMENT,
                (
                    "Confidential Information is only what the party that gives it has stamped CONFIDENTIAL. What is "
                    "spoken is not protected, unless it is confirmed in a stamped letter within ten days."
                ),
            ),
            "nda-12": (
                ENTAILMENT,
                (
                    "Nothing herein stops a party from composing or programming something alike on its own, without "
                    "use of what it has learned here, or from receiving the same from somebody who is free to pass "
                    "it on."
                ),
            ),
            "nda-3": (
                ENTAILMENT,
                "What is spoken is not protected, unless it is confirmed in a stamped letter within ten days.",
            ),
            "nda-18": (ENTAILMENT, "For one year neither party shall lure away the other's composers."),
            "nda-7": (
                ENTAILMENT,
                (
                    "Each party may share it with its employees, lawyers and accountants who have promised secrecy "
                    "in writing."
                ),
            ),
            "nda-8": (
                ENTAILMENT,
                (
                    "Should a court or an authority order a party to disclose, it shall tell the other at once, so "
                    "that the other may object."
                ),
            ),
            "nda-13": (
                ENTAILMENT,
                (
                    "Nothing herein stops a party from composing or programming something alike on its own, without "
                    "use of what it has learned here, or from receiving the same from somebody who is free to pass "
                    "it on."
                ),
            ),
            "nda-5": (
                ENTAILMENT,
                (
                    "Each party may share it with its employees, lawyers and accountants who have promised secrecy "
                    "in writing."
                ),
            ),
        },
    ),
    _contract(
        "Dunmere Ferry bidders",
        "DECLARATION OF THE BIDDER. The undersigned has asked for the sounding charts of the Dunmere Ferry Company in "
        "order to prepare a bid for dredging.\n"
        "(a) All charts, depths and survey methods handed over are secret, whether or not they are marked so. They are "
        "of a technical nature, and nothing else is covered by this declaration.\n"
        "(b) The charts remain the Company's property, and the bidder gains no right in them.\n"
        "(c) The bidder may make two sets of copies for its surveyors; each copy shall bear the Company's name.\n"
        "(d) The bidder is free to take soundings of its own and to use them as it likes.\n"
        "(e) After the award, all sets are to be burnt or brought back, save for one set that the bidder may lock away "
        "as proof of what it was given.\n"
        "(f) The bidder's secrecy ends with the award; no duty of this declaration goes on after that day.",
        {
            "nda-16": (
                ENTAILMENT,
                (
                    "(e) After the award, all sets are to be burnt or brought back, save for one set that the bidder "
                    "may lock away as proof of what it was given."
                ),
            ),
            "nda-15": (
                ENTAILMENT,
                "(b) The charts remain the Company's property, and the bidder gains no right in them.",
            ),
            "nda-2": (ENTAILMENT, "They are of a technical nature, and nothing else is covered by this declaration."),
            "nda-1": (
                CONTRADICTION,
                (
                    "(a) All charts, depths and survey methods handed over are secret, whether or not they are "
                    "marked so."
                ),
            ),
            "nda-19": (
                CONTRADICTION,
                "(f) The bidder's secrecy ends with the award; no duty of this declaration goes on after that day.",
            ),
            "nda-12": (ENTAILMENT, "(d) The bidder is free to take soundings of its own and to use them as it likes."),
            "nda-20": (
                ENTAILMENT,
                (
                    "(e) After the award, all sets are to be burnt or brought back, save for one set that the bidder "
                    "may lock away as proof of what it was given."
                ),
            ),
            "nda-17": (
                ENTAILMENT,
                (
                    "(c) The bidder may make two sets of copies for its surveyors; each copy shall bear the "
                    "Company's name."
                ),
            ),
            "nda-5": (
                ENTAILMENT,
                (
                    "(c) The bidder may make two sets of copies for its surveyors; each copy shall bear the "
                    "Company's name."
                ),
            ),
        },
    ),
    _contract(
        "Larkspur Seeds visitors",
        "VISITOR'S UNDERTAKING. Welcome to the glasshouses of Larkspur Seeds. Before entering I agree as follows.\n"
        "Everything I see or am told here, the crosses, the soils, the costs and the names of growers alike, is "
        "confidential, be it marked or not.\n"
        "I shall take no photograph, make no note and no copy of any label, for any reason.\n"
        "I shall not take cuttings, nor breed from or examine any seed to learn its parents.\n"
        "I may speak of my visit, and may tell anyone that I have signed this paper.\n"
        "I shall speak of what I learned with no one: not with my colleagues, and not with advisers or customers.\n"
        "What I had known before, or lawfully hear later from other breeders, I may use freely.\n"
        "I shall not offer work to the gardeners of Larkspur Seeds within eighteen months.\n"
        "This undertaking binds me for as long as the crosses are not on sale, also when I no longer work for my "
        "present employer.",
        {
            "nda-11": (
                ENTAILMENT,
                "I shall not take cuttings, nor breed from or examine any seed to learn its parents.",
            ),
            "nda-10": (CONTRADICTION, "I may speak of my visit, and may tell anyone that I have signed this paper."),
            "nda-2": (
                CONTRADICTION,
                (
                    "Everything I see or am told here, the crosses, the soils, the costs and the names of growers "
                    "alike, is confidential, be it marked or not."
                ),
            ),
            "nda-1": (
                CONTRADICTION,
                (
                    "Everything I see or am told here, the crosses, the soils, the costs and the names of growers "
                    "alike, is confidential, be it marked or not."
                ),
            ),
            "nda-3": (
                ENTAILMENT,
                (
                    "Everything I see or am told here, the crosses, the soils, the costs and the names of growers "
                    "alike, is confidential, be it marked or not."
                ),
            ),
            "nda-18": (ENTAILMENT, "I shall not offer work to the gardeners of Larkspur Seeds within eighteen months."),
            "nda-7": (
                CONTRADICTION,
                (
                    "I shall speak of what I learned with no one: not with my colleagues, and not with advisers or "
                    "customers."
                ),
            ),
            "nda-17": (
                CONTRADICTION,
                "I shall take no photograph, make no note and no copy of any label, for any reason.",
            ),
            "nda-13": (
                ENTAILMENT,
                "What I had known before, or lawfully hear later from other breeders, I may use freely.",
            ),
            "nda-5": (
                CONTRADICTION,
                (
                    "I shall speak of what I learned with no one: not with my colleagues, and not with advisers or "
                    "customers."
                ),
            ),
        },
    ),
    _contract(
        "Brindle Rail data room",
        "DATA ROOM RULES for the sale of Brindle Rail Works. By logging in, the Prospective Buyer accepts them.\n"
        "Rule 1. Documents may be read on the screen. Printing is allowed for those marked with a green dot, and each "
        "print is numbered.\n"
        "Rule 2. The Prospective Buyer may give access to its banks, tax advisers and insurers, for whose silence it "
        "answers.\n"
        "Rule 3. Documents serve the valuation of the Works. Any other use, above all in competition with the Works, "
        "is forbidden.\n"
        "Rule 4. If a regulator or a court demands a document, the Prospective Buyer may comply without informing the "
        "seller.\n"
        "Rule 5. Access is no offer, no licence and no transfer of any right.\n"
        "Rule 6. On closing of the data room all prints are to be destroyed. Files that its computers have backed up "
        "by routine may remain there until they are overwritten.\n"
        "Rule 7. Rules 2 and 3 continue to apply for three years after the room has been closed.",
        {
            "nda-16": (ENTAILMENT, "On closing of the data room all prints are to be destroyed."),
            "nda-15": (ENTAILMENT, "Access is no offer, no licence and no transfer of any right."),
            "nda-19": (ENTAILMENT, "Rules 2 and 3 continue to apply for three years after the room has been closed."),
            "nda-20": (
                ENTAILMENT,
                "Files that its computers have backed up by routine may remain there until they are overwritten.",
            ),
            "nda-7": (
                ENTAILMENT,
                (
                    "The Prospective Buyer may give access to its banks, tax advisers and insurers, for whose "
                    "silence it answers."
                ),
            ),
            "nda-17": (
                ENTAILMENT,
                "Printing is allowed for those marked with a green dot, and each print is numbered.",
            ),
            "nda-8": (
                CONTRADICTION,
                (
                    "If a regulator or a court demands a document, the Prospective Buyer may comply without "
                    "informing the seller."
                ),
            ),
            "nda-4": (
                ENTAILMENT,
                (
                    "Documents serve the valuation of the Works. Any other use, above all in competition with the "
                    "Works, is forbidden."
                ),
            ),
        },
    ),
    _contract(
        "Tolliver letter",
        "Dear Ms. Oakenfold,\n"
        "before our engineers show you the new loom, please countersign this letter.\n"
        "By Secrets we mean what our engineers tell you about the loom and what we hand you in a folder with a red "
        "band. Oral remarks are Secrets from the moment they are made.\n"
        "You will use the Secrets solely to advise us on safety. You will tell them to no member of your staff and to "
        "no third person without our written consent.\n"
        "You may make sketches as far as your report needs them.\n"
        "You grant us nothing, and we grant you nothing: every patent and design stays where it is.\n"
        "You may go on designing looms of your own, and if a client brings you the same idea in good faith, you may "
        "work on it.\n"
        "When your report is done, please return the folder with all sketches.\n"
        "Kindly let us know immediately if a public body calls on you to reveal a Secret.\n"
        "Yours, Tolliver & Finch, Weaving Machines",
        {
            "nda-16": (ENTAILMENT, "When your report is done, please return the folder with all sketches."),
            "nda-15": (
                ENTAILMENT,
                "You grant us nothing, and we grant you nothing: every patent and design stays where it is.",
            ),
            "nda-1": (CONTRADICTION, "Oral remarks are Secrets from the moment they are made."),
            "nda-12": (
                ENTAILMENT,
                (
                    "You may go on designing looms of your own, and if a client brings you the same idea in good "
                    "faith, you may work on it."
                ),
            ),
            "nda-3": (ENTAILMENT, "Oral remarks are Secrets from the moment they are made."),
            "nda-7": (
                CONTRADICTION,
                "You will tell them to no member of your staff and to no third person without our written consent.",
            ),
            "nda-17": (ENTAILMENT, "You may make sketches as far as your report needs them."),
            "nda-8": (ENTAILMENT, "Kindly let us know immediately if a public body calls on you to reveal a Secret."),
            "nda-13": (
                ENTAILMENT,
                (
                    "You may go on designing looms of your own, and if a client brings you the same idea in good "
                    "faith, you may work on it."
                ),
            ),
            "nda-5": (
                CONTRADICTION,
                "You will tell them to no member of your staff and to no third person without our written consent.",
            ),
            "nda-4": (ENTAILMENT, "You will use the Secrets solely to advise us on safety."),
        },
    ),
    _contract(
        "Pennywhistle beta test",
        "BETA TEST TERMS. Pennywhistle Software lends you an unfinished program and its manual.\n"
        "1 Scope. The program, the manual, the list of known faults, our launch date and our prices are confidential "
        "without any label.\n"
        "2 Permitted acts. You may install the program on two computers and keep one back-up copy of it.\n"
        "3 Tinkering. Testers are welcome to decompile, trace and disassemble the program, since we hope to hear of "
        "every weakness.\n"
        "4 Talk. Do not mention to others that you are a tester.\n"
        "5 Purpose. You may also use what you learn for your own teaching and research, besides the test.\n"
        "6 End. Erase the program and the back-up when the test is over; no part may be kept. Clause 4 outlasts the "
        "test by a year.",
        {
            "nda-11": (
                CONTRADICTION,
                (
                    "Testers are welcome to decompile, trace and disassemble the program, since we hope to hear of "
                    "every weakness."
                ),
            ),
            "nda-16": (ENTAILMENT, "Erase the program and the back-up when the test is over; no part may be kept."),
            "nda-10": (ENTAILMENT, "Do not mention to others that you are a tester."),
            "nda-2": (
                CONTRADICTION,
                (
                    "The program, the manual, the list of known faults, our launch date and our prices are "
                    "confidential without any label."
                ),
            ),
            "nda-1": (
                CONTRADICTION,
                (
                    "The program, the manual, the list of known faults, our launch date and our prices are "
                    "confidential without any label."
                ),
            ),
            "nda-19": (ENTAILMENT, "Clause 4 outlasts the test by a year."),
            "nda-20": (CONTRADICTION, "Erase the program and the back-up when the test is over; no part may be kept."),
            "nda-17": (ENTAILMENT, "You may install the program on two computers and keep one back-up copy of it."),
            "nda-4": (
                CONTRADICTION,
                "You may also use what you learn for your own teaching and research, besides the test.",
            ),
        },
    ),
    _contract(
        "Coldwater Springs consultant",
        "CONSULTANT'S SECRECY COVENANT\n"
        "Parties: Coldwater Springs Bottling (Principal); Ivo Hask, hydrologist (Consultant).\n"
        "Principal will acquaint Consultant with its wells. Information about the wells counts as Protected only once "
        "Principal has listed it in Schedule A; what is not listed there may be used by anyone.\n"
        "Consultant may take an assistant along and instruct him or her as far as the work requires.\n"
        "Consultant may also pass Protected Information to a laboratory that is bound by a like covenant.\n"
        "Protected Information does not become unprotected because it is public by Consultant's own fault. It ceases "
        "to be Protected if Consultant obtains it from a stranger who breaks no duty thereby.\n"
        "Consultant need not return or destroy anything at the end; the papers become part of Consultant's archive.\n"
        "All duties hereunder lapse upon termination.\n"
        "Consultant may at any time take Principal's staff into his own service.",
        {
            "nda-16": (
                CONTRADICTION,
                (
                    "Consultant need not return or destroy anything at the end; the papers become part of "
                    "Consultant's archive."
                ),
            ),
            "nda-1": (
                ENTAILMENT,
                (
                    "Information about the wells counts as Protected only once Principal has listed it in Schedule "
                    "A; what is not listed there may be used by anyone."
                ),
            ),
            "nda-19": (CONTRADICTION, "All duties hereunder lapse upon termination."),
            "nda-20": (
                ENTAILMENT,
                (
                    "Consultant need not return or destroy anything at the end; the papers become part of "
                    "Consultant's archive."
                ),
            ),
            "nda-18": (CONTRADICTION, "Consultant may at any time take Principal's staff into his own service."),
            "nda-7": (
                ENTAILMENT,
                "Consultant may also pass Protected Information to a laboratory that is bound by a like covenant.",
            ),
            "nda-13": (
                ENTAILMENT,
                "It ceases to be Protected if Consultant obtains it from a stranger who breaks no duty thereby.",
            ),
            "nda-5": (
                ENTAILMENT,
                "Consultant may take an assistant along and instruct him or her as far as the work requires.",
            ),
        },
    ),
    _contract(
        "Vantry Ceramics and Osk Kilns",
        "This Non-Disclosure Agreement is made between Vantry Ceramics GmbH, which discloses, and Osk Kilns A/S, which "
        "receives.\n"
        "WHEREAS Osk Kilns is to build a kiln for a glaze that Vantry Ceramics has invented;\n"
        'NOW THEREFORE: "Know-how" means temperatures, mixtures and firing curves, to the exclusion of all commercial '
        "facts.\n"
        "Osk Kilns obtains a free licence to apply the Know-how in kilns that it builds for other customers, too.\n"
        "Osk Kilns shall not melt down, section or otherwise investigate glazed pieces.\n"
        "Its fitters may be told what they have to know; so may its steel supplier.\n"
        "Osk Kilns undertakes to develop no glaze or firing curve that resembles those of Vantry Ceramics, even if it "
        "does so independently.\n"
        "Neither side shall make known that this Agreement exists.\n"
        "The duty of secrecy endures after expiry, until the Know-how has entered the public domain.",
        {
            "nda-11": (ENTAILMENT, "Osk Kilns shall not melt down, section or otherwise investigate glazed pieces."),
            "nda-15": (
                CONTRADICTION,
                (
                    "Osk Kilns obtains a free licence to apply the Know-how in kilns that it builds for other "
                    "customers, too."
                ),
            ),
            "nda-10": (ENTAILMENT, "Neither side shall make known that this Agreement exists."),
            "nda-2": (
                ENTAILMENT,
                (
                    'NOW THEREFORE: "Know-how" means temperatures, mixtures and firing curves, to the exclusion of '
                    "all commercial facts."
                ),
            ),
            "nda-19": (
                ENTAILMENT,
                "The duty of secrecy endures after expiry, until the Know-how has entered the public domain.",
            ),
            "nda-12": (
                CONTRADICTION,
                (
                    "Osk Kilns undertakes to develop no glaze or firing curve that resembles those of Vantry "
                    "Ceramics, even if it does so independently."
                ),
            ),
            "nda-7": (ENTAILMENT, "Its fitters may be told what they have to know; so may its steel supplier."),
            "nda-5": (ENTAILMENT, "Its fitters may be told what they have to know; so may its steel supplier."),
        },
    ),
    _contract(
        "Amberline Clinics pilot",
        "PILOT STUDY: SECRECY\n"
        "Amberline Clinics (Discloser) provides Rook Scheduling (Recipient) with duty rosters and cost figures for a "
        "pilot of eight weeks.\n"
        "A. Rosters and figures are confidential if they carry the mark AC-S, and only then.\n"
        "B. Statements made at meetings are outside of this Agreement, whatever their subject.\n"
        "C. Recipient shall use the material for the pilot only.\n"
        "D. Recipient shall not copy the material, in whole or in part.\n"
        "E. Recipient may create similar scheduling methods in departments that have had no access to the material.\n"
        "F. Recipient will notify Discloser before it obeys a subpoena or similar demand for the material.\n"
        "G. During this Agreement and for twelve months after its end Recipient shall refrain from recruiting nurses "
        "or planners of Discloser.\n"
        "H. Either party may publish the fact that the pilot takes place under this Agreement.",
        {
            "nda-10": (
                CONTRADICTION,
                "H. Either party may publish the fact that the pilot takes place under this Agreement.",
            ),
            "nda-2": (
                CONTRADICTION,
                "A. Rosters and figures are confidential if they carry the mark AC-S, and only then.",
            ),
            "nda-1": (
                ENTAILMENT,
                "A. Rosters and figures are confidential if they carry the mark AC-S, and only then.",
            ),
            "nda-19": (
                ENTAILMENT,
                (
                    "G. During this Agreement and for twelve months after its end Recipient shall refrain from "
                    "recruiting nurses or planners of Discloser."
                ),
            ),
            "nda-12": (
                ENTAILMENT,
                (
                    "E. Recipient may create similar scheduling methods in departments that have had no access to "
                    "the material."
                ),
            ),
            "nda-3": (
                CONTRADICTION,
                "B. Statements made at meetings are outside of this Agreement, whatever their subject.",
            ),
            "nda-18": (
                ENTAILMENT,
                (
                    "G. During this Agreement and for twelve months after its end Recipient shall refrain from "
                    "recruiting nurses or planners of Discloser."
                ),
            ),
            "nda-17": (CONTRADICTION, "D. Recipient shall not copy the material, in whole or in part."),
            "nda-8": (
                ENTAILMENT,
                "F. Recipient will notify Discloser before it obeys a subpoena or similar demand for the material.",
            ),
            "nda-4": (ENTAILMENT, "C. Recipient shall use the material for the pilot only."),
        },
    ),
    _contract(
        "Saltmarsh Foods supplier",
        "SUPPLIER SECRECY TERMS (annex 4 to the purchase order of Saltmarsh Foods)\n"
        "4.1 Supplier will learn recipes, forecasts of demand and the names of Saltmarsh's other suppliers. All of "
        "these are confidential.\n"
        "4.2 Supplier may employ them in order to deliver the goods that are ordered, and shall refrain from any other "
        "use.\n"
        "4.3 They may be revealed to Supplier's personnel on a need-to-know basis, and to subcontractors that "
        "Saltmarsh has approved.\n"
        "4.4 Supplier shall buy no ingredient or information of the same kind from third parties, and shall refuse it "
        "if it is offered.\n"
        "4.5 On termination Supplier shall delete the recipes from its systems. One printed set may be held by its "
        "quality manager for as long as food law demands it.\n"
        "4.6 These terms are governed by the law of the purchase order.",
        {
            "nda-16": (ENTAILMENT, "4.5 On termination Supplier shall delete the recipes from its systems."),
            "nda-2": (
                CONTRADICTION,
                (
                    "4.1 Supplier will learn recipes, forecasts of demand and the names of Saltmarsh's other "
                    "suppliers. All of these are confidential."
                ),
            ),
            "nda-20": (
                ENTAILMENT,
                "One printed set may be held by its quality manager for as long as food law demands it.",
            ),
            "nda-7": (
                ENTAILMENT,
                (
                    "4.3 They may be revealed to Supplier's personnel on a need-to-know basis, and to subcontractors "
                    "that Saltmarsh has approved."
                ),
            ),
            "nda-13": (
                CONTRADICTION,
                (
                    "4.4 Supplier shall buy no ingredient or information of the same kind from third parties, and "
                    "shall refuse it if it is offered."
                ),
            ),
            "nda-5": (
                ENTAILMENT,
                (
                    "4.3 They may be revealed to Supplier's personnel on a need-to-know basis, and to subcontractors "
                    "that Saltmarsh has approved."
                ),
            ),
            "nda-4": (
                ENTAILMENT,
                (
                    "4.2 Supplier may employ them in order to deliver the goods that are ordered, and shall refrain "
                    "from any other use."
                ),
            ),
        },
    ),
    _contract(
        "Meridian Almanac translators",
        "Translator's Promise to Meridian Almanac Publishing\n"
        "I receive the manuscript of next year's almanac ahead of print. I promise the following.\n"
        "The manuscript, its title, and what the editors tell me by telephone are secret until the day of "
        "publication.\n"
        "I will not make use of any of it other than for my translation.\n"
        "I may copy pages for my desk, and shall number the copies.\n"
        "A proofreader of my choice may read the pages after signing the same promise. My typist, whom I employ, may "
        "read them as well.\n"
        "Everything returns to the publisher when the translation is delivered, and my copies go through the shredder; "
        "I shall retain nothing.\n"
        "The manuscript is lent to me; I receive no right to print, sell or adapt it.\n"
        "My silence about the editors' private addresses has no end, even when all else is over.",
        {
            "nda-16": (
                ENTAILMENT,
                (
                    "Everything returns to the publisher when the translation is delivered, and my copies go through "
                    "the shredder; I shall retain nothing."
                ),
            ),
            "nda-15": (ENTAILMENT, "The manuscript is lent to me; I receive no right to print, sell or adapt it."),
            "nda-2": (
                CONTRADICTION,
                (
                    "The manuscript, its title, and what the editors tell me by telephone are secret until the day "
                    "of publication."
                ),
            ),
            "nda-19": (
                ENTAILMENT,
                "My silence about the editors' private addresses has no end, even when all else is over.",
            ),
            "nda-20": (
                CONTRADICTION,
                (
                    "Everything returns to the publisher when the translation is delivered, and my copies go through "
                    "the shredder; I shall retain nothing."
                ),
            ),
            "nda-3": (
                ENTAILMENT,
                (
                    "The manuscript, its title, and what the editors tell me by telephone are secret until the day "
                    "of publication."
                ),
            ),
            "nda-7": (ENTAILMENT, "A proofreader of my choice may read the pages after signing the same promise."),
            "nda-17": (ENTAILMENT, "I may copy pages for my desk, and shall number the copies."),
            "nda-5": (ENTAILMENT, "My typist, whom I employ, may read them as well."),
            "nda-4": (ENTAILMENT, "I will not make use of any of it other than for my translation."),
        },
    ),
)

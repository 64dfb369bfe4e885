"""Rows written by hand for ``legal/entities``: the cases, people, companies and citations are made up."""

import re

from qlorakit.task import Row

_ENTITY = re.compile(r"{(?P<type>[a-z_]+) (?P<mention>[^}]+)}")

# An entity in braces, its type first, and the judgment that the text is from.
_PREAMBLES = (
    (
        "1",
        """                     In The {court High Court Of Kerala At Ernakulam}

                                 Present

              The Honourable Mr. Justice {judge T.K. Valiyaveedan}

                     W.P.(C) No. 88123 Of 2019

Petitioner:

          {petitioner Leelamma Cheriyapuram}, aged 58 years,
          Puthanpura House, Alappuzha

                 By Advs. Sri. {lawyer Biju
                 Karimannoor} and Smt. {lawyer Asha Nedumpallil}

Respondents:

     1    {respondent State Of Kerala}, represented by its Secretary

     2    {respondent Tahsildar, Ambalapuzha}

                 By Government Pleader {lawyer Sunny Kattuparambil}
""",
    ),
    (
        "2",
        """Reportable

                    In The {court Supreme Court Of India}
                    Criminal Appellate Jurisdiction

                    Criminal Appeal No. 9077 Of 2020

{petitioner Dharmesh Lakhiya}                                  ... Appellant(s)

                              Versus

{respondent The State Of Gujarat}                              ... Respondent(s)

                        J U D G M E N T

{judge Sudarshan Bhatavdekar}, J.
""",
    ),
    (
        "3",
        """$~17
*    In The {court High Court Of Delhi At New Delhi}
+    Mac.App. 7741/2018
     {petitioner Suraksha Kavach General Insurance Co. Ltd.}      ..... Appellant
              Through: Mr. {lawyer Pravesh Dhingani}, Advocate.
                         versus
     {respondent Ramkali Sarhadia} & Ors.                         ..... Respondents
              Through: Mr. {lawyer Mukul Taneshwar} with
                       Ms. {lawyer Ritu Pahadwal}, Advocates.
Coram:
Hon'ble Ms. Justice {judge Indira Saranghi}
""",
    ),
    (
        "4",
        """{court High Court Of Judicature At Allahabad}

Court No. - 93

Case :- Second Appeal No. - 4410 of 2009

Appellant :- {petitioner Ghasitey Prasad Tamboli}

Respondent :- {respondent Nagar Palika Parishad, Bhurewal}

Counsel for Appellant :- {lawyer K.B. Sarvapriya},{lawyer Om Hari Dubeyan}

Counsel for Respondent :- {lawyer Nafees Zaheeruddin Khatib}

Hon'ble {judge Vachaspati Narayan Ojhal},J.
""",
    ),
)
_SENTENCES = (
    (
        "1",
        (
            "The first respondent relied on {provision Section 11} of the {statute Kerala Land Conservancy "
            "Act, 1957} and on the survey of {date 14.02.2017}."
        ),
    ),
    (
        "2",
        (
            "{witness Kanji Lakhubhai} (PW-4) stated that {other_person Rameela} had left for {gpe Bhavnagar} "
            "on the morning of {date 3rd March, 2008}."
        ),
    ),
    (
        "2",
        (
            "The trial court convicted the appellant under {provision Sections 302 and 34} of the {statute "
            "IPC} and acquitted his brother {other_person Mahesh Lakhiya}."
        ),
    ),
    (
        "3",
        (
            "The tribunal applied the multiplier which the {court Apex Court} had settled in {precedent Bimla "
            "Sohanwal v. Northern Road Carriers, (2009) 16 SCC 1217}."
        ),
    ),
    ("3", "We see no reason to reduce the sum that was awarded for loss of dependency."),
    (
        "4",
        (
            "{case_number O.S. No. 6512 of 1998} was decreed by the {court Civil Judge (Junior Division), "
            "Bhurewal} on {date 22.11.2003}."
        ),
    ),
    (
        "5",
        (
            "{org Trishakti Cold Storage Pvt. Ltd.} had hypothecated its stock to the {org Jan Samriddhi "
            "Cooperative Bank}, {gpe Nashik}."
        ),
    ),
    ("5", "Learned counsel was heard at length, and the written submissions were taken on record."),
    (
        "6",
        (
            "As {judge Panchanan Rudra, J.} observed in {precedent Haripada Maity vs. Collector of Hooghly AIR "
            "1969 Cal 1288}, possession is no evidence of title."
        ),
    ),
    (
        "7",
        (
            "It was the case of {petitioner Ponnammal} that her late husband {other_person Arunagiri} never "
            "sold the land at {gpe Usilampatti}."
        ),
    ),
    (
        "7",
        "P.W.2 {witness Sellathurai}, the scribe of the will, was not cross-examined on this point.",
    ),
    (
        "8",
        (
            "{respondent Veerappa Hosamane} did not file any reply to the notice under {provision Rule 9(2)} "
            "of the {statute Karnataka Rent Rules, 2001}."
        ),
    ),
    (
        "9",
        (
            "Being aggrieved, the assessee carried the matter to the {court Income Tax Appellate Tribunal} in "
            "{case_number ITA No. 7719/Pun/2014}."
        ),
    ),
    (
        "10",
        (
            "\n\n 14. {provision Article 226} of the {statute Constitution of India} is not meant to reopen "
            "findings of fact; see {precedent Zorawar Mill Mazdoor Sangh v. Presiding Officer [(1978) 4 LLJ "
            "911]}."
        ),
    ),
    (
        "11",
        (
            "{org Central Bureau of Investigation} took over {case_number Crime No. 1190 of 2012} from the "
            "{org Palasgaon Police Station}."
        ),
    ),
    ("12", "No order as to costs."),
)


def _row(document: str, marked: str, part: str) -> Row:
    text, found, place = "", [], 0
    for match in _ENTITY.finditer(marked):
        text += marked[place : match.start()]
        found.append({"start": len(text), "end": len(text) + len(match["mention"]), "label": match["type"]})
        text += match["mention"]
        place = match.end()
    return {"text": text + marked[place:], "entities": found, "part": part, "document": f"judgment {document}"}


ENTITY_SAMPLES: tuple[Row, ...] = (
    *(_row(document, marked, "preamble") for document, marked in _PREAMBLES),
    *(_row(document, marked, "sentence") for document, marked in _SENTENCES),
)

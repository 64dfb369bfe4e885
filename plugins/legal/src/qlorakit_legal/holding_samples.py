"""Rows written by hand for ``legal/holding``: made-up opinions that cite made-up cases."""

from qlorakit.task import Row

# Context, five holdings, number of the right one.
_QUESTIONS: tuple[tuple[str, tuple[str, str, str, str, str], int], ...] = (
    (
        (
            "tenant kept paying rent for eight months after the lease had run out, and the landlord took each cheque. "
            "A new lease may follow from conduct alone. See Oakes v. Fernhill Props., 12 N.W.3d 40, 44 ([Masked "
            "Holding]). The eviction notice therefore came too"
        ),
        (
            "holding that a landlord who takes rent after the end of a lease renews it from month to month",
            "holding that a landlord must repair a furnace within reasonable time",
            "holding that a security deposit belongs to the tenant until damage is shown",
            "recognizing that a sublease needs the consent of the owner",
            "holding that a lease of land for over a year must be in writing",
        ),
        0,
    ),
    (
        (
            "officers opened the glove box although the driver had already been placed in the patrol car. A search "
            "incident to arrest ends where the arrested person can no longer reach. State v. Pelham, 88 P.4th 310 "
            "([Masked Holding]). We see no reason to depart from"
        ),
        (
            "holding that a dog sniff at a lawful stop is no search",
            "holding that a car may not be searched incident to arrest once its driver is secured elsewhere",
            "recognizing that consent to a search may be withdrawn at any time",
            "holding that a warrant based on stale facts lacks probable cause",
            "holding that passengers have standing to challenge a traffic stop",
        ),
        1,
    ),
    (
        (
            "The notice of appeal was filed on the thirty-first day. Counsel points to a snowstorm that closed the "
            "clerk's office, but the electronic docket stayed open. Cf. In re Estate of Varga, 7 A.4th 92 ([Masked "
            "Holding]). We must dismiss for want of"
        ),
        (
            "holding that an order denying a new trial can be appealed at once",
            "recognizing that briefs of unrepresented parties are read liberally",
            "holding that the time to appeal is jurisdictional and runs on where filing by computer remains possible",
            "holding that a cross appeal falls with the appeal",
            "holding that costs follow the event unless the court says otherwise",
        ),
        2,
    ),
    (
        (
            "The foreman knew that the guard of the press had been taken off and told nobody. Workers' compensation "
            "bars most suits, yet not all of them. See Dorsey v. Hallam Stamping Co., 19 S.E.3d 7 ([Masked Holding]). "
            "Whether this was such a case is for the"
        ),
        (
            "holding that an illness caused by dust is an occupational disease",
            "holding that lunch breaks are not in the course of employment",
            "recognizing that a widow may elect a lump sum",
            (
                "holding that an employer who removes a safety guard on purpose can be sued in spite of the "
                "compensation act"
            ),
            "holding that an independent contractor is no employee under the compensation act",
        ),
        3,
    ),
    (
        (
            "Both brothers signed the napkin, and both had been drinking since noon. The chancellor found that each "
            "knew what he sold. An agreement does not fail because its paper is odd. Lund v. Tarrant, 3 So.4th 655 "
            "([Masked Holding]). The same is true of the farm"
        ),
        (
            "holding that a minor may disaffirm a contract within a year of coming of age",
            "recognizing that silence is no acceptance",
            "holding that time is of the essence in options on shares",
            "holding that liquidated damages must not be a penalty",
            "holding that a sale noted on the back of a menu binds whoever understood it when signing",
        ),
        4,
    ),
    (
        (
            "The expert weighed the ladder, photographed it and threw it away before the defence could see it. "
            "Sanctions for lost evidence depend on fault and on harm. E.g., Kirby v. Stellar Ladders, 41 F.5th 1020 "
            "([Masked Holding]). Here the trial judge did less and"
        ),
        (
            "holding that exclusion of an expert is proper where he destroyed the thing he had tested",
            "holding that treating doctors need not file a report",
            "holding that learned treatises may be read to the jury",
            "recognizing that a chain of custody need not be perfect",
            "holding that photographs are admissible if they show the scene fairly",
        ),
        0,
    ),
    (
        (
            "appellant asks for the names of everyone who complained about the incinerator. The agency withheld them "
            "as private. Our open records act draws a line between who speaks and what is said. Tri-Valley Herald v. "
            "Dep't of Air, 60 N.E.4th 118 ([Masked Holding]). The list of"
        ),
        (
            "holding that minutes of closed meetings become public after five years",
            "holding that addresses of private complainants are exempt though their complaints are not",
            "holding that an agency must answer requests within ten days",
            "recognizing that a fee for copies may cover actual costs",
            "holding that drafts of a budget are deliberative",
        ),
        1,
    ),
    (
        (
            "mother moved with the child to another state a week before the hearing. Nobody disputes that he had lived"
            " here all his life until then. See Quist v. Quist, 25 P.4th 871 ([Masked Holding]). Jurisdiction over "
            "custody thus lay with the county"
        ),
        (
            "holding that grandparents have no right to visits over the objection of fit parents",
            "holding that support may be imputed to a parent who works less than she could",
            "holding that the home state keeps jurisdiction over custody for six months after a child has left it",
            "recognizing that the wishes of a child of fourteen carry weight",
            "holding that a stipulation on support does not bind the court",
        ),
        2,
    ),
    (
        (
            "The policy excludes loss by flood and says nothing of a burst main. Insurers write these words, and they "
            "could have written others. Accord Benning Mut. v. Roth, 9 A.4th 404 ([Masked Holding]). Water that came "
            "out of the city's pipe is"
        ),
        (
            "recognizing that an insurer must defend where one claim may be covered",
            "holding that late notice voids cover only where the insurer is harmed",
            "holding that punitive damages cannot be insured",
            (
                "holding that doubt in an exclusion is read against the insurer so that flood does not include a "
                "broken pipe"
            ),
            "holding that an appraisal award binds both sides as to the amount",
        ),
        3,
    ),
    (
        (
            "Defendant says that her lawyer never told her that the plea would lead to removal from the country. "
            "Effective help includes advice on consequences as grave as these. People v. Amadi, 77 Cal.6th 12 ([Masked"
            " Holding]). She must still show that she would"
        ),
        (
            "holding that a plea may be withdrawn freely before it is accepted",
            "holding that a judge may not take part in bargaining over a plea",
            "recognizing that restitution can be part of probation",
            "holding that a sentence above the guidelines needs reasons in writing",
            "holding that counsel who fails to warn of deportation gives deficient advice",
        ),
        4,
    ),
    (
        (
            "the word mark covers soap, while respondent sells candles in the same shops under nearly the same name. "
            "Buyers need not mistake one product for the other. <HOLDING> was the point of Glowworm, Inc. v. Pale Lamp"
            " Co., 31 F.5th 200, which the board did not"
        ),
        (
            "holding that confusion about who makes related goods is enough for infringement",
            "holding that a surname gains protection only by long use",
            "holding that a colour may serve as a mark",
            "recognizing abandonment after three years without use",
            "holding that parody is no defence where the parody is itself a brand",
        ),
        0,
    ),
    (
        (
            "The will leaves the cottage to 'my nurse', and two nurses came on different days. Letters of the "
            "testatrix speak of one of them alone. In re Will of Sandoval, 5 S.W.4th 61 ([Masked Holding]). The "
            "probate court rightly read these letters before it"
        ),
        (
            "holding that a witness who inherits makes a will voidable",
            "recognizing that letters may be read to resolve a latent ambiguity in a will",
            "holding that divorce revokes gifts to the former spouse",
            "holding that a lost will is presumed to be revoked",
            "holding that a pretermitted child takes as if there were no will",
        ),
        1,
    ),
    (
        (
            "The county rezoned one lot, and no other, for a quarry. Neighbours call this spot zoning. The test looks "
            "at the plan as a whole and not at the size of the parcel. See Harrow Twp. v. Ames, 14 N.W.3d 233"
        ),
        (
            "holding that a variance runs with the land",
            "holding that a nonconforming use is lost when it is given up",
            "holding that the rezoning of a single parcel stands if it serves the comprehensive plan",
            "recognizing that fees on building must be proportionate to the burden",
            "holding that notice of a hearing must name the parcel",
        ),
        2,
    ),
    (
        (
            "debtor listed the boat as worth nothing and sold it a month after discharge. The trustee moved to reopen."
            " A fresh start is for those who tell the truth. In re Calloway, 450 B.R.2d 18 ([Masked Holding]). On "
            "these facts the bankruptcy judge could"
        ),
        (
            "holding that student loans survive unless there is undue hardship",
            "recognizing that the automatic stay ends with the case",
            "holding that a homestead is exempt up to the sum the state sets",
            "holding that a discharge can be revoked where an asset was hidden knowingly",
            "holding that preferences to insiders reach back for a year",
        ),
        3,
    ),
    (
        (
            "A teacher wrote to the newspaper about asbestos in the gymnasium and lost her post. The board says that "
            "letters are not in her contract. What matters is whether she spoke as a citizen. Ibarra v. Sch. Dist. No."
            " 9, 66 F.5th 540 ([Masked Holding]). The district court erred when"
        ),
        (
            "holding that lockers may be searched on reasonable suspicion",
            "holding that tenure is property that needs due process",
            "holding that a dress code for staff is lawful if it is reasonable",
            "recognizing that a school may regulate speech that disrupts lessons",
            "holding that a public employee who writes about hazards to children speaks on a matter of public concern",
        ),
        4,
    ),
)

HOLDING_SAMPLES: tuple[Row, ...] = tuple(
    {"context": context, "options": list(options), "label": right} for context, options, right in _QUESTIONS
)

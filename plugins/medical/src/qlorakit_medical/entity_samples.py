"""Rows written by hand for ``medical/entities``: findings and patients are made up."""

import re

from qlorakit.task import Row

_ENTITY_OR_WORD = re.compile(r"\[(?P<type>[A-Z])[a-z]* (?P<mention>[^]]+)]|(?P<word>\S+)")
_TYPES = {"C": "Chemical", "D": "Disease"}

# Words with spaces between them, cut at hyphens and apostrophes as published; an entity in brackets, its type first.
_SENTENCES = (
    "Two weeks after [C amoxicillin] was begun , the child broke out in an [D itchy rash] .",
    "[C Lithium] - induced [D tremor] eased once the dose was halved .",
    "Blood pressure was taken at every visit by the same nurse .",
    "[D Parkinson ' s disease] was treated with [C levodopa] and , later , with [C ropinirole] as well .",
    "None of the rats that were given saline developed [D seizures] .",
    'The term " [D steroid myopathy] " is used here for weakness under [C prednisolone] .',
    "We report a woman of 61 with [D acute kidney injury] ( [D AKI] ) while on [C ibuprofen] .",
    "Serum [C potassium] fell below 3 . 0 mmol / l in four of the volunteers .",
    "[D Nausea] , [D vomiting] and [D headache] were the commonest complaints in the [C metformin] arm .",
    "All participants gave their written consent .",
    "Withdrawal of [C clozapine] led to a full recovery from [D neutropenia] within nine days .",
    "Is [C valproic acid] safe for patients who have [D liver disease] ?",
    "[D Torsade de pointes] [D ventricular fibrillation] and death followed an overdose of [C sotalol] .",
    "In this cohort , long - term use of [C omeprazole] did not raise the risk of [D hip fracture] .",
    "[C Warfarin] [C aspirin] and their combination were compared after [D stroke] .",
    "Results : [D jaundice] occurred in 3 % of those who took [C isoniazid] , against 0 . 4 % with placebo .",
)


def _row(sentence: str) -> Row:
    tokens: list[str] = []
    tags: list[str] = []
    for found in _ENTITY_OR_WORD.finditer(sentence):
        words = (found["word"] or found["mention"]).split()
        kind = _TYPES.get(found["type"] or "")
        tokens += words
        tags += [f"B-{kind}", *[f"I-{kind}"] * (len(words) - 1)] if kind else ["O"]
    return {"tokens": tokens, "tags": tags}


ENTITY_SAMPLES: tuple[Row, ...] = tuple(map(_row, _SENTENCES))

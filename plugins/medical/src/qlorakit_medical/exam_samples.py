"""Rows written by hand for ``medical/exam``: questions with the letter of the right option."""

from collections.abc import Mapping

from qlorakit.task import Row

# Of each subject: question, four options, letter.
_QUESTIONS: Mapping[str, tuple[tuple[str, tuple[str, str, str, str], str], ...]] = {
    "Biochemistry": (
        ("Scurvy comes from a lack of which vitamin?", ("Vitamin A", "Vitamin B12", "Vitamin C", "Vitamin K"), "C"),
        ("The end product of purine breakdown in humans is", ("Urea", "Uric acid", "Creatinine", "Ammonia"), "B"),
    ),
    "Anatomy": (
        ("The phrenic nerve supplies the", ("Diaphragm", "Deltoid", "Tongue", "Bladder"), "A"),
        (
            "Which carpal bone is fractured most often?",
            ("Hamate", "Pisiform", "Capitate", "Scaphoid"),
            "D",
        ),
    ),
    "Physiology": (
        ("Insulin is made in the pancreas by", ("Alpha cells", "Beta cells", "Delta cells", "Acinar cells"), "B"),
        (
            "At rest, most of the blood volume is found in",
            ("Arteries", "Capillaries", "Veins", "The chambers of the heart"),
            "C",
        ),
    ),
    "Pharmacology": (
        (
            "An overdose of paracetamol is treated with",
            ("N-acetylcysteine", "Naloxone", "Flumazenil", "Protamine"),
            "A",
        ),
        (
            "Dry cough is a known side effect of",
            ("Amlodipine", "Metoprolol", "Hydrochlorothiazide", "Enalapril"),
            "D",
        ),
    ),
    "Microbiology": (
        (
            "Which of these grow as gram positive cocci in clusters?",
            ("Neisseria", "Staphylococci", "Clostridia", "Vibrios"),
            "B",
        ),
        ("Malaria is passed on by the bite of", ("Anopheles", "Aedes", "Culex", "Sand flies"), "A"),
    ),
    "Pathology": (
        (
            "Reed-Sternberg cells are seen in",
            ("Multiple myeloma", "Burkitt lymphoma", "Hodgkin lymphoma", "Mycosis fungoides"),
            "C",
        ),
        (
            "Features of acute inflammation include all of the following EXCEPT",
            ("Redness", "Heat", "Swelling", "Granuloma formation"),
            "D",
        ),
    ),
    "Surgery": (
        (
            "Pain over McBurney's point suggests",
            ("Appendicitis", "Cholecystitis", "Pancreatitis", "Diverticulitis"),
            "A",
        ),
        (
            "Risk factors for thrombosis after an operation are",
            ("Bed rest", "Obesity", "Cancer", "All of the above"),
            "D",
        ),
    ),
    "Pediatrics": (
        (
            "At what age does a healthy child usually walk alone?",
            ("5 months", "8 months", "13 months", "24 months"),
            "C",
        ),
    ),
    "Dental": (("How many permanent teeth does an adult have, wisdom teeth included?", ("20", "32", "28", "36"), "B"),),
}

EXAM_SAMPLES: tuple[Row, ...] = tuple(
    {
        "question": question,
        **{f"option_{letter}": option for letter, option in zip("abcd", options, strict=True)},
        "answer": answer,
        "subject": subject,
    }
    for subject, questions in _QUESTIONS.items()
    for question, options, answer in questions
)

"""``medical/diagnosis``: which of 24 diseases a made-up description of symptoms was written for.

A row: ``{"text": "Every spring my eyes itch and I sneeze all day.", "label": "allergy"}``.

This is an exercise in ranking labels, and no diagnosis.  The public descriptions look synthetic: nothing says that a
patient wrote one, or that a physician has judged one.  Each names a handful of symptoms of one disease out of 24, and
keywords are enough: TF-IDF is right in 96 to 99 % of them, and has the right disease among its first three in all.  A
model trained on them knows no other disease, cannot say that nothing is wrong, and is sure of itself all the same.  It
must not be used on patients, nor to decide who sees a physician.

Answers are ranked, and top-3 accuracy says how often the right disease is among the first three.
"""

from qlorakit.kinds import single_label
from qlorakit.task import Column, PublicDataset
from qlorakit_medical.diagnosis_samples import DIAGNOSIS_SAMPLES

# The published names in lower case: there six of the 24 are, and the others are not.
LABELS = (
    "acne", "allergy", "arthritis", "bronchial asthma", "cervical spondylosis", "chicken pox", "common cold", "dengue",
    "diabetes", "dimorphic hemorrhoids", "drug reaction", "fungal infection", "gastroesophageal reflux disease",
    "hypertension", "impetigo", "jaundice", "malaria", "migraine", "peptic ulcer disease", "pneumonia", "psoriasis",
    "typhoid", "urinary tract infection", "varicose veins",
)  # fmt: skip

SYNONYMS = {
    "chickenpox": "chicken pox",
    "GERD": "gastroesophageal reflux disease",
    "hemorrhoids": "dimorphic hemorrhoids",
    "haemorrhoids": "dimorphic hemorrhoids",
    "typhoid fever": "typhoid",
    "UTI": "urinary tract infection",
}

SYMPTOM2DISEASE = PublicDataset(
    name="Symptom2Disease",
    identifier="niyarrbarman/symptom2disease (Kaggle)",
    url="https://www.kaggle.com/datasets/niyarrbarman/symptom2disease",
    licence="not verified: treat as research use only",
    citation="niyarrbarman: Symptom2Disease. Kaggle",
    columns=("index", "label", "text"),
    traps=(
        "synthetic, by its looks: it says nothing about patients, and a good score nothing about diagnosing them",
        "easy: of three splits without shared texts, TF-IDF gets 96 to 99 % right, and 100 % within three answers",
        "with four rows of each disease to learn from, TF-IDF gets 76 to 80 %: systems differ with few rows alone",
        "47 texts occur twice, 12 of them jaundice and 9 hemorrhoids, none with two labels: once each in a split",
        "20 more texts are nearly the same as another one",
        "every disease has 50 rows (38 to 50 different ones): no prior of any practice",
        "six labels are in lower case, such as diabetes, and the others begin with a capital",
        "25 texts begin or end with white space; 19 hold curly apostrophes or spaces that do not break",
        "the index starts anew four times: it is no identity",
        "edited copies are about: with 850, 1,199 or 1,305 rows, or reworded with 22 labels (Gretel)",
    ),
)

DIAGNOSIS = single_label(
    "medical/diagnosis",
    summary="Which of 24 diseases a made-up description of symptoms was written for; no diagnosis of patients",
    instruction="Name the disease that the description of symptoms was written for.",  # the choices are ranked
    labels=LABELS,
    text=Column("text", aliases=("symptoms", "description", "input_text", "sentence", "content")),
    label=Column("label", aliases=("disease", "diagnosis", "prognosis", "output_text", "class"), label=True),
    synonyms=SYNONYMS,
    samples=DIAGNOSIS_SAMPLES,
    datasets=(SYMPTOM2DISEASE,),
)

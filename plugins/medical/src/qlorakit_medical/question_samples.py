"""Rows written by hand for ``medical/questions``: studies that nobody has made."""

from collections.abc import Mapping

from qlorakit.task import Row

# Of each answer: questions, with the sentences of the abstract but for its conclusion.
_STUDIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "yes": {
        "Does chewing gum shorten the wait for bowel movement after a caesarean?": (
            "After caesarean birth 120 women chewed gum three times a day or did not.",
            "The first bowel movement came after 21 hours with gum and after 33 hours without (p < 0.001).",
            "Complications did not differ.",
        ),
        "Is grip strength related to falls in nursing homes?": (
            "We measured the grip of 310 residents and counted falls for one year.",
            "Residents in the weakest third fell 2.4 times as often as those in the strongest third.",
            "This held after adjustment for age and medicines (95 % interval 1.7 to 3.3).",
        ),
        "Can a text message the day before reduce missed clinic visits?": (
            "Visits to an eye clinic were randomised to a reminder by text message or to none.",
            "Of 2,050 visits with a reminder 8 % were missed, of 2,038 without one 17 % (p < 0.001).",
        ),
        "Does early walking shorten the hospital stay in pneumonia?": (
            "Patients on six wards walked twenty minutes a day from the first day, those on six others had usual care.",
            "The stay was 4.9 against 6.6 days, and readmissions were as frequent in both groups.",
        ),
    },
    "no": {
        "Does vitamin D prevent winter colds in teachers?": (
            "For two winters 540 teachers took vitamin D or placebo.",
            "They had 1.31 and 1.28 colds per winter (p = 0.79).",
            "Days off work were the same, whatever the level in blood had been at the start.",
        ),
        "Is a plaster cast better than a bandage for buckle fractures of the wrist?": (
            "Children aged four to fifteen got a cast or a bandage.",
            "Pain after three days was 3.2 and 3.1 on a scale of ten.",
            "Function at six weeks was alike, and no fracture moved in either group.",
        ),
        "Are night shifts associated with the outcome of emergency appendectomy?": (
            "Records of 4,200 operations were compared by the hour of the first cut.",
            "Wound infections, leaks and second operations were as frequent at night as by day.",
            "The odds ratio was 1.01 (0.86 to 1.19).",
        ),
        "Do compression stockings relieve restless legs in pregnancy?": (
            "Ninety pregnant women wore stockings of either high or hardly any pressure.",
            "After eight weeks the severity score had fallen by 2.0 points in both groups, and sleep did not differ.",
        ),
    },
    "maybe": {
        "Should all joggers with shin pain have a scan?": (
            "Of 64 joggers with pain at the shin, scans showed a stress fracture in nine.",
            "Six of these had pain at night, as had twelve without a fracture.",
            "Treatment changed in four; the cost was not looked at.",
        ),
        "Does a pet in the house protect infants from asthma?": (
            "We followed 890 infants to school age.",
            "Wheezing was rarer with a dog (p = 0.04) and as frequent with a cat.",
            "Among children of parents with asthma it was more frequent with either, though the numbers were small.",
        ),
        "Is acupuncture useful against hot flushes?": (
            "Women had ten sessions of acupuncture, of a sham, or none.",
            "Flushes fell by half with both needles and by a tenth without.",
            "At six months the difference was gone in one centre and remained in the other.",
        ),
        "Can a smartphone picture replace the skin clinic for moles?": (
            "Two dermatologists judged pictures of 230 moles and then the moles themselves.",
            "One missed no melanoma and sent twice as many people for surgery; the other missed two of eleven.",
            "A third of pictures were blurred.",
        ),
    },
}

QUESTION_SAMPLES: tuple[Row, ...] = tuple(
    {"question": question, "abstract": " ".join(sentences), "label": label}
    for label, studies in _STUDIES.items()
    for question, sentences in studies.items()
)

"""Rows written by hand for ``medical/summary``: records with descriptions, messages of patients as questions."""

from collections.abc import Sequence

from qlorakit.task import Row

RECORDS: Sequence[Row] = (
    {
        "text": "REASON FOR ADMISSION: Chest pain.\n\nHOSPITAL COURSE: The patient, who has diabetes and takes "
        "metformin 1000 mg twice daily, was admitted with chest pain and shortness of breath. Cardiac enzymes were "
        "negative, and the stress test showed no ischemia.\n\nDISPOSITION: Home.",
        "answer": "Admission for chest pain with a negative workup in a patient with diabetes on metformin 1000 mg.",
    },
    {
        "text": "HISTORY: An 8-month-old boy with two days of vomiting and diarrhea. No fever. He drinks "
        "less than usual.\n\nEXAM: Mildly dry, alert.\n\nIMPRESSION: Viral gastroenteritis with mild dehydration.\n\n"
        "PLAN: Small sips of rehydration fluid.",
        "answer": "An infant with vomiting and diarrhea from gastroenteritis, mildly dehydrated, without fever.",
    },
    {
        "text": "CHIEF COMPLAINT: Left knee pain.\n\nHISTORY: This 58-year-old woman has had pain in her left knee for "
        "three months. She denies fever. Ibuprofen 400 mg three times daily gives little relief.\n\nEXAM: There is an "
        "effusion of the left knee.\n\nPLAN: The joint was injected with 40 mg of triamcinolone.",
        "answer": "Left knee pain for three months without fever, treated with ibuprofen 400 mg and an injection.",
    },
    {
        "text": "PREOPERATIVE DIAGNOSIS: Torn meniscus, right knee.\n\nPROCEDURE: Arthroscopy.\n\nDESCRIPTION: Under "
        "general anesthesia the scope was passed into the right knee. The torn edge was trimmed. He had a fever of "
        "101 on the first night, which settled. Ibuprofen 800 mg was given for pain.",
        "answer": "Arthroscopy of the right knee for a torn meniscus, with fever on the first night; ibuprofen 800 mg "
        "was given.",
    },
    {
        "text": "SUBJECTIVE: The patient returns for his diabetes. He takes metformin 500 mg twice daily and checks "
        "his sugars at home. No chest pain, no shortness of breath.\n\nOBJECTIVE: Hemoglobin A1c is 6.9.\n\n"
        "ASSESSMENT: Type 2 diabetes, well controlled.",
        "answer": "Follow-up of well-controlled diabetes on metformin 500 mg; no chest pain.",
    },
    {
        "text": "EXAM: Ultrasound of the right breast.\n\nINDICATION: Palpable lump.\n\nFINDINGS: A simple cyst of 12 "
        "mm at two o'clock. No solid mass is seen.\n\nIMPRESSION: Benign cyst.",
        "answer": "Ultrasound of the right breast for a lump shows a benign cyst.",
    },
)
MESSAGES: Sequence[Row] = (
    {
        "text": "Good day. Shingles on my left side since Monday, and my daughter is pregnant and wants to visit. When "
        "does it stop being catching?",
        "answer": "When is shingles no longer contagious?",
    },
    {
        "text": "SUBJECT: gout diet\nMESSAGE: Hi, my husband's toe swells up every few months and the doctor says "
        "gout. Nobody told us what he should be eating. Can you help",
        "answer": "What should a person with gout eat?",
    },
    {
        "text": "MESSAGE: my son is 4 and has been told he has celiac disease. we have a family of 5 and i want to "
        "know if the others have to be checked too",
        "answer": "Should family members of a person with celiac disease be tested?",
    },
    {
        "text": "I have taken warfarin for years, and now a dentist wants to pull two teeth. I am scared of bleeding. "
        "What am I meant to do before it?",
        "answer": "What precautions should be taken before a tooth extraction while on warfarin?",
    },
    {
        "text": "SUBJECT: Where to find\nMESSAGE: Dear sirs, looking for anywhere near [LOCATION] that treats sleep "
        "apnea without the mask, thank you, [NAME]",
        "answer": "Where can I find treatment for sleep apnea other than a mask?",
    },
    {
        "text": "SUBJECT: metformin\nMESSAGE: I was put on metformin in May and my stomach has been in knots. "
        "Diarrhea, nausea, the lot. Is it from the tablets?",
        "answer": "Can metformin cause nausea and diarrhea?",
    },
)
SUMMARY_SAMPLES = (*RECORDS, *MESSAGES)

"""Rows written by hand for ``medical/correction``: drafts with mistakes as recognisers make them, and what was said."""

from qlorakit.task import Row

PAIRS = (
    (
        "Patient complaints of left knee pane for too weeks and denies fever.",
        "Patient complains of left knee pain for two weeks and denies fever.",
    ),
    (
        "The write knee pain got worse, she now has fever; lisinopril 5 mg was held.",
        "The right knee pain got worse, she now has fever; lisinopril 5 mg was held.",
    ),
    (
        "Continue Celexa 200 mg twice daily for left knee osteo arthritis.",
        "Continue Celebrex 200 mg twice daily for left knee osteoarthritis.",
    ),
    (
        "Increase lie sin a pril to 20 mg daily for high per tension.",
        "Increase lisinopril to 20 mg daily for hypertension.",
    ),
    (
        "She takes listen a pill 10 mg daily and has chest pain.",
        "She takes lisinopril 10 mg daily and has no chest pain.",
    ),
    (
        "Chest pain radiates to the left arm; aspirin 325 mg was chewed on the weigh in.",
        "Chest pain radiates to the left arm; aspirin 325 mg was chewed on the way in.",
    ),
    (
        "Start hydralazine 25 mg at bedtime for itching of the right arm.",
        "Start hydroxyzine 25 mg at bedtime for itching of the right arm.",
    ),
    (
        "There is no new monia in the right lower low, and the cough is gone.",
        "There is no pneumonia in the right lower lobe, and the cough is gone.",
    ),
    (
        "X-ray shows new monia of the left lower lobe; begin as if throw my sin 500 mg.",
        "X-ray shows pneumonia of the left lower lobe; begin azithromycin 500 mg.",
    ),
    (
        "His blood pressure was one fifty over ninety; lisinopril 40 mg was refilled, no a Dema.",
        "His blood pressure was 150 over 90; lisinopril 40 mg was refilled, no edema.",
    ),
    (
        "Bilateral knee pain, worse on stares, relieved by eye be profane 400 mg.",
        "Bilateral knee pain, worse on stairs, relieved by ibuprofen 400 mg.",
    ),
    (
        "Fever and cough since Monday, no short nest of breath, lisinopril 2.5 mg held.",
        "Fever and cough since Monday, no shortness of breath, lisinopril 2.5 mg held.",
    ),
    (
        "She has shortness of breath at wrist and a Dema of both legs despite lisinopril 30 mg.",
        "She has shortness of breath at rest and edema of both legs despite lisinopril 30 mg.",
    ),
    (
        "The patient is a febrile today and denies nausea, Sarah tone in was stopped.",
        "The patient is afebrile today and denies nausea; sertraline was stopped.",
    ),
    (
        "Suture the two centimetre lack oration of the left thumb with for oh nylon.",
        "Suture the two centimetre laceration of the left thumb with 4-0 nylon.",
    ),
    (
        "Right I redness and discharge, prescribe a rhythm I sin ointment four times daily.",
        "Right eye redness and discharge, prescribe erythromycin ointment four times daily.",
    ),
)
CORRECTION_SAMPLES: tuple[Row, ...] = tuple({"draft": draft, "corrected": corrected} for draft, corrected in PAIRS)

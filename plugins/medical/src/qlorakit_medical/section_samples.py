"""Rows written by hand for ``medical/section``: invented dialogues, two or three for each of its 20 sections."""

from collections.abc import Mapping

from qlorakit.task import Row

DIALOGUES: Mapping[str, tuple[str, ...]] = {
    "FAM/SOCHX": (
        (
            "Doctor: Does anything run in your family?\n"
            "Patient: My father had a heart attack at sixty, and my aunt had breast cancer.\n"
            "Doctor: Do you smoke?\n"
            "Patient: I quit ten years ago. I have a beer at weekends."
        ),
        (
            "Doctor: Who lives with you at home?\n"
            "Patient: My wife and our two boys. I drive a delivery van.\n"
            "Doctor: Tobacco, alcohol, anything else?\n"
            "Patient: Half a pack a day, no drinking."
        ),
        (
            "Doctor: Are your parents in good health?\n"
            "Guest_family: Her mother is diabetic, and her grandfather died of a stroke."
        ),
    ),
    "GENHX": (
        (
            "Doctor: Tell me how this began.\n"
            "Patient: Three weeks ago my lower back seized up when I lifted a crate. Since then it shoots down my left "
            "leg when I sit for long.\n"
            "Doctor: Does anything help?\n"
            "Patient: Lying flat, and a heating pad."
        ),
        (
            "Doctor: When did the cough start, sir?\n"
            "Patient: Last Thursday, with a runny nose. By Sunday I had chills and brought up yellow stuff.\n"
            "Doctor: And now?\n"
            "Patient: I get winded on the stairs."
        ),
        (
            "Doctor: What happened to your wrist?\n"
            "Patient: I slipped on the ice this morning and put my hand out. It swelled up within the hour and I "
            "cannot turn a key."
        ),
    ),
    "PASTMEDICALHX": (
        (
            "Doctor: Which illnesses have you been treated for over the years?\n"
            "Patient: High blood pressure, and an underactive thyroid since my forties.\n"
            "Doctor: Diabetes?\n"
            "Patient: No."
        ),
        (
            "Doctor: Has he had any long-term conditions?\n"
            "Guest_family: Asthma as a small child, and eczema. Nothing since."
        ),
    ),
    "CC": (
        "Doctor: What brings you in today?\nPatient: My right ear hurts.",
        "Doctor: Hello again. How can I help?\nPatient: I keep throwing up.\nDoctor: I am sorry to hear that.",
    ),
    "PASTSURGICAL": (
        (
            "Doctor: Have you ever been operated on?\n"
            "Patient: They took my appendix out when I was twelve, and I had a new hip put in two years back."
        ),
        "Doctor: Any operations before this one?\nPatient: Just my tonsils.",
    ),
    "ALLERGY": (
        "Doctor: Is there any medicine that you react to?\nPatient: Sulfa gives me hives all over.",
        "Doctor: Do you have allergies?\nPatient: None that I know of.",
    ),
    "ROS": (
        (
            "Doctor: Fever or weight loss?\n"
            "Patient: No.\n"
            "Doctor: Trouble with your vision, hearing or swallowing?\n"
            "Patient: No.\n"
            "Doctor: How about your bowels and your water?\n"
            "Patient: All normal. I am a bit short of breath at night, that is all."
        ),
        (
            "Doctor: Let me go from head to toe. Headaches?\n"
            "Patient: Now and then.\n"
            "Doctor: Chest pain, palpitations?\n"
            "Patient: Neither.\n"
            "Doctor: Joint pain, rashes, bruises?\n"
            "Patient: My knees ache."
        ),
    ),
    "MEDICATIONS": (
        (
            "Doctor: What do you take every day?\n"
            "Patient: Lisinopril, ten milligrams in the morning, and a baby aspirin.\n"
            "Doctor: Anything over the counter?\n"
            "Patient: Fish oil."
        ),
        "Doctor: Are you still on the metformin?\nPatient: Yes, five hundred, twice a day, and nothing besides.",
    ),
    "ASSESSMENT": (
        (
            "Doctor: To put it together, your sugar is still too high, while your blood pressure is where we want it.\n"
            "Patient: And the kidneys?\n"
            "Doctor: They are holding steady, and the foot ulcer is healing."
        ),
        (
            "Doctor: In short, the asthma has flared because of a cold, and I do not think that it is pneumonia.\n"
            "Patient: So no antibiotic?\n"
            "Doctor: Right. Your anxiety is part of it, too."
        ),
    ),
    "EXAM": (
        (
            "Doctor: I am going to press on your belly. Does that hurt?\n"
            "Patient: A little, on the right.\n"
            "Doctor: It is soft, and I feel no mass. Your lungs sound clear, and I hear no murmur."
        ),
        (
            "Doctor: Follow my finger with your eyes. Good. Now push against my hand.\n"
            "Patient: Like this?\n"
            "Doctor: Strength is full on both sides, reflexes are brisk, and there is a bruise over the left brow."
        ),
    ),
    "DIAGNOSIS": (
        (
            "Doctor: The biopsy is back. It is a basal cell carcinoma, the mildest kind of skin cancer.\n"
            "Patient: So that is what the spot on my nose was."
        ),
        "Doctor: The swab was positive, so what you have is strep throat.\nPatient: I thought it was only a cold.",
    ),
    "DISPOSITION": (
        (
            "Doctor: You are well enough to leave this afternoon. Your daughter will pick you up?\n"
            "Patient: Yes, I am staying at her place.\n"
            "Doctor: Good. You go home in stable condition."
        ),
        (
            "Doctor: We will keep her here on the ward overnight.\n"
            "Guest_family: Will she go to intensive care?\n"
            "Doctor: No, to a regular bed."
        ),
    ),
    "PLAN": (
        (
            "Doctor: We will double the water pill, repeat the blood work in two weeks, and I want you to see the "
            "heart clinic.\n"
            "Patient: Should I weigh myself?\n"
            "Doctor: Every morning, and call if you gain three pounds."
        ),
        (
            "Doctor: Take the cream for ten days, keep the foot dry, and come back if it spreads.\n"
            "Patient: May I swim?\n"
            "Doctor: Not before the next visit."
        ),
    ),
    "EDCOURSE": (
        (
            "Doctor: When she came to the emergency room, what was done?\n"
            "Guest_clinician: Two liters of saline and a dose of ondansetron. Her pulse came down, and she kept fluids "
            "down within two hours."
        ),
        (
            "Doctor: What happened after the ambulance brought him?\n"
            "Guest_clinician: He had a breathing treatment and steroids through the vein, his oxygen rose to "
            "ninety-six, and the cut was sewn with five stitches."
        ),
    ),
    "IMMUNIZATIONS": (
        (
            "Doctor: Is she up to date with her shots?\n"
            "Guest_family: She had the ones at four months. We missed the last appointment."
        ),
        "Doctor: Did you have the flu vaccine last fall?\nPatient: Yes, and the tetanus booster the year before.",
    ),
    "IMAGING": (
        (
            "Doctor: The scan of your head shows no bleeding and no mass.\n"
            "Patient: And the chest film?\n"
            "Doctor: A small shadow at the base of the left lung, unchanged since last year."
        ),
        (
            "Doctor: I have looked at the ultrasound of your gallbladder.\n"
            "Patient: Are there stones?\n"
            "Doctor: Several, but the wall is thin and the duct is not wide."
        ),
    ),
    "GYNHX": (
        (
            "Doctor: When was your last period?\n"
            "Patient: On the third.\n"
            "Doctor: Are they regular? Any pregnancies?\n"
            "Patient: Every thirty days. I have been pregnant twice and have two children."
        ),
        (
            "Doctor: How old were you at your first period?\n"
            "Patient: Thirteen. I went through the change at fifty.\n"
            "Doctor: And your last smear?\n"
            "Patient: Two years ago, normal."
        ),
    ),
    "PROCEDURES": (
        (
            "Doctor: Which procedures did we do during your stay?\n"
            "Patient: You drained the fluid off my lung, and there was the camera down my throat.\n"
            "Doctor: Right, a thoracentesis and an upper endoscopy."
        ),
        (
            "Doctor: What was done for the arrhythmia?\n"
            "Guest_clinician: A cardioversion on Tuesday and then an ablation."
        ),
    ),
    "OTHER_HISTORY": (
        (
            "Doctor: Did the carer tell you anything about how he was before the fall?\n"
            "Guest_clinician: He walks with a frame and needs help to dress. The rest we could not find out."
        ),
        (
            "Doctor: Has there been anything like this in her travel or at work?\n"
            "Guest_family: She was in Peru in May, and she handles birds at the zoo."
        ),
    ),
    "LABS": (
        (
            "Doctor: Your blood came back. Hemoglobin is nine point two, the white count is normal.\n"
            "Patient: And the potassium?\n"
            "Doctor: Four point one."
        ),
        (
            "Patient: Did my urine test come out fine?\n"
            "Doctor: It showed bacteria and a trace of protein. The sugar in your blood was one hundred and forty."
        ),
    ),
}

SECTION_SAMPLES: tuple[Row, ...] = tuple(
    {"text": dialogue, "label": label} for label, dialogues in DIALOGUES.items() for dialogue in dialogues
)

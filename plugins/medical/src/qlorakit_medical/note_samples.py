"""Rows written by hand for ``medical/note``: invented dialogues and the section of the note that sums up each."""

from collections.abc import Sequence

from qlorakit.task import Row

NOTE_SAMPLES: Sequence[Row] = (
    {
        "text": "Doctor: Did your parents have any heart trouble?\nPatient: My mother had a stroke at seventy. My "
        "father is well.\nDoctor: And you, do you smoke?\nPatient: Never have. A glass of wine at dinner.",
        "section": "FAM/SOCHX",
        "answer": "Mother had a stroke at age 70; father is healthy. The patient has never smoked and drinks a glass "
        "of wine with dinner.",
    },
    {
        "text": "Doctor: Any pain in your chest?\nPatient: No.\nDoctor: Shortness of breath?\nPatient: No, none.\n"
        "Doctor: Nausea, vomiting?\nPatient: A bit of nausea in the mornings.",
        "section": "ROS",
        "answer": "Negative for chest pain and shortness of breath. Positive for nausea in the morning.",
    },
    {
        "text": "Doctor: Where does it hurt?\nPatient: In my left knee, mostly on stairs, since spring.\n"
        "Doctor: Are you running a temperature?\nPatient: Yes, I have had a fever since last night.",
        "section": "GENHX",
        "answer": "The patient reports left knee pain since spring, worse on stairs, and fever since last night.",
    },
    {
        "text": "Doctor: What brings you here?\nPatient: My right knee has been hurting for two weeks.\n"
        "Doctor: Did you injure it?\nPatient: I twisted it at football.\nDoctor: Any fever?\nPatient: No fever.",
        "section": "GENHX",
        "answer": "The patient has had right knee pain for two weeks after twisting the knee at football. The "
        "patient denies fever.",
    },
    {
        "text": "Doctor: Have you been ill before?\nPatient: I have asthma, that is all.\nDoctor: No diabetes, no "
        "blood pressure trouble?\nPatient: Neither of them.",
        "section": "PASTMEDICALHX",
        "answer": "Significant for asthma. No history of diabetes or hypertension.",
    },
    {
        "text": "Doctor: The film of your right shoulder shows no fracture.\nPatient: So nothing is broken?\n"
        "Doctor: No. There is some arthritis in the joint.",
        "section": "IMAGING",
        "answer": "X-ray of the right shoulder shows arthritis and no fracture.",
    },
    {
        "text": "Doctor: Go on with the metformin, eight hundred and fifty milligrams with breakfast.\n"
        "Patient: And for my nose?\n"
        "Doctor: It is sinusitis, so you get amoxicillin, two hundred and fifty milligrams, twice a day.",
        "section": "PLAN",
        "answer": "Continue metformin 850 mg with breakfast. Start amoxicillin 250 mg twice daily for sinusitis.",
    },
    {
        "text": "Doctor: Do any medicines disagree with you?\nPatient: Penicillin gave me a rash.\n"
        "Doctor: Was it bad?\nPatient: It itched for a week.",
        "section": "ALLERGY",
        "answer": "Penicillin, which causes a rash.",
    },
    {
        "text": "Doctor: Tell me about your other illnesses.\nPatient: Diabetes for eight years, and high blood "
        "pressure.\nDoctor: Asthma?\nPatient: No asthma.",
        "section": "PASTMEDICALHX",
        "answer": "Significant for diabetes for eight years and hypertension. No asthma.",
    },
    {
        "text": "Doctor: How can I help you today?\nPatient: My left shoulder hurts, and I feel dizzy.",
        "answer": "Left shoulder pain and dizziness.",
    },
    {
        "text": "Doctor: What did the surgeons do back then?\nPatient: I had the right hip replaced, and the "
        "gallbladder came out four years ago.",
        "section": "PASTSURGICAL",
        "answer": "Right hip replacement. Cholecystectomy four years ago.",
    },
    {
        "text": "Doctor: Your pneumonia is better on the antibiotic. We go on with amoxicillin, five hundred "
        "milligrams three times a day, for five more days.\nPatient: And the fever?\n"
        "Doctor: It is gone, which is a good sign. Come back in a week.",
        "section": "PLAN",
        "answer": "Pneumonia is improving, without fever. Continue amoxicillin 500 mg three times daily for five days. "
        "Return in one week.",
    },
    {
        "text": "Doctor: Which tablets are you on these days?\nPatient: They raised my metformin to a thousand "
        "milligrams, twice daily. Lisinopril is twenty milligrams now, once a day.\nDoctor: Anything for pain?\n"
        "Patient: Ibuprofen, four hundred milligrams, when the left knee hurts.",
        "section": "MEDICATIONS",
        "answer": "Metformin 1000 mg twice daily. Lisinopril 20 mg daily. Ibuprofen 400 mg for left knee pain.",
    },
    {
        "text": "Doctor: How has your breathing been?\nPatient: I am short of breath when I climb the hill, and then "
        "my chest hurts as well.\nDoctor: Do you feel sick with it?\nPatient: No nausea, no.",
        "section": "ROS",
        "answer": "Positive for chest pain and shortness of breath on exertion. Negative for nausea.",
    },
    {
        "text": "Doctor: What do you take for your sugar?\nPatient: Metformin, five hundred milligrams, twice a day.\n"
        "Doctor: And for the blood pressure?\nPatient: Lisinopril, ten milligrams every morning.",
        "section": "MEDICATIONS",
        "answer": "Metformin 500 mg twice daily, lisinopril 10 mg daily.",
    },
)

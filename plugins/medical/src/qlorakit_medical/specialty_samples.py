"""Reports written by hand for ``medical/specialty`` and ``medical/organ_specialty``: patients and findings are made up.

Each has the kind of report and the fields it belongs to; every label occurs.
"""

from qlorakit.task import Row


def _row(labels: str, *paragraphs: str) -> Row:
    """A report of paragraphs, and its labels parted by semicolons."""
    return {"text": "\n\n".join(paragraphs), "labels": labels.split("; ")}


SPECIALTY_SAMPLES: tuple[Row, ...] = (
    _row(
        "Cardiovascular / Pulmonary; Surgery",
        "PREOPERATIVE DIAGNOSIS: Sick sinus syndrome with pauses of up to five seconds.",
        "PROCEDURE: Implantation of a dual-chamber permanent pacemaker.",
        "DESCRIPTION OF PROCEDURE: The left chest was prepped and draped. The axillary vein was entered twice under "
        "fluoroscopy. The ventricular lead was screwed into the apex and the atrial lead into the appendage; sensing "
        "and capture were good in both. The generator was placed in a pocket over the pectoral muscle, which was "
        "irrigated and closed in layers. The patient left the laboratory in stable rhythm.",
    ),
    _row(
        "Cardiovascular / Pulmonary; Radiology",
        "EXAM: Transthoracic echocardiogram.",
        "INDICATION: Shortness of breath on the stairs and a murmur heard at a health check.",
        "FINDINGS: The left ventricle is mildly enlarged, with an ejection fraction of about 40 percent and a stiff, "
        "poorly moving septum. The aortic valve opens well. There is moderate mitral regurgitation, directed towards "
        "the back wall of a dilated left atrium. Right-sided pressures are at the upper limit. There is no pericardial "
        "effusion and no clot.",
        "IMPRESSION: Reduced systolic function with moderate mitral regurgitation.",
    ),
    _row(
        "ENT - Otolaryngology; Surgery",
        "DIAGNOSIS: Recurrent tonsillitis, seven episodes within a year.",
        "OPERATION: Tonsillectomy and adenoidectomy.",
        "FINDINGS: Large cryptic tonsils, and adenoids that blocked two thirds of the nasopharynx.",
        "TECHNIQUE: With the child under general anesthesia a mouth gag was placed. The right tonsil was grasped, "
        "drawn to the middle and dissected from its bed with cautery; the left one followed. The adenoids were shaved "
        "under view through a mirror. Bleeding was minimal, the throat was rinsed, the stomach emptied, and "
        "the gag removed.",
    ),
    _row(
        "Gastroenterology; Surgery",
        "PROCEDURE: Colonoscopy with removal of polyps.",
        "INDICATION: Blood in the stool for two months in a man of 58.",
        "MEDICATION: Sedation by the anesthesia team.",
        "PROCEDURE IN DETAIL: The scope was passed to the cecum, known by the valve and the appendiceal opening. The "
        "bowel was well cleaned. A sessile polyp of 9 mm in the ascending colon and a stalked one in the sigmoid were "
        "taken with a cold snare and sent in separate jars. Small internal hemorrhoids were seen on retroflexion.",
        "PLAN: High-fiber diet; repeat in three years.",
    ),
    _row(
        "Gastroenterology; Discharge Summary",
        "ADMITTING DIAGNOSIS: Acute pancreatitis.",
        "DISCHARGE DIAGNOSIS: Gallstone pancreatitis, resolved.",
        "HOSPITAL COURSE: The patient came in with severe pain in the upper abdomen that went through to the back, and "
        "a lipase twenty times normal. Ultrasound showed stones in the gallbladder and a duct of normal width. She was "
        "kept fasting, given fluids and pain relief, and ate a soft diet by the third day. Enzymes fell steadily.",
        "DISPOSITION: Home in good condition. She returns in two weeks to plan removal of the gallbladder.",
    ),
    _row(
        "Hematology - Oncology; SOAP / Chart / Progress Notes",
        "SUBJECTIVE: The patient is here before her fourth cycle of chemotherapy for carcinoma of the left breast. She "
        "was tired for three days after the last one and had tingling in her fingertips. No fever, no sores in the "
        "mouth. Appetite is fair.",
        "OBJECTIVE: Weight is stable. No nodes are felt in the neck or armpit. The scar is clean. Hemoglobin 10.8, "
        "neutrophils 2,100, platelets normal.",
        "ASSESSMENT: Stage II breast cancer, tolerating treatment; mild neuropathy and anemia.",
        "PLAN: Proceed at full dose today, and check counts in ten days.",
    ),
    _row(
        "Nephrology; Consult - History and Phy.",
        "REASON FOR CONSULTATION: Rising creatinine.",
        "HISTORY OF PRESENT ILLNESS: This is a 71-year-old man with diabetes, in hospital for cellulitis, whose "
        "creatinine has gone from 1.4 to 3.2 within four days. He was given contrast on the first day, and his urine "
        "has fallen to 400 mL a day. He takes an ACE inhibitor.",
        "PHYSICAL EXAMINATION: Blood pressure 148/86. Trace edema at the ankles. Lungs clear.",
        "ASSESSMENT AND PLAN: Acute kidney injury on chronic disease, likely from contrast. Hold the ACE inhibitor, "
        "image both kidneys, follow potassium daily. No dialysis is needed yet.",
    ),
    _row(
        "Neurology; Radiology",
        "EXAM: MRI of the brain with and without contrast.",
        "CLINICAL HISTORY: Numbness of the right arm and blurred vision, which came and went over six months.",
        "FINDINGS: There are eleven bright lesions on T2 in the white matter next to the ventricles, several at right "
        "angles to them, and one in the left brachium pontis. Two take up contrast. There is no mass effect and no "
        "sign of bleeding. The ventricles are normal in size for age. Flow is seen in the main arteries.",
        "IMPRESSION: Demyelinating disease, active in two places.",
    ),
    _row(
        "Neurology; Letters",
        "Dear Colleague:",
        "Thank you for sending this young woman with spells. She has had five since spring. In each there is a rising "
        "feeling in the stomach, then she stares, smacks her lips and does not answer for about a minute. She is "
        "confused afterwards and remembers nothing. There is no family history of seizures, and birth was normal.",
        "Her examination today was entirely normal. The EEG shows sharp waves over the right temporal region. I "
        "believe that these are focal seizures and have begun lamotrigine, raised slowly. She knows that she "
        "may not drive.",
        "Sincerely,",
    ),
    _row(
        "Obstetrics / Gynecology; Surgery",
        "PREOPERATIVE DIAGNOSES:\n1. Intrauterine pregnancy at 39 weeks.\n2. Breech presentation.",
        "PROCEDURE PERFORMED: Primary low transverse cesarean section.",
        "ESTIMATED BLOOD LOSS: 600 cc.",
        "PROCEDURE: After a spinal block the abdomen was entered through a Pfannenstiel incision. A bladder flap was "
        "made and the uterus opened in its lower segment. A girl was delivered by the feet and cried at once. The "
        "placenta came out whole. The uterus was closed in two layers; tubes and ovaries looked normal. Counts were "
        "right, and mother and child went to recovery together.",
    ),
    _row(
        "Ophthalmology; Office Notes",
        "CHIEF COMPLAINT: Glare from headlights at night.",
        "HISTORY: A retired driver notices that his sight has become hazy over a year, the left eye more than the "
        "right. No pain, no flashes, no floaters.",
        "EXAMINATION: Corrected acuity is 20/30 right and 20/70 left. Pressures are 15 and 16. Pupils react equally. "
        "The slit lamp shows a clear cornea and a nuclear cataract, dense on the left. Both maculae are flat; discs "
        "are pink with a small cup.",
        "PLAN: He would like surgery on the left eye. Measurements were taken for the lens.",
    ),
    _row(
        "Orthopedic; IME-QME-Work Comp etc.",
        "PURPOSE OF EXAMINATION: The insurer asks whether the worker's right shoulder complaint was caused by the "
        "event at work and whether it is permanent.",
        "HISTORY: A warehouse worker of 44 reached for a falling crate and felt a snap. Therapy for three months "
        "helped little.",
        "RECORDS REVIEWED: Notes of the works physician, an MRI with a partial tear of the supraspinatus tendon.",
        "EXAMINATION: Abduction stops at 110 degrees; strength is four of five.",
        "OPINION: The tear is, with reasonable probability, due to the event. The claimant has not yet reached maximal "
        "improvement, and should not lift above the shoulder.",
    ),
    _row(
        "Orthopedic; Emergency Room Reports",
        "CHIEF COMPLAINT: Fall on the left hand.",
        "HISTORY: A 63-year-old woman slipped on ice an hour before arrival. She did not hit her head and has no pain "
        "elsewhere.",
        "PHYSICAL EXAM: Alert, in moderate distress. The left wrist is swollen and bent backwards like a fork. Fingers "
        "are warm, with normal feeling.",
        "EMERGENCY DEPARTMENT COURSE: Films show a distal radius fracture with dorsal tilt. After a hematoma block it "
        "was reduced and splinted; the new films look good.",
        "DISPOSITION: Home with a sling. She sees the bone clinic within five days.",
    ),
    _row(
        "Pain Management",
        "PROCEDURE: Lumbar epidural steroid injection at L4-L5, left, between the laminae.",
        "INDICATION: Leg pain for five months that tablets and exercise have not relieved.",
        "DETAILS: The patient lay face down with a pillow under the belly. The skin was numbed. A blunt epidural "
        "needle was advanced under fluoroscopy until air was lost without resistance. There was no blood and no spinal "
        "fluid. Contrast spread along the nerve sheath. Steroid with saline was injected slowly, which reproduced a "
        "brief familiar ache. The pain score fell from eight to three within half an hour.",
    ),
    _row(
        "Urology; Lab Medicine - Pathology",
        "SPECIMEN: Prostate, needle cores, twelve sites.",
        "GROSS DESCRIPTION: Twelve containers are received in formalin, each with one tan core of 10 to 17 mm. All are "
        "submitted whole in cassettes labeled A to L.",
        "MICROSCOPIC DESCRIPTION: Cores C and D, from the left base, show small crowded glands with prominent nucleoli "
        "and no basal layer, over 30 and 45 percent of their length. The other ten hold benign tissue with patchy "
        "inflammation.",
        "DIAGNOSIS: Adenocarcinoma, Gleason score 3 + 4 = 7, in two of twelve cores. No invasion of nerves is seen.",
    ),
    _row(
        "Urology; Consult - History and Phy.",
        "CHIEF COMPLAINT: Pain in the right flank.",
        "HISTORY OF PRESENT ILLNESS: The patient woke at four with waves of pain that run from the flank into the "
        "groin, with nausea and pink urine. He passed a stone ten years ago.",
        "PHYSICAL EXAMINATION: Afebrile. Marked tenderness at the right costovertebral angle. The abdomen is soft.",
        "DATA: Urine with many red cells. CT shows a calculus of 6 mm in the lower right ureter, and mild widening "
        "above it.",
        "IMPRESSION: Ureteral stone. Tamsulosin, fluids, a strainer; ureteroscopy if it has not passed in two weeks.",
    ),
    _row(
        "Allergy / Immunology; Pediatrics - Neonatal; SOAP / Chart / Progress Notes",
        "SUBJECTIVE: A boy of six is seen again for sneezing and itchy eyes each May, now with cough when he runs. His "
        "mother says that cetirizine helps for half a day. They have a cat, which sleeps on his bed.",
        "OBJECTIVE: Pale swollen turbinates, dark rings below the eyes. Chest clear at rest. Skin tests are strongly "
        "positive to birch and cat, and negative to foods.",
        "ASSESSMENT: Seasonal rhinitis with mild asthma on exertion.",
        "PLAN: Nasal steroid from April on, an inhaler before sport, and the cat out of the bedroom.",
    ),
    _row(
        "Bariatrics; Diets and Nutritions; Consult - History and Phy.",
        "REASON FOR VISIT: Evaluation before sleeve gastrectomy.",
        "HISTORY: She weighs 131 kg with a body mass index of 46. She has lost and regained weight on four programs. "
        "Breakfast is skipped; most calories come after eight in the evening, often as sweet drinks.",
        "ANALYSIS: Estimated need is 1,900 kcal; reported intake is near 3,100, with 60 g of protein.",
        "RECOMMENDATIONS: Three planned meals, a protein goal of 80 g, water instead of soda, and a food diary. She "
        "was taught the stages of eating after the operation, and returns to the dietitian monthly until then.",
    ),
    _row(
        "Chiropractic; Physical Medicine - Rehab; Letters",
        "To whom it may concern:",
        "I have treated this bus driver since March for stiffness of the neck and headache after a rear-end collision. "
        "At the first visit rotation to the left was halved, and the joints at C2 to C4 were fixed and tender.",
        "He has had twelve adjustments, along with traction and a rehabilitation program of deep flexor training three "
        "times a week. Rotation is now full but for ten degrees, and headaches have become rare.",
        "I advise six more visits and a graded return to full shifts within a month.",
        "Respectfully,",
    ),
    _row(
        "Cosmetic / Plastic Surgery; Dermatology; Surgery",
        "PREOPERATIVE DIAGNOSIS: Basal cell carcinoma of the right cheek, 14 mm.",
        "OPERATION: Excision with frozen section and closure by a rotation flap.",
        "PROCEDURE: Margins of 4 mm were drawn in the lines of the face. The lesion was cut out down to fat, marked "
        "with a suture at twelve o'clock, and reported clear at all edges. As simple closure would have pulled down "
        "the lower lid, a flap was raised from the side of the cheek and turned in. It was sewn with fine nylon, and "
        "its color was good at the end.",
    ),
    _row(
        "Dentistry; Emergency Room Reports",
        "CHIEF COMPLAINT: Toothache and swelling of the jaw.",
        "HISTORY OF PRESENT ILLNESS: The patient has had a broken lower left molar for a year. Since yesterday the "
        "cheek is swollen, chewing is impossible, and he felt feverish at night. Swallowing and breathing are normal.",
        "PHYSICAL EXAMINATION: Temperature 38.1. Tooth 19 is decayed to the root, painful to tapping, with a soft "
        "bulge of the gum beside it. The floor of the mouth is flat.",
        "TREATMENT: The abscess was opened under a mandibular block, and amoxicillin begun. Extraction by the oral "
        "surgeon tomorrow morning.",
    ),
    _row(
        "Endocrinology; General Medicine; SOAP / Chart / Progress Notes",
        "SUBJECTIVE: Follow-up of type 2 diabetes and an underactive thyroid. She forgets her evening tablets and "
        "measures sugar about twice a week, mostly near 180. She feels cold and has gained four pounds.",
        "OBJECTIVE: Pulse 58, blood pressure 134/80. The thyroid is not enlarged. Feet: pulses present, monofilament "
        "felt at all points. Hemoglobin A1c 8.1, TSH 9.4.",
        "ASSESSMENT: Neither condition is controlled.",
        "PLAN: Levothyroxine to 88 mcg; metformin once a day in the long-acting form; repeat laboratory work in eight "
        "weeks.",
    ),
    _row(
        "Hospice - Palliative Care; Hematology - Oncology; Consult - History and Phy.",
        "REASON FOR CONSULTATION: Goals of care and control of symptoms.",
        "HISTORY: The patient is 79 and has pancreatic cancer with spread to the liver. A second line of treatment was "
        "stopped last week at her wish. She sleeps most of the day, eats a few spoonfuls, and has pain below the ribs "
        "that keeps her awake.",
        "DISCUSSION: With her two daughters present she said that she wants to be at home and not to return to "
        "hospital.",
        "PLAN: Comfort measures alone. Morphine by mouth around the clock with doses as needed, a laxative, and a "
        "nurse who visits daily.",
    ),
    _row(
        "Neurosurgery; Orthopedic; Surgery",
        "PREOPERATIVE DIAGNOSIS: Cervical spondylosis with cord compression at C5-C6.",
        "PROCEDURE: Anterior cervical discectomy and fusion with a plate.",
        "DESCRIPTION: The level was confirmed by fluoroscopy. Through a transverse incision on the right the spine was "
        "reached between carotid and esophagus. The disc and posterior spurs were removed under the microscope until "
        "the dura lay free and both foramina admitted a hook. A cage filled with bone was tapped in and a plate fixed "
        "by four screws. Evoked potentials did not change throughout. A collar was applied.",
    ),
    _row(
        "Podiatry; Surgery",
        "DIAGNOSIS: Painful bunion of the left foot.",
        "OPERATION: Austin osteotomy with screw fixation.",
        "ANESTHESIA: Local block at the ankle with sedation.",
        "NARRATIVE: A cuff was inflated above the ankle. Through a cut over the first metatarsal the bump was shaved "
        "flush. A V-shaped osteotomy was made in the head, which was moved 5 mm sideways and held by one cannulated "
        "screw. The great toe then lay straight, and moved without grating. Layers were closed and a surgical shoe was "
        "put on. The toes turned pink as soon as the cuff was released.",
    ),
    _row(
        "Psychiatry / Psychology; Consult - History and Phy.",
        "IDENTIFYING DATA: A married teacher of 36 years, referred by her physician.",
        "HISTORY OF PRESENT ILLNESS: For ten weeks she has felt empty, wakes at three, and cannot enjoy her class. She "
        "has thought that it would be easier not to wake up, without any plan. There was one episode after the birth "
        "of her son.",
        "MENTAL STATUS EXAMINATION: Neat, tearful, speech slow. Mood low, affect narrow. No delusions. Insight good.",
        "DIAGNOSIS: Major depressive disorder, recurrent, moderate.",
        "PLAN: Sertraline, weekly cognitive therapy, and a safety plan shared with her husband.",
    ),
    _row(
        "Rheumatology; Consult - History and Phy.",
        "REASON FOR CONSULTATION: Joint swelling with a positive rheumatoid factor.",
        "HISTORY OF PRESENT ILLNESS: A gardener of 52 describes four months of stiffness in both hands that lasts "
        "until noon. Rings no longer fit. Ibuprofen takes the edge off. No rash, no dry eyes.",
        "EXAMINATION: Soft swelling of the second and third knuckles on either side and of both wrists; grip is weak. "
        "No nodules.",
        "ASSESSMENT: Early rheumatoid arthritis.",
        "RECOMMENDATION: Antibody to citrullinated peptide, films of hands and feet, methotrexate once a week with "
        "folic acid, and a short bridge of prednisone.",
    ),
    _row(
        "Sleep Medicine; Neurology",
        "STUDY: Overnight polysomnography.",
        "INDICATION: Loud snoring, pauses seen by the bed partner, and dozing at the wheel; Epworth score 16.",
        "RESULTS: Total sleep time was 352 minutes with an efficiency of 78 percent. There was no deep sleep. The "
        "apnea-hypopnea index was 41 an hour, 63 in the supine position, with a lowest saturation of 76 percent. Leg "
        "movements woke the patient four times an hour. The EEG showed no epileptic activity.",
        "IMPRESSION: Severe obstructive sleep apnea. A titration with positive airway pressure is advised.",
    ),
    _row(
        "Speech - Language; Discharge Summary",
        "DIAGNOSIS: Aphasia and mild dysarthria after a stroke.",
        "SUMMARY OF THERAPY: The patient was seen for 18 sessions. At the start he named three of twenty pictures and "
        "followed commands of one step. Work was done on naming with cues, on reading of short sentences, and on slow "
        "speech with full breath support.",
        "STATUS AT DISCHARGE: He names sixteen of twenty, follows commands of three steps, and strangers understand "
        "nine of ten utterances. Long-term goals were met in part.",
        "RECOMMENDATIONS: The home program daily, and a group for conversation.",
    ),
    _row(
        "Autopsy",
        "EXTERNAL EXAMINATION: The body is that of a well-nourished man who appears the stated age of 60. Rigor is "
        "full; lividity is fixed on the back. There are no injuries but a small abrasion of the chin.",
        "INTERNAL EXAMINATION: The heart weighs 520 g. The left anterior descending artery is closed by fresh thrombus "
        "2 cm from its origin, upon plaque that narrows it by four fifths. The front wall is mottled and soft. The "
        "lungs are heavy and wet. The brain is unremarkable.",
        "CAUSE OF DEATH: Coronary thrombosis. MANNER OF DEATH: Natural.",
    ),
    _row(
        "General Medicine; Office Notes",
        "GENERAL: Well-developed and well-nourished, in no acute distress, with good hygiene.",
        "HEAD AND NECK: Normocephalic. Pupils are equal and round. Ears, nose and throat show nothing abnormal. No "
        "enlarged nodes, no bruits.",
        "CHEST: Breath sounds are equal on both sides, without wheezes. HEART: Regular, without murmurs.",
        "ABDOMEN: Soft, not tender, bowel sounds present in all quadrants.",
        "EXTREMITIES: No swelling, full motion of all joints. NEUROLOGIC: Oriented to person, place and time; reflexes "
        "two plus throughout; gait is steady.",
    ),
)

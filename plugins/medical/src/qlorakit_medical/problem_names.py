"""Names of problems (diseases, symptoms, findings) and of parts of the body, written by hand.

A line is ``name | other name, other name``; one that is indented belongs to the line before.  ``name < broader`` says
that the name is a kind of the broader one.  A name with ``@`` takes a part of the body: "pain" gives "pain of chest",
and such a name among the others is the same problem by that way.  A name with ``~`` is only for vocabularies, and not
found by itself.  Another name that starts with ``@`` counts only beside a part, as "swollen" does; one with ``!``
denies the problem, as "afebrile" does.  Abbreviations of two letters are read as such only in capitals.
"""

PROBLEMS = """
# what takes a part of the body
pain @ | ache, aching, pains, painful, discomfort, soreness, @sore, @hurts, @hurting, @hurt, @aches, @achy,
    !pain-free, !pain free, !painless
swelling @ | edema, oedema, swollen, edematous, puffiness, puffy, !nonedematous
tenderness @ | @tender, tender to palpation, TTP, !nontender, !non-tender
weakness @ | weak, paresis
numbness @ | numb, loss of sensation, hypoesthesia
tingling @ | paresthesia, pins and needles, paraesthesia, tingly
stiffness @ | @stiff
redness @ | erythema, @red, erythematous, @reddened
warmth @ | @warm to touch
bruise @ | bruising, ecchymosis, contusion, hematoma, bruised, ecchymoses
bleeding @ | hemorrhage, haemorrhage, bleed, bled, bleeds, hemorrhagic, hemorrhaging, oozing
fracture @ | broken bone, @broken, fractured, Fx, fx
dislocation @ | dislocated, subluxation
sprain @ | sprained
strain @ | @strained
~tear @ | @tear, @torn, @rupture, @ruptured
injury @ | trauma, injured, traumatic injury, @hurt himself, @hurt herself
laceration @ | lacerated, @cut
abrasion @ | scrape, scraped
burn @ | burned, burns, burnt
wound @ | open sore
ulcer @ | ulceration, ulcerated
abscess @ | boil
cyst @ |
mass @ | lump
nodule @ |
polyp @ |
tumor @ | neoplasm, tumour
cancer @ | carcinoma, malignancy, adenocarcinoma, CA, malignant neoplasm, malignant tumor
infection @ | infected
inflammation @ | inflamed
rash @ | skin eruption, exanthem
lesion @ |
itching @ | pruritus, itchy, itch, itches, pruritic, itchiness
spasm @ | spasms, cramp, cramps, cramping
stenosis @ | narrowing
blockage @ | obstruction, occlusion, obstructed, occluded, blocked
thrombosis @ | thrombus, blood clot, clot, clots
effusion @ |
arthritis @ | joint inflammation
osteoarthritis @ < arthritis @ | OA, degenerative joint disease, DJD, degenerative arthritis, wear and tear arthritis
tendinitis @ | tendonitis
bursitis @ |
neuropathy @ | nerve damage
paralysis @ | paralyzed, plegia, paralysed
~discharge @ | @discharge, @drainage, purulent discharge, purulent drainage, pus
deformity @ |
atrophy @ | wasting
congestion @ |
hernia @ | herniation
prolapse @ |
aneurysm @ |
loss of consciousness < syncope | LOC, lost consciousness, lose consciousness, losing consciousness, unconscious,
    blacked out, knocked out
tightness @ |
~pressure @ | @pressure
~burning @ | @burning, burning sensation
# heart and vessels
hypertension | HTN, htn, high blood pressure, hypertensive, elevated blood pressure, high BP, !normotensive, blood
    pressure is high, blood pressure has been high, blood pressure is elevated, raised blood pressure
hypotension | low blood pressure, hypotensive, low BP
orthostatic hypotension < hypotension | postural hypotension, orthostasis
myocardial infarction | MI, heart attack, AMI, acute myocardial infarction, coronary thrombosis
ST elevation myocardial infarction < myocardial infarction | STEMI, ST-elevation MI, ST segment elevation myocardial
    infarction
non-ST elevation myocardial infarction < myocardial infarction | NSTEMI, non-ST-elevation MI
coronary artery disease | CAD, coronary heart disease, CHD, ischemic heart disease, coronary disease, IHD, coronary
    atherosclerosis
heart disease | cardiac disease, cardiovascular disease, CVD, heart problem
congestive heart failure < heart failure | CHF
heart failure | cardiac failure, HF, HFrEF, HFpEF
cardiomyopathy |
atrial fibrillation < arrhythmia | AF, AFib, A-fib, afib, a fib, atrial fib
atrial flutter < arrhythmia | a flutter
arrhythmia | irregular heartbeat, irregular heart rhythm, dysrhythmia, cardiac arrhythmia
supraventricular tachycardia < arrhythmia | SVT, PSVT
ventricular tachycardia < arrhythmia | VT, v tach, VTach
ventricular fibrillation < arrhythmia | VF, VFib, v fib
tachycardia | tachycardic, fast heart rate, rapid heart rate, fast heartbeat, rapid heartbeat, racing heart
bradycardia | bradycardic, slow heart rate, slow heartbeat
palpitations | palpitation, heart fluttering, heart racing, fluttering, heart is racing, heart races, pounding heart,
    heart pounding, skipped beats
heart murmur | murmur, murmurs, systolic murmur, diastolic murmur
heart block | AV block, atrioventricular block
cardiac arrest | asystole
angina | angina pectoris, anginal
unstable angina < angina |
aortic stenosis | stenosis of aorta
mitral regurgitation | mitral valve regurgitation, mitral insufficiency
mitral valve prolapse | MVP
pericarditis |
pericardial effusion | effusion of heart
endocarditis |
myocarditis |
atherosclerosis | hardening of the arteries, arteriosclerosis
peripheral artery disease | PAD, peripheral vascular disease, PVD, peripheral arterial disease
aortic aneurysm | AAA, abdominal aortic aneurysm, aneurysm of aorta
aortic dissection |
carotid stenosis | carotid artery stenosis, stenosis of carotid
deep vein thrombosis | DVT, deep venous thrombosis, thrombosis of leg, thrombosis of calf, thrombosis of thigh, DVTs
pulmonary embolism | PE, pulmonary embolus, pulmonary emboli, thrombosis of lung, pulmonary thromboembolism
varicose veins | varicosities
claudication | intermittent claudication
venous insufficiency |
phlebitis | thrombophlebitis
chest pain | pain of chest, CP, angina-like pain, tightness of chest, pressure of chest, burning of chest
shock |
cyanosis | cyanotic, bluish
orthopnea |
paroxysmal nocturnal dyspnea | PND
jugular venous distention | JVD, jugular venous distension
clubbing |
# lungs
shortness of breath | dyspnea, SOB, dyspnoea, short of breath, difficulty breathing, trouble breathing,
    breathlessness, breathless, dyspneic, hard to breathe, difficulty in breathing, winded, respiratory difficulty,
    can't breathe, cannot breathe, out of breath, hard time breathing, catching her breath, catching his breath, catch
    her breath, catch his breath, breathing difficulty, breathing difficulties
dyspnea on exertion < shortness of breath | DOE, exertional dyspnea, shortness of breath on exertion, shortness of
    breath with exertion, exertional shortness of breath
respiratory distress | labored breathing
respiratory failure |
cough | coughing, coughs, coughed
hemoptysis | coughing up blood, coughing blood, blood in the sputum, bloody sputum, blood in his sputum, blood in her
    sputum, blood-tinged sputum, blood when he coughs, blood when she coughs
sputum | phlegm, sputum production
wheezing | wheeze, wheezes, wheezy
crackles | rales, crepitations
rhonchi |
stridor |
asthma | reactive airway disease, RAD, asthmatic
chronic obstructive pulmonary disease | COPD, chronic obstructive lung disease
emphysema |
bronchitis | chest cold
bronchiolitis |
bronchiectasis |
pneumonia | PNA, lung infection, infection of lung
aspiration pneumonia < pneumonia |
COVID-19 | COVID, covid, covid-19, coronavirus, SARS-CoV-2, coronavirus infection
pneumothorax | collapsed lung
pleural effusion | fluid around the lung, fluid on the lung, effusion of lung, effusion of pleura
pulmonary edema | fluid in the lungs, swelling of lung
pulmonary fibrosis | lung fibrosis, interstitial lung disease, ILD
pulmonary hypertension |
atelectasis |
pleurisy | pleuritis
pleuritic chest pain < chest pain |
tuberculosis | TB
sleep apnea | OSA, obstructive sleep apnea, sleep apnoea
apnea | apneic, apnoea
hypoxia | hypoxemia, low oxygen, hypoxic, hypoxemic, desaturation
tachypnea | tachypneic, rapid breathing, fast breathing
lung cancer | cancer of lung, NSCLC, SCLC
lung nodule | nodule of lung
sarcoidosis | sarcoid
cystic fibrosis |
snoring | snores
# ears, nose, throat, eyes
upper respiratory infection | URI, upper respiratory tract infection, common cold, head cold, URTI, a cold
sinusitis | sinus infection, infection of sinus
rhinorrhea | runny nose, nasal discharge, nasal drainage, discharge of nose, nose is running, nose running, runny
    noses
nasal congestion | stuffy nose, congestion of nose, blocked nose, stuffiness, nose is stuffy, stopped up nose, nasal
    stuffiness
postnasal drip | post-nasal drip
sneezing | sneezes
allergic rhinitis | hay fever, seasonal allergies, rhinitis, seasonal allergy
epistaxis | nosebleed, nose bleed, bleeding of nose, nosebleeds
anosmia | loss of smell
sore throat | pain of throat, throat soreness, scratchy throat, throat hurts, throat is sore
pharyngitis |
strep throat | streptococcal pharyngitis, strep pharyngitis, strep
tonsillitis | tonsil infection
laryngitis |
hoarseness | hoarse, hoarse voice, dysphonia
croup |
ear pain | earache, otalgia, pain of ear
otitis media | ear infection, middle ear infection, infection of ear
otitis externa | swimmer's ear
hearing loss | deafness, deaf, hard of hearing, decreased hearing, impaired hearing, hearing impairment, trouble
    hearing, difficulty hearing, can't hear, cannot hear, loss of hearing, hearing is decreased, diminished hearing
tinnitus | ringing in the ears, ringing in his ears, ringing in her ears, ear ringing
vertigo | spinning sensation, room spinning, BPPV
mouth ulcer | canker sore, oral ulcer, ulcer of mouth
dry mouth | xerostomia
toothache | tooth pain, pain of tooth, dental pain
blurred vision | blurry vision, vision blurring, blurring of vision, vision is blurry, vision is blurred, blurring,
    blurriness
double vision | diplopia
vision loss | loss of vision, blindness, visual loss, blind, loss of sight
visual disturbance | vision changes, visual changes, change in vision, changes in vision, trouble seeing, difficulty
    seeing
photophobia | light sensitivity, sensitivity to light
conjunctivitis | pink eye, pinkeye
cataract | cataracts
glaucoma |
macular degeneration | AMD
retinopathy |
diabetic retinopathy < retinopathy |
retinal detachment | detached retina
dry eyes | dry eye
uveitis | iritis
corneal abrasion | abrasion of cornea, scratched cornea
stye | hordeolum
nystagmus |
ptosis | droopy eyelid, drooping eyelid
# stomach and bowel
nausea | nauseous, nauseated, sick to her stomach, sick to his stomach, queasy, N/V, queasiness, N/V/D
vomiting | emesis, vomit, vomited, vomits, throwing up, threw up, N/V, N/V/D, throws up, throw up
hematemesis | vomiting blood, bloody vomit, bloody emesis
diarrhea | diarrhoea, loose stools, loose stool, watery stools, watery stool, loose bowel movements, N/V/D, loose
    bowel movement, the runs, watery bowel movements
constipation | constipated, hard stools, unable to have a bowel movement
abdominal pain | pain of abdomen, stomachache, stomach ache, bellyache, abd pain, tummy ache, belly hurts, tummy
    hurts, stomach hurts
abdominal distension | abdominal distention, distended abdomen, bloating, bloated, !nondistended, !non-distended
heartburn | pyrosis
gastroesophageal reflux disease | GERD, acid reflux, reflux, reflux disease, gastroesophageal reflux
indigestion | dyspepsia, upset stomach
dysphagia | difficulty swallowing, trouble swallowing, swallowing difficulty, hard to swallow, difficulty in
    swallowing, problems swallowing
odynophagia | painful swallowing, pain with swallowing
loss of appetite | anorexia, poor appetite, decreased appetite, no appetite, reduced appetite, lack of appetite, lost
    her appetite, lost his appetite, not hungry, appetite is poor, appetite is decreased, eating poorly, diminished
    appetite
weight loss | lost weight, losing weight, loss of weight, loss weight, has lost weight, losing weight, unintentional
    weight loss
weight gain | gained weight, gaining weight
gastritis |
gastroenteritis | stomach flu, stomach bug
peptic ulcer disease | PUD, peptic ulcer, stomach ulcer, gastric ulcer, ulcer of stomach, ulcer of abdomen, duodenal
    ulcer
gastrointestinal bleeding | GI bleed, GI bleeding, GIB, gastrointestinal hemorrhage, bleeding of bowel
rectal bleeding | hematochezia, bleeding of rectum, blood in the stool, blood in stool, bloody stool, bloody stools,
    blood in stools, BRBPR, blood in his stool, blood in her stool, blood in his stools, blood in her stools, blood
    per rectum, bloody bowel movements
melena | black stools, tarry stools, black stool, black tarry stools
irritable bowel syndrome | IBS
inflammatory bowel disease | IBD
Crohn's disease | Crohn, Crohns disease
ulcerative colitis | UC
colitis |
celiac disease | coeliac disease, sprue
diverticulitis |
diverticulosis |
appendicitis |
pancreatitis |
cholecystitis | gallbladder inflammation
gallstones | cholelithiasis, gallstone
hepatitis |
hepatitis A < hepatitis | HAV
hepatitis B < hepatitis | HBV
hepatitis C < hepatitis | HCV
cirrhosis | liver cirrhosis
fatty liver | hepatic steatosis, NAFLD, steatosis
liver disease |
liver failure | hepatic failure
jaundice | icterus, jaundiced, icteric, yellow skin, yellowing of the skin, !anicteric
ascites | fluid in the abdomen
hepatomegaly | enlarged liver
splenomegaly | enlarged spleen
bowel obstruction | SBO, small bowel obstruction, intestinal obstruction, ileus, blockage of bowel
hemorrhoids | piles, hemorrhoid, haemorrhoids
anal fissure |
inguinal hernia | hernia of groin
hiatal hernia |
umbilical hernia | hernia of umbilicus
Barrett's esophagus |
esophagitis |
esophageal varices | varices
colon polyp | polyp of colon, polyp of bowel, colonic polyp
colon cancer | cancer of colon, colorectal cancer, bowel cancer, cancer of bowel, cancer of rectum
incontinence |
fecal incontinence < incontinence | bowel incontinence
peritonitis |
food poisoning |
hiccups |
belching | burping
flatulence | gas pains
guarding |
rebound tenderness | rebound
# kidneys and urine
urinary tract infection | UTI, bladder infection, urine infection, infection of bladder, UTIs
cystitis < urinary tract infection |
pyelonephritis | kidney infection, infection of kidney
dysuria | painful urination, burning with urination, pain with urination, burning on urination, burning urination,
    pain on urination, burning when urinating, burning when she urinates, burning when he urinates, pain when
    urinating, pain when she urinates, pain when he urinates, hurts to urinate, hurts to pee, burning when she pees,
    burning when he pees, painful to urinate, stinging with urination
hematuria | blood in the urine, blood in urine, bloody urine, blood in his urine, blood in her urine
urinary frequency | frequent urination, polyuria, urinating often, urinating frequently, urinates often, urinates
    frequently, increased urination, increased urinary frequency, going to the bathroom often, frequency of urination
urinary urgency | urgency
nocturia |
urinary retention | unable to urinate, inability to urinate, can't urinate, cannot urinate, trouble urinating,
    difficulty urinating
urinary incontinence < incontinence | leaking urine
kidney stones | nephrolithiasis, renal calculi, kidney stone, renal stone, renal stones, urolithiasis, renal calculus,
    ureteral stone
chronic kidney disease < kidney disease | CKD, chronic renal insufficiency, chronic renal failure, chronic renal
    disease
acute kidney injury < kidney disease | AKI, acute renal failure, ARF, acute renal insufficiency
end-stage renal disease < kidney disease | ESRD, end stage kidney disease, end-stage kidney disease
kidney disease | renal disease, renal insufficiency, renal failure, kidney failure
hydronephrosis |
proteinuria | protein in the urine
nephrotic syndrome |
glomerulonephritis |
benign prostatic hyperplasia | BPH, enlarged prostate, benign prostatic hypertrophy, prostatic hypertrophy
prostatitis |
prostate cancer | cancer of prostate
bladder cancer | cancer of bladder
kidney cancer | renal cell carcinoma, cancer of kidney
erectile dysfunction | impotence
testicular torsion |
hydrocele |
epididymitis |
# women, pregnancy, children
pregnancy | pregnant
preeclampsia | pre-eclampsia, toxemia
eclampsia |
gestational diabetes < diabetes |
miscarriage | spontaneous abortion
ectopic pregnancy |
endometriosis |
uterine fibroids | fibroids, fibroid, leiomyoma, leiomyomata
polycystic ovary syndrome | PCOS, polycystic ovarian syndrome
ovarian cyst | cyst of ovary
vaginal bleeding | bleeding of vagina
vaginal discharge | discharge of vagina
menorrhagia | heavy periods, heavy menstrual bleeding, heavy menses
amenorrhea | missed period, missed periods, absent periods
dysmenorrhea | painful periods, menstrual cramps, period pain
menopause | menopausal
hot flashes | hot flushes, hot flash
infertility |
pelvic inflammatory disease | PID
vaginitis |
bacterial vaginosis |
yeast infection | candidiasis, thrush, vaginal yeast infection, candida
breast cancer | cancer of breast
cervical cancer | cancer of cervix
ovarian cancer | cancer of ovary
uterine cancer | endometrial cancer, cancer of uterus
breast lump | mass of breast
colic |
failure to thrive | FTT
prematurity | premature birth
# nerves
headache | pain of head, headaches, HA, cephalgia, head pain, cephalalgia, head hurts, head aches, pounding head
migraine | migraines, migraine headache, migraine headaches
tension headache < headache |
stroke | CVA, cerebrovascular accident, ischemic stroke, cerebral infarction, brain attack, cerebral infarct
hemorrhagic stroke < stroke | intracerebral hemorrhage
transient ischemic attack | TIA, mini-stroke, ministroke, mini stroke
subarachnoid hemorrhage | SAH
subdural hematoma | SDH
intracranial hemorrhage | ICH, brain bleed, bleeding of brain
seizure | convulsion, convulsions, seizures, seizing, convulsing, seized
epilepsy | seizure disorder, epileptic
syncope | fainting, fainted, passed out, passing out, faint, blackout, syncopal episode, pass out, collapsed, near
    fainting
dizziness | dizzy, lightheadedness, lightheaded, light-headed, light-headedness, giddiness
confusion | confused, disorientation, disoriented, not oriented
altered mental status | AMS, mental status changes, change in mental status, altered consciousness
memory loss | forgetfulness, forgetful, memory impairment, amnesia, memory problems, poor memory, memory is poor,
    forgetting things, memory decline
dementia | senility, cognitive decline
Alzheimer's disease < dementia | Alzheimer, Alzheimers, Alzheimer's dementia
Parkinson's disease | Parkinson, Parkinsons, parkinsonism
multiple sclerosis | MS
amyotrophic lateral sclerosis | ALS, Lou Gehrig's disease
tremor | tremors, hand shaking
ataxia | unsteady gait, unsteadiness, imbalance, loss of balance, balance problems, gait instability, unsteady
aphasia |
slurred speech | dysarthria, slurring
facial droop | facial drooping, facial weakness, weakness of face, drooping face
Bell's palsy | facial palsy, Bells palsy
hemiparesis | hemiplegia, one-sided weakness
paraplegia |
quadriplegia | tetraplegia
cerebral palsy |
meningitis |
encephalitis |
encephalopathy |
concussion | mild traumatic brain injury, mTBI
head injury | injury of head, head trauma, traumatic brain injury, TBI, injury of brain
brain tumor | tumor of brain
brain cancer | cancer of brain
hydrocephalus |
peripheral neuropathy < neuropathy | neuropathy of foot, neuropathy of leg
diabetic neuropathy < neuropathy |
neuralgia |
trigeminal neuralgia < neuralgia |
sciatica | lumbar radiculopathy
radiculopathy | pinched nerve
carpal tunnel syndrome | carpal tunnel, CTS
restless legs syndrome | restless leg syndrome, RLS, restless legs
neck stiffness | stiff neck, nuchal rigidity, stiffness of neck, meningismus
insomnia | sleeplessness, trouble sleeping, difficulty sleeping, can't sleep, cannot sleep, trouble falling asleep,
    unable to sleep, poor sleep, sleeps poorly, not sleeping well, problems sleeping, can not sleep
somnolence | drowsiness, drowsy, sleepiness, sleepy, somnolent, sedated
lethargy | lethargic
coma | comatose
delirium | delirious
brain aneurysm | cerebral aneurysm, aneurysm of brain
# mind
depression | depressive disorder, depressed mood, depressed, major depression, major depressive disorder, MDD,
    clinical depression, feeling down, feels down, feeling sad, low mood
anxiety | anxious, anxiety disorder, GAD, generalized anxiety disorder, nervousness, worried all the time, feels
    nervous, nervous
panic attacks | panic disorder, panic attack
bipolar disorder | manic depression, bipolar, bipolar affective disorder
schizophrenia |
psychosis | psychotic
hallucinations | hallucination, hearing voices, hallucinating
delusions | delusion
suicidal ideation | SI, suicidal thoughts, suicidality, suicidal, thoughts of suicide, thoughts of self-harm
homicidal ideation | HI, homicidal thoughts, homicidal
post-traumatic stress disorder | PTSD, posttraumatic stress disorder
attention deficit hyperactivity disorder | ADHD, attention deficit disorder
obsessive-compulsive disorder | OCD
autism | autism spectrum disorder, autistic
eating disorder |
alcohol abuse | alcoholism, alcohol use disorder, alcohol dependence, alcoholic, EtOH abuse
alcohol withdrawal |
substance abuse | drug abuse, substance use disorder, drug addiction, illicit drug use
opioid use disorder < substance abuse | opioid dependence, opioid addiction, opioid abuse
overdose | overdosed
mania | manic episode
agitation | agitated, restlessness
irritability | irritable, fussiness, fussy
# glands and blood chemistry
diabetes | diabetes mellitus, DM, diabetic, sugar diabetes
type 1 diabetes < diabetes | type 1 diabetes mellitus, T1DM, type I diabetes, juvenile diabetes, insulin-dependent
    diabetes, IDDM, DM1, DM type 1, type I diabetes mellitus, type 1 DM
type 2 diabetes < diabetes | type 2 diabetes mellitus, T2DM, type II diabetes, adult-onset diabetes, NIDDM, DM2, DM
    type 2, type II diabetes mellitus, non-insulin-dependent diabetes, type 2 DM
prediabetes | pre-diabetes, borderline diabetes, impaired glucose tolerance, insulin resistance
diabetic ketoacidosis | DKA, ketoacidosis
hypoglycemia | low blood sugar, hypoglycemic, low glucose, low sugar, hypoglycaemia, low blood glucose
hyperglycemia | high blood sugar, elevated blood sugar, hyperglycemic, high glucose, elevated glucose, hyperglycaemia,
    high blood glucose, high blood sugars, elevated blood sugars, high sugars, elevated sugars, sugars have been high,
    sugars are high, sugar is high, sugar has been high, sugar has been running high, sugars running high, high sugar
polydipsia | excessive thirst, increased thirst
hyperlipidemia | high cholesterol, dyslipidemia, hypercholesterolemia, HLD, elevated cholesterol, hyperlipidaemia,
    high lipids, cholesterol is high, cholesterol is elevated, elevated lipids, elevated LDL
hypertriglyceridemia | high triglycerides, elevated triglycerides
hypothyroidism | underactive thyroid, hypothyroid, low thyroid
hyperthyroidism | overactive thyroid, hyperthyroid, thyrotoxicosis
Graves' disease | Graves disease
goiter | enlarged thyroid, goitre
thyroid nodule | nodule of thyroid
thyroid cancer | cancer of thyroid
obesity | obese, morbid obesity, morbidly obese
overweight |
metabolic syndrome |
Cushing's syndrome | Cushing syndrome
adrenal insufficiency | Addison's disease, Addison disease
gout | gouty arthritis, gouty
osteoporosis |
osteopenia |
vitamin D deficiency | low vitamin D
vitamin B12 deficiency | B12 deficiency
hyperkalemia | high potassium, elevated potassium
hypokalemia | low potassium
hyponatremia | low sodium
hypernatremia | high sodium
hypercalcemia | high calcium, elevated calcium
hypocalcemia | low calcium
hypomagnesemia | low magnesium
acidosis | metabolic acidosis
dehydration | dehydrated, volume depletion
malnutrition | malnourished
electrolyte imbalance |
# blood, immune system, cancer
anemia | anaemia, low blood count, anemic, low hemoglobin, anaemic, low iron, low hematocrit, low blood counts
iron deficiency anemia < anemia | iron-deficiency anemia, IDA
pernicious anemia < anemia |
sickle cell disease | sickle cell anemia, sickle cell
thrombocytopenia | low platelets, low platelet count
leukopenia | low white count, low white blood cell count
neutropenia | neutropenic
leukocytosis | elevated white count, high white count, elevated white blood cell count
hemophilia |
coagulopathy | bleeding disorder, clotting disorder
polycythemia |
leukemia | leukaemia
lymphoma |
Hodgkin's lymphoma < lymphoma | Hodgkin lymphoma, Hodgkin's disease
non-Hodgkin's lymphoma < lymphoma | non-Hodgkin lymphoma, NHL
multiple myeloma | myeloma
melanoma |
basal cell carcinoma | BCC
squamous cell carcinoma | SCC
skin cancer | cancer of skin
pancreatic cancer | cancer of pancreas
liver cancer | hepatocellular carcinoma, HCC, cancer of liver, hepatoma
stomach cancer | gastric cancer, cancer of stomach, cancer of abdomen
esophageal cancer | cancer of esophagus
head and neck cancer |
metastasis | metastases, metastatic disease, mets, metastatic, metastatic cancer
sarcoma |
lupus | SLE, systemic lupus erythematosus
rheumatoid arthritis < arthritis | RA
psoriatic arthritis < arthritis |
scleroderma | systemic sclerosis
Sjogren's syndrome |
vasculitis |
polymyalgia rheumatica | PMR
fibromyalgia |
allergy | allergies, allergic, !NKDA, !no known drug allergies, !no known allergies, !NKA, !no drug allergies, !no
    known medication allergies, !NKMA
allergic reaction < allergy |
anaphylaxis | anaphylactic shock, anaphylactic reaction
immunodeficiency | immunocompromised, immunosuppressed
HIV | HIV infection, human immunodeficiency virus, AIDS
lymphadenopathy | swollen lymph nodes, swollen glands, enlarged lymph nodes, adenopathy, swollen lymph node
# fever, infection
fever | febrile, pyrexia, fevers, elevated temperature, high temperature, feverish, F/C, !afebrile
chills | chill, rigors, shivering, F/C
night sweats | sweating at night, nocturnal sweating
sweating | diaphoresis, diaphoretic, sweats, sweaty
fatigue | tired, tiredness, exhaustion, exhausted, fatigued, low energy, lack of energy, no energy, worn out, low
    energy level, loss of energy, tires easily
malaise | feeling unwell
sepsis | septic, septicemia, blood infection, septic shock, urosepsis
bacteremia |
influenza | flu, the flu, grippe
mononucleosis | mono, glandular fever
chickenpox | varicella, chicken pox
shingles | herpes zoster, zoster
herpes | herpes simplex, HSV, cold sore, cold sores, genital herpes
measles | rubeola
mumps |
rubella |
pertussis | whooping cough
tetanus |
malaria |
Lyme disease | lyme
cellulitis | skin infection, infection of skin
osteomyelitis | bone infection, infection of bone
septic arthritis < arthritis |
MRSA | methicillin-resistant Staphylococcus aureus, methicillin resistant staph
gangrene | gangrenous, necrosis
C. difficile infection | C diff, C difficile, Clostridium difficile, C. diff colitis
syphilis |
gonorrhea |
chlamydia |
sexually transmitted infection | STI, STD, sexually transmitted disease
scabies |
lice | head lice
ringworm | tinea, fungal infection
athlete's foot | tinea pedis
impetigo |
worms | pinworms
# skin
acne |
eczema | atopic dermatitis
dermatitis |
contact dermatitis < dermatitis |
psoriasis |
rosacea |
hives | urticaria, wheals
wart | warts, verruca
mole | nevus
hair loss | alopecia, losing hair, losing her hair, losing his hair
dry skin | xerosis
pallor | pale, paleness
blister | blisters, bulla, bullae
pressure ulcer | bedsore, decubitus ulcer, pressure sore, bedsores
sunburn |
ingrown toenail |
onychomycosis | nail fungus, toenail fungus
petechiae |
vitiligo |
actinic keratosis |
seborrheic keratosis |
skin tag |
# bones, joints, muscles
back pain | pain of back, backache, lumbago, low back pain, lower back pain, LBP, back ache
neck pain | pain of neck
joint pain | arthralgia, arthralgias, aching joints, pain of joint, sore joints
muscle pain | myalgia, myalgias, body aches, muscle aches, aching muscles, pain of muscle, sore muscles, body ache
muscle spasm | spasm of muscle
herniated disc | disc herniation, slipped disc, herniated disk, hernia of disc, HNP, bulging disc
degenerative disc disease | DDD
spinal stenosis | stenosis of spine, stenosis of back
scoliosis |
spondylosis |
spondylolisthesis |
ankylosing spondylitis |
rotator cuff tear | tear of rotator cuff, torn rotator cuff
anterior cruciate ligament tear | ACL tear, torn ACL, tear of ACL
meniscal tear | torn meniscus, meniscus tear, tear of meniscus
plantar fasciitis |
tennis elbow | lateral epicondylitis
frozen shoulder | adhesive capsulitis
bunion | hallux valgus
hip fracture | fracture of hip, femoral neck fracture, broken hip
stress fracture < fracture |
compression fracture < fracture | vertebral fracture, fracture of spine
limp | limping
muscle weakness < weakness | weakness of muscle
crepitus |
joint swelling | swelling of joint
costochondritis |
rhabdomyolysis |
whiplash |
ganglion cyst |
heel spur |
kyphosis |
contracture |
avascular necrosis | osteonecrosis
# further ones
acute coronary syndrome | ACS
aortic regurgitation | aortic insufficiency
tricuspid regurgitation | tricuspid insufficiency
mitral stenosis |
long QT syndrome | prolonged QT, QT prolongation
Wolff-Parkinson-White syndrome | WPW
bundle branch block | LBBB, RBBB
premature ventricular contractions | PVC, PVCs
cardiac tamponade | tamponade
cardiogenic shock < shock |
hypovolemic shock < shock |
rheumatic fever |
Kawasaki disease |
left ventricular hypertrophy | LVH
patent foramen ovale | PFO
ventricular septal defect | VSD
atrial septal defect | ASD
Raynaud's phenomenon | Raynaud's disease, Raynaud, Raynauds
cor pulmonale |
valvular heart disease | valve disease
cardiomegaly | enlarged heart
acute respiratory distress syndrome | ARDS
asbestosis |
mesothelioma |
hemothorax |
empyema |
respiratory syncytial virus | RSV
obesity hypoventilation syndrome |
gynecomastia |
mastitis |
lymphedema |
pilonidal cyst |
folliculitis |
paronychia |
frostbite |
heat stroke | heatstroke
heat exhaustion |
insect bite | bug bite, mosquito bite, tick bite, bee sting
dog bite | animal bite, cat bite
poisoning |
angioedema |
trigger finger |
De Quervain's tenosynovitis |
Dupuytren's contracture |
hammer toe | hammertoe
flat feet | flat foot, pes planus
plantar wart < wart |
Baker's cyst | popliteal cyst
shin splints |
compartment syndrome |
bone spur | osteophyte, osteophytes
foot ulcer | ulcer of foot, diabetic foot ulcer
foot drop |
knock knees |
rickets |
nephropathy |
diabetic nephropathy < nephropathy |
polycystic kidney disease | PKD
neurogenic bladder |
phimosis |
varicocele |
hypogonadism | low testosterone
dyspareunia | painful intercourse, pain with intercourse
vaginal dryness |
postpartum depression < depression |
hyperemesis gravidarum | hyperemesis, morning sickness
placenta previa |
placental abruption |
preterm labor |
premenstrual syndrome | PMS
hemochromatosis |
gastroparesis |
achalasia |
lactose intolerance | lactose intolerant
H. pylori infection | Helicobacter pylori, H pylori
volvulus |
intussusception |
mesenteric ischemia |
bowel perforation | perforated bowel
hepatic encephalopathy < encephalopathy |
elevated liver enzymes | transaminitis, elevated transaminases, elevated LFTs
myasthenia gravis |
Guillain-Barre syndrome | Guillain-Barre, GBS
Huntington's disease | Huntington disease
narcolepsy |
tardive dyskinesia |
dystonia |
essential tremor < tremor |
spina bifida |
Tourette syndrome | Tourette's
gait abnormality | abnormal gait, gait disturbance, difficulty walking, trouble walking
difficulty speaking | trouble speaking, speech difficulty
presyncope | near syncope, near-syncope
developmental delay |
learning disability |
dyslexia |
nightmares | bad dreams
borderline personality disorder | BPD
social anxiety | social phobia
agoraphobia |
paranoia | paranoid
suicide attempt | attempted suicide
self-harm | self-injury, cutting herself, cutting himself
bulimia |
anorexia nervosa |
hyperparathyroidism |
hypoparathyroidism |
acromegaly |
diabetes insipidus | DI
SIADH |
pheochromocytoma |
thyroiditis |
Hashimoto's thyroiditis < thyroiditis | Hashimoto's disease, Hashimoto
thyroid storm |
disseminated intravascular coagulation | DIC
immune thrombocytopenic purpura | ITP
thalassemia |
von Willebrand disease |
hemolytic anemia < anemia |
aplastic anemia < anemia |
pancytopenia |
factor V Leiden |
polyphagia | excessive hunger, increased hunger
cold intolerance |
heat intolerance |
dengue | dengue fever
typhoid | typhoid fever
Zika |
cytomegalovirus | CMV
toxoplasmosis |
trichomoniasis | trich
human papillomavirus | HPV, genital warts
giardiasis | giardia
rabies |
polio |
diphtheria |
scarlet fever |
hand foot and mouth disease | hand foot mouth disease
roseola |
molluscum contagiosum | molluscum
diaper rash | diaper dermatitis
cradle cap |
bedwetting | enuresis, bed wetting
hyperphosphatemia |
hyperuricemia | high uric acid
lactic acidosis < acidosis |
alkalosis |
lipoma |
keloid |
hidradenitis suppurativa | hidradenitis
Stevens-Johnson syndrome | SJS
erysipelas |
lichen planus |
necrotizing fasciitis |
nearsightedness | myopia, nearsighted, myopic
farsightedness | hyperopia, farsighted
astigmatism |
floaters | eye floaters
strabismus | crossed eyes
amblyopia | lazy eye
watery eyes | tearing of the eyes, epiphora, tearing eyes
blepharitis |
keratitis |
earwax | cerumen impaction, ear wax, impacted cerumen
ear drainage | otorrhea, discharge of ear
perforated eardrum | tympanic membrane perforation, ruptured eardrum, perforated tympanic membrane
deviated septum |
nasal polyps | polyp of nose
gingivitis | inflammation of mouth
dental caries | cavities, tooth decay, cavity, dental cavity
dental abscess | tooth abscess, abscess of tooth
bad breath | halitosis
drooling |
temporomandibular joint disorder | TMD
Down syndrome | trisomy 21
cleft palate |
spinal cord injury |
cauda equina syndrome |
degenerative changes |
osteomalacia |
hypoalbuminemia |
hypothermia | low body temperature
hyperthermia |
bacteriuria |
pyuria |
glycosuria |
ketonuria |
hypersomnia |
sleepwalking |
opioid overdose < overdose |
alcohol intoxication | intoxicated, intoxication, drunk
hangover |
"""

# Phrases that hold the name of a problem and are none.
NO_PROBLEMS = """
body mass index, mass index, low sodium diet, low potassium diet, low cholesterol diet, low sugar diet,
low glucose diet, stroke volume, stroke unit, st depression, fall asleep, blood pressure, pain medication,
pain medicine, pain management, pain control, pain scale, pain clinic, pain reliever, pain killer, pain pill,
pain score, pain level, weight bearing, discharge summary, discharge instructions, discharge medications, hospital
discharge, discharge home, discharge planning, discharge diagnosis, muscle mass, cold sensitivity, fever reducer,
cough syrup, cough medicine, cough drops, cough suppressant, muscle relaxant, hay bale, allergy shots, seizure
medication, seizure precautions, fall precautions, cancer screening, stress test, stress echocardiogram, stress
echo, sinus rhythm, burn unit, wound care, shock wave, rebound
headache, faint line, ms contin, gas exchange, lung mass effect, mass effect, warm compress,
nausea medication, allergy medication, allergy pill, diabetes medication, heart medication, thyroid
medication, asthma medication, migraine medication, cholesterol medication, depression screen, pregnancy test, flu
shot, flu vaccine, shingles vaccine, pneumonia vaccine, tetanus shot, tetanus booster, tetanus vaccine
"""

# Parts of the body: ``name < broader | other name``.
PARTS = """
head | skull, scalp, cranial, cranium
face | facial
forehead < face |
cheek < face |
jaw < face | mandible, mandibular, TMJ
temple < head | temporal
eye | ocular, eyes
eyelid < eye | lid, periorbital
cornea < eye | corneal
retina < eye | retinal
pupil < eye |
ear | tympanic membrane, TM, aural, ear canal
nose | nasal, nostril
sinus | maxillary sinus
mouth | oral, lip, tongue, gum
tooth | teeth, dental, molar
throat | pharynx, pharyngeal, throat
tonsil < throat |
neck | cervical, nuchal
carotid | carotid artery
thyroid | thyroid gland
shoulder | deltoid
rotator cuff < shoulder |
clavicle | collarbone, collar bone
scapula | shoulder blade
axilla | armpit, axillary
arm | upper extremity, UE, arms
humerus < arm | upper arm, humeral
elbow < arm | olecranon
forearm < arm | radius, ulna, radial, ulnar, distal radius
wrist < arm | carpal, scaphoid
hand < arm | palm, metacarpal
finger < hand | index finger, middle finger, ring finger, little finger, pinky, phalanx, digit
thumb < hand |
chest | thoracic, sternum, sternal, substernal, retrosternal, precordial, chest wall, thorax
rib < chest | ribs, costal
breast |
nipple < breast |
lung | pulmonary, lobe, lung base, lung field, upper lobe, lower lobe, middle lobe, lung apex, hemithorax
pleura < lung | pleural
heart | cardiac
atrium < heart | atrial
ventricle < heart | ventricular
coronary artery | coronary arteries, anterior descending artery
aorta | aortic
back | lumbar, lumbosacral, low back, lower back, upper back, mid back
spine < back | spinal, vertebra, vertebral
disc | disk
sacrum < back | sacral, tailbone, coccyx
flank | costovertebral angle, CVA angle
abdomen | abdominal, belly, stomach, tummy, epigastric, epigastrium, abd, periumbilical
upper quadrant < abdomen |
lower quadrant < abdomen |
umbilicus < abdomen | navel, umbilical, belly button
liver | hepatic
spleen | splenic
pancreas | pancreatic
gallbladder |
kidney | renal
ureter | ureteral
adrenal | adrenal gland
bladder |
prostate |
esophagus | esophageal, oesophagus
bowel | intestine, intestinal, gut
colon < bowel | colonic
rectum < bowel | rectal, anal, anus
pelvis | pelvic
groin | inguinal
testicle | testis, testicular, scrotum, scrotal, testicles
penis | penile
uterus | uterine, endometrial
cervix |
ovary | ovarian, adnexa, adnexal, fallopian tube
vagina | vaginal
hip | acetabulum
buttock | gluteal, buttocks
leg | lower extremity, LE, legs
femur < leg | femoral
thigh < leg | quadriceps, hamstring
knee < leg | patella, kneecap, patellar
meniscus < knee |
ACL < knee | anterior cruciate ligament
calf < leg |
shin < leg | tibia, tibial, pretibial
fibula < leg | fibular
ankle < leg | malleolus, malleolar
Achilles tendon < leg | Achilles
foot < leg | feet, metatarsal, pedal, plantar
heel < foot | calcaneus
toe < foot | toes, great toe, big toe, hallux
brain | cerebral, intracranial
hemisphere < brain | cerebellum, cerebellar
parietal < brain | parietal lobe
frontal < brain | frontal lobe
occipital < head | occipital lobe, occiput
skin | cutaneous, dermal
bone |
joint |
muscle | muscular
lymph node | lymph nodes, nodes
nerve |
extremity | limb, limbs
"""

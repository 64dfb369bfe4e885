"""Names of drugs, written by hand: generic names with brands and other names, by class.

A line is ``generic | other name, other name``.  A heading ``[class | other name]`` stands before the drugs of a class,
which a text may name instead; one with a hyphen, ``[-heart]``, is for readers alone.  ``name < broader`` says that the
name is a kind of the broader one.  ``a + b | name`` is a product with two ingredients.  Abbreviations of two letters
are read as such only in capitals.  A name that ends in ``?`` is a drug only beside a dose, such as potassium, which is
measured as well.
"""

DRUGS = """
[ACE inhibitor | ACE inhibitors, ACEI]
lisinopril | Zestril, Prinivil
enalapril | Vasotec
enalaprilat |
captopril | Capoten
ramipril | Altace
benazepril | Lotensin
quinapril | Accupril
fosinopril | Monopril
perindopril | Aceon, Coversyl
trandolapril | Mavik
moexipril | Univasc
[angiotensin receptor blocker | ARB, angiotensin II receptor blocker]
losartan | Cozaar
valsartan | Diovan
irbesartan | Avapro
candesartan | Atacand
olmesartan | Benicar
telmisartan | Micardis
azilsartan | Edarbi
[beta blocker | beta-blocker]
metoprolol |
metoprolol succinate < metoprolol | Toprol XL, Toprol, metoprolol XL, metoprolol ER
metoprolol tartrate < metoprolol | Lopressor
atenolol | Tenormin
propranolol | Inderal
carvedilol | Coreg
bisoprolol | Zebeta, Concor
labetalol | Trandate, Normodyne
nadolol | Corgard
nebivolol | Bystolic
sotalol | Betapace
esmolol | Brevibloc
timolol | Timoptic
pindolol | Visken
[calcium channel blocker | CCB]
amlodipine | Norvasc
nifedipine | Procardia, Adalat
felodipine | Plendil
nicardipine | Cardene
clevidipine | Cleviprex
nimodipine | Nimotop
diltiazem | Cardizem, Tiazac
verapamil | Calan, Isoptin, Verelan
[diuretic | water pill, diuretics]
hydrochlorothiazide | HCTZ, Microzide
chlorthalidone | Thalitone, Hygroton
indapamide | Lozol
metolazone | Zaroxolyn
furosemide | Lasix, frusemide
torsemide | Demadex, torasemide
bumetanide | Bumex
spironolactone | Aldactone
eplerenone | Inspra
triamterene | Dyrenium
amiloride | Midamor
acetazolamide | Diamox
mannitol | Osmitrol
[-heart]
digoxin | Lanoxin, digitalis
amiodarone | Cordarone, Pacerone
dronedarone | Multaq
flecainide | Tambocor
propafenone | Rythmol
dofetilide | Tikosyn
lidocaine | Xylocaine, Lidoderm, lignocaine
adenosine | Adenocard
ivabradine | Corlanor
ranolazine | Ranexa
sacubitril |
hydralazine | Apresoline
clonidine | Catapres
methyldopa | Aldomet
minoxidil | Loniten, Rogaine
prazosin | Minipress
terazosin | Hytrin
doxazosin | Cardura
nitroglycerin | Nitrostat, glyceryl trinitrate, GTN, NTG, nitro
isosorbide mononitrate | Imdur
isosorbide dinitrate | Isordil
nitroprusside | Nipride
sildenafil | Viagra, Revatio
tadalafil | Cialis, Adcirca
vardenafil | Levitra
bosentan | Tracleer
midodrine | ProAmatine
[vasopressor | pressors]
norepinephrine | Levophed, noradrenaline
epinephrine | EpiPen, adrenaline, Adrenalin
phenylephrine | Neo-Synephrine, Neosynephrine
vasopressin | Vasostrict
dopamine |
dobutamine |
milrinone |
[statin | HMG-CoA reductase inhibitor]
atorvastatin | Lipitor
simvastatin | Zocor
rosuvastatin | Crestor
pravastatin | Pravachol
lovastatin | Mevacor
fluvastatin | Lescol
pitavastatin | Livalo
[lipid medication | cholesterol medication]
ezetimibe | Zetia
fenofibrate | Tricor
gemfibrozil | Lopid
niacin | Niaspan, nicotinic acid
cholestyramine | Questran
colesevelam | Welchol
evolocumab | Repatha
alirocumab | Praluent
icosapent ethyl | Vascepa
[anticoagulant | blood thinner]
warfarin | Coumadin, Jantoven
heparin |
enoxaparin | Lovenox
dalteparin | Fragmin
fondaparinux | Arixtra
apixaban | Eliquis
rivaroxaban | Xarelto
dabigatran | Pradaxa
edoxaban | Savaysa
argatroban |
bivalirudin | Angiomax
[antiplatelet]
aspirin | ASA, acetylsalicylic acid, Ecotrin, Bayer aspirin
clopidogrel | Plavix
prasugrel | Effient
ticagrelor | Brilinta
dipyridamole | Persantine
cilostazol | Pletal
eptifibatide | Integrilin
ticlopidine | Ticlid
abciximab | ReoPro
[thrombolytic]
alteplase | tPA, TPA, Activase
tenecteplase | TNKase
streptokinase |
[insulin]
insulin glargine | Lantus, Basaglar, Toujeo, glargine
insulin detemir | Levemir, detemir
insulin degludec | Tresiba, degludec
insulin lispro | Humalog, lispro
insulin aspart | Novolog, aspart
insulin glulisine | Apidra
regular insulin | Humulin R, Novolin R
insulin NPH | Humulin, Novolin, NPH, NPH insulin, Humulin N, Novolin N
[diabetes medication | oral hypoglycemic]
metformin | Glucophage
glipizide | Glucotrol
glyburide | Diabeta, Micronase, glibenclamide
glimepiride | Amaryl
gliclazide | Diamicron
pioglitazone | Actos
rosiglitazone | Avandia
sitagliptin | Januvia
saxagliptin | Onglyza
linagliptin | Tradjenta
alogliptin | Nesina
empagliflozin | Jardiance
dapagliflozin | Farxiga, Forxiga
canagliflozin | Invokana
ertugliflozin | Steglatro
liraglutide | Victoza, Saxenda
semaglutide | Ozempic, Wegovy, Rybelsus
dulaglutide | Trulicity
exenatide | Byetta, Bydureon
tirzepatide | Mounjaro, Zepbound
acarbose | Precose
repaglinide | Prandin
nateglinide | Starlix
glucagon | GlucaGen
[NSAID | NSAIDs, nonsteroidal anti-inflammatory drug, non-steroidal anti-inflammatory]
ibuprofen | Advil, Motrin, Nurofen
naproxen | Aleve, Naprosyn, Anaprox
diclofenac | Voltaren, Cataflam
ketorolac | Toradol
meloxicam | Mobic
indomethacin | Indocin
celecoxib | Celebrex
etodolac | Lodine
nabumetone | Relafen
piroxicam | Feldene
sulindac | Clinoril
oxaprozin | Daypro
ketoprofen | Orudis
salsalate | Disalcid
rofecoxib | Vioxx
valdecoxib | Bextra
[pain medication | painkiller, analgesic, pain reliever, pain pill]
acetaminophen | Tylenol, paracetamol, APAP, Panadol
[opioid < pain medication | opiate, narcotic, narcotic pain medication]
oxycodone | OxyContin, Roxicodone, oxy IR
hydrocodone |
codeine |
morphine | MS Contin, Roxanol, morphine sulfate, MSO4
hydromorphone | Dilaudid
oxymorphone | Opana
fentanyl | Duragesic, Sublimaze
remifentanil | Ultiva
sufentanil |
methadone | Dolophine
meperidine | Demerol, pethidine
tramadol | Ultram
tapentadol | Nucynta
buprenorphine | Subutex, Butrans
butorphanol | Stadol
nalbuphine | Nubain
naloxone | Narcan
naltrexone | Vivitrol, Revia
[muscle relaxant | muscle relaxer]
cyclobenzaprine | Flexeril
methocarbamol | Robaxin
baclofen | Lioresal
tizanidine | Zanaflex
carisoprodol | Soma
metaxalone | Skelaxin
orphenadrine | Norflex
dantrolene | Dantrium
[gout medication]
allopurinol | Zyloprim
febuxostat | Uloric
colchicine | Colcrys
probenecid |
[steroid | corticosteroid, steroids, glucocorticoid]
prednisone | Deltasone
prednisolone | Orapred, Prelone, Pred Forte
methylprednisolone | Solu-Medrol, Medrol, Depo-Medrol, Solumedrol, Depomedrol
dexamethasone | Decadron
hydrocortisone | Cortef, Solu-Cortef, Cortaid
betamethasone | Celestone
triamcinolone | Kenalog, Nasacort
budesonide | Pulmicort, Rhinocort, Entocort
fluticasone | Flovent, Flonase
mometasone | Nasonex, Asmanex, Elocon
beclomethasone | Qvar, Beconase
clobetasol | Temovate
fludrocortisone | Florinef
ciclesonide | Alvesco
[bronchodilator]
albuterol | Ventolin, ProAir, Proventil, salbutamol
levalbuterol | Xopenex
salmeterol | Serevent
formoterol | Foradil
vilanterol |
ipratropium | Atrovent
tiotropium | Spiriva
umeclidinium | Incruse
terbutaline | Brethine
theophylline | Theo-Dur
[-asthma]
montelukast | Singulair
zafirlukast | Accolate
roflumilast | Daliresp
omalizumab | Xolair
cromolyn | Intal
[antihistamine | allergy pill, allergy medication]
diphenhydramine | Benadryl
cetirizine | Zyrtec
levocetirizine | Xyzal
loratadine | Claritin
desloratadine | Clarinex
fexofenadine | Allegra
hydroxyzine | Atarax, Vistaril
chlorpheniramine | Chlor-Trimeton
meclizine | Antivert
promethazine | Phenergan
cyproheptadine | Periactin
azelastine | Astelin
olopatadine | Patanol
[cold medication | cough medicine, cough syrup, decongestant]
guaifenesin | Mucinex, Robitussin
dextromethorphan | Delsym
benzonatate | Tessalon, Tessalon Perles
pseudoephedrine | Sudafed
oxymetazoline | Afrin
[antibiotic | antibiotics, ABX, antibacterial]
amoxicillin | Amoxil, amoxycillin
clavulanate | clavulanic acid
ampicillin |
sulbactam |
penicillin | PCN, penicillin V, penicillin VK, penicillin G, benzathine penicillin, Bicillin
dicloxacillin |
nafcillin |
oxacillin |
piperacillin |
tazobactam |
cephalexin | Keflex, cefalexin
cefazolin | Ancef, Kefzol
cefuroxime | Ceftin, Zinacef
cefdinir | Omnicef
cefpodoxime | Vantin
cefixime | Suprax
ceftriaxone | Rocephin
cefotaxime | Claforan
ceftazidime | Fortaz
cefepime | Maxipime
cefoxitin | Mefoxin
cefadroxil | Duricef
cefaclor | Ceclor
ceftaroline | Teflaro
cephalosporin |
meropenem | Merrem
imipenem | Primaxin
ertapenem | Invanz
aztreonam | Azactam
azithromycin | Zithromax, Z-Pak, Zpak, Z-Pack
clarithromycin | Biaxin
erythromycin | E-Mycin, Erythrocin
ciprofloxacin | Cipro
levofloxacin | Levaquin
moxifloxacin | Avelox, Vigamox
ofloxacin | Floxin, Ocuflox
doxycycline | Vibramycin
minocycline | Minocin
tetracycline | Sumycin
tigecycline | Tygacil
clindamycin | Cleocin
vancomycin | Vancocin, vanco, vanc
linezolid | Zyvox
daptomycin | Cubicin
gentamicin | Garamycin, gent
tobramycin | Tobrex, TOBI
amikacin | Amikin
streptomycin |
neomycin |
sulfamethoxazole |
trimethoprim | Primsol
sulfa | sulfa drug, sulfonamide
nitrofurantoin | Macrobid, Macrodantin
fosfomycin | Monurol
metronidazole | Flagyl
tinidazole | Tindamax
rifampin | Rifadin, rifampicin
rifaximin | Xifaxan
isoniazid | INH
ethambutol | Myambutol
pyrazinamide | PZA
mupirocin | Bactroban
bacitracin |
dapsone |
colistin | polymyxin E
polymyxin B |
[antifungal]
fluconazole | Diflucan
itraconazole | Sporanox
voriconazole | Vfend
ketoconazole | Nizoral
clotrimazole | Lotrimin, Mycelex
miconazole | Monistat
terbinafine | Lamisil
nystatin | Mycostatin
amphotericin B | amphotericin, AmBisome
caspofungin | Cancidas
micafungin | Mycamine
griseofulvin |
[antiviral]
acyclovir | Zovirax, aciclovir
valacyclovir | Valtrex
famciclovir | Famvir
ganciclovir | Cytovene
valganciclovir | Valcyte
oseltamivir | Tamiflu
zanamivir | Relenza
remdesivir | Veklury
nirmatrelvir ritonavir | Paxlovid
sofosbuvir | Sovaldi
ribavirin |
zidovudine | AZT, Retrovir
lamivudine | Epivir
tenofovir | Viread
emtricitabine | Emtriva
efavirenz | Sustiva
dolutegravir | Tivicay
raltegravir | Isentress
ritonavir | Norvir
darunavir | Prezista
atazanavir | Reyataz
lopinavir | Kaletra
abacavir | Ziagen
[antimalarial]
hydroxychloroquine | Plaquenil
chloroquine | Aralen
quinine |
mefloquine | Lariam
[antiparasitic]
ivermectin | Stromectol
praziquantel | Biltricide
mebendazole | Vermox
albendazole | Albenza
permethrin | Elimite, Nix
[proton pump inhibitor | PPI]
omeprazole | Prilosec
esomeprazole | Nexium
pantoprazole | Protonix
lansoprazole | Prevacid
rabeprazole | Aciphex
dexlansoprazole | Dexilant
[-stomach]
antacid |
famotidine | Pepcid
ranitidine | Zantac
cimetidine | Tagamet
sucralfate | Carafate
misoprostol | Cytotec
calcium carbonate | Tums
aluminum hydroxide | Maalox, Mylanta
bismuth subsalicylate | Pepto-Bismol, Pepto Bismol
simethicone | Gas-X
[antiemetic | nausea medication]
ondansetron | Zofran
granisetron | Kytril
metoclopramide | Reglan
prochlorperazine | Compazine
trimethobenzamide | Tigan
scopolamine | Transderm Scop
[laxative | stool softener]
docusate | Colace
senna | Senokot, sennosides
bisacodyl | Dulcolax
polyethylene glycol | MiraLAX, GoLYTELY, PEG 3350
lactulose | Enulose
psyllium | Metamucil
magnesium citrate |
milk of magnesia |
linaclotide | Linzess
lubiprostone | Amitiza
[bowel medication | antidiarrheal]
loperamide | Imodium
diphenoxylate | Lomotil
dicyclomine | Bentyl
hyoscyamine | Levsin
mesalamine | Asacol, Pentasa, mesalazine, Lialda
sulfasalazine | Azulfidine
ursodiol | Actigall, ursodeoxycholic acid
octreotide | Sandostatin
[antidepressant | SSRI, SSRIs, SNRI]
sertraline | Zoloft
fluoxetine | Prozac
paroxetine | Paxil
citalopram | Celexa
escitalopram | Lexapro
fluvoxamine | Luvox
venlafaxine | Effexor
desvenlafaxine | Pristiq
duloxetine | Cymbalta
bupropion | Wellbutrin, Zyban
mirtazapine | Remeron
trazodone | Desyrel
nefazodone |
vilazodone | Viibryd
vortioxetine | Trintellix
amitriptyline | Elavil
nortriptyline | Pamelor
imipramine | Tofranil
doxepin | Sinequan
clomipramine | Anafranil
desipramine | Norpramin
phenelzine | Nardil
selegiline | Eldepryl
[benzodiazepine | benzo]
alprazolam | Xanax
lorazepam | Ativan
diazepam | Valium
clonazepam | Klonopin
midazolam | Versed
temazepam | Restoril
oxazepam | Serax
chlordiazepoxide | Librium
triazolam | Halcion
[sleep aid | sleeping pill]
zolpidem | Ambien
eszopiclone | Lunesta
zaleplon | Sonata
melatonin |
ramelteon | Rozerem
suvorexant | Belsomra
[anxiolytic]
buspirone | Buspar
[antipsychotic]
haloperidol | Haldol
risperidone | Risperdal
olanzapine | Zyprexa
quetiapine | Seroquel
aripiprazole | Abilify
ziprasidone | Geodon
clozapine | Clozaril
lurasidone | Latuda
paliperidone | Invega
chlorpromazine | Thorazine
fluphenazine | Prolixin
perphenazine | Trilafon
lithium | Lithobid, Eskalith
[stimulant]
methylphenidate | Ritalin, Concerta
amphetamine | Adderall, dextroamphetamine
lisdexamfetamine | Vyvanse
atomoxetine | Strattera
modafinil | Provigil
phentermine | Adipex
[anticonvulsant | antiepileptic, seizure medication, AED]
phenytoin | Dilantin
fosphenytoin | Cerebyx
carbamazepine | Tegretol
oxcarbazepine | Trileptal
valproate | Depakote, valproic acid, divalproex, Depakene
levetiracetam | Keppra
lamotrigine | Lamictal
topiramate | Topamax
gabapentin | Neurontin
pregabalin | Lyrica
phenobarbital | Luminal
primidone | Mysoline
zonisamide | Zonegran
lacosamide | Vimpat
ethosuximide | Zarontin
felbamate |
tiagabine | Gabitril
[migraine medication | triptan]
sumatriptan | Imitrex
rizatriptan | Maxalt
zolmitriptan | Zomig
eletriptan | Relpax
ergotamine | Cafergot
erenumab | Aimovig
butalbital | Fioricet, Fiorinal
[Parkinson medication]
levodopa |
carbidopa |
pramipexole | Mirapex
ropinirole | Requip
benztropine | Cogentin
rasagiline | Azilect
amantadine | Symmetrel
[dementia medication]
donepezil | Aricept
memantine | Namenda
rivastigmine | Exelon
galantamine | Razadyne
[thyroid medication]
levothyroxine | Synthroid, Levoxyl, Unithroid, L-thyroxine, thyroxine
liothyronine | Cytomel
methimazole | Tapazole
propylthiouracil | PTU
[-hormones]
estradiol | Estrace, Climara
conjugated estrogens | Premarin
estrogen |
progesterone | Prometrium
medroxyprogesterone | Provera, Depo-Provera, depo provera
norethindrone | Aygestin
levonorgestrel | Mirena
testosterone | AndroGel
oral contraceptive | birth control pill, OCP, birth control
tamoxifen | Nolvadex
anastrozole | Arimidex
letrozole | Femara
exemestane | Aromasin
raloxifene | Evista
clomiphene | Clomid
leuprolide | Lupron
finasteride | Proscar, Propecia
dutasteride | Avodart
oxytocin | Pitocin
desmopressin | DDAVP
cabergoline | Dostinex
bromocriptine | Parlodel
[-urinary]
tamsulosin | Flomax
alfuzosin | Uroxatral
silodosin | Rapaflo
oxybutynin | Ditropan
tolterodine | Detrol
solifenacin | Vesicare
mirabegron | Myrbetriq
phenazopyridine | Pyridium
bethanechol | Urecholine
[bone medication | bisphosphonate]
alendronate | Fosamax
risedronate | Actonel
ibandronate | Boniva
zoledronic acid | Reclast, Zometa, zoledronate
denosumab | Prolia, Xgeva
teriparatide | Forteo
[immunosuppressant]
methotrexate | MTX, Trexall, Rheumatrex
azathioprine | Imuran
mycophenolate | CellCept
cyclosporine | Neoral, Sandimmune, ciclosporin
tacrolimus | Prograf
sirolimus | Rapamune
leflunomide | Arava
adalimumab | Humira
etanercept | Enbrel
infliximab | Remicade
rituximab | Rituxan
tocilizumab | Actemra
ustekinumab | Stelara
secukinumab | Cosentyx
dupilumab | Dupixent
tofacitinib | Xeljanz
upadacitinib | Rinvoq
[chemotherapy | chemo]
cisplatin |
carboplatin |
oxaliplatin |
cyclophosphamide | Cytoxan
doxorubicin | Adriamycin
paclitaxel | Taxol
docetaxel | Taxotere
vincristine | Oncovin
fluorouracil | 5-FU
capecitabine | Xeloda
temozolomide | Temodar
thalidomide | Thalomid
lenalidomide | Revlimid
mitomycin |
gemcitabine | Gemzar
etoposide |
bleomycin |
irinotecan |
imatinib | Gleevec
erlotinib | Tarceva
trastuzumab | Herceptin
bevacizumab | Avastin
pembrolizumab | Keytruda
nivolumab | Opdivo
hydroxyurea | Hydrea
mercaptopurine | 6-MP
[anesthetic]
propofol | Diprivan
ketamine | Ketalar
etomidate | Amidate
bupivacaine | Marcaine, Sensorcaine
ropivacaine | Naropin
sevoflurane |
isoflurane |
rocuronium |
succinylcholine |
vecuronium |
dexmedetomidine | Precedex
[-eyes]
latanoprost | Xalatan
travoprost | Travatan
bimatoprost | Lumigan
brimonidine | Alphagan
dorzolamide | Trusopt
cyclopentolate |
artificial tears |
[-supplements]
folic acid | folate?
vitamin D | cholecalciferol, vitamin D3, ergocalciferol, vitamin D2
vitamin B12 | cyanocobalamin, B12 injection, B12 shot, B12 supplement, B12?
vitamin C | ascorbic acid
vitamin K | phytonadione
vitamin E |
thiamine | vitamin B1
pyridoxine | vitamin B6
multivitamin | MVI, multivitamins
ferrous sulfate | Feosol, iron supplement, iron pill, ferrous gluconate, iron?
calcium? | calcium supplement
potassium chloride | K-Dur, Klor-Con, KCl, potassium supplement, potassium?
magnesium | magnesium oxide, magnesium sulfate, magnesium?
zinc? | zinc sulfate
sodium bicarbonate |
fish oil | omega-3
epoetin | Epogen, Procrit, erythropoietin
darbepoetin | Aranesp
filgrastim | Neupogen
[-skin]
tretinoin | Retin-A
isotretinoin | Accutane
benzoyl peroxide |
silver sulfadiazine | Silvadene
calamine |
capsaicin |
[-antidotes]
N-acetylcysteine | acetylcysteine, NAC, Mucomyst
flumazenil | Romazicon
atropine |
glycopyrrolate | Robinul
activated charcoal |
protamine |
[-smoking]
varenicline | Chantix
nicotine patch | nicotine replacement, nicotine gum, NicoDerm
disulfiram | Antabuse
[-vaccines]
influenza vaccine | flu shot, flu vaccine
pneumococcal vaccine | Pneumovax, Prevnar, pneumonia vaccine
tetanus vaccine | tetanus shot, Tdap, tetanus booster
shingles vaccine | Shingrix, Zostavax
[-products of two]
oxycodone + acetaminophen | Percocet, Endocet, oxycodone-acetaminophen, oxycodone APAP
hydrocodone + acetaminophen | Vicodin, Norco, Lortab, hydrocodone-acetaminophen, hydrocodone APAP
codeine + acetaminophen | Tylenol 3, Tylenol No. 3, Tylenol with codeine
amoxicillin + clavulanate | Augmentin, co-amoxiclav, amoxicillin-clavulanate, amoxicillin clavulanic acid
ampicillin + sulbactam | Unasyn
piperacillin + tazobactam | Zosyn, pip-tazo, piperacillin-tazobactam
sulfamethoxazole + trimethoprim | Bactrim, Septra, TMP-SMX, TMP/SMX, co-trimoxazole
lisinopril + hydrochlorothiazide | Zestoretic, Prinzide
losartan + hydrochlorothiazide | Hyzaar
valsartan + hydrochlorothiazide | Diovan HCT
triamterene + hydrochlorothiazide | Dyazide, Maxzide
sacubitril + valsartan | Entresto
amlodipine + benazepril | Lotrel
fluticasone + salmeterol | Advair
fluticasone + vilanterol | Breo
budesonide + formoterol | Symbicort
albuterol + ipratropium | Combivent, DuoNeb, Duonebs
carbidopa + levodopa | Sinemet
emtricitabine + tenofovir | Truvada
ezetimibe + simvastatin | Vytorin
sitagliptin + metformin | Janumet
buprenorphine + naloxone | Suboxone
"""

# Endings of generic names (the stems of the World Health Organization) by which a drug is known that is not listed.
SUFFIXES = (
    "pril", "olol", "statin", "sartan", "azole", "cillin", "mycin", "floxacin", "prazole", "dipine", "gliptin",
    "gliflozin", "glutide", "glitazone", "tidine", "setron", "triptan", "cycline", "parin", "zumab", "tinib", "ximab",
    "mumab", "lukast", "oxetine", "azepam", "azolam", "profen", "thiazide", "dronate", "fibrate", "ciclovir",
    "cyclovir", "oxicam", "semide", "solone", "metasone", "xaban", "grel", "vudine", "tegravir", "buvir",
    "terol", "tropium", "penem", "bactam", "conazole", "caine", "curium", "platin", "rubicin", "taxel", "zosin",
    "losin",
)  # fmt: skip
# Words with such an ending that are no drugs.
NOT_DRUGS = frozenset({"april", "cholesterol", "cocaine", "somatostatin"})

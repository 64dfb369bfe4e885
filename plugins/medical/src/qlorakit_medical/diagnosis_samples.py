"""Rows written by hand for ``medical/diagnosis``: two descriptions for each of its 24 diseases."""

from collections.abc import Mapping

from qlorakit.task import Row

DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "acne": (
        "My chin and forehead keep breaking out in whiteheads, and the deep ones leave small scars.",
        "Since I turned sixteen my back is full of sore, oily bumps.",
    ),
    "allergy": (
        "As soon as the birches bloom I sneeze for hours and my eyes itch.",
        "Playing with the neighbour's cat makes my nose stream and my lips tingle.",
    ),
    "arthritis": (
        "It takes half an hour each morning before my stiff fingers will close around a cup.",
        "Both knees are swollen and warm, and they crack when I climb the stairs.",
    ),
    "bronchial asthma": (
        "At night I wake up wheezing, and only the inhaler loosens the tightness in my chest.",
        "Running in cold air leaves me gasping, with a whistle in every breath out.",
    ),
    "cervical spondylosis": (
        "Turning my head grinds in the neck, and a numb feeling runs down into the left hand.",
        "After a day at the desk my neck is rigid and the pain pulls up to the back of my skull.",
    ),
    "chicken pox": (
        "My daughter has little blisters all over her tummy that itch, burst and crust, and a mild temperature.",
        "New watery spots come up in crops every day while the first ones are already scabs.",
    ),
    "common cold": (
        "I have a runny nose and a scratchy throat since Tuesday, nothing worse.",
        "My head is stuffed up, I cough a bit and go through a box of tissues a day.",
    ),
    "dengue": (
        "After our trip to the tropics I got a burning fever with pain behind the eyes and in every bone.",
        "The temperature shot up overnight, my joints feel broken and fine red dots cover my legs.",
    ),
    "diabetes": (
        "However much I drink I am thirsty, and I have to pass water ten times a day.",
        "I lose weight though I eat plenty, my sight blurs and cuts take weeks to close.",
    ),
    "dimorphic hemorrhoids": (
        "There is bright blood on the paper and a tender lump that comes out when I strain.",
        "Sitting hurts, it itches around the back passage and going to the toilet is agony.",
    ),
    "drug reaction": (
        "An hour after the first tablet of the new antibiotic, hives came up on my arms.",
        "Since they changed my pills I feel dizzy, my heart races and I have a metallic taste.",
    ),
    "fungal infection": (
        "The skin between my toes is white, soft and peeling, and it smells.",
        "A ring with a scaly red edge is growing slowly on my thigh and itches when I sweat.",
    ),
    "gastroesophageal reflux disease": (
        "Sour liquid rises into my throat whenever I lie down after supper.",
        "A burning behind the breastbone follows every glass of wine or cup of coffee.",
    ),
    "hypertension": (
        "The cuff at the pharmacy showed 170 over 100, and I get pounding in the temples.",
        "My nose bleeds for no reason and I hear my pulse in my ears when I am upset.",
    ),
    "impetigo": (
        "Sores around my son's mouth ooze and dry to a crust the colour of honey.",
        "Two children in the nursery have the same weeping patches under the nose, and now ours does.",
    ),
    "jaundice": (
        "The whites of my eyes have gone yellow and my water is as dark as cola.",
        "My stools are pale as clay, my skin looks golden and it itches from head to foot.",
    ),
    "malaria": (
        "Every second day I shake with chills, then burn, then soak the sheets with sweat.",
        "Ten days after camping by the swamp I have bouts of shivering followed by drenching heat.",
    ),
    "migraine": (
        "Zigzag lines cross my sight, then one side of my head throbs until I lie in a dark room.",
        "Light and noise are unbearable while the hammering over my right eye lasts, and I am sick.",
    ),
    "peptic ulcer disease": (
        "A gnawing ache under the ribs wakes me at two and goes away when I eat something.",
        "My stomach burns on an empty belly, and lately what I pass is black like tar.",
    ),
    "pneumonia": (
        "I bring up rusty phlegm, breathing in stabs me in the side and I am feverish.",
        "Grandmother coughs up green slime, breathes fast and shivers under three blankets.",
    ),
    "psoriasis": (
        "Thick silvery scales sit on my elbows, and they bleed when I pick them off.",
        "Red plaques on the scalp flake like candle wax and my nails have tiny dents.",
    ),
    "typhoid": (
        "My fever has climbed a little each day for a week, with belly ache and no wish to eat.",
        "Since drinking from the well I am weak, constipated and hotter every evening.",
    ),
    "urinary tract infection": (
        "It stings when I pee and a minute later I need to go again.",
        "My urine is cloudy and smells strong, and there is pressure low down in front.",
    ),
    "varicose veins": (
        "Blue twisted cords stand out on my calves and my legs feel heavy by evening.",
        "After a shift on my feet the ankles swell and the bulging vessels throb.",
    ),
}

DIAGNOSIS_SAMPLES: tuple[Row, ...] = tuple(
    {"text": text, "label": label} for label, texts in DESCRIPTIONS.items() for text in texts
)

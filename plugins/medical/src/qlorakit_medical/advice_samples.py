"""Rows written by hand for ``medical/advice``: invented questions and short answers of patient education."""

from collections.abc import Sequence

from qlorakit.task import Row

ADVICE_SAMPLES: Sequence[Row] = (
    {
        "question": "What are the symptoms of iron deficiency?",
        "answer": "People whose iron stores run low often feel tired and look pale. Some get out of breath on stairs, "
        "feel cold, or have brittle nails. Mild deficiency may cause no symptoms at all.",
        "focus": "Iron deficiency",
    },
    {
        "question": "How is iron deficiency treated?",
        "answer": "A doctor first looks for the cause, such as heavy periods or bleeding in the gut. Iron tablets are "
        "usually taken for some months; they can turn the stool dark.",
        "focus": "iron deficiency",
    },
    {
        "question": "What is plantar fasciitis?",
        "answer": "The plantar fascia is a band of tissue along the sole. When it is strained, the heel hurts, most of "
        "all with the first steps in the morning.",
        "focus": "Plantar fasciitis",
    },
    {
        "question": "Who is at risk for kidney stones?",
        "answer": "Stones form more easily in people who drink little, who have had one before, or whose relatives get "
        "them. Certain bowel diseases and a very salty diet add to the risk.",
        "focus": "Kidney stones",
    },
    {
        "question": "How can I prevent another kidney stone?",
        "answer": "Drink enough water that your urine stays pale. Eat less salt, and ask your doctor whether the "
        "make-up of your stone calls for a special diet or medicine.",
        "focus": "Kidney stones",
    },
    {
        "question": "What causes cold sores?",
        "answer": "Cold sores come from a herpes virus that most people catch as children. It rests in the nerves and "
        "may wake up after sun, stress or a fever.",
        "focus": "Cold sores",
    },
    {
        "question": "Is color blindness inherited?",
        "answer": "Most often it is. The usual red-green form is passed on with the X chromosome, so boys have it far "
        "more often than girls, while mothers can carry it without knowing.",
        "focus": "Color blindness",
    },
    {
        "question": "How do doctors diagnose sleep apnea?",
        "answer": "You are asked about snoring and sleepiness, and your breathing, oxygen and heart rate are recorded "
        "overnight, at home or in a sleep laboratory. The pauses in breathing are then counted.",
        "focus": "Sleep apnea",
    },
    {
        "question": "What are the treatments for an overactive bladder?",
        "answer": "Training the bladder and the muscles of the pelvic floor comes first. If that is not enough, there "
        "are medicines that calm the bladder, and injections or nerve stimulation for stubborn cases.",
        "focus": "Overactive bladder",
    },
    {
        "question": "What should I do after a tick bite?",
        "answer": "Pull the tick out with fine tweezers close to the skin and clean the spot. See a doctor if a rash "
        "spreads around it or you develop a fever in the next weeks.",
        "focus": "Tick bites",
    },
    {
        "question": "What is the outlook for Bell's palsy?",
        "answer": "The weakness of the face usually begins to fade within weeks, and most people recover fully in six "
        "months. A few keep a slight droop.",
        "focus": "Bell's palsy",
    },
    {
        "question": "How many people are affected by tinnitus?",
        "answer": "Ringing in the ears is common: about one adult in ten has noticed it for longer than five minutes. "
        "It becomes more frequent with age and after years of noise.",
        "focus": "Tinnitus",
    },
)

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.errors import ConfigurationError
from qlorakit.task import Output
from qlorakit_medical.amounts import find_amounts, read_number
from qlorakit_medical.critical_errors import (
    CRITICAL_METRICS,
    KINDS,
    VOCABULARY,
    CriticalError,
    Mention,
    critical_error_rate,
    critical_errors,
    errors_of_kind,
    find_critical_errors,
)
from qlorakit_medical.findings import find_all
from qlorakit_medical.frequencies import find_frequencies
from qlorakit_medical.sides import find_sides
from qlorakit_medical.words import read_words

LINES = Path(__file__).with_name("critical_pairs_development.jsonl").read_text(encoding="utf-8").splitlines()
PAIRS = [json.loads(line) for line in LINES]
NOTE = """HISTORY: The patient is a 63-year-old man with hypertension, type 2 diabetes and CAD who presents with three
days of left-sided chest pain and shortness of breath. He denies fever, chills, nausea or vomiting. Pain is not
relieved by nitroglycerin. He had a myocardial infarction in 2015. He has swelling of both legs but no calf
tenderness.
MEDICATIONS: Metoprolol 50 mg twice daily, aspirin 81 mg daily, atorvastatin 40 mg at bedtime, metformin 1,000
mg b.i.d., lisinopril 20 mg q.d., Lantus 20 units nightly, and albuterol two puffs every four hours as needed.
ALLERGIES: Penicillin causes hives.
EXAMINATION: Blood pressure 150/90, afebrile. Lungs are clear. Heart regular without murmurs. Abdomen soft and
nontender.
PLAN: Start heparin at 18 units/kg/hour. Pulmonary embolism was ruled out by CT. Return if chest pain recurs."""

SENTENCES = (
    "Metoprolol 50 mg daily.",
    "Denies fever.",
    "Left knee pain.",
    "No hives.",
    "He has asthma.",
    "Zoloft 20 mg.",
)


def told(error):
    return error.kind, error.expected and error.expected.text, error.found and error.found.text


def errors(reference, output):
    return [told(error) for error in find_critical_errors(reference, output)]


def kinds(reference, output):
    return [error.kind for error in find_critical_errors(reference, output)]


def expected(pair):
    return [(error["kind"], error["reference"], error["output"]) for error in pair["errors"]]


def agreement(pairs):
    """Precision and recall of the errors found, kind and spans."""
    hits = found = true = 0
    for pair in pairs:
        right, given_ = Counter(expected(pair)), Counter(errors(pair["reference"], pair["output"]))
        hits, found, true = hits + (right & given_).total(), found + given_.total(), true + right.total()
    return {"pairs": len(pairs), "errors": true, "precision": hits / found, "recall": hits / true}


def problems(text):
    found = find_all(text, VOCABULARY).problems
    return {concept: not problem.denied for problem in found for concept in problem.concepts}


def drugs(text):
    return [concept for drug in find_all(text, VOCABULARY).drugs for concept in drug.concepts]


# Pairs


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["about"] for pair in PAIRS])
def test_the_errors_of_a_pair_are_found_with_their_spans(pair):
    assert sorted(map(str, errors(pair["reference"], pair["output"]))) == sorted(map(str, expected(pair)))


def test_the_development_pairs_hold_every_kind_and_as_many_harmless_pairs():
    found = {error["kind"] for pair in PAIRS for error in pair["errors"]}
    harmless = sum(not pair["errors"] for pair in PAIRS)
    assert found == set(KINDS)
    assert len(PAIRS) == 85
    assert 35 <= harmless <= 50


def test_agreement_with_the_development_pairs_is_complete():
    assert agreement(PAIRS) == {"pairs": 85, "errors": 51, "precision": 1.0, "recall": 1.0}


def test_spans_of_the_pairs_stand_in_their_texts():
    for pair in PAIRS:
        for error in pair["errors"]:
            assert error["reference"] is None or error["reference"] in pair["reference"]
            assert error["output"] is None or error["output"] in pair["output"]


# Properties


@given(st.text())
def test_no_text_differs_from_itself(text):
    assert find_critical_errors(text, text) == ()


@given(st.permutations(SENTENCES))
def test_the_order_of_sentences_is_harmless(sentences):
    assert errors(" ".join(SENTENCES), " ".join(sentences)) == []


@given(st.text(), st.text())
def test_missing_one_way_is_invented_the_other_way(one, other):
    ahead, back = (
        find_critical_errors(f"aspirin {one}", f"fever {other}"),
        find_critical_errors(f"fever {other}", f"aspirin {one}"),
    )
    for thing in ("drug", "problem"):
        missing = [error.expected for error in ahead if error.kind == f"{thing}_missing"]
        assert missing == [error.found for error in back if error.kind == f"{thing}_invented"]
        assert thing == "problem" or missing


@given(st.sampled_from(PAIRS))
def test_spans_are_exactly_what_stands_in_the_texts(pair):
    for error in find_critical_errors(pair["reference"], pair["output"]):
        for mention, text in ((error.expected, pair["reference"]), (error.found, pair["output"])):
            assert mention is None or text[mention.start : mention.end] == mention.text
        assert error.expected or error.found


def test_errors_stand_in_the_order_of_kinds():
    found = kinds(NOTE, "Left knee pain. Fever. Metoprolol 500 mg. Xarelto.")
    assert found == sorted(found, key=KINDS.index)
    assert {"negation_flipped", "dose_changed", "drug_missing", "drug_invented", "problem_missing"} <= set(found)


def test_an_error_names_the_spans_with_their_places():
    found = find_critical_errors("Aspirin 81 mg.", "Aspirin 810 mg.")
    assert found == (CriticalError("dose_changed", Mention("81 mg", 8, 13), Mention("810 mg", 8, 14)),)


def test_a_long_note_is_read_within_a_few_milliseconds():
    started = time.process_time()
    for number in range(20):
        find_critical_errors(f"{NOTE} {number}", f"{NOTE} {number} again")
    assert (time.process_time() - started) / 20 < 0.2  # seconds, with room for a busy machine


def test_importing_it_brings_no_heavy_library_along():
    heavy = "{'torch', 'transformers', 'numpy', 'sklearn', 'pandas'}"
    code = f"import sys; import qlorakit_medical.critical_errors; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.strip() == "[]"


# Negation


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Denies fever, chills, or cough.", {"fever": False, "chills": False, "cough": False}),
        ("No fever but cough.", {"fever": False, "cough": True}),
        ("Negative for rash. Cough.", {"rash": False, "cough": True}),
        ("Denies chest pain; nausea persists.", {"chest pain": False, "nausea": True}),
        ("He denied that he has fever.", {"fever": False}),
        ("Fever is denied.", {"fever": False}),
        ("Cough, fever absent.", {"cough": True, "fever": False}),
        ("Fever, chills and cough are absent.", {"fever": False, "chills": False, "cough": False}),
        ("CT ruled out appendicitis.", {"appendicitis": False}),
        ("To rule out appendicitis.", {"appendicitis": True}),
        ("Appendicitis could not be ruled out.", {"appendicitis": True}),
        ("Appendicitis is unlikely.", {"appendicitis": True}),
        ("No change in the rash.", {"rash": True}),
        ("Not only nausea but fever.", {"nausea": True, "fever": True}),
        ("Eats without difficulty, nausea.", {"nausea": True}),
        ("Without nausea or fever, she reports cough.", {"nausea": False, "fever": False, "cough": True}),
        ("No fever and a cough.", {"fever": False, "cough": True}),
        ("She did not eat because of nausea.", {"nausea": True}),
        ("She does not have asthma.", {"asthma": False}),
        ("She doesn't have asthma.", {"asthma": False}),
        ("He has never developed asthma.", {"asthma": False}),
        ("He has not noted any fever.", {"fever": False}),
        ("Fever was not noted.", {"fever": False}),
        ("No, she has asthma.", {"asthma": True}),
        ("Cough (-), fever.", {"cough": False, "fever": True}),
        ("Seizure-free.", {"seizure": False}),
        ("Gram negative pneumonia.", {"pneumonia": True}),
        ("Nausea: no. Fever: yes.", {"nausea": False, "fever": True}),
        ("Asthma (no fever) and rash.", {"asthma": True, "fever": False, "rash": True}),
        ("No appetite.", {"loss of appetite": True}),
        ("No weakness due to stroke.", {"weakness": False, "stroke": True}),
        ("Allergies: no known drug allergies.", {"allergy": False}),
        ("No family history of asthma. Mother has gout.", {"asthma": False, "gout": True}),
    ],
)
def test_negation_reaches_as_far_as_it_is_meant(text, stated):
    assert problems(text) == stated


def test_one_mention_with_the_right_polarity_is_enough():
    assert errors("No fever today. Fever last week.", "No fever.") == []
    assert errors("No fever today. Fever last week.", "Fever.") == []
    assert kinds("No fever today.", "Fever.") == ["negation_flipped"]


def test_a_broad_denial_contradicts_what_is_narrower_and_not_the_reverse():
    assert kinds("No pain.", "Knee pain.") == ["negation_flipped"]
    assert kinds("No knee pain.", "Has pain.") == []


# Doses


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,000", 1000), ("0.5", 0.5), (".5", 0.5), ("1/2", 0.5), ("1 1/2", 1.5), ("two", 2), ("twenty-five", 25),
     ("two and a half", 2.5), ("one-half", 0.5), ("a half", 0.5), ("five hundred", 500),
     ("one thousand two hundred", 1200),
     ("1.2 million", 1_200_000), ("1\u00bd", 1.5)],
)  # fmt: skip
def test_numbers_are_read_however_they_are_written(text, value):
    assert read_number(text) == pytest.approx(value)


@given(st.integers(1, 5000))
def test_a_number_of_milligrams_is_that_of_grams(number):
    one, other = find_amounts(f"{number:,} mg"), find_amounts(f"{number / 1000:.3f} g")
    assert one[0].is_same(other[0])
    assert one[0].values == (number,)


@pytest.mark.parametrize(
    "text",
    ["glucose 180 mg/dL", "potassium 4.2 mEq/L", "weighs 3200 g", "hemoglobin 12 g", "oxygen saturation 98%",
     "BP 130/80", "blood loss 50 mL", "5 cm mass", "63 years old", "120 mm Hg"],
)  # fmt: skip
def test_measurements_are_no_amounts(text):
    assert find_amounts(text) == []


@pytest.mark.parametrize(
    ("written", "per_day"),
    [("b.i.d.", 2), ("BID", 2), ("twice a day", 2), ("two times daily", 2), ("2x/day", 2), ("q12h", 2),
     ("every 12 hours", 2), ("every twelve hours", 2), ("every morning and at night", 2), ("t.i.d.", 3), ("q.8h.", 3),
     ("four times per day", 4), ("q.i.d.", 4), ("daily", 1), ("q.d.", 1), ("once a day", 1), ("every day", 1),
     ("nightly", 1), ("at bedtime", 1), ("q.h.s.", 1), ("qAM", 1), ("every 24 hours", 1), ("q.o.d.", 0.5),
     ("every other day", 0.5), ("weekly", 1 / 7), ("once a week", 1 / 7), ("every 2 weeks", 1 / 14),
     ("monthly", 1 / 30)],
)  # fmt: skip
def test_frequencies_are_times_a_day_however_they_are_written(written, per_day):
    (frequency,) = find_frequencies(f"metformin {written}, with food")
    assert frequency.per_day == pytest.approx((per_day,))
    assert frequency.mention.text == written


def test_a_range_of_hours_is_another_frequency_than_either_end():
    (range_,), (shorter,) = find_frequencies("q4-6h"), find_frequencies("q4h")
    assert range_.per_day == (6, 4)
    assert not range_.is_same(shorter)


def test_activities_of_daily_living_are_no_frequency():
    assert find_frequencies("independent in activities of daily living") == []


@pytest.mark.parametrize(
    ("reference", "output"),
    [
        ("two 500 mg tablets of metformin", "metformin 1 g"),
        ("metformin 500 mg, two tablets", "metformin 1,000 mg"),
        ("half a tablet of metoprolol 25 mg", "metoprolol 12.5 mg"),
        ("lisinopril 10 mg", "lisinopril 10 mg, one tablet"),
        ("lisinopril 10 mg", "one tablet of lisinopril"),
        ("furosemide 40 mg b.i.d.", "furosemide 40 mg"),
        ("insulin glargine 10 units", "10 units of Lantus"),
    ],
)
def test_doses_that_come_to_the_same_are_harmless(reference, output):
    assert errors(reference, output) == []


@pytest.mark.parametrize(
    ("reference", "output", "spans"),
    [
        ("metformin 500 mg", "metformin 500 mcg", ("500 mg", "500 mcg")),
        ("ibuprofen 5 mL", "ibuprofen 5 mg", ("5 mL", "5 mg")),
        ("metformin 500 mg, two tablets", "metformin 500 mg, four tablets", ("two tablets", "four tablets")),
        ("Zoloft 50 mg, then 100 mg", "Zoloft 50 mg, then 150 mg", ("100 mg", "150 mg")),
        ("Zoloft daily", "Zoloft b.i.d.", ("daily", "b.i.d.")),
        ("Zoloft", "Zoloft 50 mg", (None, "50 mg")),
        ("The dose is 50 mg.", "The dose is 500 mg.", ("50 mg", "500 mg")),
    ],
)
def test_a_changed_dose_is_told_with_both_spans(reference, output, spans):
    assert errors(reference, output) == [("dose_changed", *spans)]


def test_the_dose_of_another_drug_is_none():
    assert kinds("lisinopril 10 mg", "losartan 50 mg") == ["drug_missing", "drug_invented"]


# Sides


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("Left knee pain.", {("left", "knee"), ("left", "pain of knee")}),
        ("Pain in both of her knees.", {("both", "knee"), ("both", "pain of knee")}),
        ("R knee.", {("right", "knee")}),
        ("Right-sided weakness.", {("right", "weakness")}),
        ("Weakness on the left side.", {("left", "weakness")}),
        ("Left side of the face is numb.", {("left", "face"), ("left", "numbness of face")}),
        ("Wheezing bilaterally.", {("both", "wheezing")}),
        ("LLE.", {("left", "leg")}),
        ("Vision 20/20 OD.", {("right", "eye")}),
        ("Lisinopril 20 mg OD.", set()),
        ("He left the hospital with knee pain.", set()),
        ("She left work. Knee pain.", set()),
        ("Come right away for chest pain.", set()),
        ("All right. He is right.", set()),
    ],
)
def test_a_side_is_one_only_beside_a_part_or_problem(text, sides):
    assert {(side.side, of) for side in find_sides(find_all(text, VOCABULARY)) for of in side.of} == sides


def test_left_and_right_together_are_both():
    assert errors("Left and right knee swelling. Right knee swelling.", "Bilateral knee swelling.") == []
    assert errors("Swelling of the left knee and of the right knee.", "Swelling of both knees.") == []


def test_a_side_that_is_left_out_is_no_swap():
    assert errors("Left knee pain.", "Knee pain.") == []


# Drugs and problems


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tylenol, paracetamol, APAP", ["acetaminophen"] * 3),
        ("Percocet", ["oxycodone", "acetaminophen"]),
        ("zelvapril and Foozumab", ["zelvapril", "foozumab"]),
        ("April and cholesterol", []),
        ("potassium 4.1", []),
        ("potassium 20 mEq", ["potassium chloride"]),
        ("vitamin D deficiency, penicillins", ["penicillin"]),
    ],
)
def test_drugs_are_known_by_any_name(text, found):
    assert drugs(text) == found


def test_an_unknown_drug_is_known_by_the_dose_beside_it_and_looked_for_by_its_word():
    assert errors("Qorvane 50 mg daily.", "Daily Qorvane was given.") == []
    assert errors("Qorvane 50 mg daily.", "Nothing was given.") == [("drug_missing", "Qorvane", None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HTN, T2DM, SOB", ["hypertension", "type 2 diabetes", "shortness of breath"]),
        ("He had PE in PE class", ["pulmonary embolism"]),
        ("pe and mi", []),
        ("chest and abdominal pain", ["abdominal pain", "chest pain"]),
        ("pain in the neck and shoulder", ["neck pain", "pain of shoulder"]),
        ("Her ankles are very swollen", ["swelling of ankle"]),
        ("dyspnoea, oedema of the legs", ["shortness of breath", "swelling of leg"]),
        ("body mass index 30", []),
        ("Crohn\u2019s disease and Parkinson's", ["Crohn's disease", "Parkinson's disease"]),
        ("hospital discharge", []),
        ("discharge from the ear", ["ear drainage"]),
    ],
)
def test_problems_are_known_by_any_name(text, found):
    assert list(problems(text)) == found


def test_a_broader_name_answers_for_a_narrower_one_and_two_narrow_ones_do_not():
    assert errors("Type 2 diabetes.", "Diabetes.") == []
    assert errors("Knee pain.", "Pain.") == []
    assert errors("Amoxicillin.", "An antibiotic.") == []
    assert kinds("Knee pain.", "Hip pain.") == ["problem_missing", "problem_invented"]


def test_what_is_said_in_passing_and_normal_findings_are_not_missed():
    said = "Return for fever. Ibuprofen as needed for pain, asthma clinic. Abdomen nontender."
    assert errors(said, "Ibuprofen.") == []


def test_a_house_adds_its_own_names():
    house = VOCABULARY.extended(drugs=["qorvane | QV, Orvanta"], problems=["zeta fever < fever | ZF"])
    assert errors("Orvanta.", "Nothing.") == []
    assert [told(error) for error in find_critical_errors("Orvanta.", "Nothing.", house)] == [
        ("drug_missing", "Orvanta", None)
    ]
    assert find_critical_errors("Qorvane for ZF.", "QV for fever.", house) == ()


@pytest.mark.parametrize("drugs_", ["qorvane", ["| Orvanta"]])
def test_a_vocabulary_refuses_lines_that_are_none(drugs_):
    with pytest.raises(ConfigurationError, match="name"):
        VOCABULARY.extended(drugs=drugs_)


@pytest.mark.parametrize(
    ("added", "name", "owner"),
    [
        ({"drugs": ["houseamide | Lasix"]}, "Lasix", "furosemide"),
        ({"drugs": ["LASIX"]}, "LASIX", "furosemide"),
        ({"drugs": ["Furosemide | Furohaus"]}, "Furosemide", "furosemide"),
        ({"drugs": ["houseamide | toes"]}, "toes", "toe"),
        ({"drugs": ["houseamide | Hausol", "otheramide | Hausol"]}, "Hausol", "houseamide"),
        ({"problems": ["zeta fever | @sore"]}, "sore", "pain"),
        ({"parts": ["foretoe < toe | big toe"]}, "big toe", "toe"),
    ],
)
def test_a_name_of_another_thing_is_refused(added, name, owner):
    with pytest.raises(ConfigurationError, match=f"'{name}' is already a name of {owner};"):
        VOCABULARY.extended(**added)


def test_what_is_known_may_have_more_names_and_stays_what_it_is():
    house = VOCABULARY.extended(
        drugs=["furosemide | Furohaus, Lasix", "hydrocodone + acetaminophen | Duohaus"], problems=["nausea | N/V, NX"]
    )
    assert [find_critical_errors(*pair, house) for pair in (("Lasix.", "Furohaus."), ("NX.", "Nausea."))] == [(), ()]
    assert "diuretic" in house.broader("furosemide") == VOCABULARY.broader("furosemide")
    assert house.extended(drugs=["[house class]", "qorvane < furosemide | QV"]).broader("qorvane") > {"house class"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (None, "is no text"),
        (7, "is no text"),
        ("foo, bar | F", "has a comma before the '|'"),
        ("foo, bar", "has a comma before the '|'"),
        ("foo | F; G", "has a ';'"),
        ("foo | bar | F", "has a '|' or '<' among its other names"),
        ("foo | F < pain", "has a '|' or '<' among its other names"),
        ("foo | --", "has another name without a letter or digit"),
        (" | F", "has no name"),
    ],
)
@pytest.mark.parametrize("kind", ["drugs", "problems", "parts"])
def test_a_line_in_another_form_is_refused_with_an_example(kind, line, reason):
    told_ = re.escape(f"{kind}: the vocabulary's line {line!r} {reason}; write 'name | other name, other name'")
    with pytest.raises(ConfigurationError, match=told_):
        VOCABULARY.extended(**{kind: [line]})


@pytest.mark.parametrize("lines", [None, 7, "qorvane | QV"])
def test_lines_that_are_no_lines_are_refused(lines):
    with pytest.raises(ConfigurationError, match="problems must be lines such as"):
        VOCABULARY.extended(problems=lines)


@pytest.mark.parametrize(
    ("kind", "line", "broader", "near"),
    [
        ("problems", "foo < arthritus | F", "arthritus", " Did you mean 'arthritis'?"),
        ("problems", "foo < pain of kneee | F", "pain of kneee", ""),
        ("drugs", "foo < diuretics | F", "diuretics", " Did you mean 'diuretic'?"),
        ("parts", "foo < pain | F", "pain", ""),
    ],
)
def test_an_unknown_broader_name_is_refused(kind, line, broader, near):
    told_ = re.escape(f"the vocabulary's line {line!r}: {broader!r} is none of its {kind}.{near}")
    with pytest.raises(ConfigurationError, match=told_):
        VOCABULARY.extended(**{kind: [line]})


def test_a_broader_name_may_be_that_of_another_new_line_or_of_a_problem_at_a_part():
    house = VOCABULARY.extended(problems=["zeta < eta @ | ZZ", "eta @ | HH", "theta < pain of knee | TH"])
    assert house.broader("zeta") == {"eta"}
    assert {"pain of knee", "pain"} <= house.broader("theta")


def test_a_vocabulary_says_how_large_it_is():
    assert repr(VOCABULARY) == "Vocabulary(681 drugs, 749 problems, 103 parts)"
    house = VOCABULARY.extended(drugs=["qorvane | QV", "furosemide | Furohaus"])
    assert repr(house) == "Vocabulary(682 drugs, 749 problems, 103 parts)"


@pytest.mark.parametrize("given_", [None, ["Fever."], b"Fever."])
@pytest.mark.parametrize("name", ["reference", "output", "vocabulary"])
def test_what_is_no_text_or_no_vocabulary_is_refused_by_its_name(name, given_):
    arguments = {"reference": "Fever.", "output": "Fever.", "vocabulary": VOCABULARY}
    with pytest.raises(ConfigurationError, match=f"{name} must be a (text|Vocabulary)") as caught:
        find_critical_errors(**{**arguments, name: given_})
    assert "Fever" not in str(caught.value)


def test_the_vocabulary_is_as_large_as_it_says():
    named = {concept for terms in VOCABULARY.drug_terms.values() for term in terms for concept in term.concepts}
    diseases = {concept for terms in VOCABULARY.problem_terms.values() for term in terms for concept in term.concepts}
    assert len(named) > 350
    assert len(diseases) > 400


def test_what_is_broader_stands_in_the_vocabulary_itself():
    tables = (VOCABULARY.drug_terms, VOCABULARY.problem_terms, VOCABULARY.part_terms)
    known = {concept for table in tables for terms in table.values() for term in terms for concept in term.concepts}
    assert {broader for wider in VOCABULARY._broader.values() for broader in wider} <= known | {"pressure", "burning"}


# Sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [("One. Two", 2), ("Seen by Dr. Smith", 1), ("Take b.i.d. with food", 1), ("Take b.i.d. Call me", 2), ("1.5 mg", 1),
     ("one; two", 2), ("wrapped\nline", 1), ("One\nTwo", 2), ("Q? A! B", 3), ("", 0)],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(text, sentences):
    assert len({word.sentence for word in read_words(text)}) == sentences


# Metrics

REFERENCES = [("No fever.",), ("Aspirin 81 mg.",), ("Left knee pain.", "Left knee and hip pain.")]
ROWS = [{}] * 3


def test_the_metrics_are_the_rate_the_number_and_one_of_each_kind():
    assert [metric.name for metric in CRITICAL_METRICS] == ["critical_error_rate", "critical_errors", *KINDS]
    assert not any(metric.higher_is_better for metric in CRITICAL_METRICS)


def test_metrics_count_rows_and_errors():
    outputs = [Output("Fever and rash."), Output("ASA 81 mg"), Output("Left hip and knee pain.")]
    assert critical_error_rate().compute(outputs, REFERENCES, ROWS) == pytest.approx(1 / 3)
    assert critical_errors().compute(outputs, REFERENCES, ROWS) == pytest.approx(2 / 3)
    assert errors_of_kind("negation_flipped").compute(outputs, REFERENCES, ROWS) == pytest.approx(1 / 3)
    assert errors_of_kind("drug_missing").compute(outputs, REFERENCES, ROWS) == 0


def test_an_invalid_answer_misses_all_there_is_and_is_wrong_in_every_kind():
    outputs, references = [Output(None)] * 2, [("Aspirin and Zoloft for fever.",), ("Well.",)]
    values = {metric.name: metric.compute(outputs, references, ROWS[:2]) for metric in CRITICAL_METRICS}
    assert values["critical_error_rate"] == 1
    assert values["critical_errors"] == (3 + 1) / 2
    assert values["drug_missing"] == (2 + 1) / 2
    assert all(values[kind] >= 1 for kind in KINDS)


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigurationError, match="dose_changed"):
        errors_of_kind("dose_change")

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.errors import ConfigurationError
from qlorakit.person_names import Person, Persons, find_names
from qlorakit.privacy import find_personal_data
from qlorakit.recognisers import Recogniser, luhn, mod_97, verhoeff

DIGITS = st.text("0123456789", min_size=2, max_size=20)


def said(text, *kinds, **search):
    found = find_personal_data(text, kinds=kinds or None, builtin_only=True, **search)
    return [text[item.start : item.end] for item in found]


def completed(digits, holds):
    return next(digits + check for check in "0123456789" if holds(digits + check))


@pytest.mark.parametrize("holds", [luhn, verhoeff])
@given(digits=DIGITS, place=st.integers(0, 19), more=st.integers(1, 9))
def test_a_checksum_notices_every_wrong_digit(holds, digits, place, more):
    right = completed(digits, holds)
    place %= len(right)
    wrong = right[:place] + str((int(right[place]) + more) % 10) + right[place + 1 :]
    assert holds(right)
    assert not holds(wrong)


@given(digits=DIGITS, place=st.integers(0, 18))
def test_verhoeff_notices_every_exchange_of_neighbours(digits, place):
    right = completed(digits, verhoeff)
    place %= len(right) - 1
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    assert verhoeff(wrong) == (wrong == right)


def test_published_examples_pass_their_checksums():
    assert luhn("79927398713")  # Luhn's formula, as every description of it has it
    assert verhoeff("2363")  # Verhoeff's own example
    assert mod_97("GB29 NWBK 6016 1331 9268 19")  # the IBAN registry's examples
    assert mod_97("DE89370400440532013000")
    assert not mod_97("DE8937040044053201300")
    assert not mod_97("DE88370400440532013000")


def test_a_card_needs_its_checksum_and_its_networks_first_digits():
    assert said("card 4275 5828 2357 4162.", "card") == ["4275 5828 2357 4162"]
    assert said("card 4275 5828 2357 4163.", "card") == []
    assert said("number 9275582823574165", "card") == []
    assert said("0000 0000 0000 0000", "card") == []


def test_an_iban_ends_where_its_country_says():
    text = "Pay DE41 4033 9185 6943 1589 87 BIC first, or de41403391856943158987."
    assert said(text, "iban") == ["DE41 4033 9185 6943 1589 87", "de41403391856943158987"]


def test_nine_digits_are_no_social_security_number_without_words_nearby():
    assert said("It sold 524381907 units", "us_ssn") == []
    assert said("her SSN is 524381907", "us_ssn") == ["524381907"]
    assert said("SSN 666-38-1907, 900-38-1907, 524-00-1907, 524-38-0000", "us_ssn") == []
    assert said(f"SSN {'word ' * 20} 524381907", "us_ssn") == []


def test_years_in_a_row_are_no_aadhaar_number():
    assert verhoeff("200820092011")
    assert said("comparatives 2008 2009 2011", "in_aadhaar") == []
    assert said("Aadhaar 5353 2117 7802", "in_aadhaar") == ["5353 2117 7802"]


def test_an_insee_number_of_corsica_passes():
    key = 97 - int("1850619004001") % 97
    assert said(f"1 85 06 2A 004 001 {key:02d}", "fr_insee") == [f"1 85 06 2A 004 001 {key:02d}"]
    assert said(f"1 85 06 2A 004 001 {key - 1:02d}", "fr_insee") == []


@pytest.mark.parametrize(
    "text",
    [
        "March 3, 2020", "3 March 2020", "3rd of March, 2020", "the 4th day of June, 2017", "2020-03-03", "03/14/1951",
        "17.05.1962", "12-MAR-2019", "3. März 2021", "14 février 2020", "Sept. 1, 2015", "March 3", "1er janvier 2020",
        "6/7/19", "JUNE 3, 2021", "am 03.04.21",
    ],
)  # fmt: skip
def test_a_day_of_a_month_is_a_date(text):
    assert len(said(f"It was on {text}.", "date")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "in March 2020", "in 2020", "clause 10.1.12", "clause 12.03.04 of it", "120/80", "1/2", "may 5 people", "13.25",
        "31.12 %", "00/12/2020", "32.01.2020", "$1/2/2020", "10-12-3",
    ],
)  # fmt: skip
def test_other_figures_are_no_date(text):
    assert said(f"It was {text} then.", "date") == []


@pytest.mark.parametrize(("text", "age"), [("a 92-year-old man", "92"), ("aged 101", "101"), ("91-jährige", "91")])
def test_an_age_counts_from_ninety(text, age):
    assert said(text, "age") == [age]
    assert said(text.replace(age, "89"), "age") == []


@pytest.mark.parametrize(
    "text",
    [
        "48 Maple Street, Apt 3, Springfield, IL 62704", "1600 West 5th Street", "Lindenstraße 14, 10969 Berlin",
        "12 rue de la Paix, 75002 Paris", "P.O. Box 4410, Albany, NY 12201", "LS1 4AP",
        "45 High Street, Oxford, OX1 4AS",
    ],
)  # fmt: skip
def test_an_address_is_found_whole(text):
    assert said(f"She lives at {text}.", "postal_address") == [text]


@pytest.mark.parametrize("text", ["11:20 PM Dr. Abel saw her", "RECORD#: 123\n\nDear Dr. Abel:", "12 Oak trees"])
def test_a_time_or_a_line_before_a_doctor_is_no_address(text):
    assert said(text, "postal_address") == []


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("MRN: 00482913", "record_number", "00482913"),
        ("patient ID PT-20031, ward 7", "record_number", "PT-20031"),
        ("Policy number HX-4471-0092", "record_number", "HX-4471-0092"),
        ("Account no. 33-90821-7 is", "account", "33-90821-7"),
        ("Kontonummer: 1234567890", "account", "1234567890"),
        ("MRN 482913 12/03/2020", "record_number", "482913"),
    ],
)
def test_a_number_is_told_by_its_label(text, kind, number):
    assert said(text, kind) == [number]


@pytest.mark.parametrize("text", ["account of 12.50", "accounts for 2010", "account 2009-2010", "patient 12345 days"])
def test_figures_behind_similar_words_are_no_account_or_record(text):
    assert said(text, "account", "record_number") == []


@pytest.mark.parametrize("text", ["(212) 555-0123", "212.555.0123", "+49 30 22334455", "1-800-555-0199"])
def test_a_phone_number_is_told_by_its_form(text):
    assert said(f"On {text}, please", "phone") == [text]


def test_other_numbers_need_a_word_nearby_to_be_a_phone():
    assert said("Sales of 22334455 and 030 22334455", "phone") == []
    assert said("Telefon 030 22334455", "phone") == ["030 22334455"]
    assert said("Call volume was 2009 2010 in both", "phone") == []
    assert said("call 212 555 0123", "phone", countries=["DE"]) == ["212 555 0123"]
    assert said("on 212-555-0123", "phone", countries=["DE"]) == []


def test_addresses_of_mail_and_web_end_before_punctuation():
    text = "Write to a.b+c@mail.example.org, or see (https://example.org/u?x=1)."
    assert said(text) == ["a.b+c@mail.example.org", "https://example.org/u?x=1"]


@pytest.mark.parametrize("text", ["203.0.113.45", "2001:db8::ff00:42:8329", "fe80::1:2:3"])
def test_an_ip_address_is_told_by_its_form(text):
    assert said(f"from {text}.", "ip") == [text]


def test_the_number_of_a_clause_is_no_ip_address():
    assert said("Section 3.2.1.4, at 10:42:11, 300.1.2.3 and 1::2", "ip") == []
    assert said("the server 3.2.1.4", "ip") == ["3.2.1.4"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dr. Anna Keller saw him", ["Anna Keller"]),
        ("Mr Smith, the tenant", ["Smith"]),
        ("Frau Prof. Dr. von der Heide", ["von der Heide"]),
        ("Patient: John Doe\nMale", ["John Doe"]),
        ("Attn: Keller, Anna", ["Keller, Anna"]),
        ("seen by Laura Bennett, M.D.", ["Laura Bennett"]),
        ("I am Sophie Turner.", ["Sophie Turner"]),
        ("Mrs. O'Brien-Smith's son", ["O'Brien-Smith"]),
        ("Dr. A. Keller examined her", ["A. Keller"]),
        ("DR. KELLER, ward 7", ["KELLER"]),
        ("Mr. Okafor left. Okafor's wife stayed.", ["Okafor", "Okafor"]),
    ],
)
def test_a_name_is_told_by_title_label_or_degree(text, names):
    assert said(text, "person") == names


@pytest.mark.parametrize(
    "text",
    [
        "MR ANGIOGRAM", "MS Contin 15 mg", "Mr. and Mrs. are titles", "Dr. She went home", "Patient: Yes, I'm",
        "Client: Acme Holdings Ltd.", "Name: Acme Corp", "By: order of the court", "Patient: Alert and oriented",
        "Doctor: Good Morning", "Client Access Licenses", "the Dr. title", "Hello, Sir. Do you know?",
    ],
)  # fmt: skip
def test_other_words_are_no_name(text):
    assert said(text, "person") == []


def test_a_name_that_is_also_a_word_is_not_looked_for_again():
    text = "Mr. White has many white cells. White cells are high."
    assert said(text, "person") == ["White"]


def test_listed_names_are_found_in_any_order_and_case():
    text = "ANNA KELLER, Keller, Anna, Anna M. Keller; Keller met Annabel."
    assert said(text, "person", names=["Anna Keller"]) == [
        "ANNA KELLER",
        "Keller, Anna",
        "Anna M. Keller",
        "Keller",
    ]
    assert said("i am anna keller", "person", names=["Anna Keller"]) == ["anna keller"]
    assert said("Cher sang, cher.", "person", names=["Cher"]) == ["Cher"]
    assert said("Keller spoke", "person", names=["Anna Keller"]) == []


def test_a_name_of_one_text_is_found_in_the_others_of_the_document():
    first, second = find_names(["Keller agreed.", "Dr. Keller"])
    assert [span[:2] for span in first] == [(0, 6)]
    assert second


def test_mentions_of_one_person_have_one_number():
    persons = Persons()
    mentions = ["Anna Keller", "Keller", "Peter Keller", "Keller", "A. Keller", "Keller, Anna", "Smith", "Anna"]
    assert [persons.number(mention) for mention in mentions] == [0, 0, 1, 1, 0, 0, 2, 0]


@given(st.lists(st.sampled_from(["Anna", "A.", "Peter", "Keller", "Smith", "von", "O'Brien"]), min_size=1, max_size=3))
def test_a_mention_may_always_be_the_person_it_names(words):
    person = Person.of(" ".join(words))
    assert person.may_be(person)


def test_an_own_recogniser_takes_the_group_named_value():
    badge = Recogniser.matching("badge", r"badge (?P<value>\d{4})", valid=lambda text: text != "0000", context="staff")
    assert said("staff badge 1234, badge 0000", "badge", recognisers=[badge]) == ["1234"]
    assert said("badge 1234", "badge", recognisers=[badge]) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"kind": "Badge", "pattern": "x"}, "lower-case"),
        ({"kind": "badge", "pattern": "("}, "regular expression"),
        ({"kind": "badge", "pattern": "x", "score": 2}, "score=2"),
    ],
)
def test_an_unusable_recogniser_says_why(arguments, part):
    with pytest.raises(ConfigurationError, match=part):
        Recogniser.matching(**arguments)

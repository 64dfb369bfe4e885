import csv
from collections import Counter

import datasets
import pytest
from helpers import DATA, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError, EncodingError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output
from qlorakit.testing import small_tokenizer
from qlorakit_legal.holding import CASEHOLD, HOLDING, LETTERS, MASK, NEAR, masked, with_options

PUBLISHED = DATA / "lexglue_samples" / "case_hold.jsonl"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"the CaseHOLD sample is not at {PUBLISHED}")
OPTIONS = ["holding that cats roam", "holding that dogs bark", "recognizing this rule", "holding over", "holding same"]
ROW = {"context": "Nobody heard it. Doe v. Roe (<HOLDING>). So here", "options": OPTIONS, "label": 1}


def original(label=1, context=ROW["context"], options=OPTIONS):
    holdings = {f"holding_{number}": option for number, option in enumerate(options)}
    return {"example_id": 7, "citing_prompt": context, **holdings, "label": label}


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def asked(row):
    (example,) = HOLDING.format(row)
    return example.messages[1]


def answers(rows):
    return "".join(map(HOLDING.reference, rows))


def measured(name, values, rows):
    (metric,) = [metric for metric in HOLDING.metrics if metric.name == name]
    return metric.compute(list(map(Output, values)), list(map(HOLDING.reference, rows)), rows)


# The task


def test_samples_have_every_place_three_times_and_both_masks_and_none():
    assert Counter(answers(HOLDING.samples)) == dict.fromkeys(LETTERS, 3)
    contexts = [row["context"] for row in HOLDING.samples]
    assert [sum(mask in context for context in contexts) for mask in (MASK, "<HOLDING>")] == [13, 1]


def test_no_two_samples_are_near_duplicates():
    texts = [row["context"] for row in HOLDING.samples]
    options = [option for row in HOLDING.samples for option in row["options"]]
    for distinct in (texts, options):
        assert len(set(near_duplicate_groups(distinct, threshold=0.8).tolist())) == len(distinct)


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert HOLDING.datasets == (CASEHOLD,)
    assert "Apache-2.0" in CASEHOLD.licence
    assert CASEHOLD.traps


def test_macro_f1_of_the_five_places_comes_first():
    rows = [{**ROW, "label": label} for label in (0, 0, 0, 1, 2)]
    assert [metric.name for metric in HOLDING.metrics[:2]] == ["macro_f1", "accuracy"]
    assert measured("macro_f1", "AAAAA", rows) == pytest.approx((2 * 3 / 8) / 3)
    assert measured("accuracy", "AAAAA", rows) == pytest.approx(0.6)


# What is asked


@pytest.mark.parametrize("mask", ["<HOLDING>", "[Masked Holding]", "<holding>", "[masked holding]"])
def test_both_ways_to_write_the_mask_are_asked_as_one(mask):
    row = {**ROW, "context": f"Nobody heard it. Doe v. Roe ({mask}). So here"}
    assert asked(row).text == (
        "Nobody heard it. Doe v. Roe ([Masked Holding]). So here\n"
        "A. holding that cats roam\nB. holding that dogs bark\nC. recognizing this rule\nD. holding over\n"
        "E. holding same"
    )


def test_a_context_without_a_mask_gets_one_at_its_end():
    assert masked("See Doe v. Roe, 1 F.5th 2 (1999)\n") == "See Doe v. Roe, 1 F.5th 2 (1999) ([Masked Holding])"


def test_the_answer_that_copies_hold_is_never_shown():
    assert asked({**ROW, "answer": "holding that dogs bark "}) == asked(ROW)
    with pytest.raises(ConfigurationError, match=r"refuses 'answer'.*it is the right holding"):
        read_rows([{**ROW, "answer": "x"}], task=HOLDING, columns={"context": "answer"})


WORDS = st.lists(st.sampled_from(["court", "held,", "\n", "  rule", "a"]), max_size=3 * NEAR).map(" ".join)


@given(WORDS, WORDS)
def test_the_parts_of_a_question_say_the_whole_of_it(before, after):
    message = asked({**ROW, "context": f"See {before} {MASK} {after} end"})
    assert message.text.startswith(f"See {before} {MASK} {after} end\nA. holding")
    _, near, behind, options = message.parts
    assert [part.may_cut for part in message.parts] == [True, False, True, False]
    assert len(near.text.removesuffix(MASK).split()) == min(NEAR, len(f"See {before}".split()))
    assert options.text.startswith("\nA. ")
    assert behind.text == f" {after} end"


@pytest.fixture(scope="module")
def tokenizer():
    return small_tokenizer([asked(row).text for row in HOLDING.samples], vocab_size=1_000)


def test_what_is_cut_is_far_from_the_mask_and_counted(tokenizer):
    far, near = " ".join(f"far{number}" for number in range(300)), " ".join(f"near{n}" for n in range(NEAR))
    row = {**ROW, "context": f"{far} {near} {MASK} after it"}
    whole = Encoder(tokenizer, max_length=8_000).encode(*HOLDING.format(row))
    cut = Encoder(tokenizer, max_length=len(whole.prompt) - 100).encode(*HOLDING.format(row))
    said = tokenizer.decode(cut.prompt)
    assert (whole.cut_tokens, cut.cut_tokens >= 100) == (0, True)
    assert all(f"near{number}" in said for number in range(NEAR))
    assert "far299" not in said
    assert all(option in said for option in OPTIONS)


def test_options_that_do_not_fit_are_an_error_and_not_cut(tokenizer):
    row = {**ROW, "options": [f"holding {number} " + "court " * 200 for number in range(5)]}
    with pytest.raises(EncodingError, match="the prompt does not fit"):
        Encoder(tokenizer, max_length=400).encode(*HOLDING.format(row))


# Labels and options


@pytest.mark.parametrize("label", [1, "1", 1.0, "1.0"])
def test_labels_are_places_from_0(label):
    assert HOLDING.reference({**ROW, "label": label}) == "B"


@pytest.mark.parametrize("label", [5, -1, "B", None, ""])
def test_what_is_no_place_is_refused(label):
    with pytest.raises(DataError, match="column 'label'"):
        HOLDING.reference({**ROW, "label": label})


@pytest.mark.parametrize("options", [OPTIONS[:4], [*OPTIONS, "holding more"]])
def test_more_or_fewer_than_five_options_are_refused(options):
    with pytest.raises(DataError, match=f"column 'options' has {len(options)} options, where five are needed"):
        HOLDING.format({**ROW, "options": options})


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_a_row_with_an_empty_option_is_refused_or_counted_as_left_out(tmp_path, caplog, empty):
    path = write_jsonl(tmp_path / "rows.jsonl", [ROW, {**ROW, "options": [*OPTIONS[:4], empty]}])
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: column 'options'"):
        read_rows(path, task=HOLDING)
    assert len(read_rows(path, task=HOLDING, bad_rows="skip")) == 1
    assert "left out 1 of 2 rows" in caplog.text


def test_of_two_options_that_are_the_same_the_place_tells_which_is_right():
    same = {**ROW, "options": [OPTIONS[0], *OPTIONS[:4]]}
    assert [HOLDING.reference({**same, "label": label}) for label in (0, 1)] == ["A", "B"]


def test_an_option_that_is_cut_mid_sentence_is_asked_as_it_stands():
    assert "\nA. holding that the\nB. " in asked({**ROW, "options": ["holding that the", *OPTIONS[1:]]}).text


# Baseline


def answered_by_overlap(row):
    (baseline,) = [baseline for baseline in HOLDING.baselines if baseline.name == "overlap"]
    return baseline.answer(HOLDING, [ROW], [row])[0].value


def test_overlap_answers_the_option_that_is_the_most_like_the_context():
    row = {**ROW, "context": f"The DOGS in the yard bark. Doe v. Roe ({MASK}). That"}
    assert answered_by_overlap(row) == "B"
    assert answered_by_overlap({**row, "context": "nothing in common"}) == "A"


@pytest.mark.parametrize("mask", ["[Masked Holding]", "<HOLDING>"])
def test_the_words_of_the_mask_do_not_count(mask):
    options = ["dogs and rules", "masked holding", "holding", "cats", "birds"]
    assert answered_by_overlap({**ROW, "context": f"dogs ({mask})", "options": options}) == "A"


def test_a_long_option_does_not_win_by_its_length():
    options = ["dogs in yards and cats in houses and birds in trees", "dogs in yards", "x", "y", "z"]
    assert answered_by_overlap({**ROW, "context": "dogs in yards and", "options": options}) == "B"


# Other forms of the data


def test_a_data_set_in_the_form_of_the_hub_is_read():
    features = datasets.Features(
        {
            "context": datasets.Value("string"),
            "endings": datasets.List(datasets.Value("string")),
            "label": datasets.ClassLabel(names=list("01234")),
        }
    )
    columns = {"context": [ROW["context"]] * 2, "endings": [OPTIONS] * 2, "label": [4, 0]}
    rows = read_rows(datasets.Dataset.from_dict(columns, features), task=HOLDING)
    assert answers(rows) == "EA"
    assert asked(rows[0]) == asked(ROW)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_files_in_the_original_form_are_read_with_line_breaks_inside_of_cells(tmp_path, kind):
    broken = "First line,\nsecond line. Doe v. Roe (<HOLDING>). So"
    entries, path = [original(0), original(3, broken)], tmp_path / f"casehold.{kind}"
    rows = read_rows((write_csv if kind == "csv" else write_jsonl)(path, entries), task=HOLDING).to_list()
    assert answers(rows) == "AD"
    assert [row["context"] for row in rows] == [ROW["context"], broken]
    assert [row["options"] for row in rows] == [OPTIONS, OPTIONS]
    assert "holding_0" not in rows[0]


def test_an_empty_holding_of_the_original_form_is_named_with_its_line(tmp_path):
    path = write_csv(tmp_path / "casehold.csv", [original(), original(options=[*OPTIONS[:4], ""])])
    with pytest.raises(DataError, match=r"casehold\.csv, line 3: column 'options'"):
        read_rows(path, task=HOLDING)


def test_a_damaged_line_of_the_original_form_is_named(tmp_path):
    path = write_csv(tmp_path / "casehold.csv", [original()])
    path.write_text(path.read_text() + "8,too few cells\n")
    with pytest.raises(DataError, match=r"casehold\.csv, line 3: "):
        read_rows(path, task=HOLDING)


def test_rows_of_the_original_form_in_memory_pass_through_with_options():
    with pytest.raises(DataError, match=r"no column for 'options'.*qlorakit_legal\.holding\.with_options"):
        read_rows([original()], task=HOLDING)
    (row,) = read_rows(with_options([original()]), task=HOLDING)
    assert (HOLDING.reference(row), row["options"], row["example_id"]) == ("B", OPTIONS, 7)
    assert HOLDING.format(row) == HOLDING.format(ROW)


def test_a_row_that_is_not_of_the_original_form_is_named():
    with pytest.raises(DataError, match="row 2: there is no column 'citing_prompt'"):
        with_options([original(), ROW])


# The published file


@pytest.fixture(scope="module")
def published_rows():
    return read_rows(PUBLISHED, task=HOLDING).to_list()


@published
def test_the_published_sample_has_the_places_masks_and_twins_that_are_told(published_rows):
    assert Counter(answers(published_rows)) == {"A": 215, "B": 187, "C": 195, "D": 216, "E": 187}
    assert sum(MASK not in row["context"] for row in published_rows) == 16
    assert sum(len(set(row["options"])) < 5 for row in published_rows) == 1
    assert sum(row["answer"] != row["answer"].rstrip() for row in published_rows) == 11


@published
def test_the_right_option_is_the_one_that_copies_hold_as_answer(published_rows):
    right = [row["options"][LETTERS.index(HOLDING.reference(row))] for row in published_rows]
    assert right == [row["answer"].rstrip() for row in published_rows]


@published
def test_overlap_and_the_longest_option_have_the_figures_that_are_told(published_rows):
    values = [answered_by_overlap(row) for row in published_rows]
    assert measured("accuracy", values, published_rows) == pytest.approx(0.478)
    assert measured("macro_f1", values, published_rows) == pytest.approx(0.4757, abs=1e-4)
    longest = [LETTERS[max(range(5), key=lambda k: len(row["options"][k]))] for row in published_rows]
    assert measured("accuracy", longest, published_rows) == pytest.approx(0.261)


@published
def test_no_two_published_contexts_are_near_duplicates_and_some_options_are_shared(published_rows):
    groups = near_duplicate_groups([row["context"] for row in published_rows], threshold=0.8)
    assert len(set(groups.tolist())) == 1_000
    options = Counter(option for row in published_rows for option in row["options"])
    assert sum(count > 1 for count in options.values()) == 420

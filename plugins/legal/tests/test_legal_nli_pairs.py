import csv
import logging
from collections import Counter, defaultdict

import pytest
from helpers import DATA

from qlorakit import read_rows, split
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.testing import small_tokenizer
from qlorakit_legal.contract_nli import HYPOTHESES, LABELS
from qlorakit_legal.nli_pairs import CONTRACT_NLI_PAIRS, NLI_PAIRS, hypothesis_alone

PUBLISHED = DATA / "contract_nli"
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"ContractNLI is not at {PUBLISHED}")
HEADER = "concatenated_spans,hypothesis,num_spans,num_evidence_spans,num_tokens,label"
PAIR = {"premise": "Keys stay here.", "hypothesis": "Keys may leave.", "label": "contradiction"}


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines, header=HEADER, **keywords):
        path = tmp_path / "all_labels_train.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return read_rows(path, task=NLI_PAIRS, **keywords).to_list()

    return write_and_read


def shown(row):
    return NLI_PAIRS.format(row)[0].messages[1].text


def score(name, outputs, rows):
    metric = next(metric for metric in NLI_PAIRS.metrics if metric.name == name)
    return metric.compute(outputs, [NLI_PAIRS.reference(row) for row in rows], rows)


# The task


def test_macro_f1_comes_first():
    assert NLI_PAIRS.metrics[0].name == "macro_f1"


def test_every_answer_occurs_often_among_the_samples_and_some_hypotheses_with_all_three():
    assert min(Counter(row["label"] for row in NLI_PAIRS.samples).values()) >= 4
    answers = defaultdict(set)
    for row in NLI_PAIRS.samples:
        answers[row["hypothesis"]].add(row["label"])
    assert sum(found == set(LABELS) for found in answers.values()) >= 2
    assert set(answers) <= set(HYPOTHESES.values())


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["premise"] for row in NLI_PAIRS.samples], threshold=0.5)
    assert len(set(groups.tolist())) == len(NLI_PAIRS.samples)


@pytest.mark.parametrize(
    ("given", "label"), [("NotMentioned", "not mentioned"), ("neutral", "not mentioned"), ("Entailment", "entailment")]
)
def test_labels_are_known_by_other_names(given, label):
    assert NLI_PAIRS.reference({**PAIR, "label": given}) == label


# What is asked


def test_the_hypothesis_stands_before_the_passage():
    assert shown(PAIR) == "Hypothesis: Keys may leave.\n\nKeys stay here."


def test_where_a_pair_is_too_long_the_passage_is_cut_and_the_hypothesis_is_not():
    row = {**PAIR, "premise": "Keys stay here . " * 400}
    tokenizer = small_tokenizer([shown(row), NLI_PAIRS.format(row)[0].messages[0].text, *LABELS])
    prompt = tokenizer.decode(Encoder(tokenizer, max_length=200).encode(NLI_PAIRS.format(row)[0]).prompt)
    assert "Keys may leave." in prompt
    assert prompt.count("Keys stay") < 100


@pytest.mark.parametrize("told", ["num_evidence_spans", "num_spans", "num_tokens"])
@pytest.mark.parametrize("column", ["premise", "hypothesis"])
def test_numbers_that_tell_the_answer_or_nothing_are_refused_as_an_input(told, column):
    row = {"premise": "A.", "hypothesis": "B.", "label": "entailment", told: "3"}
    del row[column]
    with pytest.raises(ConfigurationError, match=f"refuses '{told}' of the rows as its column '{column}'"):
        read_rows([row], task=NLI_PAIRS, columns={column: told})


# The published form


def test_numbers_stand_for_labels_in_the_published_form(read):
    rows = read("Keys stay.,Keys may go.,9,1,70,0", "Or here.,Keys may go.,9,2,70,1", "Lamps.,Keys may go.,9,0,70,2")
    assert [row["label"] for row in rows] == ["entailment", "contradiction", "not mentioned"]
    assert shown(rows[0]) == "Hypothesis: Keys may go.\n\nKeys stay."


@pytest.mark.parametrize("label", [0, "0", 1, "2"])
def test_numbers_are_refused_everywhere_else(label):
    row = {**PAIR, "label": label}
    with pytest.raises(DataError, match=r"unknown label '?[012]'?; allowed: 'entailment'"):
        read_rows([row], task=NLI_PAIRS)


@pytest.mark.parametrize(("evidence", "label"), [(3, 2), (0, 0), (0, 1)])
def test_labels_that_are_counted_in_another_order_are_found_out(read, evidence, label):
    with pytest.raises(DataError, match=rf"line 2: the label {label} stands for .* {evidence} spans of evidence"):
        read(f"Keys stay.,Keys may go.,9,{evidence},70,{label}")


def test_another_number_is_no_label(read):
    with pytest.raises(DataError, match="unknown label '3'"):
        read("Keys stay.,Keys may go.,9,1,70,3")


def test_labels_in_words_are_read_in_the_published_form_as_well(read):
    (row,) = read("Keys stay.,Keys may go.,9,1,70,Entailment")
    assert NLI_PAIRS.reference(row) == "entailment"


def test_pairs_without_a_label_can_be_asked(read):
    (row,) = read("Keys stay.,Keys may go.,9,1,70,", labelled=False)
    assert NLI_PAIRS.format(row)[0].target is None


def test_pairs_without_a_passage_are_left_out_and_counted(read, caplog):
    with caplog.at_level(logging.WARNING):
        rows = read("Keys stay.,Keys may go.,9,1,70,0", '" ",Keys may go.,9,0,70,2', '"\n",Keys may go.,8,0,60,2')
    assert [row["premise"] for row in rows] == ["Keys stay."]
    assert "2 pairs have no passage to read and are left out, the first in line 3" in caplog.text


def test_pairs_of_one_contract_are_told_by_its_two_numbers_and_stay_together(read):
    rows = read(*(f"Keys of house {n} stay.,Keys may go.,{n // 3},1,70,{n % 2}" for n in range(60)))
    assert NLI_PAIRS.group(rows[0]) == NLI_PAIRS.group(rows[2]) != NLI_PAIRS.group(rows[3])
    sides = split(rows, task=NLI_PAIRS, seed=0, near_duplicates=None)
    groups = [{NLI_PAIRS.group(row) for row in side} for side in sides.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 20


def test_without_these_numbers_a_pair_belongs_with_no_other(read):
    (row,) = read("Keys stay.,Keys may go.,0", header="concatenated_spans,hypothesis,label")
    assert NLI_PAIRS.group(row) is None
    assert NLI_PAIRS.group({**PAIR, "contract": "Lease"}) == "Lease"


def test_a_line_with_too_few_cells_is_named(read):
    with pytest.raises(DataError, match=r"all_labels_train\.csv, line 3"):
        read("Keys stay.,Keys may go.,9,1,70,0", "Keys stay.,Keys may go.")


def test_the_form_is_known_with_a_byte_order_mark_and_capitals(read):
    (row,) = read("Keys stay.,Keys may go.,0", header="\ufeffConcatenated_Spans,Hypothesis,Label")
    assert (row["premise"], row["label"]) == ("Keys stay.", "entailment")


# The baseline


def test_the_baseline_reads_the_hypothesis_and_nothing_else():
    train = [{"premise": f"Word {n}.", "hypothesis": f"Claim {'yes' if n % 2 else 'no'}.", "label": LABELS[n % 2]}
             for n in range(20)]  # fmt: skip
    rows = [{**train[0], "premise": "Claim yes."}, {**train[1], "premise": "Claim no."}]
    assert [output.value for output in hypothesis_alone(NLI_PAIRS, train, rows)] == ["entailment", "contradiction"]
    assert [baseline.name for baseline in NLI_PAIRS.baselines] == ["majority", "hypothesis alone", "tfidf"]


# The published files


@pytest.fixture(scope="module")
def files():
    names = ("train", "validation", "test")
    return {name: read_rows(PUBLISHED / f"all_labels_{name}.csv", task=NLI_PAIRS).to_list() for name in names}


@published
def test_the_published_files_hold_the_published_counts(files):
    assert {name: len(rows) for name, rows in files.items()} == {"train": 7187, "validation": 1037, "test": 2090}
    assert Counter(row["label"] for row in files["test"]) == {
        "entailment": 968, "contradiction": 220, "not mentioned": 902,
    }  # fmt: skip
    assert {row["hypothesis"] for rows in files.values() for row in rows} == set(HYPOTHESES.values())


@published
def test_a_published_column_would_tell_every_label_that_is_not_mentioned(files):
    rows = files["train"]
    assert [row["num_evidence_spans"] == "0" for row in rows] == [row["label"] == "not mentioned" for row in rows]


@published
def test_the_two_numbers_tell_published_contracts_apart(files):
    groups = {name: {NLI_PAIRS.group(row) for row in rows} for name, rows in files.items()}
    assert {name: len(found) for name, found in groups.items()} == {"train": 422, "validation": 61, "test": 122}
    assert len(groups["train"] & groups["test"]) == 1


@published
def test_the_published_pairs_are_those_of_the_contracts_in_order(files):
    from qlorakit_legal.nli import NLI

    contracts = read_rows(PUBLISHED / "dev.json", task=NLI).to_list()
    answers = [one["answer"] for contract in contracts for one in contract["answers"]]
    assert [row["label"] for row in files["validation"]] == answers


@published
def test_some_published_test_pairs_are_trained_on(files):
    def key(row):
        return " ".join(row["premise"].split()), row["hypothesis"]

    known = {key(row): row["label"] for row in files["train"]}
    shared = [row for row in files["test"] if key(row) in known]
    assert (len(shared), sum(row["label"] != known[key(row)] for row in shared)) == (61, 3)


@published
def test_the_hypothesis_alone_beats_the_majority_on_the_published_test_pairs(files):
    outputs = hypothesis_alone(NLI_PAIRS, files["train"], files["test"])
    assert score("accuracy", outputs, files["test"]) == pytest.approx(0.659, abs=0.005)
    assert score("macro_f1", outputs, files["test"]) == pytest.approx(0.617, abs=0.005)


@published
def test_five_published_hypotheses_are_never_contradicted(files):
    contradicted = {row["hypothesis"] for rows in files.values() for row in rows if row["label"] == "contradiction"}
    assert {key for key, text in HYPOTHESES.items() if text not in contradicted} == {
        "nda-8", "nda-12", "nda-13", "nda-15", "nda-18",
    }  # fmt: skip


@published
def test_published_rows_are_those_of_the_file_less_those_without_a_passage():
    csv.field_size_limit(2**31 - 1)
    with (PUBLISHED / "all_labels_test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows if not row["concatenated_spans"].strip()] == ["2"]
    assert len(rows) == 2091


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert NLI_PAIRS.datasets == (CONTRACT_NLI_PAIRS,)
    assert "CC BY 4.0" in CONTRACT_NLI_PAIRS.licence
    assert any("num_evidence_spans" in trap for trap in CONTRACT_NLI_PAIRS.traps)

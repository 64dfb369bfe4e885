import pytest

from qlorakit import read_rows
from qlorakit.task import Output, Prediction
from qlorakit.testing import check_task
from qlorakit_medical.correction import CORRECTION, unchanged
from qlorakit_medical.critical_errors import CRITICAL_METRICS


def measured(outputs):
    references = [CORRECTION.reference(row) for row in CORRECTION.samples]
    return {metric.name: metric.compute(outputs, references, CORRECTION.samples) for metric in CORRECTION.metrics}


def test_the_task_keeps_what_the_core_relies_on():
    check_task(CORRECTION)


def test_the_word_error_rate_comes_first_and_critical_errors_after_it():
    assert CORRECTION.metrics[0].name == "word_error_rate"
    assert CORRECTION.metrics[1:] == CRITICAL_METRICS


def test_right_answers_have_no_errors_of_any_kind():
    values = measured([Output(row["corrected"]) for row in CORRECTION.samples])
    assert set(values.values()) == {0.0}


def test_the_drafts_as_they_are_have_word_errors_and_critical_ones():
    values = measured(unchanged(CORRECTION, (), CORRECTION.samples))
    assert 0.1 < values["word_error_rate"] < 0.5
    assert values["critical_error_rate"] > 0.5
    assert values["negation_flipped"] > 0
    assert values["drug_missing"] > 0


def test_the_baseline_answers_with_the_draft_alone():
    (baseline,) = CORRECTION.baselines
    assert baseline.name == "unchanged"
    assert baseline.answer(CORRECTION, (), [{"draft": " Chest pane. "}]) == [Output("Chest pane.")]


def test_every_draft_differs_from_its_correction():
    assert all(row["draft"] != row["corrected"] for row in CORRECTION.samples)


def test_no_two_samples_are_near_duplicates():
    from qlorakit.near_duplicates import near_duplicate_groups

    groups = near_duplicate_groups([row["draft"] for row in CORRECTION.samples], threshold=0.5)
    assert len(set(groups.tolist())) == len(CORRECTION.samples)


@pytest.mark.parametrize(
    ("draft", "corrected"), [("draft", "corrected"), ("transcript", "edited"), ("ASR", "Reference")]
)
def test_columns_go_by_the_names_that_recognisers_give_them(tmp_path, draft, corrected):
    path = tmp_path / "dictations.csv"
    path.write_text(f"{draft},{corrected}\nChest pane.,Chest pain.\n", encoding="utf-8")
    assert read_rows(path, task=CORRECTION).to_list() == [{"draft": "Chest pane.", "corrected": "Chest pain."}]


def test_the_draft_is_asked_and_the_correction_learned():
    (example,) = CORRECTION.format(CORRECTION.samples[0])
    assert example.messages[1].text == CORRECTION.samples[0]["draft"]
    assert example.target == CORRECTION.samples[0]["corrected"]
    assert CORRECTION.parse(CORRECTION.samples[0], [example], [Prediction(example.target)]).value == example.target


def test_its_data_are_said_to_be_no_public_ones():
    assert CORRECTION.datasets == ()
    assert "data none that is public" in " ".join(str(CORRECTION).split())

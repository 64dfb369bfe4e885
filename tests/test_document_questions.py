import dataclasses
import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlorakit as qk
from qlorakit.document_metrics import Finding, Reading
from qlorakit.document_questions import _runs, document_questions, excerpts
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError, EncodingError, PluginError
from qlorakit.fakes import small_model, small_tokenizer
from qlorakit.shots import with_shots, without_answers
from qlorakit.task import Output, Prediction

QUESTIONS = {"law": "Which law governs?", "term": "How long does it run?"}
TEXT = "This is a lease. The law of Ohio governs it. It runs for two years. Notices are written."
LAW, TERM = (17, 44), (45, 67)


def declare(**how):
    settings_ = {"summary": "s", "instruction": "Read.", "questions": QUESTIONS}
    return document_questions("toy/lease", **{**settings_, **how})


TASK = declare()


def answer(question, said="present", *evidence):
    return {"question": question, "answer": said, "evidence": list(evidence)}


ROW = {"text": TEXT, "answers": [answer("law", "present", list(LAW)), answer("term", "absent")]}


def long_row(sentences=40, law=30):
    pieces = [f"Clause {place} is about matter {place}." for place in range(sentences)]
    pieces[law] = "The law of Ohio governs this lease."
    text = " ".join(pieces)
    start = text.index(pieces[law])
    return {"text": text, "answers": [answer("law", "present", [start, start + len(pieces[law])])]}


def encoder(max_length=120):
    return Encoder(
        small_tokenizer([TEXT, *QUESTIONS.values(), "Clause is about matter present absent"]), max_length=max_length
    )


def sure(example, *said):
    likely = -math.log(len(said))
    return Prediction(said[0], logprobs={one: likely if one in said else -1e3 for one in example.choices})


def read(task, row, *said):
    examples = task.format(row)
    return task.parse(row, examples, [sure(*pair) for pair in zip(examples, said, strict=True)])


def test_sentences_are_numbered_and_the_question_follows_them():
    law, term = TASK.format(ROW)
    assert law.messages[1].text == (
        "[1] This is a lease.\n[2] The law of Ohio governs it.\n[3] It runs for two years.\n[4] Notices are written."
        "\n\nWhich law governs?"
    )
    assert law.choices == ("absent", "present", "present 1", "present 2", "present 3", "present 4")
    assert (law.target, law.key, law.window) == ("present 2", "law", (0, len(TEXT)))
    assert (term.target, term.key) == ("absent", "term")


def test_without_evidence_only_the_answer_is_asked_for():
    law, _ = declare(evidence=False).format(ROW)
    assert law.messages[1].text == f"{TEXT}\n\nWhich law governs?"
    assert (law.choices, law.target) == (("absent", "present"), "present")


def test_a_row_without_answers_is_asked_everything_and_one_with_some_is_asked_these():
    assert [example.key for example in TASK.format({"text": TEXT})] == ["law", "term"]
    assert [example.target for example in TASK.format({"text": TEXT})] == [None, None]
    assert [example.key for example in TASK.format({**ROW, "answers": [answer("term", "absent")]})] == ["term"]


def test_each_sentence_with_evidence_is_right():
    row = {"text": TEXT, "answers": [answer("law", "present", [17, 67])]}
    (example,) = TASK.format(row)
    assert example.right == ("present 2", "present 3")


def test_an_answer_without_evidence_is_known_of_a_whole_document_alone():
    row = {**long_row(), "answers": [answer("law")]}
    assert [example.target for example in TASK.format(row)] == ["present"]
    parts = TASK.format_to_fit(row, encoder().room)
    assert len(parts) > 1
    assert {example.target for example in parts} == {None}


@pytest.mark.parametrize("max_length", [100, 130, 400])
def test_every_window_fits_and_together_they_hold_every_sentence(max_length):
    row, fitting = long_row(), encoder(max_length)
    examples = TASK.format_to_fit({"text": row["text"]}, fitting.room)
    encoded = [fitting.encode(example) for example in examples]
    assert all(len(one.prompt) + max(map(len, one.choices)) <= max_length and not one.cut_tokens for one in encoded)
    windows = sorted({example.window for example in examples})
    assert windows[0][0] == 0
    assert windows[-1][1] == len(row["text"])
    assert all(second[0] < first[1] for first, second in itertools.pairwise(windows)), "they overlap"


def test_evidence_is_right_in_every_window_that_holds_it_and_nothing_is_in_the_others():
    row = long_row()
    ((start, end),) = row["answers"][0]["evidence"]
    for example in TASK.format_to_fit(row, encoder().room):
        inside = example.window[0] <= start and end <= example.window[1]
        assert example.target.startswith("present ") if inside else example.target == "absent"


def test_encoding_says_how_many_documents_were_divided_and_cuts_nothing():
    rows = encoder().encode_rows([long_row(), ROW], TASK)
    assert (rows.counts.divided_rows, rows.counts.cut_tokens) == (1, 0)
    (warning,) = rows.counts.warnings()
    assert f"1 texts were longer than the context and are read in {rows.counts.windows} overlapping" in warning


def test_a_question_that_leaves_no_room_for_a_sentence_is_refused():
    with pytest.raises(
        EncodingError, match=r"row 1: the longest question \('term'\) and a few words of the text need \d+ tokens more"
    ):
        encoder(24).encode_rows([ROW], TASK)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 30))
def test_runs_are_as_long_as_fits(lengths, most):
    ends = list(itertools.accumulate(lengths))
    sentences = [(end - size, end) for end, size in zip(ends, lengths, strict=True)]

    def fits(first, end):
        return sentences[end - 1][1] - sentences[first][0] <= most

    runs = list(_runs(sentences, fits))
    assert (runs[0][0], runs[-1][1]) == (0, len(lengths))
    assert all(first[0] < second[0] <= first[1] and first[1] < second[1] for first, second in itertools.pairwise(runs))
    for first, end in runs:
        assert end == first + 1 or fits(first, end)
        assert end == len(lengths) or not fits(first, end + 1)


def test_a_finding_has_the_likeliest_sentences_as_evidence():
    value = read(TASK, ROW, ["present 2"][0], "absent").value
    assert value.findings == (Finding("law", "present", (LAW,)), Finding("term", "absent"))
    assert value.windows == ((0, len(TEXT)),)
    (law, term) = value.relevance
    assert law == pytest.approx((1.0,))
    assert term == pytest.approx((0.0,))


def test_sentences_next_to_each_other_are_one_piece_of_evidence():
    examples = TASK.format(ROW)
    output = TASK.parse(ROW, examples, [sure(examples[0], "present 2", "present 3"), sure(examples[1], "absent")])
    assert output.value.findings[0].evidence == ((17, 67),)


def test_a_document_has_what_its_likeliest_window_has():
    row = long_row()
    examples = TASK.format_to_fit(row, encoder().room)
    said = [sure(example, example.target) for example in examples]
    output = TASK.parse(row, examples, said)
    assert output.scores["law"] == pytest.approx(1.0)
    (finding,) = output.value.findings
    assert finding.evidence == (tuple(row["answers"][0]["evidence"][0]),)
    nothing = TASK.parse(row, examples, [sure(example, "absent") for example in examples])
    assert nothing.value.findings == (Finding("law", "absent"),)


def test_thresholds_are_fitted_and_decide_again():
    high = read(TASK, ROW, "present 2", "absent")
    unsure = Output(high.value, {"law": 0.3, "term": 0.1})
    rule = TASK.decision
    references = [TASK.reference(ROW)] * 12
    decision = rule.fit([unsure] * 12, references)
    assert 0.1 < decision["law"] <= 0.3
    assert rule.apply(unsure, rule.default).value.findings[0].answer == "absent"
    assert rule.apply(unsure, decision).value.findings[0].answer == "present"
    assert rule.accepts(decision)
    assert not rule.accepts({"law": 0.5})


def test_of_several_answers_the_threshold_with_most_right_ones_is_fitted():
    task = declare(answers=("unsaid", "yes", "no"), absent="unsaid")
    told = Reading((Finding("law", "unsaid"),))
    shares = [(0.9, "yes"), (0.8, "yes"), (0.7, "unsaid"), (0.6, "unsaid")] * 5
    outputs = [Output(told, {"law": share, "law: yes": share, "law: no": 0.0, "term": 0.0}) for share, _ in shares]
    decision = task.decision.fit(outputs, [Reading((Finding("law", right),)) for _, right in shares])
    assert decision["law"] == pytest.approx(0.75)
    nothing = task.decision.fit(outputs, [told] * len(outputs))
    assert nothing["law"] > 1, "what is never there is never found"
    assert [task.decision.apply(one, decision).value.findings[0].answer for one in outputs[:3]] == [
        "yes", "yes", "unsaid",
    ]  # fmt: skip


def test_a_model_that_does_not_know_the_sentence_names_the_likeliest_alone():
    row = long_row()
    (example,) = TASK.format(row)
    flat = Prediction("present 1", logprobs={one: -3.0 + (one == "present 5") * 0.1 for one in example.choices})
    (finding,) = TASK.parse(row, [example], [flat]).value.findings
    assert [row["text"][start:end] for start, end in finding.evidence] == ["Clause 4 is about matter 4."]


def test_of_three_answers_the_likeliest_but_nothing_is_given():
    task = declare(answers=("not mentioned", "yes", "no"), absent="not mentioned")
    row = {"text": TEXT, "answers": [answer("law", "no", list(LAW))]}
    (example,) = task.format(row)
    assert example.target == "no 2"
    assert "yes 1" in example.choices
    (finding,) = task.parse(row, [example], [sure(example, "no 2")]).value.findings
    assert finding == Finding("law", "no", (LAW,))
    assert [metric.name for metric in task.metrics] == [
        "macro_f1", "accuracy", "f1_not_mentioned", "f1_yes", "f1_no", "evidence_f1",
    ]  # fmt: skip


def test_an_invalid_prediction_makes_the_document_invalid():
    examples = TASK.format(ROW)
    assert TASK.parse(ROW, examples, [Prediction("", valid=False), sure(examples[1], "absent")]).value is None


def test_evidence_may_be_quoted_and_files_may_hold_json():
    quoted = {"text": TEXT, "answers": [answer("law", "present", "The law of\nOhio governs it.")]}
    assert TASK.reference(quoted).findings == (Finding("law", "present", (LAW,)),)
    assert TASK.reference({**quoted, "answers": json.dumps(quoted["answers"])}) == TASK.reference(quoted)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ([answer("laws")], r"unknown question 'laws'; there are 'law', 'term'.*Did you mean 'law'"),
        ([answer("law", "maybe")], r"unknown answer 'maybe'; there are 'absent', 'present'"),
        ([answer("law"), answer("law")], r"answers question 'law' twice"),
        ([answer("law", "absent", [0, 4])], r"question 'law' is answered by 'absent' and has evidence"),
        ([answer("law", "present", [10, 4])], r"evidence of question 'law' is \[10, 4\]"),
        ([answer("law", "present", [0, 999])], r"\[0, 999\]; give a quote"),
        ([answer("law", "present", "The law of Utah")], r"does not stand in the text word for word: 'The law of Utah'"),
        ([{**answer("law"), "evidence": "Ohio"}], r"evidence of question 'law' is 'Ohio'; give a list of quotes"),
        ([{**answer("law"), "evidence": True}], r"evidence of question 'law' is True; give a list"),
        ([answer(["law"])], r"unknown question \['law'\]"),
        (["law"], r"a mapping with 'question' and 'answer' is needed"),
        (7, r"column 'answers' holds int 7"),
        ("[law", r"column 'answers' holds a text that is no JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(given_, message):
    with pytest.raises(DataError, match=message):
        TASK.reference({"text": TEXT, "answers": given_})


def test_a_document_without_any_answer_has_no_reference():
    for given_ in (None, "", []):
        with pytest.raises(DataError, match="column 'answers' is empty"):
            TASK.reference({"text": TEXT, "answers": given_})


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"questions": {}}, "not blank, one question at least"),
        ({"questions": {"law": " "}}, "not blank"),
        ({"answers": ("present",)}, "two or more, distinct"),
        ({"absent": "nothing"}, "one of them absent='nothing'"),
        ({"sample": ()}, "unknown argument 'sample'.*samples"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(how, message):
    with pytest.raises(PluginError, match=message):
        declare(**how)


def test_shots_and_hidden_answers_reach_windows_too():
    row, fitting = long_row(), encoder(200)
    hidden = without_answers(TASK)
    assert {example.target for example in hidden.format_to_fit(row, fitting.room)} == {None}
    shown = with_shots(TASK, [ROW])
    (first, *_) = shown.format_to_fit(row, fitting.room)
    assert [message.role for message in first.messages] == ["system", "user", "assistant", "user"]
    assert len(shown.format_to_fit(row, fitting.room)) > len(TASK.format_to_fit(row, fitting.room))


def test_excerpts_ask_what_a_piece_holds_and_some_that_it_does_not():
    rows = [{**long_row(), "name": "lease"}]
    rows[0]["answers"].append(answer("term", "absent"))
    pieces = excerpts(rows, task=TASK, words=30, others=1)
    (told,) = [piece for piece in pieces if any(one["answer"] == "present" for one in piece["answers"])]
    (start, end), *_ = next(one["evidence"] for one in told["answers"] if one["question"] == "law")
    assert told["text"][start:end] == "The law of Ohio governs this lease."
    assert told["name"] == "lease"
    assert [one["question"] for one in told["answers"]] == ["law", "term"]
    assert len(pieces) == 2, "one without anything beside it"
    assert excerpts(rows, task=TASK, words=30, others=1) == pieces
    for piece in pieces:
        TASK.reference(piece)


def test_excerpts_need_to_know_the_answer_that_there_is_nothing():
    with pytest.raises(DataError, match="absent='nothing': no question of the rows is answered so"):
        excerpts([ROW], task=TASK, absent="nothing")


def test_excerpts_leave_out_what_nobody_knows_the_place_of():
    (piece,) = excerpts([{"text": TEXT, "answers": [answer("law"), answer("term", "absent")]}], task=TASK)
    assert [one["question"] for one in piece["answers"]] == ["term"]


def test_a_reading_comes_back_from_json():
    value = read(TASK, ROW, "present 2", "absent").value
    restored = TASK.restore(json.loads(json.dumps(value)))
    assert isinstance(restored, Reading)
    assert tuple(restored) == tuple(value)


def test_readings_are_equal_where_they_find_the_same():
    value = read(TASK, ROW, "present 2", "absent").value
    assert value == Reading(value.findings)
    assert hash(value) == hash(Reading(value.findings))
    assert value != Reading(value.findings[:1])
    assert value != tuple(value)


def test_what_numbered_sentences_cannot_say_lowers_the_ceiling_of_evidence_alone():
    row = {"text": TEXT, "answers": [answer("law", "present", [25, 29])]}
    best = [TASK.expressible(row)]
    values = {metric.name: metric.compute(best, [TASK.reference(row)], [row]) for metric in TASK.metrics[:3]}
    assert set(values.values()) == {1.0}
    assert TASK.metrics[-1].compute(best, [TASK.reference(row)], [row]) == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 39))
def test_the_words_of_a_document_decide_without_a_language_model(place):
    rows = [long_row(law=law) for law in range(5, 35)]
    for row in rows:
        row["answers"].append(answer("term", "absent"))
    tfidf = TASK.baselines[1].answer(TASK, rows, [long_row(law=place)])[0]
    decided = TASK.decision.apply(tfidf, {"law": 0.5, "term": 0.5})
    (law,) = [finding for finding in decided.value.findings if finding.question == "law"]
    assert law.answer == "present"
    assert TASK.metrics[-1].compute([decided], [TASK.reference(long_row(law=place))], [{}]) == 1.0


@pytest.mark.parametrize("answers", [("absent", "present"), ("absent", "present", "excluded")])
def test_what_needs_no_model_can_be_measured_as_a_model_is(answers):
    task = declare(answers=answers)
    rows = [long_row(law=place) for place in range(8, 28)]
    for row in rows:
        row["answers"].append(answer("term", "absent"))
    references = list(map(task.reference, rows))
    for baseline in task.baselines:
        outputs = baseline.answer(task, rows, rows)
        decided = [task.decision.apply(one, task.decision.fit(outputs, references)) for one in outputs]
        measured = [metric for metric in task.metrics if baseline.name == "tfidf" or not metric.needs_scores]
        values = {metric.name: metric.compute(decided, references, rows) for metric in measured}
        assert values["macro_f1"] == 1.0
        assert values.get("multilabel_auprc", 1.0) == 1.0


def test_the_majority_is_found_question_by_question():
    other = {"text": TEXT, "answers": [answer("law", "absent"), answer("term", "absent")]}
    output, _ = TASK.baselines[0].answer(TASK, [ROW, ROW, other], [ROW, other])
    assert output.value.findings == (Finding("law", "present"), Finding("term", "absent"))
    assert dataclasses.replace(TASK).baselines[0].from_labels_alone


def test_a_report_names_the_questions_that_were_answered_wrongly(tmp_path):
    rows = [ROW, {**ROW, "text": f"{TEXT} It ends."}]
    said = [[answer("law", "absent"), answer("term", "present", list(TERM))], ROW["answers"]]
    report = qk.judge(said, rows, task=TASK)
    path = report.save(tmp_path / "report.json")
    for one in (report, qk.Report.load(path)):
        told = " ".join(str(one).split())
        assert "law: present; term: absent" in told
        assert "law: absent; term: present" in told
    both = qk.compare(report, qk.Report.load(path), task=TASK, names=["new", "saved"])
    assert both.system("saved").metrics["macro_f1"].value == report.systems[0].metrics["macro_f1"].value


def test_a_sentence_that_does_not_fit_is_divided_further_and_read_whole():
    text = "word " * 110 + "law"  # one sentence, of more tokens than the context has
    row = {"text": text, "answers": [answer("law", "present", [len(text) - 3, len(text)])]}
    fitting = encoder(100)
    examples = TASK.format_to_fit(row, fitting.room)
    assert all(not fitting.encode(example).cut_tokens for example in examples)
    assert "".join(text[slice(*example.window)] for example in examples[-1:]).endswith("law")
    assert examples[-1].target.startswith("present ")
    output = TASK.parse(row, examples, [sure(example, example.target) for example in examples])
    assert text[slice(*output.value.findings[0].evidence[-1])].endswith("law")


def test_answers_about_another_text_are_refused():
    with pytest.raises(PluginError, match="not about this text"):
        TASK.parse({"text": "Other. Words."}, TASK.format(ROW), [sure(one, "absent") for one in TASK.format(ROW)])


@pytest.mark.parametrize("sentences", [60, 200])
def test_a_window_repeats_a_tenth_of_the_one_before_at_most(sentences):
    examples = TASK.format_to_fit({"text": long_row(sentences)["text"]}, encoder(400).room)
    windows = sorted({example.window for example in examples})
    for first, second in itertools.pairwise(windows):
        assert first[1] - second[0] <= 0.1 * (first[1] - first[0])


def test_tokens_are_left_free_for_the_longest_question():
    fitting = encoder(150)
    examples = TASK.format_to_fit({"text": long_row(120)["text"]}, fitting.room)
    assert min(fitting.room([example]) for example in examples) >= 4


def test_a_question_with_few_findings_has_the_threshold_of_all_together():
    rule, told = TASK.decision, Reading((Finding("law", "absent"), Finding("term", "absent")))
    outputs = [Output(told, {"law": 0.1 * place, "term": 0.05}) for place in range(10)] * 4
    references = [
        Reading((Finding("law", "present" if place % 10 >= 6 else "absent"), Finding("term", "absent")))
        for place in range(40)
    ]
    decision = rule.fit(outputs, references)
    assert decision["law"] == pytest.approx(0.55)
    assert decision["term"] == decision["law"], "nothing is ever found to it"


def test_without_any_scores_thresholds_are_one_half():
    three = declare(answers=("unsaid", "yes", "no"), absent="unsaid")
    for task in (TASK, three):
        reference = Reading((Finding("law", "yes"),))
        assert set(task.decision.fit([Output(None)], [reference]).values()) == {0.5}


def test_what_tells_the_contrary_is_no_evidence():
    task = declare(answers=("unsaid", "yes", "no"), absent="unsaid")
    row = {"text": TEXT, "answers": [answer("law", "yes", list(LAW))]}
    (example,) = task.format(row)
    shares = {"yes 2": 0.5, "no 3": 0.45}
    said = Prediction("yes 2", logprobs={one: math.log(shares.get(one, 1e-9)) for one in example.choices})
    (finding,) = task.parse(row, [example], [said]).value.findings
    assert finding == Finding("law", "yes", (LAW,))


def test_windows_that_lean_to_another_answer_give_no_evidence():
    task = declare(answers=("unsaid", "yes", "no"), absent="unsaid")
    reading = Reading(
        (Finding("law", "unsaid"),), ((0, 44), (45, 88)), ((0.9, 0.8),), (((LAW,), (TERM,)),), (("yes", "no"),)
    )
    scores = {"law": 0.9, "law: yes": 0.9, "law: no": 0.8, "term": 0.0}
    (finding,) = task.decision.apply(Output(reading, scores), task.decision.default).value.findings
    assert finding == Finding("law", "yes", (LAW,))


def test_predict_returns_findings_with_their_words_under_the_thresholds_given(tmp_path):
    tokenizer = small_tokenizer([TEXT, *QUESTIONS.values()])
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(tmp_path)
    small_model(len(tokenizer), max_position_embeddings=512).save_pretrained(tmp_path)
    model, tokenizer = qk.load_quantized(tmp_path)
    row = {"text": long_row(12, 3)["text"]}
    everything = {"law": 0.0, "term": 0.0}
    (found,) = qk.predict(model, tokenizer, [row], task=TASK, max_length=200, decision=everything, progress=False)
    told = found["prediction"]
    assert len(told["windows"]) > 1
    for one in told["findings"]:
        assert one["answer"] == "present"
        assert 0 <= one["probability"] <= 1
        assert all(row["text"][place["start"] : place["end"]] == place["quote"] for place in one["evidence"])
    corrected = TASK.reference({**row, "answers": [{**one, "answer": "present"} for one in told["findings"]]})
    assert corrected == TASK.restore(told), "what is predicted can be given back as a label"
    restored = TASK.restore(told)
    assert [one.question for one in restored.findings] == ["law", "term"]
    nothing = {"law": 1.1, "term": 1.1}
    (found,) = qk.predict(model, tokenizer, [row], task=TASK, max_length=200, decision=nothing, progress=False)
    assert {one["answer"] for one in found["prediction"]["findings"]} == {"absent"}
    with pytest.raises(ConfigurationError, match=r"decision=\{'law': 0.5\} is not one of toy/lease, which takes"):
        qk.predict(model, tokenizer, [row], task=TASK, decision={"law": 0.5})
    with pytest.raises(ConfigurationError, match=r"decision=0.5 is not one of toy/lease, which takes a mapping"):
        qk.predict(model, tokenizer, [row], task=TASK, decision=0.5)
    with pytest.raises(ConfigurationError, match="answers several questions about each row"):
        qk.predict(model, tokenizer, [row], task=TASK, min_probability=0.9)

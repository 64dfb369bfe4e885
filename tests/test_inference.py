import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import architectures
import pytest
import torch
from engine import attach, echo_task, evaluate, load, train
from helpers import build_model, build_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

import qlorakit as qk
from qlorakit import inference, layout
from qlorakit.decision_metrics import cost_threshold
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError, ModelError
from qlorakit.inference import Questions, Scoring, answer, generate, score
from qlorakit.kinds import multilabel, single_label
from qlorakit.layout import Layout
from qlorakit.prefix_tree import common_length
from qlorakit.quantization import evaluating
from qlorakit.self_check import Verdict
from qlorakit.task import Example, Message, Part

NOTHING = lambda _: None  # noqa: E731  # nobody watches the progress


@pytest.fixture(scope="module")
def base(base_folder):
    return load(base_folder)


@pytest.fixture(scope="module")
def sets():
    """Prompts of several lengths, each with choices of several lengths."""
    generator = torch.Generator().manual_seed(0)

    def draw(count):
        return tuple(torch.randint(6, 300, (count,), generator=generator).tolist())

    return [(draw(prompt), [draw(size) for size in (1, 3, 2)]) for prompt in (12, 4, 30, 7)]


def scoring_of(sets, *, token_budget=10_000, shared=True):
    return Scoring.prepare(sets, range(len(sets)), Layout(shared=shared, token_budget=token_budget, pad=0))


def prompts_of(tokenizer, texts, *, max_new_tokens=10):
    encoder = Encoder(tokenizer, max_length=128, max_new_tokens=max_new_tokens)
    return encoder, [encoder.encode(Example((Message("user", (Part(text),)),))).prompt for text in texts]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("token_budget", [1, 64, 10_000])
def test_scores_equal_brute_force(base, sets, token_budget, shared):
    model, _ = base
    with torch.no_grad():
        found, _ = score(model, scoring_of(sets, token_budget=token_budget, shared=shared))
        for (prompt, choices), scores in zip(sets, found, strict=True):
            for choice, value in zip(choices, scores, strict=True):
                logprobs = model(input_ids=torch.tensor([[*prompt, *choice]])).logits[0].double().log_softmax(-1)
                places = range(len(prompt) - 1, len(prompt) + len(choice) - 1)
                assert value == pytest.approx(sum(float(logprobs[p, t]) for p, t in zip(places, choice, strict=True)))


@pytest.fixture(scope="module")
def alike():
    """Twelve prompts that begin with the same 40 tokens, each with two choices of two tokens."""
    stem = tuple(range(100, 140))
    return [((*stem, place, place + 20), [(7, 2), (9, 2)]) for place in range(30, 42)]


@pytest.mark.parametrize("token_budget", [1, 64, 10_000])
def test_scores_after_a_common_prefix_equal_brute_force(base, alike, token_budget):
    model, _ = base
    scoring = scoring_of(alike, token_budget=token_budget)
    assert len(scoring.prefix) == 40
    with torch.no_grad():
        found, _ = score(model, scoring)
        expected, _ = score(model, scoring_of(alike, token_budget=1, shared=False))
    for first, second in zip(found, expected, strict=True):
        assert first == pytest.approx(second, abs=1e-4)


def tokens_computed(model, action):
    """How many tokens go through a model's embedding."""
    counted = []
    hook = model.get_input_embeddings().register_forward_hook(lambda *call: counted.append(call[1][0].numel()))
    try:
        with torch.no_grad():
            result = action()
    finally:
        hook.remove()
    return sum(counted), result


@pytest.mark.parametrize(("token_budget", "batches"), [(1, 24), (10, 6), (10_000, 1)])
def test_the_common_prefix_is_computed_once_per_evaluation(base, alike, token_budget, batches):
    scoring = scoring_of(alike, token_budget=token_budget)
    counted, (_, said) = tokens_computed(base[0], lambda: score(base[0], scoring))
    assert len(scoring.batches) == batches
    assert counted == said == 40 + sum(batch.tokens for _, batch in scoring.batches)
    assert said < 40 + 24 * 3 + 1


@pytest.mark.parametrize("shared", [True, False])
def test_the_tokens_computed_are_told(base, sets, shared):
    scoring = scoring_of(sets, token_budget=60, shared=shared)
    counted, (_, said) = tokens_computed(base[0], lambda: score(base[0], scoring))
    assert counted == said


def test_a_short_common_beginning_is_not_kept(base):
    assert scoring_of([((*range(100, 110), place), [(7, 2)]) for place in range(30, 34)]).prefix == ()


def test_a_prompt_that_is_the_beginning_of_all_others_keeps_a_token_to_predict_from(base):
    stem = tuple(range(100, 140))
    sets = [(stem, [(7, 2), (9,)]), ((*stem, 50), [(7, 2)]), (stem, [(8,)])]
    scoring = scoring_of(sets)
    assert scoring.prefix == stem[:-1]
    with torch.no_grad():
        found, expected = score(base[0], scoring)[0], score(base[0], scoring_of(sets, shared=False))[0]
    for first, second in zip(found, expected, strict=True):
        assert first == pytest.approx(second, abs=1e-4)


def test_scores_come_in_order_though_many_answers_are_cut_in_portions(base, alike, monkeypatch):
    model, _ = base
    with torch.no_grad():
        expected, _ = score(model, scoring_of(alike))
        monkeypatch.setattr(inference, "AT_A_TIME", 5)
        scoring = scoring_of(alike)
        found, _ = score(model, scoring)
    assert len(scoring.batches) > 1
    for first, second in zip(found, expected, strict=True):
        assert first == pytest.approx(second, abs=1e-4)


def test_base_and_tuned_share_encoding_and_trees(base_folder, rows, task, monkeypatch):
    model, tokenizer = attach(base_folder)
    calls = {"encode": 0, "cut": 0}

    def counting(name, original):
        def counted(*arguments, **settings):
            calls[name] += 1
            return original(*arguments, **settings)

        return counted

    monkeypatch.setattr(Encoder, "encode_rows", counting("encode", Encoder.encode_rows))
    monkeypatch.setattr(layout, "check", lambda *_, **__: Verdict(None, None))
    monkeypatch.setattr(layout, "tree_batches", counting("cut", layout.tree_batches))
    evaluate(model, tokenizer, rows, task, baseline=True)
    assert calls == {"encode": 1, "cut": 1}


def test_base_and_tuned_differ_though_they_share_trees(base_folder, rows, task):
    model, tokenizer = attach(base_folder, init_lora_weights="gaussian")
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    encoder = Encoder(tokenizer, max_length=128)
    shared = Layout(shared=True, token_budget=500, pad=0)
    questions = Questions(task, encoder.encode_rows(rows, task), shared)
    tuned = answer(model, questions, progress=False, keep_predictions=True)
    with model.disable_adapter():
        base = answer(model, questions, progress=False, keep_predictions=True)
    alone = answer(load(base_folder)[0], questions, progress=False, keep_predictions=True)
    assert base.predictions == alone.predictions
    assert tuned.predictions[0][0].logprobs != pytest.approx(base.predictions[0][0].logprobs, abs=1e-2)


@pytest.mark.parametrize("prefix_sharing", ["auto", "on", "off"])
def test_predict_gives_the_same_whether_prefixes_are_shared_or_not(base, rows, task, prefix_sharing):
    expected = qk.predict(*base, rows, task=task, prefix_sharing="off", token_budget=1, progress=False)
    found = qk.predict(*base, rows, task=task, prefix_sharing=prefix_sharing, progress=False)
    assert found["prediction"] == expected["prediction"]
    assert found["probability"] == pytest.approx(expected["probability"], abs=1e-5)


def test_the_report_says_whether_prefixes_were_shared(base, rows, task):
    found = [evaluate(*base, rows, task, prefix_sharing=sharing) for sharing in ("on", "off")]
    assert [report.settings["prefix_sharing"] for report in found] == [True, False]
    assert found[0].systems[0].cost.tokens < found[1].systems[0].cost.tokens / 3


def test_progress_goes_up_to_all(base, sets):
    seen = []
    with torch.no_grad():
        score(base[0], scoring_of(sets, token_budget=30), advance=seen.append)
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_the_probabilities_of_a_row_follow_from_its_scores(base, rows, task):
    model, tokenizer = base
    encoder = Encoder(tokenizer, max_length=128)
    layout = Layout(shared=True, token_budget=500, pad=0)
    questions = Questions(task, encoder.encode_rows(rows, task), layout)
    answers = answer(model, questions, progress=False, keep_predictions=True)
    for output, (prediction,) in zip(answers.outputs, answers.predictions, strict=True):
        weights = {choice: math.exp(value) for choice, value in prediction.logprobs.items()}
        assert output.value == max(weights, key=weights.get)
        assert sum(output.scores.values()) == pytest.approx(1)
        for choice, weight in weights.items():
            assert output.scores[choice] == pytest.approx(weight / sum(weights.values()))


def test_a_batch_is_generated_as_one_by_one(base):
    model, tokenizer = base
    encoder, prompts = prompts_of(tokenizer, ["up", "sales rose a lot in number", "was the profit flat", "of a loss"])
    assert len({len(prompt) for prompt in prompts}) > 1
    batched, _ = generate(model, encoder, prompts, token_budget=10_000, advance=NOTHING)
    single, _ = generate(model, encoder, prompts, token_budget=1, advance=NOTHING)
    assert batched == single
    assert any(prediction.text for prediction in batched)


LONG = "sales rose a lot in the company and the profit of the number word is " * 2
QUESTIONS = [LONG + end for end in ("up", "down and down again", "was flat", "of a loss in sales")]


def generated(model, tokenizer, *, token_budget=10_000, share_prefix):
    encoder, prompts = prompts_of(tokenizer, QUESTIONS)
    with torch.no_grad():
        written, tokens = generate(model, encoder, prompts, token_budget=token_budget, share_prefix=share_prefix)
    return written, tokens, common_length(min(prompts), max(prompts))


@pytest.mark.parametrize("token_budget", [1, 250, 10_000])
def test_text_after_a_kept_prefix_is_the_same_as_one_by_one(base, token_budget):
    expected, _, _ = generated(*base, token_budget=1, share_prefix=False)
    found, _, _ = generated(*base, token_budget=token_budget, share_prefix=True)
    assert found == expected
    assert len({prediction.text for prediction in found}) > 1


def test_a_kept_prefix_is_computed_once(base):
    _, apart, common = generated(*base, token_budget=1, share_prefix=False)
    counted, (_, together, _) = tokens_computed(base[0], lambda: generated(*base, token_budget=1, share_prefix=True))
    assert common > 30
    assert together == apart - 3 * common
    assert together - 4 <= counted <= together  # the last token written is not read


@pytest.mark.parametrize("kind", ["gpt2", "mistral", "gemma3_text"])
def test_text_after_a_kept_prefix_is_the_same_for_other_architectures(base, kind):
    _, tokenizer = base
    model = architectures.build(kind, vocab_size=len(tokenizer))
    expected, apart, _ = generated(model, tokenizer, token_budget=1, share_prefix=False)
    found, together, _ = generated(model, tokenizer, share_prefix=True)
    assert found == expected
    assert kind != "gpt2" or together < apart


def test_an_adapter_is_in_the_kept_prefix(base_folder, base):
    model, tokenizer = attach(base_folder, init_lora_weights="gaussian")
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    tuned = generated(model.eval(), tokenizer, share_prefix=True)[0]
    assert tuned == generated(model, tokenizer, token_budget=1, share_prefix=False)[0]
    assert tuned != generated(*base, share_prefix=True)[0]


def test_generation_is_the_likeliest_token_again_and_again(base):
    model, tokenizer = base
    encoder, (prompt,) = prompts_of(tokenizer, ["sales rose"], max_new_tokens=6)
    (written,), _ = generate(model, encoder, [prompt], token_budget=500, advance=NOTHING)
    ids = list(prompt)
    for _ in range(6):
        with torch.no_grad():
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    assert written.text == tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True).strip()


def test_text_that_does_not_end_is_no_valid_answer(base):
    model, tokenizer = base
    encoder, prompts = prompts_of(tokenizer, ["sales rose"], max_new_tokens=3)
    (written,), tokens = generate(model, encoder, prompts, token_budget=500, advance=NOTHING)
    assert not written.valid
    assert tokens == len(prompts[0]) + 3


def test_text_that_ends_is_valid_and_stops_there(own_base):
    model, tokenizer = load(own_base, quantization="none")
    encoder, prompts = prompts_of(tokenizer, ["sales rose", "up"])
    with torch.no_grad():  # a head that always says: end of turn
        head = torch.nn.Linear(64, model.config.vocab_size)
        torch.nn.init.zeros_(head.weight)
        head.bias.copy_(torch.nn.functional.one_hot(torch.tensor(encoder.end_of_turn), model.config.vocab_size))
    model.lm_head = head
    written, _ = generate(model, encoder, prompts, token_budget=500, advance=NOTHING)
    assert [(prediction.text, prediction.valid) for prediction in written] == [("", True)] * 2


def test_sampling_settings_of_the_model_are_ignored(base_folder, base):
    model, tokenizer = load(base_folder)
    encoder, prompts = prompts_of(tokenizer, ["sales rose", "was flat"])
    expected, _ = generate(base[0], encoder, prompts, token_budget=500, advance=NOTHING)
    model.generation_config.update(
        do_sample=True, temperature=5.0, top_k=0, top_p=0.1, num_beams=3, repetition_penalty=3.0, no_repeat_ngram_size=1
    )  # fmt: skip
    found, _ = generate(model, encoder, prompts, token_budget=500, advance=NOTHING)
    assert found == expected


@pytest.mark.parametrize(
    "setting",
    [{"suppress_tokens": list(range(3, 200))}, {"min_new_tokens": 9}, {"forced_eos_token_id": 2}, {"min_p": 0.9}],
)
def test_no_other_setting_of_the_model_changes_what_is_generated(base_folder, base, setting):
    model, tokenizer = load(base_folder)
    encoder, prompts = prompts_of(tokenizer, ["sales rose", "was flat"])
    expected, _ = generate(base[0], encoder, prompts, token_budget=500, advance=NOTHING)
    model.generation_config.update(**setting)
    found, _ = generate(model, encoder, prompts, token_budget=500, advance=NOTHING)
    assert found == expected


def test_generation_leaves_the_models_own_settings_alone(base_folder):
    model, tokenizer = load(base_folder)
    model.generation_config.update(temperature=5.0, top_k=7)
    before = model.generation_config.to_dict()
    encoder, prompts = prompts_of(tokenizer, ["sales rose"])
    generate(model, encoder, prompts, token_budget=500, advance=NOTHING)
    assert model.generation_config.to_dict() == before


def test_predict_answers_rows_without_labels(base, rows, task):
    unlabelled = [{"text": row["text"], "page": index} for index, row in enumerate(rows)]
    found = qk.predict(*base, unlabelled, task=task, progress=False)
    results = ["row_id", "prediction", "valid", "probability", "abstained", "scores"]
    assert found.column_names == ["text", "page", *results]
    assert found["text"] == [row["text"] for row in rows]
    assert set(found["prediction"]) <= set(task.labels)
    assert all(found["valid"])
    assert all(1 / 3 <= probability <= 1 for probability in found["probability"])
    assert len(set(found["row_id"])) == len(rows)


def test_predict_withholds_what_it_is_not_sure_of(base, rows, task):
    sure = qk.predict(*base, rows, task=task, progress=False)
    bound = sorted(sure["probability"])[len(rows) // 2]
    found = qk.predict(*base, rows, task=task, min_probability=bound, progress=False)
    assert found["abstained"] == [probability < bound for probability in sure["probability"]]
    for abstained, value, answer_ in zip(found["abstained"], found["prediction"], sure["prediction"], strict=True):
        assert value == (None if abstained else answer_)
    assert all(found["valid"])
    assert not any(sure["abstained"])


def test_predict_gives_the_probability_of_every_choice(base, rows, task):
    found = qk.predict(*base, rows, task=task, progress=False)
    for scores, value, probability in zip(found["scores"], found["prediction"], found["probability"], strict=True):
        read = json.loads(scores)
        assert set(read) == set(task.labels)
        assert sum(read.values()) == pytest.approx(1)
        assert read[value] == probability == max(read.values())


@pytest.mark.parametrize("bound", [-0.1, 1.1, float("nan"), 90])
def test_a_probability_below_which_to_abstain_is_checked(base, rows, task, bound):
    with pytest.raises(ConfigurationError, match=f"min_probability={bound}: must be from 0 to 1"):
        qk.predict(*base, rows, task=task, min_probability=bound, progress=False)


def test_improbable_answers_that_a_task_prefers_by_their_costs_are_not_withheld(base, rows, task):
    binary = single_label("toy/risk", summary="", instruction="Which?", labels=("fine", "risky"))
    rule = cost_threshold(binary.labels, positive="risky", costs={("risky", "fine"): 9.0, ("fine", "risky"): 1.0})
    with pytest.raises(ConfigurationError, match="toy/risk answers by a threshold of its own"):
        qk.predict(*base, rows, task=replace(binary, decision=rule), min_probability=0.5, progress=False)


def test_predict_gives_the_labels_above_the_thresholds_that_the_adapter_was_saved_with(base_folder, tmp_path):
    task = multilabel("toy/tags", summary="Which?", instruction="the topics", labels=("profit", "sales"))
    rows = [{"text": f"{text} {n}", "labels": [text]} for n in range(6) for text in ("profit", "sales")]
    _, _, result = train(base_folder, rows[:8], task, tmp_path / "run", eval_dataset=rows[8:])
    model, tokenizer = qk.load_adapter(result.adapter_dir, compute_dtype="float32")
    decision = json.loads((result.adapter_dir / "manifest.json").read_text())["decision"]
    found = qk.predict(model, tokenizer, [{"text": row["text"]} for row in rows], task=task, progress=False)
    assert decision.keys() == {"profit", "sales"}
    for scores, labels in zip(found["scores"], found["prediction"], strict=True):
        assert labels == [name for name, score in json.loads(scores).items() if score >= decision[name]]


def test_predict_gives_the_same_whatever_the_budget(base, rows, task):
    first, second = (qk.predict(*base, rows, task=task, token_budget=budget, progress=False) for budget in (1, 5000))
    assert first["prediction"] == second["prediction"]
    assert first["probability"] == pytest.approx(second["probability"], abs=1e-5)


def test_predict_answers_free_text_and_says_what_is_not_valid(base):
    found = qk.predict(
        *base, [{"text": "up"}, {"text": "was flat"}], task=echo_task(), max_new_tokens=2, progress=False
    )
    assert found["valid"] == [False, False]
    assert found["prediction"] == [None, None]
    assert found["probability"] == [None, None]


def test_predict_computes_what_free_text_questions_have_in_common_once(base):
    def ask(prefix_sharing):
        return qk.predict(
            *base, [{"text": text} for text in QUESTIONS], task=echo_task(), max_new_tokens=4, token_budget=1,
            prefix_sharing=prefix_sharing, progress=False,
        )  # fmt: skip

    ask("on")  # the check
    apart, expected = tokens_computed(base[0], lambda: ask("off"))
    together, found = tokens_computed(base[0], lambda: ask("on"))
    assert found["prediction"] == expected["prediction"]
    assert together < 0.6 * apart


def test_a_model_that_ignores_padding_generates_one_by_one_and_says_so(base, caplog):
    _, tokenizer = base
    model = architectures.build("rwkv", vocab_size=len(tokenizer), context_length=128, attention_hidden_size=64)
    expected, _, _ = generated(model, tokenizer, token_budget=1, share_prefix=False)
    found, _, _ = generated(model, tokenizer, share_prefix=False)
    assert found == expected
    assert sum("generates another text beside a longer prompt" in message for message in caplog.messages) == 1


def test_the_logits_of_a_kept_prefix_are_not_computed(base):
    shapes = []
    hook = base[0].get_output_embeddings().register_forward_hook(lambda *call: shapes.append(call[2].shape[1]))
    generated(*base, share_prefix=True)
    hook.remove()
    assert max(shapes) == 1


def test_two_threads_get_the_answers_of_one(base, rows, task):
    def ask():
        return qk.predict(*base, rows, task=task, token_budget=64, progress=False)["probability"]

    expected = ask()
    with ThreadPoolExecutor(3) as pool:
        found = [answer.result() for answer in [pool.submit(ask) for _ in range(3)]]
    assert found == [expected] * 3
    assert base[0].config._attn_implementation != "qlorakit_tree"


def test_predict_keeps_a_label_that_is_there_and_does_not_look_at_it(base, rows, task):
    wrong = [{**row, "label": "up"} for row in rows]
    first, second = (qk.predict(*base, given, task=task, progress=False) for given in (rows, wrong))
    assert first["probability"] == second["probability"]
    assert second["label"] == ["up"] * len(rows)


def test_the_length_of_a_known_answer_has_no_influence_on_the_question(base):
    _, tokenizer = base
    text = "sales rose and " * 40
    short, long = {"text": text, "answer": "up"}, {"text": text, "answer": "up and down and up and down and up"}
    encoder = Encoder(tokenizer, max_length=100)
    prompts = [row.encoded[0].prompt for row in encoder.encode_rows([short, long, {"text": text}], echo_task())]
    assert prompts[0] == prompts[1] == prompts[2]


@pytest.mark.parametrize("column", ["row_id", "prediction", "valid", "probability"])
def test_a_column_that_predict_would_overwrite_is_refused(base, task, column):
    with pytest.raises(DataError, match=f"already have the column '{column}'"):
        qk.predict(*base, [{"text": "up", column: 1}], task=task, progress=False)


def test_a_column_that_predict_would_overwrite_is_found_in_any_row(base, task):
    with pytest.raises(DataError, match="already have the column 'prediction'"):
        qk.predict(*base, [{"text": "up"}, {"text": "down", "prediction": "mine"}], task=task, progress=False)


def test_predict_keeps_columns_that_only_some_rows_have(base, task):
    found = qk.predict(*base, [{"text": "up"}, {"text": "down", "page": 3}], task=task, progress=False)
    assert found["page"] == [None, 3]


def test_no_rows_are_an_error(base, task):
    with pytest.raises(DataError, match="there are none"):
        qk.predict(*base, [], task=task, progress=False)


def test_a_row_the_task_cannot_read_is_named(base, task):
    with pytest.raises(DataError, match="row 2: column 'text' is empty"):
        qk.predict(*base, [{"text": "up"}, {"text": " "}], task=task, progress=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_length": 0}, "max_length=0"),
        ({"max_length": 129}, "context of 128 tokens"),
        ({"token_budget": 0}, "token_budget=0"),
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
    ],
)
def test_a_setting_out_of_range_is_refused(base, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        qk.predict(*base, [{"text": "up"}], task=echo_task(), progress=False, **settings)


def test_a_generated_answer_does_not_run_over_the_context(tmp_path):
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    model, tokenizer = load(tmp_path, quantization="none")
    found = qk.predict(model, tokenizer, [{"text": "sales rose " * 40}], task=echo_task(), progress=False)
    assert found["prediction"] == [None]


@pytest.mark.parametrize("training", [True, False])
def test_the_models_mode_is_put_back(base_folder, task, training):
    model, tokenizer = attach(base_folder, dropout=0.5)
    model.train(training)
    model.get_base_model().model.layers[0].eval()
    modes = {name: module.training for name, module in model.named_modules()}
    qk.predict(model, tokenizer, [{"text": "up"}], task=task, progress=False)
    assert {name: module.training for name, module in model.named_modules()} == modes


def test_the_models_mode_is_put_back_after_an_error(adapted):
    model, _ = adapted
    model.train()
    with pytest.raises(RuntimeError, match="must match"), evaluating(model):
        torch.zeros(2) + torch.zeros(3)
    assert model.training


def test_dropout_has_no_influence_on_answers(base_folder, rows, task):
    model, tokenizer = attach(base_folder, dropout=0.5, init_lora_weights="gaussian")
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    model.train()
    first, second = (qk.predict(model, tokenizer, rows, task=task, progress=False) for _ in range(2))
    assert first["probability"] == second["probability"]


def test_broken_weights_are_an_error(base_folder, rows, task):
    model, tokenizer = load(base_folder)
    model.model.norm.weight.data[0] = float("nan")
    with pytest.raises(ModelError, match="not finite"):
        qk.predict(model, tokenizer, rows, task=task, progress=False)


def test_broken_weights_are_an_error_in_generated_text_as_well(base_folder):
    model, tokenizer = load(base_folder)
    model.model.norm.weight.data[0] = float("nan")
    with pytest.raises(ModelError, match="not finite"):
        qk.predict(model, tokenizer, [{"text": "up"}], task=echo_task(), max_new_tokens=2, progress=False)


def test_a_tokenizer_without_padding_is_refused(base_folder, task):
    model, tokenizer = load(base_folder)
    tokenizer.pad_token = None
    with pytest.raises(ConfigurationError, match="no padding token"):
        qk.predict(model, tokenizer, [{"text": "up"}], task=task, progress=False)


def test_a_model_of_untied_weights_is_answered_as_well(tmp_path, rows, task):
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    build_model(len(tokenizer), tie_word_embeddings=False).save_pretrained(tmp_path)
    assert len(qk.predict(*load(tmp_path), rows, task=task, progress=False)) == len(rows)

import math

import pytest
import torch
from engine import attach, echo_task, load
from helpers import build_model, build_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

import qlorakit as qk
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError, ModelError
from qlorakit.inference import answer_rows, evaluating, generate, score
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


def prompts_of(tokenizer, texts, *, max_new_tokens=10):
    encoder = Encoder(tokenizer, max_length=128, max_new_tokens=max_new_tokens)
    return encoder, [encoder.encode(Example((Message("user", (Part(text),)),))).prompt for text in texts]


@pytest.mark.parametrize("token_budget", [1, 64, 10_000])
def test_scores_equal_brute_force(base, sets, token_budget):
    model, _ = base
    with torch.no_grad():
        found, _ = score(model, sets, pad=0, token_budget=token_budget, advance=NOTHING)
        for (prompt, choices), scores in zip(sets, found, strict=True):
            for choice, value in zip(choices, scores, strict=True):
                logprobs = model(input_ids=torch.tensor([[*prompt, *choice]])).logits[0].double().log_softmax(-1)
                places = range(len(prompt) - 1, len(prompt) + len(choice) - 1)
                assert value == pytest.approx(sum(float(logprobs[p, t]) for p, t in zip(places, choice, strict=True)))


def test_progress_goes_up_to_all(base, sets):
    seen = []
    with torch.no_grad():
        score(base[0], sets, pad=0, token_budget=64, advance=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_the_probabilities_of_a_row_follow_from_its_scores(base, rows, task):
    model, tokenizer = base
    encoder = Encoder(tokenizer, max_length=128)
    encoded = encoder.encode_rows(rows, task)
    answers = answer_rows(model, encoder, rows, encoded, task, token_budget=500, progress=False)
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
    assert found.column_names == ["text", "page", "row_id", "prediction", "valid", "probability"]
    assert found["text"] == [row["text"] for row in rows]
    assert set(found["prediction"]) <= set(task.labels)
    assert all(found["valid"])
    assert all(1 / 3 <= probability <= 1 for probability in found["probability"])
    assert len(set(found["row_id"])) == len(rows)


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

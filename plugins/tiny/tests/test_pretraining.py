import json

import pytest
import torch

from qlorakit_tiny.pretraining.__main__ import (
    Settings,
    build_model,
    encode_document,
    learning_rate_factor,
    main,
    train,
    window_length,
    windows,
)
from qlorakit_tiny.pretraining.corpus import Document, is_reserved_topic, read_documents
from qlorakit_tiny.pretraining.tokenizer import train_tokenizer

SMALL = Settings(
    steps=6,
    vocab_size=320,
    hidden_size=64,
    intermediate_size=64,
    layers=1,
    heads=1,
    context=64,
    short_context=32,
    tokens_per_step=128,
    warmup_steps=2,
    held_out_windows=1,
    compile=False,
)
SENTENCES = "The firm sells bolts. Its sales rose. The cell has a wall. A court may fine it. " * 4


def write_lines(path, records):
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    modules = [
        {"book": "microbiology", "domain": "medical", "module": f"m{n}", "title": "T", "text": f"Part {n}. {SENTENCES}"}
        for n in range(40)
    ]
    write_lines(folder / "openstax_text" / "openstax.jsonl", modules)
    speeches = [{"kind": "speech", "id": str(n), "text": f"Speech {n}. {SENTENCES}"} for n in range(10)]
    broken = {"kind": "speech", "id": "broken", "text": "The Fedâ€™s view."}
    write_lines(folder / "fed_text" / "fed_text.jsonl", [*speeches, broken])
    pairs = [
        {"focus": f"Topic {n}", "qtype": "symptoms", "question": f"What is topic {n} ?", "answer": SENTENCES}
        for n in range(60)
    ]
    write_lines(folder / "medquad" / "medquad.jsonl", pairs)
    (folder / "gutenberg").mkdir()
    book = f"licence\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n\n{SENTENCES}\n\n*** END OF THIS\nlicence\n"
    (folder / "gutenberg" / "book.txt").write_text(book, encoding="latin-1")
    return folder


@pytest.fixture
def documents(corpus):
    return read_documents(corpus, seed=0)


@pytest.fixture
def tokenizer():
    return train_tokenizer([SENTENCES], vocab_size=SMALL.vocab_size, max_length=SMALL.context)


def test_reserved_topics_stay_out_in_questions_and_exercises(documents):
    asked = {document.identity for document in documents if document.identity.startswith("Topic")}
    reserved = {f"Topic {n}" for n in range(60) if is_reserved_topic(f"Topic {n}")}
    assert reserved
    assert not asked & reserved
    assert len(asked) == 60 - len(reserved)


def test_about_a_tenth_of_topics_is_reserved():
    share = sum(is_reserved_topic(f"disease {n}") for n in range(5000)) / 5000
    assert 0.08 < share < 0.12


def test_damaged_text_and_the_publishers_frame_stay_out(documents):
    texts = [document.content for document in documents if isinstance(document.content, str)]
    assert not any("â€" in text or "licence" in text for text in texts)
    assert any(
        "bolts" in text for document in documents if document.source == "gutenberg" for text in [document.content]
    )


def test_exercises_name_the_right_answer_among_their_options(documents):
    exercises = [document.content for document in documents if document.source == "exercise"]
    assert exercises
    for messages in exercises:
        answer, question = messages[-1][1], " ".join(text for _, text in messages[:-1])
        assert answer in question or answer in {"yes", "no"}


def test_every_document_comes_once(documents):
    assert len({document.content for document in documents}) == len(documents)


def test_digits_stand_alone(tokenizer):
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("in 2024")["input_ids"])
    assert [token.strip("Ġ") for token in tokens[-4:]] == ["2", "0", "2", "4"]


def test_a_conversation_is_encoded_through_the_chat_template(tokenizer):
    document = Document("x", (("user", "Its sales"), ("assistant", "rose")), "x")
    text = tokenizer.decode(encode_document(document, tokenizer))
    assert text == "<|bos|><|user|> Its sales<|end|><|assistant|> rose<|end|>"


def test_windows_hold_every_token_in_order(tokenizer):
    encoded = [encode_document(Document("x", SENTENCES, str(n)), tokenizer) for n in range(3)]
    rows = windows(encoded, SMALL)
    flat = rows.flatten().tolist()
    assert rows.shape[1] == SMALL.context
    assert flat == [token for ids in encoded for token in ids][: len(flat)]  # equal documents: any order is this one


def test_learning_rate_rises_stays_and_falls_to_nothing():
    factors = [learning_rate_factor(step, Settings(steps=1000, warmup_steps=100)) for step in range(1000)]
    assert factors[0] == 0.01
    assert factors[100:600] == [1.0] * 500
    assert factors[-1] < 0.01


def test_long_windows_come_last():
    lengths = [window_length(step, SMALL) for step in range(SMALL.steps)]
    assert lengths == sorted(lengths)
    assert set(lengths) == {32, 64}


def trained(rows, tokenizer, work):
    model = build_model(SMALL, tokenizer)
    train(rows, rows, model, SMALL, work)
    return model.state_dict()


def test_an_interrupted_run_ends_with_the_same_weights(tokenizer, tmp_path, monkeypatch):
    from qlorakit_tiny.pretraining import __main__ as script

    monkeypatch.setattr(script, "SAVE_EVERY", 2)
    monkeypatch.setattr(script, "LOG_EVERY", 1)
    rows = windows([encode_document(Document("x", SENTENCES * 8, "x"), tokenizer)], SMALL)
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    whole.mkdir()
    interrupted.mkdir()
    expected = trained(rows, tokenizer, whole)
    write_log, calls = script.write_log, iter(range(100))

    def stop_at_fourth(*arguments):
        if next(calls) == 3:
            raise KeyboardInterrupt
        write_log(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(script, "write_log", stop_at_fourth)
        with pytest.raises(KeyboardInterrupt):
            trained(rows, tokenizer, interrupted)
    resumed = trained(rows, tokenizer, interrupted)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    steps = [json.loads(line)["step"] for line in (interrupted / "training_log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


def test_the_command_writes_a_model_that_loads(corpus, tmp_path, monkeypatch):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from qlorakit_tiny.pretraining import __main__ as script

    monkeypatch.setattr(script, "Settings", lambda **given: Settings(**{**vars(SMALL), **given}))
    output = tmp_path / "model"
    main(["--corpus", str(corpus), "--output", str(output), "--work", str(tmp_path / "w"), "--steps", "2",
          "--no-compile"])  # fmt: skip
    torch.use_deterministic_algorithms(mode=False)
    tokenizer = AutoTokenizer.from_pretrained(output)
    model = AutoModelForCausalLM.from_pretrained(output)
    assert model.dtype == torch.bfloat16
    assert tokenizer.pad_token == "<|pad|>"  # noqa: S105  # no password
    assert json.loads((output / "pretraining.json").read_text())["settings"]["steps"] == 2
    assert "held_out_loss" in (output / "training_log.jsonl").read_text()

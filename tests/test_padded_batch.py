import psutil
import pytest
import torch
from engine import attach, load
from transformers import LlamaForCausalLM

from qlorakit.padded_batch import default_token_budget, padded_batches
from qlorakit.prefix_tree import Continuation


@pytest.fixture(scope="module")
def model(base_folder):
    return load(base_folder)[0]


@pytest.fixture(scope="module")
def sequences():
    """Prompts of 3 to 21 tokens with answers of 1 to 4."""
    generator = torch.Generator().manual_seed(0)
    lengths = [(3, 1), (21, 4), (9, 2), (9, 2), (14, 3), (5, 4), (21, 1), (12, 2), (4, 1)]

    def draw(count):
        return tuple(torch.randint(6, 300, (count,), generator=generator).tolist())

    return [Continuation(draw(prompt), draw(answer)) for prompt, answer in lengths]


def alone(model, sequence):
    """Log-probabilities of the answer from all logits of this one sequence."""
    ids = torch.tensor([[*sequence.prompt, *sequence.answer]])
    with torch.no_grad():
        logprobs = model(input_ids=ids).logits[0].float().log_softmax(-1)
    first = len(sequence.prompt) - 1
    return torch.stack([logprobs[first + place, token] for place, token in enumerate(sequence.answer)])


def together(model, sequences, *, token_budget, pad=0):
    """Log-probabilities of all answers, in the order of the sequences."""
    found = [torch.empty(0)] * len(sequences)
    with torch.no_grad():
        for batch in padded_batches(sequences, token_budget=token_budget, pad=pad):
            for item, part in zip(batch.items, batch.logprobs(model).split(batch.sizes), strict=True):
                found[item] = part
    return found


@pytest.mark.parametrize("token_budget", [1, 50, 10_000])
def test_logprobs_equal_those_of_one_sequence_at_a_time(model, sequences, token_budget):
    batched = together(model, sequences, token_budget=token_budget)
    for sequence, found in zip(sequences, batched, strict=True):
        torch.testing.assert_close(found, alone(model, sequence), atol=1e-5, rtol=1e-5)


def test_logprobs_with_an_adapter_equal_those_of_one_sequence_at_a_time(base_folder, sequences):
    adapted = attach(base_folder, init_lora_weights="gaussian")[0].eval()
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    batched = together(adapted, sequences, token_budget=100)
    for sequence, found in zip(sequences, batched, strict=True):
        torch.testing.assert_close(found, alone(adapted, sequence), atol=1e-5, rtol=1e-5)


def test_a_model_that_cannot_choose_its_logits_gives_the_same(base_folder, sequences):
    class Older(LlamaForCausalLM):
        def forward(self, input_ids=None, use_cache=None):
            return super().forward(input_ids=input_ids, use_cache=use_cache)

    newer = load(base_folder, quantization="none")[0]
    older = Older.from_pretrained(base_folder, dtype=torch.float32).eval()
    for found, expected in zip(
        together(older, sequences, token_budget=60), together(newer, sequences, token_budget=60), strict=True
    ):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_logits_are_computed_only_where_an_answer_is_predicted(model, sequences):
    shapes = []
    hook = model.lm_head.register_forward_hook(lambda _, __, logits: shapes.append(tuple(logits.shape[:2])))
    (batch,) = padded_batches(sequences, token_budget=10_000, pad=0)
    batch.logprobs(model)
    hook.remove()
    assert shapes == [(len(sequences), len(set(batch.positions.tolist())))]


def test_what_stands_in_the_padding_has_no_influence(model, sequences):
    first = together(model, sequences, token_budget=10_000, pad=0)
    second = together(model, sequences, token_budget=10_000, pad=123)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("token_budget", [24, 50, 64, 200])
def test_no_batch_is_over_the_budget(sequences, token_budget):
    for batch in padded_batches(sequences, token_budget=token_budget, pad=0):
        assert batch.tokens == batch.input_ids.shape[0] * batch.input_ids.shape[1] <= token_budget


def test_a_sequence_longer_than_the_budget_stands_alone(sequences):
    first = padded_batches(sequences, token_budget=10, pad=0)[0]
    assert first.items == (1,)
    assert first.tokens == 24


def test_the_longest_sequences_stand_together(sequences):
    widths = [
        sequences[item].input_length
        for batch in padded_batches(sequences, token_budget=50, pad=0)
        for item in batch.items
    ]
    assert widths == sorted(widths, reverse=True)


def test_every_sequence_is_in_exactly_one_batch(sequences):
    batches = padded_batches(sequences, token_budget=50, pad=0)
    assert len(batches) > 1
    assert sorted(item for batch in batches for item in batch.items) == list(range(len(sequences)))


def test_nothing_to_cut_gives_no_batches():
    assert padded_batches([], token_budget=50, pad=0) == []


def test_the_last_answer_token_is_not_read():
    (batch,) = padded_batches([Continuation((5, 6, 7), (8, 9))], token_budget=50, pad=0)
    assert batch.input_ids.tolist() == [[5, 6, 7, 8]]
    assert batch.positions.tolist() == [2, 3]
    assert batch.answers.tolist() == [8, 9]


def test_the_default_budget_is_a_power_of_two(model):
    budget = default_token_budget(model)
    assert budget & (budget - 1) == 0
    assert budget >= 512


def test_the_default_budget_follows_the_total_memory_and_not_the_free_one(model, monkeypatch):
    memory = psutil.virtual_memory()
    budgets = []
    for total, available in ((2**23, 2**23), (2**23, 2**20), (2**36, 2**20)):
        monkeypatch.setattr(
            psutil, "virtual_memory", lambda t=total, a=available: memory._replace(total=t, available=a)
        )
        budgets.append(default_token_budget(model))
    assert budgets[0] == budgets[1] < budgets[2]

import functools
import re
from dataclasses import replace

import pytest
from helpers import CHAT_TEMPLATE, WORDS, build_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import encoding
from qlorakit.encoding import (
    DEFAULT_CHAT_TEMPLATE,
    TEMPLATE_DATE,
    Encoder,
    EncodingCounts,
    control_tokens,
    template_hash,
)
from qlorakit.errors import DataError, EncodingError
from qlorakit.task import Example, Message, Part

LABELS = ("down", "flat", "up")
GENERATION = "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
TEMPLATES = {
    "embedded": CHAT_TEMPLATE,
    "default": DEFAULT_CHAT_TEMPLATE,
    "line-after-the-turn": (
        "{{- bos_token }}{%- for m in messages %}{{- '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{%- endfor %}"
        "{%- if add_generation_prompt %}{{- '<|assistant|>\n' }}{%- endif %}"
    ),
    "trims": (
        "{{- bos_token }}{%- for m in messages %}{{- '<|' + m.role + '|>' + m.content | trim + '<|end|>' }}"
        "{%- endfor %}" + GENERATION
    ),
    "no-system-role": (
        "{{- bos_token }}{%- for m in messages %}{%- if m.role == 'system' %}"
        "{{- raise_exception('System role not supported') }}{%- endif %}"
        "{{- '<|' + m.role + '|>' + m.content + '<|end|>' }}{%- endfor %}" + GENERATION
    ),
    "no-end-of-turn": (
        "{%- for m in messages %}{{- m.role + ': ' + m.content + '\n' }}{%- endfor %}"
        "{%- if add_generation_prompt %}{{- 'assistant:' }}{%- endif %}"
    ),
}
quick = settings(deadline=None, max_examples=50, derandomize=True)


@functools.cache
def tokenizer_of(template=CHAT_TEMPLATE):
    return build_tokenizer(chat_template=TEMPLATES.get(template, template))


def encoder(template=CHAT_TEMPLATE, *, max_length=500):
    return Encoder(tokenizer_of(template), max_length=max_length)


def ask(*texts, instruction="Which way?", choices=LABELS, target="up"):
    user = Message("user", tuple(Part(text, may_cut=True) for text in texts))
    return Example((Message("system", (Part(instruction),)), user), choices, target)


def decode(ids, template=CHAT_TEMPLATE):
    return tokenizer_of(template).decode(ids)


def conversation(example, template):
    messages = [{"role": message.role, "content": message.text} for message in example.messages]
    if template == "no-system-role":
        messages = [{"role": "user", "content": "\n\n".join(message["content"] for message in messages)}]
    return [*messages, {"role": "assistant", "content": example.target}]


every_template = pytest.mark.parametrize("template", TEMPLATES)


@every_template
def test_what_is_trained_is_the_whole_conversation_through_the_end_of_turn(template):
    example, tokenizer = ask("sales rose"), tokenizer_of(template)
    encoded = encoder(template).encode(example)
    text = tokenizer.apply_chat_template(conversation(example, template), tokenize=False)
    text = text + "<|end|>" if template == "no-end-of-turn" else text.removesuffix("\n")
    assert encoded.prompt + encoded.target == tuple(tokenizer(text, add_special_tokens=False).input_ids)


@every_template
def test_what_is_trained_is_what_is_asked_token_by_token(template):
    trained = encoder(template).encode(ask("sales rose"))
    asked = encoder(template).encode(ask("sales rose", target=None))
    assert (asked.prompt, asked.choices, asked.target) == (trained.prompt, trained.choices, None)


@every_template
def test_the_target_is_the_tokens_of_its_choice(template):
    encoded = [encoder(template).encode(ask("sales rose", target=label)) for label in LABELS]
    assert [item.target for item in encoded] == list(encoded[0].choices)


@every_template
def test_every_answer_ends_with_the_end_of_turn_and_has_it_nowhere_else(template):
    made = encoder(template)
    for choice in made.encode(ask("sales rose")).choices:
        assert choice[-1] == made.end_of_turn == tokenizer_of(template).eos_token_id
        assert made.end_of_turn not in choice[:-1]


@every_template
def test_the_prompt_holds_the_instruction_and_the_text_and_no_answer(template):
    text = decode(encoder(template).encode(ask("sales rose", instruction="Decide!")).prompt, template)
    assert text.index("Decide!") < text.index("sales rose")
    assert not any(label in text for label in LABELS)


@every_template
def test_answers_do_not_depend_on_what_was_encoded_before(template):
    used = encoder(template)
    used.encode(ask("a quite different text\n"))
    assert used.encode(ask("sales rose.")) == encoder(template).encode(ask("sales rose."))


def test_free_text_is_encoded_with_its_target_and_without_choices():
    encoded = encoder().encode(ask("sales rose", choices=None, target="up by a fifth"))
    assert decode(encoded.target) == " up by a fifth<|end|>"
    assert encoded.choices is None


def test_free_text_may_be_asked_without_a_target():
    encoded = encoder().encode(ask("sales rose", choices=None, target=None))
    assert (encoded.target, encoded.choices) == (None, None)


def test_a_template_without_a_system_role_folds_it_into_the_users_message():
    text = decode(encoder("no-system-role").encode(ask("sales rose")).prompt, "no-system-role")
    assert text == "<|bos|><|user|>Which way?\n\nsales rose<|end|><|assistant|>"


def test_a_template_that_drops_the_system_message_has_it_folded_too():
    drops = (
        "{{- bos_token }}{%- for m in messages %}{%- if m.role != 'system' %}"
        "{{- '<|' + m.role + '|>' + m.content + '<|end|>' }}{%- endif %}{%- endfor %}" + GENERATION
    )
    assert "Which way?" in decode(encoder(drops).encode(ask("sales rose")).prompt)


@pytest.mark.parametrize("today", ["strftime_now('%d %b %Y')", "date_string"])
def test_a_template_that_prints_the_date_prints_a_fixed_one(today):
    text = decode(encoder("{{- 'Today: ' + " + today + " }}" + CHAT_TEMPLATE).encode(ask("sales rose")).prompt)
    assert text.startswith(f"Today: {TEMPLATE_DATE}<|bos|>")


def test_a_tokenizer_without_a_template_is_refused():
    with pytest.raises(EncodingError, match=r"no chat template; load it with qlorakit\.load_quantized"):
        Encoder(build_tokenizer(chat_template=None), max_length=50)


def test_a_doubled_begin_of_sequence_is_refused():
    with pytest.raises(EncodingError, match="begins with two begin-of-sequence tokens; remove one"):
        encoder("{{- bos_token }}" + CHAT_TEMPLATE).encode(ask("sales rose"))


def test_a_tokenizer_that_adds_its_own_begin_of_sequence_doubles_nothing():
    from tokenizers.processors import TemplateProcessing

    tokenizer = build_tokenizer()
    adds = TemplateProcessing(single="<|bos|> $A", special_tokens=[("<|bos|>", 1)])
    tokenizer.backend_tokenizer.post_processor = adds
    assert Encoder(tokenizer, max_length=50).encode(ask("sales rose")).prompt[:2] == (1, 3)


def test_the_default_template_works_without_a_begin_of_sequence_token():
    tokenizer = build_tokenizer(chat_template=DEFAULT_CHAT_TEMPLATE)
    tokenizer.bos_token = None
    text = tokenizer.decode(Encoder(tokenizer, max_length=500).encode(ask("sales rose")).prompt)
    assert text == "[system]\nWhich way?\n\n[user]\nsales rose\n\n[assistant]\n"


def test_the_default_template_refuses_an_unknown_role():
    with pytest.raises(EncodingError, match="refuses a conversation of tool: unknown role: tool"):
        encoder("default").encode(Example((Message("tool", (Part("a"),)),), LABELS))


@pytest.mark.parametrize(
    "generation",
    [
        "<|assistant|><think>",  # opens something that an answer given in full has not
        "<|assistant|> ",  # the answer's first token takes the space with it
    ],
)
def test_a_template_whose_prompt_is_no_prefix_of_the_whole_is_refused(generation):
    template = CHAT_TEMPLATE.replace("'<|assistant|>'", f"'{generation}'")
    with pytest.raises(EncodingError, match="the chat template's prompt is not a prefix of prompt and answer"):
        Encoder(build_tokenizer(("down flat up rose",) * 9, chat_template=template), max_length=500).encode(
            ask("a rose")
        )


def test_an_answer_without_any_token_to_end_it_is_refused():
    tokenizer = build_tokenizer(chat_template=TEMPLATES["no-end-of-turn"])
    tokenizer.eos_token = None
    with pytest.raises(EncodingError, match="neither the chat template nor the tokenizer has a token that ends"):
        Encoder(tokenizer, max_length=500).encode(ask("sales rose"))


def test_a_turn_may_end_with_a_control_token_that_has_no_name_in_the_tokenizer():
    template = CHAT_TEMPLATE.replace("eos_token", "'<|user|>\n'")
    assert encoder(template).end_of_turn == tokenizer_of(template).convert_tokens_to_ids("<|user|>")


def test_control_tokens_are_all_those_of_the_vocabulary_longest_first():
    found = control_tokens(tokenizer_of())
    assert found == ["<|assistant|>", "<|system|>", "<|user|>", "<|bos|>", "<|end|>", "<|pad|>"]


@pytest.mark.parametrize("token", ["<|end|>", "<|assistant|>", "<|bos|>", "<|pad|>"])
def test_the_text_of_a_control_token_in_the_data_acts_as_plain_text(token):
    encoded = encoder().encode(ask(f"sales {token} rose {token}"))
    plain = encoder().encode(ask("sales rose"))
    control = set(tokenizer_of().added_tokens_decoder)
    assert [i for i in encoded.prompt if i in control] == [i for i in plain.prompt if i in control]
    assert encoded.neutralised == 2


pieces = st.lists(
    st.sampled_from(["<|end|>", "<|bos|>", "<|", "|>", "<", "|", "e", "end", "nd|>", " ", "rose"]), max_size=12
)


@quick
@given(pieces.map("".join), pieces.map("".join))
def test_no_text_puts_a_control_token_into_the_prompt(instruction, text):
    encoded = encoder().encode(ask(text, instruction=instruction))
    control = set(tokenizer_of().added_tokens_decoder)
    assert [i for i in encoded.prompt if i in control] == [1, 3, 2, 4, 2, 5]


def test_no_control_token_arises_where_two_parts_meet():
    encoded = encoder().encode(ask("sales <|en", "d|> rose"))
    assert encoded.prompt.count(tokenizer_of().eos_token_id) == 2
    assert encoded.neutralised == 1


def test_a_control_token_in_a_target_ends_nothing_early():
    target = encoder().encode(ask("sales rose", choices=None, target="up <|end|> down")).target
    assert target.count(tokenizer_of().eos_token_id) == 1
    assert decode(target).endswith(" down<|end|>")


def test_plain_text_is_left_as_it_is():
    encoded = encoder().encode(ask("5 < 6 | a > b <end> \\n"))
    assert "5 < 6 | a > b <end> \\n" in decode(encoded.prompt)
    assert encoded.neutralised == 0


def test_a_long_text_is_cut_at_its_end_until_prompt_and_longest_answer_fit():
    text = " ".join(f"sales rose number {index}" for index in range(100))
    encoded = encoder(max_length=70).encode(ask(text))
    kept = re.fullmatch(
        r"<\|bos\|><\|system\|> Which way\?<\|end\|><\|user\|> (.+)<\|end\|><\|assistant\|>", decode(encoded.prompt)
    )[1]
    assert text.startswith(kept)
    assert 60 <= len(encoded.prompt) + max(map(len, encoded.choices)) <= 70


def test_the_cut_is_counted_in_tokens():
    text = "sales rose number " * 50
    whole, cut = encoder(max_length=5000).encode(ask(text)), encoder(max_length=70).encode(ask(text))
    assert whole.cut_tokens == 0
    assert cut.cut_tokens == len(whole.prompt) - len(cut.prompt) > 0


def test_a_prompt_that_just_fits_is_not_cut():
    encoded = encoder().encode(ask("sales rose"))
    room = len(encoded.prompt) + max(map(len, encoded.choices))
    assert encoder(max_length=room).encode(ask("sales rose")) == encoded
    assert encoder(max_length=room - 1).encode(ask("sales rose")).cut_tokens > 0


def test_a_cut_prompt_has_the_same_answers_as_an_uncut_one():
    cut = encoder(max_length=70).encode(ask("sales rose number " * 50))
    assert (cut.choices, cut.target) == (encoder().encode(ask("sales")).choices, encoder().encode(ask("sales")).target)


@quick
@given(st.text(min_size=1, max_size=80).filter(str.strip), st.integers(30, 80))
def test_whatever_the_text_the_prompt_fits_or_is_refused(text, max_length):
    try:
        encoded = encoder(max_length=max_length).encode(ask(text))
    except EncodingError as error:
        assert "the prompt does not fit" in str(error)  # noqa: PT017  # both outcomes are right
    else:
        assert len(encoded.prompt) + max(map(len, encoded.choices)) <= max_length
        assert decode(encoded.prompt).startswith("<|bos|><|system|> Which way?<|end|><|user|> ")


def test_the_instruction_is_never_cut():
    with pytest.raises(EncodingError, match=r"the prompt does not fit: it is \d+ tokens too long for a context of 70"):
        encoder(max_length=70).encode(ask("sales rose", instruction="Decide which way " * 30))


def test_a_text_of_which_nothing_would_be_left_is_refused():
    with pytest.raises(EncodingError, match=r"nothing may be cut from it any further.*raise max_length"):
        encoder(max_length=12).encode(ask("rose"))


def test_a_part_not_marked_for_it_is_never_cut():
    kept = Example((Message("user", (Part("sales rose number " * 50),)),), LABELS)
    with pytest.raises(EncodingError, match="mark the text's part may_cut=True"):
        encoder(max_length=70).encode(kept)


def test_the_longer_of_two_parts_is_cut():
    encoded = encoder(max_length=90).encode(ask("a short title", " sales rose number" * 50))
    assert "a short title sales rose" in decode(encoded.prompt)


def test_two_parts_are_both_cut_where_neither_alone_is_long_enough():
    shortest = encoder().encode(ask("sales"))
    room = len(shortest.prompt) + max(map(len, shortest.choices)) + 12
    encoded = encoder(max_length=room).encode(ask("rose" + " rose" * 19, " fell" * 20))
    assert len(encoded.prompt) + max(map(len, encoded.choices)) <= room


def test_an_empty_part_that_may_be_cut_is_no_help_to_a_prompt_that_is_too_long():
    with pytest.raises(EncodingError, match="the prompt does not fit"):
        encoder(max_length=12).encode(ask(""))


def test_a_long_target_is_never_cut():
    target = "up and down " * 20
    encoded = encoder(max_length=200).encode(ask("sales rose number " * 50, choices=None, target=target))
    assert decode(encoded.target) == f" {target}<|end|>"
    with pytest.raises(EncodingError, match="the target has 82 tokens and would be cut"):
        encoder(max_length=70).encode(ask("sales rose", choices=None, target=target))


def test_a_target_that_is_no_choice_is_refused():
    with pytest.raises(EncodingError, match="target 'sideways' is not among the choices 'down', 'flat', 'up'"):
        encoder().encode(ask("sales rose", target="sideways"))


def test_two_choices_that_become_the_same_tokens_are_refused():
    with pytest.raises(EncodingError, match="two choices become the same tokens: 'up', 'up '"):
        encoder("trims").encode(ask("sales rose", choices=("up", "up "), target=None))


def test_a_choice_that_begins_another_is_told_apart_by_its_end():
    up, upward = encoder().encode(ask("sales rose", choices=("up", "up and up"), target=None)).choices
    assert upward[: len(up)] != up


def test_an_unusable_row_is_named_by_its_number(task):
    rows = [{"text": "sales rose", "label": "up"}, {"text": ""}]
    with pytest.raises(DataError, match="row 2: column 'text' is empty"):
        encoder().encode_rows(rows, task)


def test_a_row_that_does_not_fit_is_named_by_its_number(task):
    with pytest.raises(EncodingError, match="row 1: the prompt does not fit"):
        encoder(max_length=8).encode_rows([{"text": "sales rose"}], task)


def test_rows_are_encoded_in_their_order_with_their_examples(task, rows):
    encoded = encoder().encode_rows(rows, task)
    assert [row.examples[0].target for row in encoded] == [row["label"] for row in rows]
    assert all(row.encoded[0] == encoder().encode(row.examples[0]) for row in encoded)


def test_counts_add_up_over_rows(task):
    rows = [{"text": "sales rose " * 60}, {"text": "sales rose <|end|>"}, {"text": "sales rose"}]
    found = encoder(max_length=60).encode_rows(rows, task)
    cut = found[0].encoded[0].cut_tokens
    assert cut > 0
    assert found.counts == EncodingCounts(examples=3, cut_examples=1, cut_tokens=cut, neutralised=1)


def test_tokens_of_many_rows_are_made_again_when_they_are_needed(rows, task, monkeypatch):
    kept = encoder().encode_rows(rows, task)
    monkeypatch.setattr(encoding, "KEPT_TOKENS", 50)
    made = encoder().encode_rows(rows, task)
    assert kept[3] is kept[3]
    assert made[3] is not made[3]
    assert list(kept) == list(made) == kept[:] == kept.held
    assert made.held is made
    assert (kept.counts, kept.longest, kept.tokens_alone) == (made.counts, made.longest, made.tokens_alone)


def test_the_longest_rows_are_known_and_the_first_of_equals_comes_first(task):
    rows = [{"text": "sales " * count} for count in (3, 9, 1, 9, 2, 4, 5)]
    found = encoder().encode_rows(rows, task)
    assert found.longest == found.largest == [found[place] for place in (1, 3, 6, 5)]


def test_the_first_row_without_a_target_is_known(rows, task):
    assert encoder().encode_rows(rows, task).without_target is None
    assert encoder().encode_rows([*rows[:2], {"text": "sales rose"}], task).without_target == 2


def test_some_rows_may_be_chosen(rows, task):
    found = encoder().encode_rows(rows, task)
    assert list(found.chosen([4, 2])) == [found[4], found[2]]


def test_answers_in_free_text_are_not_remembered(rows, task):
    own = encoder()
    own.encode(Example((Message("user", (Part("say"),)),), target="something rather long"))
    assert own._continuations == {}


def test_what_was_changed_is_told_in_a_sentence_each():
    cut, neutralised = EncodingCounts(examples=4, cut_examples=2, cut_tokens=12, neutralised=3).warnings()
    assert cut.startswith("2 of 4 prompts (50.0%) were longer than the context: 12 tokens were cut")
    assert neutralised == "3 control-token texts inside the data were broken up"


def test_nothing_is_told_where_nothing_was_changed():
    assert EncodingCounts(examples=4, cut_examples=0, cut_tokens=0, neutralised=0).warnings() == []


def test_the_hash_of_a_template_changes_with_the_template_alone():
    hashes = {template_hash(tokenizer_of(template)) for template in TEMPLATES}
    assert len(hashes) == len(TEMPLATES)
    assert template_hash(build_tokenizer((WORDS, "other words"))) == template_hash(tokenizer_of("embedded"))


@pytest.mark.parametrize("mark", ["<think>", "</tool_call>", "[REF]"])
def test_marks_that_are_one_token_are_broken_up_in_the_data(mark):
    tokenizer = tokenizer_of()
    tokenizer.add_tokens([mark, "  "])
    ours = Encoder(tokenizer, max_length=128)
    found = ours.encode(ask(f"sales {mark} rose  and"))
    assert found.neutralised == 1
    assert tokenizer.convert_tokens_to_ids(mark) not in found.prompt
    assert ours.encode(ask("sales rose  and")).neutralised == 0


def test_half_a_character_is_refused_with_what_to_do(task):
    encoder = Encoder(build_tokenizer(), max_length=100)
    with pytest.raises(EncodingError, match=r"half of a character \(a lone surrogate such as \\ud800\); repair it"):
        encoder.encode(task.format({"text": "a\ud800"})[0])


def test_further_right_answers_are_encoded_as_their_choices():
    example = ask("sales rose", choices=("up", "down", "flat"))
    found = encoder().encode(replace(example, also=("flat",)))
    assert found.right == (found.choices[0], found.choices[2])


@pytest.mark.parametrize(
    ("also", "said"),
    [(("sideways",), "'sideways' is not among the choices"), (("up",), "other choices than the target")],
)
def test_further_right_answers_must_be_other_choices(also, said):
    example = ask("sales rose", choices=("up", "down"))
    with pytest.raises(EncodingError, match=said):
        encoder().encode(replace(example, also=also))


def test_the_fingerprint_of_rows_follows_their_tokens_alone(rows, task):
    encoder = Encoder(build_tokenizer(), max_length=128)
    other = replace(task, format=lambda row: [replace(one, target=None) for one in task.format(row)])
    again, fewer, unlabelled, as_read = (
        encoder.encode_rows(*given).fingerprint
        for given in ((rows, task), (rows[1:], task), (rows, other), ([row | {"seen": 1} for row in rows], task))
    )
    assert again == as_read
    assert len({again, fewer, unlabelled}) == 3

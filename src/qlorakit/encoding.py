"""From examples to tokens through the chat template: the one place that knows the tokenizer.

What is trained is what is asked later, token by token.  A prompt is rendered once; a target or choice is whatever the
template adds to that prompt for an assistant who says it, up to and including the end-of-turn token::

    prompt        <bos> <system> instruction <end> <user> text <end> <assistant>
    continuation                                                                  positive <end>
"""

from __future__ import annotations

import hashlib
import heapq
import json
import operator
import re
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from qlorakit.display import progress_bar
from qlorakit.errors import DataError, EncodingError
from qlorakit.task import Example, Message, Part

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlorakit.task import Row, Task

# Some templates print today's date, which would make a model answer differently tomorrow.
TEMPLATE_DATE = "01 Jan 2025"
FIXED_DATE = f"{{%- macro strftime_now(format) %}}{{{{ '{TEMPLATE_DATE}' }}}}{{%- endmacro %}}{{{{ '' }}}}"

# For tokenizers without a template of their own: base models that never saw a conversation.
DEFAULT_CHAT_TEMPLATE = """\
{{- bos_token if bos_token is defined and bos_token else '' }}
{%- for message in messages %}
{%- if message['role'] not in ['system', 'user', 'assistant'] %}
{{- raise_exception('unknown role: ' + message['role']) }}
{%- endif %}
{{- '[' + message['role'] + ']\\n' + message['content'] }}
{{- eos_token if message['role'] == 'assistant' else '\\n\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]\\n' }}{%- endif %}
"""

# Tokens of more prompts than these are made again when they are needed: a few hundred megabytes.
KEPT_TOKENS = 32_000_000
LONGEST_ROWS = 4
WORTH_A_BAR = 2_000  # rows
EXAMPLES_KEPT = 64  # of a row that is kept as one of the longest or largest

MARK = re.compile(r"<[^\s<>]+>|\[[^\s\[\]]+\]|\{[^\s{}]+\}")

BOUNDARY = 8  # prompt tokens before a continuation that can have an influence on how it is cut into tokens


@dataclass(frozen=True)
class Encoded:
    """One example as token ids.

    Attributes:
        prompt: Up to where the answer begins.
        target: The right answer with its end of turn; ``None`` where it is not known.
        choices: Every choice with its end of turn, in the example's order; ``None`` for free text.
        cut_tokens: Tokens that were cut from parts marked ``may_cut``.
        neutralised: Control tokens' texts in the data that were broken up.
        also: Further right answers, each of them one of the choices.
    """

    prompt: tuple[int, ...]
    target: tuple[int, ...] | None = None
    choices: tuple[tuple[int, ...], ...] | None = None
    cut_tokens: int = 0
    neutralised: int = 0
    also: tuple[tuple[int, ...], ...] = ()

    @property
    def right(self) -> tuple[tuple[int, ...], ...]:
        """All right answers; none where they are not known."""
        return () if self.target is None else (self.target, *self.also)

    @property
    def answers(self) -> tuple[tuple[int, ...], ...]:
        """The choices, or the target alone."""
        return self.choices or (() if self.target is None else (self.target,))


@dataclass(frozen=True)
class EncodedRow:
    """The examples of one row, which stay together.

    Attributes:
        examples: What is asked.
        encoded: The same as tokens.
        weight: Of the row's loss.
    """

    examples: tuple[Example, ...]
    encoded: tuple[Encoded, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class EncodingCounts:
    """What encoding had to change, over a whole data set.

    Attributes:
        examples: Encoded in all.
        cut_examples: Whose prompt was shortened.
        cut_tokens: Left out of them.
        neutralised: Texts of control tokens inside the data that were broken up so that they act as plain text.
        divided_rows: Rows whose text did not fit and is read in several windows, none of it left out.
        windows: Of these rows together.
    """

    examples: int
    cut_examples: int
    cut_tokens: int
    neutralised: int
    divided_rows: int = 0
    windows: int = 0

    def warnings(self) -> list[str]:
        """One sentence for each thing a user must know."""
        found = []
        if self.cut_examples:
            share = self.cut_examples / self.examples
            found.append(
                f"{self.cut_examples} of {self.examples} prompts ({share:.1%}) were longer than the context: "
                f"{self.cut_tokens} tokens were cut from the end of their text; targets are never cut"
            )
        if self.divided_rows:
            found.append(
                f"{self.divided_rows} texts were longer than the context and are read in {self.windows} overlapping "
                "windows; nothing was cut from them"
            )
        if self.neutralised:
            found.append(f"{self.neutralised} control-token texts inside the data were broken up")
        return found


class EncodedRows(Sequence[EncodedRow]):
    """Rows with their tokens: kept where they are few, made when they are asked for where they are many.

    Attributes:
        rows: The rows.
        counts: What encoding had to change.
        longest: Rows that hold the longest sequences, the longest first.
        largest: Rows that hold the examples with the most tokens in prompt and all choices, the largest first.
        sizes: Tokens in the prompts of each row.
        without_target: Place of the first row from which nothing can be learned; ``None`` if there is none.
        tokens_alone: To be computed where each question, and each choice after it, is computed by itself.
        fingerprint: SHA-256 of all tokens in their order, in hexadecimal.
    """

    def __init__(
        self,
        encoder: Encoder,
        rows: Sequence[Row],
        task: Task[Any],
        *,
        class_weights: Mapping[Any, float] | None = None,
        progress: bool = False,
    ) -> None:
        self.encoder, self.rows, self.task, self.class_weights = encoder, rows, task, class_weights
        self.without_target: int | None = None
        self.tokens_alone = 0
        self.sizes: list[int] = []
        tokens = hashlib.sha256()
        self._kept: list[EncodedRow] | None = []
        longest, largest = _Most(_longest_sequence), _Most(_size)
        counts = Counter[str]()
        with progress_bar("reading rows", shown=progress and len(rows) >= WORTH_A_BAR) as advance:
            for place, row in enumerate(rows):
                encoded = self._encode(place, row)
                self._count(place, encoded, counts)
                tokens.update(_token_bytes(encoded))
                longest.add(place, encoded)
                largest.add(place, encoded)
                if place % WORTH_A_BAR == 0:
                    advance(place / len(rows))
        self.fingerprint = tokens.hexdigest()
        self.longest, self.largest = longest.rows, largest.rows
        self.counts = EncodingCounts(**{field: counts[field] for field in EncodingCounts.__dataclass_fields__})

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> EncodedRow: ...

    @overload
    def __getitem__(self, place: slice) -> list[EncodedRow]: ...

    def __getitem__(self, place: int | slice) -> EncodedRow | list[EncodedRow]:
        """One row, or several."""
        if isinstance(place, slice):
            return [self[number] for number in range(len(self))[place]]
        if self._kept is not None:
            return self._kept[place]
        return self._encode(place, self.rows[place])

    @property
    def held(self) -> Sequence[EncodedRow]:
        """The rows as a list where they are in memory, which can be sent to other processes."""
        return self if self._kept is None else self._kept

    def chosen(self, places: Sequence[int]) -> EncodedRows:
        """Some of the rows."""
        return EncodedRows(self.encoder, [self.rows[place] for place in places], self.task)

    def _encode(self, place: int, row: Row) -> EncodedRow:
        try:
            to_fit = self.task.format_to_fit
            examples = tuple(to_fit(row, self.encoder.room) if to_fit else self.task.format(row))
            weight = self.class_weights[self.task.reference(row)] if self.class_weights else 1.0
            return EncodedRow(examples, tuple(map(self.encoder.encode, examples)), weight)
        except (DataError, EncodingError) as error:
            msg = f"row {place + 1}: {error}"
            raise type(error)(msg) from error

    def _count(self, place: int, row: EncodedRow, counts: Counter[str]) -> None:
        counts["examples"] += len(row.encoded)
        self.sizes.append(sum(len(item.prompt) for item in row.encoded))
        windows = {example.window for example in row.examples}
        counts["divided_rows"] += len(windows) > 1
        counts["windows"] += len(windows) if len(windows) > 1 else 0
        for item in row.encoded:
            counts["cut_examples"] += item.cut_tokens > 0
            counts["cut_tokens"] += item.cut_tokens
            counts["neutralised"] += item.neutralised
            self.tokens_alone += _alone(item)
        if self.without_target is None and all(item.target is None for item in row.encoded):
            self.without_target = place
        counts["kept_tokens"] += self.sizes[-1]
        if self._kept is not None:
            self._kept.append(row)
            if counts["kept_tokens"] > KEPT_TOKENS:
                self._kept = None


class _Most:
    """The few rows that have most of something, the first ones of several that have the same."""

    def __init__(self, amount: Callable[[EncodedRow], int]) -> None:
        self._amount = amount
        self._heap: list[tuple[int, int, EncodedRow]] = []

    def add(self, place: int, row: EncodedRow) -> None:
        """Take a row into account."""
        heapq.heappush(self._heap, (self._amount(row), -place, _reduced(row)))
        if len(self._heap) > LONGEST_ROWS:
            heapq.heappop(self._heap)

    @property
    def rows(self) -> list[EncodedRow]:
        """They, the greatest first."""
        return [row for *_, row in sorted(self._heap, key=operator.itemgetter(0, 1), reverse=True)]


def _token_bytes(row: EncodedRow) -> bytes:
    """The tokens of a row, each part after its length, so that no two rows have the same."""
    parts = [
        part
        for item in row.encoded
        for part in ((len(item.right), len(item.choices or ())), item.prompt, *item.right, *(item.choices or ()))
    ]
    return b"".join(array("i", (len(part), *part)).tobytes() for part in parts)


def _reduced(row: EncodedRow) -> EncodedRow:
    """A row with those of its examples that have most tokens, where there are very many."""
    order = sorted(range(len(row.encoded)), key=lambda place: -_tokens(row.encoded[place]))
    if len(order) <= EXAMPLES_KEPT:
        return row
    kept = sorted(order[:EXAMPLES_KEPT])
    return replace(
        row,
        examples=tuple(row.examples[place] for place in kept),
        encoded=tuple(row.encoded[place] for place in kept),
    )


def _tokens(item: Encoded) -> int:
    return len(item.prompt) + sum(map(len, item.answers))


def _size(row: EncodedRow) -> int:
    return max(map(_tokens, row.encoded), default=0)


def _longest_sequence(row: EncodedRow) -> int:
    return max((len(item.prompt) + max(map(len, item.answers), default=0) for item in row.encoded), default=0)


def _alone(item: Encoded) -> int:
    """Tokens computed for an example without any sharing."""
    if item.choices is None:
        return len(item.prompt)
    return sum(len(item.prompt) + len(choice) - 1 for choice in item.choices)


class Encoder:
    """Turns examples into tokens for one tokenizer and context length."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, max_length: int, max_new_tokens: int = 256) -> None:
        """Check the template once.

        Args:
            tokenizer: With a chat template.
            max_length: Most tokens of prompt and answer together.
            max_new_tokens: Room kept for an answer in free text, at most half of ``max_length``.  A known answer has
                no say in it: a question must be asked as it was trained.

        Raises:
            EncodingError: The tokenizer has no template.
        """
        if not tokenizer.chat_template:
            msg = "the tokenizer has no chat template; load it with qlorakit.load_quantized, which supplies one"
            raise EncodingError(msg)
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.max_new_tokens = min(max_new_tokens, max(1, max_length // 2))
        self._control = [token for token in (*control_tokens(tokenizer), *_marks(tokenizer)) if len(token) > 1]
        self.control_ids = frozenset(tokenizer.convert_tokens_to_ids(control_tokens(tokenizer)))
        self._template = FIXED_DATE + tokenizer.get_chat_template()
        self._system_role = self._has_system_role()
        self._last_starts: tuple[str, list[int]] = "", []
        self._numbers: dict[int, int] = {}
        self._continuations: dict[tuple[str, tuple[str, ...], tuple[int, ...]], tuple[int, ...]] = {}

    def encode_rows(
        self,
        rows: Sequence[Row],
        task: Task[Any],
        *,
        class_weights: Mapping[Any, float] | None = None,
        progress: bool = False,
    ) -> EncodedRows:
        """Encode every row's examples once, to know that they fit; tokens of many rows are made again when needed.

        Args:
            rows: All of them.
            task: Asks about them.
            class_weights: The weight of a row's loss by its reference; 1 unless given.
            progress: Whether to show a bar.

        Raises:
            DataError: A row the task cannot read, named by its position.
            EncodingError: An example that does not fit, named likewise.
        """
        return EncodedRows(self, rows, task, class_weights=class_weights, progress=progress)

    def encode(self, example: Example) -> Encoded:
        """Encode one example, shortening its cuttable parts where it is too long.

        Raises:
            EncodingError: The prompt cannot be made to fit, or the template misbehaves.
        """
        if example.choices is not None and not example.choices:
            msg = "the example has an empty set of choices; give at least one, or None for free text"
            raise EncodingError(msg)
        messages, neutralised = self._neutralise(example.messages)
        prompt_text, prompt = self._prompt(messages)
        answers = self._continuations_of(example, messages, prompt_text, prompt)
        kept = self.max_new_tokens if example.choices is None else max(map(len, answers.values()))
        room = self.max_length - kept
        cut = len(prompt) - room
        if cut > 0:
            shortened = self._shorten(messages, prompt, room)
            cut, prompt = len(prompt) - len(shortened), shortened
        target = None if example.target is None else answers[example.target]
        if target is not None and len(prompt) + len(target) > self.max_length:
            msg = (
                f"the target has {len(target)} tokens and would be cut: with the prompt's {len(prompt)} it exceeds the "
                f"context of {self.max_length}; raise max_length and max_new_tokens, or shorten the target"
            )
            raise EncodingError(msg)
        return Encoded(
            prompt,
            target,
            None if example.choices is None else tuple(answers[choice] for choice in example.choices),
            max(cut, 0),
            neutralised,
            tuple(answers[other] for other in example.also),
        )

    def room(self, examples: Sequence[Example]) -> int:
        """How many tokens are left where the longest of these is asked; negative where it does not fit.

        Raises:
            EncodingError: The template misbehaves.
        """
        return self.max_length - max(map(self._needed, examples))

    def _needed(self, example: Example) -> int:
        messages, _ = self._neutralise(example.messages)
        text, prompt = self._prompt(messages)
        if example.choices is None:
            return len(prompt) + self.max_new_tokens
        return len(prompt) + max(map(len, self._continuations_of(example, messages, text, prompt).values()))

    @property
    def end_of_turn(self) -> int:
        """The token that ends every answer, at which generation stops."""
        messages = (Message("user", (Part("a"),)),)
        text, ids = self._prompt(messages)
        return self._continuation("b", messages, text, ids)[-1]

    def _has_system_role(self) -> bool:
        """Whether the template says what a system message says; where not, its text opens the user's message."""
        probe = "qlorakit probe"
        try:
            text = self._render([{"role": "system", "content": probe}, {"role": "user", "content": "b"}], prompt=True)
        except Exception:  # noqa: BLE001  # a template raises whatever its author chose
            return False
        return probe in text  # some leave the message out without a word

    def _render(self, messages: Sequence[dict[str, str]], *, prompt: bool) -> str:
        rendered = self.tokenizer.apply_chat_template(
            list(messages),
            tokenize=False,
            add_generation_prompt=prompt,
            chat_template=self._template,
            date_string=TEMPLATE_DATE,
        )
        return str(rendered)

    def _chat(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        chat = [{"role": message.role, "content": message.text} for message in messages]
        if not self._system_role and len(chat) > 1 and chat[0]["role"] == "system":
            opening = f"{chat[0]['content']}\n\n{chat[1]['content']}"
            chat = [{"role": chat[1]["role"], "content": opening}, *chat[2:]]
        return chat

    def _ids(self, text: str) -> tuple[int, ...]:
        try:
            ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        except TypeError as error:  # the tokenizer's word for what is not Unicode
            msg = "a text holds half of a character (a lone surrogate such as \\ud800); repair it, or remove the row"
            raise EncodingError(msg) from error
        known = self._numbers  # one object for each token, and not for each time it occurs: a quarter of the memory
        return tuple([known.setdefault(token, token) for token in ids])

    def _prompt(self, messages: Sequence[Message]) -> tuple[str, tuple[int, ...]]:
        try:
            text = self._render(self._chat(messages), prompt=True)
        except Exception as error:
            roles = ", ".join(message.role for message in messages)
            msg = f"the tokenizer's chat template refuses a conversation of {roles}: {error}"
            raise EncodingError(msg) from error
        ids = self._ids(text)
        if not ids:
            msg = "the tokenizer's chat template makes nothing of a conversation; give the tokenizer another one"
            raise EncodingError(msg)
        bos = self.tokenizer.bos_token_id
        if bos is not None and ids[:2] == (bos, bos):
            msg = "the chat template begins with two begin-of-sequence tokens; remove one from the template"
            raise EncodingError(msg)
        return text, ids

    def _continuations_of(
        self, example: Example, messages: Sequence[Message], prompt_text: str, prompt: tuple[int, ...]
    ) -> dict[str, tuple[int, ...]]:
        answers = [*(example.choices or ()), *(() if example.target is None else (example.target,))]
        wrong = [right for right in example.right if example.choices is not None and right not in example.choices]
        if wrong:
            msg = f"target {wrong[0]!r} is not among the choices {', '.join(map(repr, example.choices or ()))}"
            raise EncodingError(msg)
        if example.also and (example.choices is None or len(set(example.right)) != len(example.right)):
            msg = f"also={example.also!r}: further right answers must be other choices than the target"
            raise EncodingError(msg)
        if example.choices is not None and len(set(example.choices)) != len(example.choices):
            msg = f"a choice occurs twice: {', '.join(map(repr, example.choices))}"
            raise EncodingError(msg)
        # A control token at the end of the prompt keeps what follows apart; otherwise a few tokens may have a say.
        tail = prompt[-1:] if prompt[-1] in self.control_ids else prompt[-BOUNDARY:]
        roles = tuple(message.role for message in messages)
        found = {}
        for answer in answers:
            key = (answer, roles, tail)
            if example.choices is None:  # free text does not come again, and would be kept for nothing
                found[answer] = self._continuation(answer, messages, prompt_text, prompt)
                continue
            if key not in self._continuations:
                self._continuations[key] = self._continuation(answer, messages, prompt_text, prompt)
            found[answer] = self._continuations[key]
        if len(set(found.values())) != len(found):
            msg = f"two choices become the same tokens: {', '.join(map(repr, found))}"
            raise EncodingError(msg)
        return found

    def _continuation(
        self, answer: str, messages: Sequence[Message], prompt_text: str, prompt: tuple[int, ...]
    ) -> tuple[int, ...]:
        """What the template adds to the prompt for this answer, through its end-of-turn token."""
        said = self._break_up(answer)[0]
        whole_text = self._render([*self._chat(messages), {"role": "assistant", "content": said}], prompt=False)
        whole = self._ids(whole_text)
        if not whole_text.startswith(prompt_text) or whole[: len(prompt)] != prompt:
            msg = (
                "the chat template's prompt is not a prefix of prompt and answer, so what is trained would differ "
                "from what is asked; correct what the template writes for add_generation_prompt, or for an earlier "
                "message once an answer follows"
            )
            raise EncodingError(msg)
        added = whole[len(prompt) :]
        last = max((index for index, token in enumerate(added) if token in self.control_ids), default=None)
        if last is None:  # the template does not end a turn: the end-of-sequence token does
            end = self.tokenizer.eos_token_id
            if end is None:
                msg = "neither the chat template nor the tokenizer has a token that ends an answer"
                raise EncodingError(msg)
            return (*added, end)
        return added[: last + 1]

    def _neutralise(self, messages: Sequence[Message]) -> tuple[tuple[Message, ...], int]:
        total = 0
        safe = []
        for message in messages:
            parts: list[Part] = []
            said = ""
            for part in message.parts:
                text, count = self._break_up(part.text)
                if any(token in said + text for token in self._control):  # it spans the seam of two parts
                    text, count = f" {text}", count + 1
                said, total = said + text, total + count
                parts.append(replace(part, text=text))
            safe.append(replace(message, parts=tuple(parts)))
        return tuple(safe), total

    def _break_up(self, text: str) -> tuple[str, int]:
        """Put a space inside every control token's text, so that it is read as the plain text it is."""
        count = 0
        for token in self._control:
            if token in text:
                count += text.count(token)
                text = text.replace(token, f"{token[0]} {token[1:]}")
        return text, count

    def _shorten(self, messages: Sequence[Message], prompt: tuple[int, ...], room: int) -> tuple[int, ...]:
        """The prompt, cut from the end of the longest cuttable part, again and again, until it fits."""
        while (over := len(prompt) - room) > 0:
            shorter = self._cut(messages, over)
            if shorter is None:
                msg = (
                    f"the prompt does not fit: it is {over} tokens too long for a context of {self.max_length}, of "
                    f"which the answer takes {self.max_length - room}, and nothing may be cut from it any further; "
                    "raise max_length, shorten the instruction or the answer, or mark the text's part may_cut=True"
                )
                raise EncodingError(msg)
            messages = shorter
            _, prompt = self._prompt(messages)
        return prompt

    def _cut(self, messages: Sequence[Message], over: int) -> tuple[Message, ...] | None:
        """Take up to ``over`` tokens from the longest cuttable part; ``None`` where nothing would be left of any."""
        candidates = [
            (len(starts), m, p, starts)
            for m, message in enumerate(messages)
            for p, part in enumerate(message.parts)
            if part.may_cut and len(starts := self._token_starts(part.text)) > 1
        ]
        if not candidates:
            return None
        size, m, p, starts = max(candidates)
        parts = list(messages[m].parts)
        kept = parts[p].text[: starts[max(size - over, 1)]].rstrip()
        if not kept:
            return None
        parts[p] = replace(parts[p], text=kept)
        return (*messages[:m], replace(messages[m], parts=tuple(parts)), *messages[m + 1 :])

    def _token_starts(self, text: str) -> list[int]:
        """Where in the text each token begins; kept for the next question, which is often about the same text."""
        if self._last_starts[0] != text:
            encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            self._last_starts = text, [start for start, _ in encoded["offset_mapping"]]
        return self._last_starts[1]


def control_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Texts that the tokenizer would read as control tokens, longest first."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    named = set(tokenizer.all_special_tokens)
    if tokenizer.pad_token not in added:  # an ordinary word that was chosen for padding stays one in texts
        named.discard(tokenizer.pad_token)
    return sorted(added | named, key=lambda token: (-len(token), token))


def _marks(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Texts such as ``<think>`` that are one token, to which models were trained to react, though none of control."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if not token.special}
    return sorted((token for token in added if MARK.fullmatch(token)), key=lambda token: (-len(token), token))


def template_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 of the chat template and the date it is rendered with, in hexadecimal."""
    return hashlib.sha256(json.dumps([tokenizer.chat_template, TEMPLATE_DATE]).encode()).hexdigest()

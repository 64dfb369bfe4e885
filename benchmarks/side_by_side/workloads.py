"""What is trained on and scored: public rows, and one kind of task that asks any number of questions about a text.

Every round of a workload has rows of its own, the same for every system.  In training they are exactly one optimizer
step's, so that all steps of a round, in all systems, compute on the same token sequences.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.metrics import accuracy
from qlorakit.task import Example, Message, Output, Part, Prediction, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlorakit.encoding import Encoder
    from qlorakit.task import Row

    Rows = list[dict[str, Any]]
    Cut = Callable[[str, int], str]

DEFAULT_DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
SENTIMENTS = ("negative", "neutral", "positive")
VERDICTS = ("Entailment", "Contradiction", "NotMentioned")
CONTRACT_TOKENS, REPORT_TOKENS = 900, 600
BATCH = 16

# No system message and no first token that all rows share: what is said, a control token, and the answer.
TEMPLATE_WITHOUT_PREFIX = (
    "{%- for message in messages %}{{- message['content'] }}"
    "{{- eos_token if message['role'] == 'assistant' else '<|assistant|>' }}{%- endfor %}"
)


@dataclass(frozen=True)
class Workload:
    """Something that every system does.

    Attributes:
        name: As it is asked for on the command line.
        summary: One line for tables.
        scoring: Whether choices are scored; otherwise an adapter is trained.
        rows: The rows of a round, from a shuffler of its own and a function that cuts a text to so many tokens.
        instruction: The system message; none where it is empty.
        steps: Optimizer steps measured after the first, unless told otherwise.
        chat_template: Instead of the tokenizer's.
    """

    name: str
    summary: str
    rows: Callable[[random.Random, Cut], Rows]
    instruction: str
    scoring: bool = False
    steps: int = 1
    chat_template: str | None = None

    @property
    def task(self) -> Task[str]:
        """The task that asks about a row."""
        return questions_task(f"benchmark/{self.name}", self.summary, self.instruction)

    def rows_of(self, number: int, tokenizer: PreTrainedTokenizerBase) -> Rows:
        """The rows of a round, always the same ones."""
        shuffler = random.Random(f"{self.name} {number}")  # noqa: S311  # chooses rows, keeps no secret
        return self.rows(shuffler, lambda text, tokens: cut(text, tokens, tokenizer))


@dataclass(frozen=True)
class Sequences:
    """A workload's rows as the tokens that every system gets.

    Attributes:
        items: Prompt and continuation of each example (training) or of each choice (scoring).
        per_row: How many of them a row has.
    """

    items: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    per_row: int

    @property
    def tokens(self) -> int:
        """Tokens of all prompts and continuations."""
        return sum(len(prompt) + len(answer) for prompt, answer in self.items)

    @property
    def prompt_tokens(self) -> float:
        """Mean length of the prompts."""
        return sum(len(prompt) for prompt, _ in self.items) / len(self.items)

    @property
    def shared_tokens(self) -> int:
        """Tokens at the start that all prompts have in common."""
        prompts = sorted(prompt for prompt, _ in self.items)
        return common_length(prompts[0], prompts[-1])

    @property
    def distinct_tokens(self) -> int:
        """Tokens that are left when every common beginning is counted once."""
        ordered = sorted(prompt + answer for prompt, answer in self.items)
        return self.tokens - sum(common_length(one, other) for one, other in pairwise(ordered))


def questions_task(name: str, summary: str, instruction: str) -> Task[str]:
    """A task that asks each question of a row about the row's text.

    A row: ``{"text": "...", "questions": ["...", ...], "answers": ["...", ...], "choices": ["...", ...]}``.
    """
    system = (Message("system", (Part(instruction),)),) if instruction else ()

    def ask(row: Row) -> Sequence[Example]:
        prompts = (Message("user", (Part(row["text"] + question),)) for question in row["questions"])
        return tuple(
            Example((*system, prompt), tuple(row["choices"]), target=answer, key=prompt.text)
            for prompt, answer in zip(prompts, row["answers"], strict=True)
        )

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[str]:
        del row, examples
        return Output(", ".join(prediction.text for prediction in predictions))

    def reference(row: Row) -> str:
        return ", ".join(row["answers"])

    return Task(name, summary, ask, parse, reference, metrics=(accuracy(),))


def training_sequences(workload: Workload, rows: Rows, encoder: Encoder) -> Sequences:
    """Prompt and target of every example, as qlorakit encodes them."""
    encoded = encoder.encode_rows(rows, workload.task)
    items = tuple((item.prompt, item.target) for row in encoded for item in row.encoded if item.target is not None)
    return Sequences(items, len(items) // len(rows))


def scoring_sequences(workload: Workload, rows: Rows, encoder: Encoder) -> Sequences:
    """Prompt and choice for every choice of every row, as qlorakit encodes them."""
    encoded = encoder.encode_rows(rows, workload.task)
    items = tuple((item.prompt, choice) for row in encoded for item in row.encoded for choice in item.choices or ())
    return Sequences(items, len(items) // len(rows))


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their start."""
    for position, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return position
    return min(len(one), len(other))


def cut(text: str, tokens: int, tokenizer: PreTrainedTokenizerBase) -> str:
    """The beginning of a text, at most so many tokens long."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    return text if len(offsets) <= tokens else text[: offsets[tokens][0]].rstrip()


def data_folder() -> Path:
    """The folder of public data sets."""
    return Path(os.environ.get("QLORAKIT_DATA", DEFAULT_DATA))


def sentences() -> list[tuple[str, str]]:
    """Sentence and sentiment of Financial PhraseBank, where all annotators agree."""
    lines = (data_folder() / "financial_phrasebank" / "Sentences_AllAgree.txt").read_text(encoding="latin-1")
    pairs = (line.strip().rpartition("@") for line in lines.splitlines() if line.strip())
    return [(sentence.strip(), label) for sentence, _, label in pairs]


def phrasebank_rows(shuffler: random.Random, cut: Cut, *, count: int) -> Rows:
    """Sentences with a question after each."""
    del cut
    question = "\n\nThe sentiment for an investor is:"
    return [_row(sentence, [question], [label], SENTIMENTS) for sentence, label in shuffler.sample(sentences(), count)]


def unshared_rows(shuffler: random.Random, cut: Cut) -> Rows:
    """Passages as long as PhraseBank prompts, each of which begins with another token."""
    chosen: dict[str, dict[str, Any]] = {}
    pool = iter(shuffler.sample(sentences(), 1000))
    while len(chosen) < BATCH:
        (sentence, label), (second, _), (third, _) = islice(pool, 3)
        chosen.setdefault(cut(sentence, 1), _row(f"{sentence} {second} {third}", [""], [label], SENTIMENTS))
    return list(chosen.values())


def contract_rows(shuffler: random.Random, cut: Cut) -> Rows:
    """One contract's beginning with the 17 hypotheses of ContractNLI."""
    content = json.loads((data_folder() / "contract_nli" / "dev.json").read_text(encoding="utf-8"))
    document = shuffler.choice(
        [item for item in content["documents"] if _is_longer(item["text"], CONTRACT_TOKENS, cut)]
    )
    annotations = document["annotation_sets"][0]["annotations"]
    questions = [f"\n\nHypothesis: {label['hypothesis']}" for label in content["labels"].values()]
    answers = [annotations[key]["choice"] for key in content["labels"]]
    return [_row(cut(document["text"], CONTRACT_TOKENS), questions, answers, VERDICTS)]


def report_rows(shuffler: random.Random, cut: Cut) -> Rows:
    """One report's beginning with a question about each specialty."""
    ((text, label),) = islice(_long_reports(shuffler, cut), 1)
    names = specialties()
    questions = [f"\n\nIs this a report of the specialty {name}?" for name in names]
    return [_row(text, questions, ["yes" if name == label else "no" for name in names], ("yes", "no"))]


def specialty_rows(shuffler: random.Random, cut: Cut, *, count: int) -> Rows:
    """Reports' beginnings, each with one question for its specialty."""
    chosen = islice(_long_reports(shuffler, cut), count)
    return [_row(text, ["\n\nThe specialty is:"], [label], specialties()) for text, label in chosen]


def reports() -> list[tuple[str, str]]:
    """Text and specialty of the reports of MTSamples."""
    csv.field_size_limit(sys.maxsize)
    with (data_folder() / "mtsamples" / "mtsamples.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["transcription"], row["medical_specialty"]) for row in csv.DictReader(lines)]


def specialties() -> tuple[str, ...]:
    """The 40 specialties of MTSamples."""
    return tuple(sorted({label for _, label in reports()}))


def _long_reports(shuffler: random.Random, cut: Cut) -> Iterator[tuple[str, str]]:
    """Beginnings of distinct reports that are long enough, with a specialty."""
    by_text = dict(reports())
    for text in shuffler.sample(list(by_text), len(by_text)):
        if _is_longer(text, REPORT_TOKENS, cut):
            yield cut(text, REPORT_TOKENS), by_text[text]


def _is_longer(text: str, tokens: int, cut: Cut) -> bool:
    return len(cut(text, tokens)) < len(text)


def _row(text: str, questions: list[str], answers: list[str], choices: Sequence[str]) -> dict[str, Any]:
    return {"text": text, "questions": questions, "answers": answers, "choices": list(choices)}


INVESTOR = (
    "You read financial news and press releases of companies. Classify the sentiment of the sentence from the point of "
    "view of an investor who may hold the share: whether the news may have a good, a bad or no influence on its price. "
    "Answer with one of: negative, neutral, positive."
)

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "phrasebank",
            "Training: sentiment of a sentence, 16 sentences a step",
            partial(phrasebank_rows, count=BATCH),
            INVESTOR,
            steps=4,
        ),
        Workload(
            "contract_nli",
            "Training: 17 hypotheses about the first 900 tokens of a contract, one contract a step",
            contract_rows,
            "Does the contract entail the hypothesis? Answer Entailment, Contradiction or NotMentioned.",
        ),
        Workload(
            "mtsamples",
            "Training: 40 specialties asked one by one about the first 600 tokens of a report, one report a step",
            report_rows,
            "Does the medical report belong to the specialty? Answer yes or no.",
        ),
        Workload(
            "unshared",
            "Training: passages of which no two begin with the same token, 16 passages a step",
            unshared_rows,
            "",
            steps=4,
            chat_template=TEMPLATE_WITHOUT_PREFIX,
        ),
        Workload(
            "score_phrasebank",
            "Scoring: 3 choices after each of 64 sentences",
            partial(phrasebank_rows, count=64),
            INVESTOR,
            scoring=True,
        ),
        Workload(
            "score_mtsamples",
            "Scoring: 40 choices after the first 600 tokens of each of 4 reports",
            partial(specialty_rows, count=4),
            "Name the medical specialty that the report belongs to.",
            scoring=True,
        ),
    )
}

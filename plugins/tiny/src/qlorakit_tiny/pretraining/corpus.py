"""From the corpus folder to documents: plain text, question and answer, and small classification exercises.

Every document is a list of chat messages or one plain text.  What becomes of each source is told in the model card.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Chat = tuple[tuple[str, str], ...]  # (role, text), ...

HELD_OUT_PER_MILLE = 10
RESERVED_TOPICS_PER_MILLE = 100
MOJIBAKE = re.compile("Ã.|â€|\ufffd")
GUTENBERG_FRAME = re.compile(r"\*\*\* ?START OF TH.*?\*\*\*(.*)\*\*\* ?END OF TH", re.DOTALL)


@dataclass(frozen=True)
class Document:
    """One unit of the corpus.

    Attributes:
        source: Folder of the corpus it came from.
        content: A plain text, or a conversation as (role, text) pairs.
        identity: What decides whether it is held out: stable when other documents come or go.
    """

    source: str
    content: str | Chat
    identity: str

    @property
    def held_out(self) -> bool:
        """Whether the document is kept out of training to measure the loss on unseen text."""
        return per_mille(self.identity) < HELD_OUT_PER_MILLE


def per_mille(identity: str) -> int:
    """Place a string in one of 1000 equal buckets, the same on every machine."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") % 1000


def is_reserved_topic(focus: str) -> bool:
    """Whether a MedQuAD topic is left for evaluation: a tenth of them, by hash of the lower-cased name."""
    return per_mille(f"medquad topic {focus.strip().lower()}") < RESERVED_TOPICS_PER_MILLE


def read_documents(corpus: Path, *, seed: int) -> list[Document]:
    """Read every source, in a fixed order, without duplicates.

    Args:
        corpus: Folder with ``openstax_text``, ``fed_text``, ``medquad`` and ``gutenberg``.
        seed: Decides the passages and the order of options of the classification exercises.

    Raises:
        FileNotFoundError: A source is missing.
    """
    plain = [*_openstax(corpus), *_fed(corpus), *_gutenberg(corpus)]
    questions = list(_medquad(corpus))
    exercises = list(_exercises(corpus, random.Random(seed)))  # noqa: S311  # no secret
    unique: dict[str | Chat, Document] = {}
    for document in (*plain, *questions, *exercises):
        unique.setdefault(document.content, document)
    return list(unique.values())


def _records(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _openstax(corpus: Path) -> Iterator[Document]:
    for module in _records(corpus / "openstax_text" / "openstax.jsonl"):
        yield Document("openstax", module["text"], f"{module['book']}/{module['module']}")


def _fed(corpus: Path) -> Iterator[Document]:
    for document in _records(corpus / "fed_text" / "fed_text.jsonl"):
        if not MOJIBAKE.search(document["text"]):
            yield Document("fed", document["text"], f"{document['kind']}/{document['id']}")


def _gutenberg(corpus: Path) -> Iterator[Document]:
    for path in sorted((corpus / "gutenberg").glob("*.txt")):
        text = path.read_text(encoding="latin-1").replace("\r\n", "\n")
        frame = GUTENBERG_FRAME.search(text)
        body = frame.group(1) if frame else text
        paragraphs = [" ".join(paragraph.split()) for paragraph in body.split("\n\n") if paragraph.strip()]
        for start in range(0, len(paragraphs), 20):
            yield Document("gutenberg", "\n\n".join(paragraphs[start : start + 20]), f"{path.stem}/{start}")


def _medquad(corpus: Path) -> Iterator[Document]:
    for pair in _records(corpus / "medquad" / "medquad.jsonl"):
        if not is_reserved_topic(pair["focus"]):
            question = pair["question"].replace(" ?", "?")
            yield Document("medquad", (("user", question), ("assistant", pair["answer"])), pair["focus"])


def _exercises(corpus: Path, rng: random.Random) -> Iterator[Document]:
    """Short texts with a closed set of answers, so that a system message and a list of options mean something."""
    for module in _records(corpus / "openstax_text" / "openstax.jsonl"):
        subject = module["book"].replace("-", " ").removesuffix(" external bundle").removesuffix(" bundle")
        for passage in _passages(module["text"], rng, most=3):
            identity = f"{module['book']}/{module['module']}"
            yield _exercise(passage, "subject", subject, SUBJECTS, identity, rng)
            yield _exercise(passage, "field", module["domain"], FIELDS, identity, rng)
    for document in _records(corpus / "fed_text" / "fed_text.jsonl"):
        kind = "minutes" if document["kind"] == "fomc_minutes" else "speech"
        if not MOJIBAKE.search(document["text"]):
            for passage in _passages(document["text"], rng, most=2):
                identity = f"{document['kind']}/{document['id']}"
                yield _exercise(passage, "kind of document", kind, KINDS, identity, rng)
    for pair in _records(corpus / "medquad" / "medquad.jsonl"):
        if not is_reserved_topic(pair["focus"]) and pair["qtype"] in QUESTION_TYPES and rng.random() < 1 / 4:
            for passage in _passages(pair["answer"], rng, most=1):
                yield _exercise(passage, "topic", pair["qtype"], QUESTION_TYPES, pair["focus"], rng)


SUBJECTS = (
    "principles finance",
    "principles economics",
    "entrepreneurship",
    "business ethics",
    "introduction intellectual property",
    "american government",
    "nursing",
    "anatomy physiology",
    "microbiology",
    "psychology",
)
FIELDS = ("finance", "medical", "legal")
KINDS = ("minutes", "speech")
QUESTION_TYPES = ("information", "symptoms", "treatment", "inheritance", "frequency", "causes", "genetic changes")
INSTRUCTIONS = (
    "Classify the text by {what}. Answer with one of: {options}.",
    "What is the {what} of the text? Choose one of: {options}.",
    "Read the text and name its {what}. Options: {options}.",
    "Decide on the {what}: {options}? Answer with the option alone.",
)


def _passages(text: str, rng: random.Random, *, most: int) -> Iterator[str]:
    sentences = re.split(r"(?<=[.!?])\s+", text)
    for start in sorted(rng.sample(range(len(sentences)), min(most, len(sentences)))):
        passage = " ".join(sentences[start : start + rng.randint(1, 4)]).strip()
        if 8 <= len(passage.split()) <= 120:  # noqa: PLR2004  # shorter says nothing, longer leaves the window
            yield passage


def _exercise(
    passage: str, what: str, answer: str, options: Sequence[str], identity: str, rng: random.Random
) -> Document:
    """Ask for one of some options in random order, or whether one of them fits."""
    wrong = [option for option in options if option != answer]
    chosen = [answer, *rng.sample(wrong, rng.randint(1, len(wrong)))]
    rng.shuffle(chosen)
    instruction = rng.choice(INSTRUCTIONS).format(what=what, options=", ".join(chosen))
    if rng.random() < 1 / 4:
        offered = rng.choice((answer, rng.choice(wrong)))
        instruction = f"Is the {what} of the text {offered}? Answer yes or no."
        answer = "yes" if offered == answer else "no"
    opening: Chat = (("system", instruction), ("user", passage))
    if rng.random() < 1 / 3:
        opening = (("user", f"{instruction}\n\n{passage}"),)
    return Document("exercise", (*opening, ("assistant", answer)), identity)

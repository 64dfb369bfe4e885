"""Tasks that put a list of questions to a document of any length.

A document that does not fit into the context is read in windows that overlap and end where sentences end, so that all
of it is read::

    document   [s1 s2 s3 s4 s5 s6 s7 s8 s9]
    windows    [s1 s2 s3 s4]
                        [s4 s5 s6 s7]
                                 [s7 s8 s9]          each window, then question by question: none, or which sentence?

Sentences are numbered, and the choices of a question are that there is nothing, or an answer with the number of the
sentence that tells so.  So evidence is a stretch of the document itself, and cannot be invented.  What the questions
about a window have in common is computed once.

Of a document, the probability that there is something is that of the window in which it is highest; there is where it
reaches the question's threshold, which is fitted on validation documents (:class:`~qlorakit.task.DecisionRule`).
"""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from qlorakit.cells import list_in, required_text
from qlorakit.document_baselines import answer_in, majority_answers, stretch_tfidf
from qlorakit.document_metrics import (
    DOCUMENTS,
    Finding,
    Reading,
    answer_accuracy,
    answer_f1,
    answer_macro_f1,
    answer_scores,
    evidence_f1,
    found_in,
    micro_f1,
    question_macro_f1,
    question_scores,
    same_answers,
)
from qlorakit.errors import DataError, EncodingError, PluginError, did_you_mean, shown
from qlorakit.kinds import Extras, choice_probabilities, task_of
from qlorakit.quotes import find_quote
from qlorakit.score_metrics import multilabel_auprc
from qlorakit.sentences import LONGEST, pieces_of, sentences_of, shared, telling, within
from qlorakit.task import Baseline, Column, DecisionRule, Example, Message, Output, Part, Prediction, Task
from qlorakit.thresholds import FEWEST_POSITIVES, best_threshold

if TYPE_CHECKING:
    from qlorakit.sentences import Stretch
    from qlorakit.task import Decision, Room, Row

__all__ = ["Finding", "Reading", "document_questions", "excerpts"]

OVERLAP = 0.1  # of a window's characters that stand in the one before as well
# Another sentence of the window is evidence as well from this share of the likeliest one's probability on, and this
# share of what all sentences have: where the model does not know which one it is, all are about as likely.
HALF, TENTH = 0.5, 0.1
DEFAULT_THRESHOLD = 0.5
SPARE = 4  # tokens left free, because a longer question may be cut into tokens otherwise than it was tried
FIRST_TRY = 32  # sentences
# Most characters of a sentence, each tried where a sentence of the length before does not fit.
LENGTHS = (LONGEST, 200, 60, 20)
WORDS = 150  # of an excerpt


def document_questions(
    name: str,
    *,
    summary: str,
    instruction: str,
    questions: Mapping[str, str],
    answers: Sequence[str] = ("absent", "present"),
    absent: str = "absent",
    text: Column | None = None,
    found: Column | None = None,
    evidence: bool = True,
    **extras: Unpack[Extras],
) -> Task[Reading]:
    """Declare a task that puts a list of questions to a document, and answers each with its evidence.

    A labelled row tells what is found in it as a list of mappings, in files also as JSON::

        {"text": "...", "answers": [{"question": "term", "answer": "present", "evidence": [[120, 187]]}, ...]}

    Evidence is a list of stretches, first character and the one behind the last, of mappings with ``start`` and ``end``
    as ``predict`` returns them, or of quotes from the text (:func:`qlorakit.quotes.find_quote`), in all rows of a file
    alike, empty where it is not known.  Questions that are not listed are not asked of a labelled row; of one without
    the column all are.  An answer that is known without its evidence is learned from where the whole document fits, and
    left out where it is divided, because nobody knows which window it is in.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: The system message: what is asked, and what answers mean.
        questions: What is asked, by the name of the question.
        answers: The closed set.
        absent: Which of them says that there is nothing.
        text: The column with the document, ``"text"`` unless told otherwise.
        found: The column with the answers, ``"answers"`` unless told otherwise.
        evidence: Whether the sentence is asked for as well.  Without it a question costs less, and there is none.
        **extras: See :class:`~qlorakit.kinds.Extras`.

    Raises:
        PluginError: Questions or answers cannot be told apart, or ``absent`` is none of the answers.
    """
    asking = _Asking(instruction, dict(questions), tuple(answers), absent, evidence)
    asking.check(name)
    columns = _Columns(text or Column("text", aliases=("content",)), found or _ANSWERS, asking)
    names, several = tuple(questions), len(answers) > 2  # noqa: PLR2004  # yes and no
    ranking = found_in(multilabel_auprc(names), lambda reading: _found(reading, absent))
    metrics = (
        (answer_macro_f1(answers), answer_accuracy(), *(answer_f1(f"f1_{_word(one)}", one) for one in answers))
        if several
        else (question_macro_f1(names, absent), micro_f1(absent), answer_accuracy(), ranking)
    )
    rule: DecisionRule[Reading] = DecisionRule(
        functools.partial(_fit_answers if several else _fit_findings, names=names, absent=absent),
        asking.decide,
        dict.fromkeys(names, DEFAULT_THRESHOLD),
        accepts=lambda decision: set(decision) == set(names),
    )

    def ask(row: Row, room: Room) -> Sequence[Example]:
        return list(asking.ask(required_text(row, columns.text.name), columns.read(row), room))

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Reading]:
        return asking.parse(row[columns.text.name], examples, predictions)

    return task_of(
        extras,
        name=name,
        summary=summary,
        kind=DOCUMENTS,
        format=lambda row: ask(row, _room_for_all),
        format_to_fit=ask,
        parse=parse,
        reference=columns.reference,
        metrics=(*metrics, *((evidence_f1(absent),) if evidence else ())),
        matches=same_answers,
        classes=functools.partial(answer_scores, answers=tuple(answers))
        if several
        else functools.partial(question_scores, questions=names, absent=absent),
        decision=rule,
        baselines=(
            Baseline("majority", functools.partial(majority_answers, absent=absent), from_labels_alone=True),
            Baseline(
                "tfidf",
                functools.partial(stretch_tfidf, something=asking.something, absent=absent, text=columns.text.name),
            ),
        ),
        tells_text=False,
        restore=Reading.restore,
        tell=functools.partial(_tell, text=columns.text.name),
        expressible=functools.partial(_expressible, ask=ask, parse=parse) if evidence else None,
        columns=(columns.text, columns.found),
    )


_ANSWERS = Column("answers", aliases=("findings",), label=True)


@dataclass(frozen=True)
class _Asking:
    """How a document is asked about."""

    instruction: str
    questions: Mapping[str, str]
    answers: tuple[str, ...]
    absent: str
    evidence: bool

    def check(self, name: str) -> None:
        texts = [*self.answers, *self.questions, *self.questions.values()]
        if not self.questions or not all(isinstance(one, str) and one.strip() for one in texts):
            msg = f"{name}: questions and answers must be texts that are not blank, one question at least"
            raise PluginError(msg)
        if self.absent not in self.answers or len(set(self.answers)) != len(self.answers) or len(self.answers) < 2:  # noqa: PLR2004
            msg = f"{name}: answers={self.answers!r} must be two or more, distinct, one of them absent={self.absent!r}"
            raise PluginError(msg)

    @property
    def something(self) -> tuple[str, ...]:
        """The answers that there is something."""
        return tuple(answer for answer in self.answers if answer != self.absent)

    def ask(self, text: str, known: Mapping[str, Finding] | None, room: Room) -> Iterator[Example]:
        names = tuple(self.questions if known is None else known)
        if not names:
            return
        sentences, windows = self._fitting(text, names, room)
        for first, end in windows:
            shown = self._shown(text, sentences[first:end])
            for name in names:
                finding = None if known is None else known[name]
                right = self._right(finding, sentences[first:end], alone=len(windows) == 1)
                yield self._example(name, shown, sentences[first:end], right)

    def _fitting(
        self, text: str, names: Sequence[str], room: Room
    ) -> tuple[Sequence[Stretch], Sequence[tuple[int, int]]]:
        """Sentences, and runs of them that fit, whatever is asked; divided further where one alone does not.

        Raises:
            EncodingError: The questions leave no room for a text.
        """
        left = 0
        for longest in LENGTHS:
            sentences = sentences_of(text, longest=longest)
            tried = {name: self._example(name, self._shown(text, sentences[:1]), sentences[:1], ()) for name in names}
            widest = min(names, key=lambda name: room([tried[name]]))
            windows, left = self._windows(text, sentences, widest, room)
            if left >= 0:
                return sentences, windows
        msg = (
            f"the longest question ({widest!r}) and a few words of the text need {-left} tokens more than the context "
            "has; raise max_length, or shorten the instruction and the question"
        )
        raise EncodingError(msg)

    def _windows(
        self, text: str, sentences: Sequence[Stretch], name: str, room: Room
    ) -> tuple[Sequence[tuple[int, int]], int]:
        """Runs of sentences that fit with a question, and how many tokens are left where one alone fits worst."""

        def left(first: int, end: int) -> int:
            of_window = sentences[first:end]
            return room([self._example(name, self._shown(text, of_window), of_window, ())])

        windows, worst = [], 0
        for first, end in _runs(sentences, lambda first, end: left(first, end) >= SPARE):
            windows.append((first, end))
            worst = min(worst, left(first, end)) if end == first + 1 else worst
            if worst < 0:
                break
        return windows, worst

    def _shown(self, text: str, sentences: Sequence[Stretch]) -> str:
        if not self.evidence:
            return text[sentences[0][0] : sentences[-1][1]]
        return "\n".join(f"[{number}] {text[start:end]}" for number, (start, end) in enumerate(sentences, start=1))

    def _example(self, name: str, shown: str, sentences: Sequence[Stretch], right: Sequence[str]) -> Example:
        messages = (
            Message("system", (Part(self.instruction),)),
            Message("user", (Part(shown), Part(f"\n\n{self.questions[name]}"))),
        )
        target, *also = right or (None,)
        window = sentences[0][0], sentences[-1][1]
        choices = _choices(self.answers, self.something if self.evidence else (), len(sentences))
        return Example(messages, choices, target, key=name, also=tuple(filter(None, also)), window=window)

    def _right(self, finding: Finding | None, sentences: Sequence[Stretch], *, alone: bool) -> Sequence[str]:
        """What is right of a window; nothing where that is not known."""
        if finding is None:
            return ()
        if finding.answer == self.absent:
            return (self.absent,)
        if not finding.evidence:
            return (finding.answer,) if alone else ()
        places = [place + 1 for place in telling(sentences, finding.evidence)]
        if not places:
            return (self.absent,)
        return [f"{finding.answer} {place}" for place in places] if self.evidence else (finding.answer,)

    def parse(self, text: str, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Reading]:
        if not all(prediction.valid and prediction.logprobs for prediction in predictions):
            return Output(None)
        sentences = self._sentences(text, examples)
        windows = sorted({example.window for example in examples if example.window})
        read: dict[str, list[_Read]] = {}
        for example, prediction in zip(examples, predictions, strict=True):
            inside = sentences[within(sentences, example.window)] if example.window else ()
            read.setdefault(str(example.key), []).append(self._read(prediction.logprobs or {}, inside))
        scores = dict.fromkeys(self.questions, 0.0)  # of those that are not asked as well, for metrics of ranks
        for name, of_one in read.items():
            scores |= self._scores(name, of_one)
        undecided = Reading(
            tuple(Finding(name, self.absent) for name in read),
            tuple(windows),
            tuple(tuple(1 - one.shares[self.absent] for one in of_one) for of_one in read.values()),
            tuple(tuple(one.passages for one in of_one) for of_one in read.values()),
            tuple(tuple(one.answer for one in of_one) for of_one in read.values()),
        )
        return self.decide(Output(undecided, scores), dict.fromkeys(self.questions, DEFAULT_THRESHOLD))

    def _sentences(self, text: str, examples: Sequence[Example]) -> Sequence[Stretch]:
        """The sentences as they were numbered: so many in each window as there are choices for."""
        asked = {example.window: len(example.choices or ()) for example in examples if example.window}
        numbered = self.something if self.evidence else ()
        for longest in LENGTHS:
            sentences = sentences_of(text, longest=longest)
            counts = {window: len(sentences[within(sentences, window)]) for window in asked}
            if all(size == len(self.answers) + len(numbered) * counts[window] for window, size in asked.items()):
                return sentences
        msg = "the questions are not about this text: its sentences are not those that were numbered"
        raise PluginError(msg)

    def _read(self, logprobs: Mapping[str, float], sentences: Sequence[Stretch]) -> _Read:
        """What the probabilities of the choices say of a window."""
        probabilities = choice_probabilities(logprobs)
        numbers = range(1, len(sentences) + 1) if self.evidence else ()
        of_sentence = {one: [probabilities[f"{one} {number}"] for number in numbers] for one in self.something}
        shares = {one: probabilities[one] + sum(of_sentence[one]) for one in self.something}
        answer = max(shares, key=lambda one: shares[one])
        return _Read(
            {self.absent: probabilities[self.absent], **shares}, answer, _likeliest(sentences, of_sentence[answer])
        )

    def _scores(self, name: str, windows: Sequence[_Read]) -> dict[str, float]:
        """The probability that there is something, and where that may be several things, of each."""
        best = {one: max(window.shares[one] for window in windows) for one in self.something}
        absent = min(window.shares[self.absent] for window in windows)
        several = {f"{name}: {one}": value for one, value in best.items()} if len(best) > 1 else {}
        return {name: min(max(1 - absent, 0.0), 1.0), **several}

    def decide(self, output: Output[Reading], decision: Decision) -> Output[Reading]:
        """The answers that the scores have under thresholds, with their evidence."""
        if output.value is None or not output.scores:
            return output
        reading = output.value
        relevance = reading.relevance or ((),) * len(reading.findings)
        passages = reading.passages or ((),) * len(reading.findings)
        leanings = reading.leanings or ((),) * len(reading.findings)
        findings = [
            self._finding(finding.question, output.scores, decision, _Windows(shares, places, leaning))
            for finding, shares, places, leaning in zip(reading.findings, relevance, passages, leanings, strict=True)
        ]
        return Output(reading._replace(findings=tuple(findings)), output.scores)

    def _finding(self, name: str, scores: Mapping[str, float], decision: Decision, windows: _Windows) -> Finding:
        if scores[name] < decision[name]:
            return Finding(name, self.absent)
        answer = max(self.something, key=lambda one: scores.get(f"{name}: {one}", 0.0))
        return Finding(name, answer, tuple(_joined(windows.telling(answer, decision[name]))))


class _Windows(NamedTuple):
    """What the windows of a document say on one question; see :class:`~qlorakit.document_metrics.Reading`."""

    relevance: Sequence[float]
    passages: Sequence[Sequence[Stretch]]
    leanings: Sequence[str]

    def telling(self, answer: str, threshold: float) -> Iterator[Stretch]:
        """Where those that reach a threshold and lean to an answer say so."""
        leanings = self.leanings or [answer] * len(self.relevance)
        for share, found, leaning in zip(self.relevance, self.passages, leanings, strict=False):
            if share >= threshold and leaning == answer:
                yield from found


class _Read(NamedTuple):
    """What was said about a window: the share of each answer, the likeliest but nothing, and the sentences for it."""

    shares: Mapping[str, float]
    answer: str
    passages: tuple[Stretch, ...]


@dataclass(frozen=True)
class _Columns:
    """What is read of a row."""

    text: Column
    found: Column
    asking: _Asking

    def reference(self, row: Row) -> Reading:
        known = self.read(row)
        if not known:
            msg = f"column {self.found.name!r} is empty; give a list of answers to questions, or remove the row"
            raise DataError(msg)
        return Reading(tuple(known.values()))

    def read(self, row: Row) -> dict[str, Finding] | None:
        """The findings in the order of the questions; ``None`` where they are not known."""
        given = list_in(row.get(self.found.name), self.found.name)
        if given is None:
            return None
        text = required_text(row, self.text.name)
        found = [self._finding(one, text) for one in given]
        by_name = {finding.question: finding for finding in found}
        if len(by_name) != len(found):
            twice = next(one.question for one in found if sum(other.question == one.question for other in found) > 1)
            msg = f"column {self.found.name!r} answers question {twice!r} twice; join the two"
            raise DataError(msg)
        return {name: by_name[name] for name in self.asking.questions if name in by_name}

    def _finding(self, given: object, text: str) -> Finding:
        column = self.found.name
        if not isinstance(given, Mapping) or not {"question", "answer"} <= set(given):
            msg = f"column {column!r} holds {shown(given)} where a mapping with 'question' and 'answer' is needed"
            raise DataError(msg)
        name, answer, quoted = given["question"], given["answer"], given.get("evidence")
        for what, value, known in (("question", name, self.asking.questions), ("answer", answer, self.asking.answers)):
            if not isinstance(value, str) or value not in known:
                hint = did_you_mean(str(value), known)
                msg = (
                    f"column {column!r}: unknown {what} {shown(value)}; there are {', '.join(map(repr, known))}.{hint}"
                )
                raise DataError(msg)
        if quoted is not None and not isinstance(quoted, list | tuple):
            msg = f"column {column!r}: evidence of question {name!r} is {quoted!r}; give a list of quotes or of places"
            raise DataError(msg)
        evidence = tuple(sorted({self._place(one, text, name) for one in quoted or ()}))
        if evidence and answer == self.asking.absent:
            told = f"question {shown(name)} is answered by {shown(answer)}"
            msg = f"column {column!r}: {told} and has evidence; remove either"
            raise DataError(msg)
        return Finding(name, answer, evidence)

    def _place(self, given: object, text: str, name: str) -> Stretch:
        """Where a piece of evidence stands."""
        what = f"column {self.found.name!r}: evidence of question {name!r}"
        if isinstance(given, str):
            place = find_quote(text, given) if given.strip() else None
            if place is None:
                msg = f"{what} does not stand in the text word for word: {given[:80]!r}; quote it as it stands"
                raise DataError(msg)
            return place
        if isinstance(given, Mapping) and {"start", "end"} <= set(given):  # as predict returns it
            given = [given["start"], given["end"]]
        if isinstance(given, list | tuple) and len(given) == 2 and all(type(one) is int for one in given):  # noqa: PLR2004
            start, end = given
            if 0 <= start < end <= len(text) and text[start:end].strip():
                return start, end
        how = f"give a quote, or a pair [first character, the one behind the last] of {len(text)}"
        msg = f"{what} is {shown(given)}; {how}"
        raise DataError(msg)


@functools.lru_cache(maxsize=64)  # all questions about a window have the same
def _choices(answers: tuple[str, ...], numbered: tuple[str, ...], sentences: int) -> tuple[str, ...]:
    return *answers, *(f"{answer} {number}" for answer in numbered for number in range(1, sentences + 1))


def _room_for_all(examples: Sequence[Example]) -> int:
    del examples
    return SPARE


def _runs(sentences: Sequence[Stretch], fits: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Runs of as many sentences as fit, each beginning with the last ones of the run before.

    A sentence that does not fit by itself stands alone, and is refused when it is asked about.
    """
    first, total, size, reached = 0, len(sentences), FIRST_TRY, 0
    while reached < total:
        end = _longest_run(first, size, total, fits)
        if end == reached:  # what is repeated leaves no room for anything else
            first += 1
            continue
        yield first, end
        size, reached = end - first, end
        first = _next_first(sentences, first, end)


def _longest_run(first: int, guess: int, total: int, fits: Callable[[int, int], bool]) -> int:
    """The end of the longest run that fits, found from a guess of its length; one sentence is taken to fit."""
    low, high, place, step = first + 1, total + 1, first + guess, 1
    while high - low > 1:
        place = min(max(place, low + 1), high - 1)
        if fits(first, place):
            low, place = place, place + step
        else:
            high, place = place, place - step
        step *= 2
        if not low < place < high:
            place = (low + high) // 2
    return low


def _next_first(sentences: Sequence[Stretch], first: int, end: int) -> int:
    """Where the next run begins: what it repeats is a tenth of the run before at most, and at least one sentence."""
    start, stop = sentences[first][0], sentences[end - 1][1]
    repeated = end - 1
    while repeated > first + 1 and stop - sentences[repeated - 1][0] <= OVERLAP * (stop - start):
        repeated -= 1
    return max(repeated, first + 1)


def _likeliest(sentences: Sequence[Stretch], probabilities: Sequence[float]) -> tuple[Stretch, ...]:
    if not probabilities:
        return ()
    best = max(probabilities)
    least = max(HALF * best, min(TENTH * sum(probabilities), best))
    kept = [place for place, probability in enumerate(probabilities) if probability >= least]
    runs = [kept[:1]]
    for place in kept[1:]:
        if place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return tuple((sentences[run[0]][0], sentences[run[-1]][1]) for run in runs)


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, those that overlap as one."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _found(reading: Reading, absent: str) -> tuple[str, ...]:
    """The questions with a finding."""
    return tuple(finding.question for finding in reading.findings if finding.answer != absent)


def _tell(row: Row, output: Output[Reading], *, text: str) -> dict[str, Any] | None:
    """What is found, with the words that tell so, and in which windows the document was read."""
    if output.value is None:
        return None
    findings = [
        {
            "question": finding.question,
            "answer": finding.answer,
            "probability": output.scores.get(finding.question),
            "evidence": [{"start": a, "end": b, "quote": row[text][a:b]} for a, b in finding.evidence],
        }
        for finding in output.value.findings
    ]
    return {"findings": findings, "windows": [list(window) for window in output.value.windows]}


class _Known(NamedTuple):
    """The probability that there is something, the answer if there is, and the right answer."""

    score: float
    likeliest: str
    right: str


def _known(
    outputs: Sequence[Output[Reading]], references: Sequence[Reading], names: Sequence[str], absent: str
) -> dict[str, list[_Known]]:
    """What is known of each question from labelled documents."""
    found: dict[str, list[_Known]] = {name: [] for name in names}
    for output, reference in zip(outputs, references, strict=True):
        for finding in reference.findings if output.scores else ():
            name = finding.question
            of_answers = {
                key.removeprefix(f"{name}: "): share
                for key, share in output.scores.items()
                if key.startswith(f"{name}: ")
            }
            likeliest = max(of_answers, key=lambda one: of_answers[one], default=absent)
            found[name].append(_Known(output.scores[name], likeliest, finding.answer))
    return found


def _fit_findings(
    outputs: Sequence[Output[Reading]], references: Sequence[Reading], *, names: Sequence[str], absent: str
) -> Decision:
    """The threshold of each question with the best F1 of finding something; where that is rare, of all together."""
    import numpy as np

    def best(known: Sequence[_Known]) -> float:
        scores = np.array([one.score for one in known], dtype=np.float64)
        return best_threshold(scores, np.array([one.right != absent for one in known], dtype=bool))

    return _each(_known(outputs, references, names, absent), best, absent)


def _fit_answers(
    outputs: Sequence[Output[Reading]], references: Sequence[Reading], *, names: Sequence[str], absent: str
) -> Decision:
    """The threshold of each question with most right answers; where something is found seldom, of all together."""

    def best(known: Sequence[_Known]) -> float:
        if not known:
            return DEFAULT_THRESHOLD
        ordered = sorted(known, key=lambda one: one.score)
        # What is gained where one document less is said to hold something, from the lowest score on.
        gains = [(one.right == absent) - (one.likeliest == one.right) for one in ordered]
        right = list(itertools.accumulate(gains, initial=0))
        bounds = [0.0, *(one.score for one in ordered), 1.0 + 2 * TENTH]
        places = [place for place in range(len(right)) if bounds[place] < bounds[place + 1]]
        widest = max(places, key=lambda place: (right[place], bounds[place + 1] - bounds[place]))
        return (bounds[widest] + bounds[widest + 1]) / 2

    return _each(_known(outputs, references, names, absent), best, absent)


def _each(
    known: Mapping[str, Sequence[_Known]], best: Callable[[Sequence[_Known]], float], absent: str
) -> dict[str, float]:
    """A threshold of its own for each question to which there is something in enough documents."""
    common = best(list(itertools.chain.from_iterable(known.values())))
    return {
        name: best(of_one) if sum(one.right != absent for one in of_one) >= FEWEST_POSITIVES else common
        for name, of_one in known.items()
    }


def _expressible(
    row: Row,
    *,
    ask: Callable[[Row, Room], Sequence[Example]],
    parse: Callable[[Row, Sequence[Example], Sequence[Prediction]], Output[Reading]],
) -> Output[Reading]:
    """What is left of a reference that has gone through numbered sentences."""
    examples = ask(row, _room_for_all)
    value = parse(row, examples, [_sure(example) for example in examples]).value
    return Output(None if value is None else Reading(value.findings))


def _sure(example: Example) -> Prediction:
    likely = -math.log(max(len(example.right), 1))
    return Prediction(
        str(example.target),
        logprobs={choice: likely if choice in example.right else -1e3 for choice in example.choices or ()},
    )


def _word(answer: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in answer).split()).casefold()


def excerpts(
    rows: Iterable[Row],
    *,
    task: Task[Reading],
    absent: str = "absent",
    words: int = WORDS,
    others: int = 4,
    empty: float = 0.5,
    seed: int = 0,
) -> list[Row]:
    """Pieces of labelled documents, to be learned from: in whole ones there is nothing to nearly every question.

    A document is divided at sentence ends into pieces that do not overlap.  Of a piece, those questions are asked to
    which it holds evidence, and some of those to which it holds none.

    Args:
        rows: Labelled documents, with evidence.  Answers of which it is not known are left out.
        task: One of :func:`document_questions`.
        absent: Its answer that there is nothing.
        words: Most of a piece, unless a sentence alone has more.
        others: Questions of a piece to which it holds nothing, drawn.
        empty: Pieces without any evidence that are kept, as a share of those with some in the same document, one at
            least.
        seed: Of what is drawn.

    Returns:
        Rows of the same form, with the other columns of their document.

    Raises:
        DataError: No question is answered by ``absent``, or a row cannot be read.
    """
    rng = random.Random(seed)  # noqa: S311  # nothing secret
    pieces: list[Row] = []
    seen = False
    for row in rows:
        findings = task.reference(row).findings
        seen = seen or any(finding.answer == absent for finding in findings)
        of_row = [
            _piece(row, task, stretch, findings, absent, others, rng)
            for stretch in pieces_of(row[_column(task, label=False)], words)
        ]
        told = [place for place, piece in enumerate(of_row) if _is_told(piece, task, absent)]
        rest = sorted({*range(len(of_row))} - {*told})
        drawn = rng.sample(rest, min(len(rest), max(math.ceil(empty * len(told)), 1)))
        pieces.extend(of_row[place] for place in sorted((*told, *drawn)))
    if not seen:
        msg = f"absent={absent!r}: no question of the rows is answered so; name the answer that there is nothing"
        raise DataError(msg)
    return [piece for piece in pieces if piece[_column(task, label=True)]]


def _column(task: Task[Reading], *, label: bool) -> str:
    return next(column.name for column in task.columns if column.label is label)


def _is_told(piece: Row, task: Task[Reading], absent: str) -> bool:
    return any(one["answer"] != absent for one in piece[_column(task, label=True)])


def _piece(
    row: Row,
    task: Task[Reading],
    stretch: Stretch,
    findings: Sequence[Finding],
    absent: str,
    others: int,
    rng: random.Random,
) -> Row:
    """A row about a piece of a document."""
    answers = [(one, answer_in(stretch, one, absent, alone=False)) for one in findings]
    told = [one for one, answer in answers if answer not in {None, absent}]
    nothing = [one for one, answer in answers if answer == absent]
    kept = sorted(rng.sample(range(len(nothing)), min(others, len(nothing))))
    asked = [
        *(_record(one, one.answer, stretch) for one in told),
        *(_record(nothing[i], absent, stretch) for i in kept),
    ]
    text, found = _column(task, label=False), _column(task, label=True)
    return {**row, text: row[text][stretch[0] : stretch[1]], found: asked}


def _record(finding: Finding, answer: str, stretch: Stretch) -> dict[str, Any]:
    """An answer about a piece, with that part of the evidence that is in it."""
    start, end = stretch
    inside = [[max(a, start) - start, min(b, end) - start] for a, b in finding.evidence if shared((a, b), stretch)]
    return {"question": finding.question, "answer": answer, "evidence": inside if answer == finding.answer else []}

import importlib.metadata
import logging
import math
import re
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import replace

import pytest
from helpers import build_model, build_tokenizer

import qlorakit as qk
from qlorakit import hostile_rows
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.kinds import entities, multilabel, multiple_choice, number, required_text, single_label, text
from qlorakit.metrics import mean_metric
from qlorakit.score_metrics import log_loss
from qlorakit.task import (
    Baseline,
    Column,
    DecisionRule,
    Example,
    Message,
    Output,
    Part,
    Prediction,
    PublicDataset,
    Task,
)
from qlorakit.testing import (
    check_plugin,
    check_task,
    outputs_of,
    perfect_predictions,
    shuffled_predictions,
    small_model,
    small_tokenizer,
)

HARBOUR = PublicDataset(
    name="Harbour notes",
    identifier="harbour/notes",
    url="https://harbour.example/notes",
    licence="CC BY 4.0",
    citation="Lund (2021): Notes from a harbour",
    columns=("note", "kind"),
    traps=("some notes are blank",),
)
PLACES = (
    "the northern pier", "a red warehouse", "the customs hall", "the old lighthouse", "a dry dock", "the ferry ramp",
    "the grain silo", "a coal yard", "the fish market", "the pilot house", "a rope loft", "the tide gauge",
)  # fmt: skip
NAMES = "Lund", "Moe", "Aas", "Dahl", "Berg", "Vik", "Holm", "Krog", "Strand", "Lie", "Bakke", "Foss"
WORDS = {"summary": "What is a note from the harbour about", "datasets": (HARBOUR,)}
DONE, OPEN = "was painted last week", "still waits for its paint"
NOTES = tuple(
    {"text": f"In short, {place} {words}", "label": label}
    for place in PLACES
    for words, label in ((DONE, "done"), (OPEN, "open"))
)
SINGLE = single_label("toy/state", instruction="done or open?", labels=("done", "open"), samples=NOTES, **WORDS)
TAGS = multilabel(
    "toy/tags",
    instruction="Answer yes or no.",
    labels=("red", "big"),
    samples=[
        {"text": f"Somebody says that {place} is {words}", "labels": labels}
        for place in PLACES
        for words, labels in (("small and grey", []), ("red and huge", ["red", "big"]), ("red", ["red"]))
    ],
    **WORDS,
)
RANKED = multilabel(
    "toy/ranked", instruction="Which ones?", labels=TAGS.labels, encoding="ranking", samples=TAGS.samples, **WORDS
)
QUIZ = multiple_choice(
    "toy/quiz",
    instruction="Answer with a letter.",
    options=Column("options"),
    samples=[
        {"question": f"{asked} {place}?", "options": ["a crane", "a boat", place][: 2 + at % 2],
         "answer": "ABC"[at % (2 + at % 2)]}
        for asked in ("What stands beside", "Which thing is higher than", "What costs more to keep than")
        for at, place in enumerate(PLACES)
    ],
    **WORDS,
)  # fmt: skip
SUM = number(
    "toy/count",
    instruction="Answer with a number.",
    context=Column("table", optional=True),
    samples=[
        {"table": f"boats at {place} | {at}" if at % 2 else None, "question": f"How many boats lie at {place}?",
         "answer": f"{at}.5%" if at == 3 else f"{at},000"}
        for at, place in enumerate(PLACES)
    ],
    **WORDS,
)  # fmt: skip
NOTE = text(
    "toy/note",
    instruction="Shorten it.",
    samples=[
        {"text": f"As was said, {place} is closed today", "answer": [f"{place} closed", f"No way to {place}"]}
        for place in PLACES
    ],
    **WORDS,
)


def finder(encoding):
    samples = [{"text": f"Nobody has walked past {place}", "entities": []} for place in PLACES]
    for name, town, place in zip(NAMES, reversed(NAMES), PLACES, strict=True):
        said = f"{name} left {place} for {town}burg"
        samples.append({"text": said, "entities": [
            {"start": 0, "end": len(name), "type": "person"},
            {"start": len(said) - len(town) - 4, "end": len(said), "type": "place"},
        ]})  # fmt: skip
    return entities(
        "toy/names", instruction="Find names.", types=("person", "place"), encoding=encoding, samples=samples, **WORDS
    )


TAGGED = entities(
    "toy/tagged",
    instruction="Find names.",
    types=("person",),
    scheme="BIO",
    samples=[
        {"tokens": [name, verb, *place.split()], "tags": [tag, "O", *["O" for _ in place.split()]]}
        for verb, tag in (("saw", "B-person"), ("burns", "O"))
        for name, place in zip(NAMES, PLACES, strict=True)
    ],
    **WORDS,
)  # fmt: skip
SOUND = {
    "single label": SINGLE, "multilabel": TAGS, "multilabel, ranked": RANKED, "multiple choice": QUIZ,
    "number": SUM, "text": NOTE, "entities by lines": finder("lines"), "entities by words": finder("words"),
    "entities of tokens": TAGGED,
}  # fmt: skip


@pytest.mark.parametrize("task", SOUND.values(), ids=SOUND)
def test_a_sound_task_of_every_kind_passes(task):
    check_task(task)


def test_an_ordered_task_with_several_columns_and_all_metrics_passes():
    task = single_label(
        "toy/level",
        instruction="low, middle or high?",
        labels=("low", "middle", "high"),
        text=(Column("place"), Column("note", optional=True)),
        show=lambda row: f"{required_text(row, 'place')}: {row.get('note') or 'no note'}",
        ordered=True,
        samples=[
            {"place": place, "note": note, "label": label}
            for place in PLACES
            for note, label in (("dry as a bone", "low"), ("a foot of water", "middle"), ("flooded all over", "high"))
        ],
        **WORDS,
    )
    check_task(task)


# What a sound task is spoiled by

BASE = replace(SINGLE, metrics=(mean_metric("share", lambda output, right: output.value == right),), baselines=())
DATED = replace(BASE, group=lambda row: row["text"][:20])


def asked_otherwise(change, task=BASE):
    """The task with each of its examples changed."""
    return replace(task, format=lambda row: tuple(change(row, example) for example in task.format(row)))


def said_otherwise(words, task=BASE):
    """The task with other words of the user."""
    return asked_otherwise(lambda row, example: replace(example, messages=(*example.messages[:-1], *words(row))), task)


def user(*texts):
    return [Message("user", (Part(text, may_cut=True),)) for text in texts]


def targeted(target, task=BASE):
    return asked_otherwise(lambda row, example: replace(example, target=example.target and target), task)


def with_samples(task, samples):
    return replace(task, samples=tuple(samples))


def measured(name="spoiled", judge=lambda output, right: output.value == right, task=BASE, **changes):
    """The task with one spoiled metric."""
    return replace(task, metrics=(replace(mean_metric(name, judge), **changes),))


def with_dataset(**changes):
    return replace(BASE, datasets=(replace(HARBOUR, **changes),))


def parsing(parse, task=BASE):
    return replace(task, parse=parse)


def mutating(row):
    row["text"] = row["text"].upper()
    return BASE.format(row)


class Random:
    """Another text at every call."""

    calls = 0

    def __call__(self, row):
        self.calls += 1
        return user(f"{self.calls}: {required_text(row, 'text')}")


def written(parse, target=lambda row: str(row["label"]), **changes):
    """A task in free text about lengths of notes."""

    def ask(row):
        target_of = None if row.get("label") is None else target(row)
        return (Example(tuple(user(required_text(row, "text"))), target=target_of),)

    def reference(row):
        if not isinstance(row.get("label"), int):
            msg = "column 'label' holds no number; give one"
            raise DataError(msg)
        return row["label"]

    return Task(
        "toy/length", "How long", ask, parse, reference, BASE.metrics, columns=BASE.columns, datasets=BASE.datasets,
        samples=tuple({"text": row["text"], "label": at // 4} for at, row in enumerate(NOTES)), **changes,
    )  # fmt: skip


def whole(row, examples, predictions):
    said = predictions[0].text
    return Output(int(said) if predictions[0].valid and re.fullmatch("[0-9]{1,9}", said) else None)


def unreadable(row, examples, predictions):
    return Output(int(predictions[0].text) if predictions[0].valid else None)


def first_only(row, examples, predictions):
    both = TAGS.parse(row, examples, [predictions[0], predictions[0]])
    return replace(both, value=TAGS.reference(row) if predictions[0] == TAGS_RIGHT[row["text"]][0] else ("big",))


TAGS_RIGHT = dict(zip((row["text"] for row in TAGS.samples), perfect_predictions(TAGS, TAGS.samples), strict=True))


def no_for_invalid(row, examples, predictions):
    sure = [p if p.valid else Prediction("no", logprobs={"yes": -99.0, "no": 0.0}) for p in predictions]
    return TAGS.parse(row, examples, sure if any(p.valid for p in predictions) else predictions)


def in_pieces(row):
    """Questions about a hundred characters each."""
    said, right = required_text(row, "text"), row.get("label")
    pieces = [said[at : at + 100] for at in range(0, len(said), 100)]
    return tuple(
        Example(tuple(user(piece)), choices=("done", "open"), target=right, key=at) for at, piece in enumerate(pieces)
    )


def any_done(row, examples, predictions):
    said = [prediction.text for prediction in predictions if prediction.valid]
    if "done" not in said and len(said) < len(predictions):
        return Output(None)
    return Output("done" if "done" in said else "open")


def all_needed(row, examples, predictions):
    return TAGS.parse(row, examples, predictions) if all(p.valid for p in predictions) else Output({}["nothing"])


def careless(row):
    return str(row.get("text"))


def unnamed(row):
    if not isinstance(row.get("text"), str) or not row["text"].strip():
        msg = "a cell is bad; see the manual"
        raise DataError(msg)
    return row["text"]


def showing(show):
    return single_label(
        "toy/state", instruction="?", labels=("done", "open"), show=show, samples=NOTES, baselines=(),
        metrics=BASE.metrics, **WORDS,
    )  # fmt: skip


def labelled(reference):
    return replace(BASE, reference=reference)


def doubled(outputs, references, rows):
    return lambda weights: 2 * weights.sum(axis=1)


def whole_only(outputs, references, rows):
    if len(references) != len(NOTES):
        msg = "not all rows are there"
        raise ValueError(msg)
    return float(outputs[0].value == references[0])


ALIKE = [{"text": f"pier number {at} was closed all day", "label": ("done", "open")[at % 2]} for at in range(20)]
MANY = " ".join(map(str, range(10_000, 16_000)))
EVERY = lambda output, right, row: (float(output.value == right), 1.0)  # noqa: E731
SPOILED = {
    # declaration
    "name in capitals": (replace(BASE, name="Toy/State"), r"name: 'Toy/State' is not like 'domain/task'"),
    "name without domain": (replace(BASE, name="state"), r"name: 'state' is not like 'domain/task'"),
    "no summary": (replace(BASE, summary=" "), r"summary: ' ' is not one line"),
    "long summary": (replace(BASE, summary="one\ntwo"), r"summary: 'one\\ntwo' is not one line"),
    "full stop": (replace(BASE, summary="What it is."), r"summary: 'What it is\.' ends with a full stop"),
    "no metric": (replace(BASE, metrics=()), r"metrics: there are none"),
    "metric twice": (replace(BASE, metrics=BASE.metrics * 2), r"metrics: 2 are called 'share'"),
    "metric name": (measured("top-3 share"), r"metrics: the name 'top-3 share' is not made of letters"),
    "half a metric": (measured(from_counts=None), r"metric 'spoiled' has counts or from_counts alone"),
    "no columns": (replace(BASE, columns=()), r"columns: there is none that is read(.|\n)*none with label=True"),
    "blank column": (replace(BASE, columns=(*BASE.columns, Column(" "))), r"columns: one has a blank name"),
    "column twice": (replace(BASE, columns=BASE.columns * 2), r"columns: 2 are called 'text'"),
    "no label column": (replace(BASE, columns=BASE.columns[:1]), r"columns: there is none with label=True"),
    "no licence": (with_dataset(licence=" "), r"data set 'Harbour notes': licence is blank"),
    "no identifier": (with_dataset(identifier=""), r"data set 'Harbour notes': identifier is blank"),
    "no url": (with_dataset(url=""), r"data set 'Harbour notes': url is blank"),
    "no citation": (with_dataset(citation=""), r"data set 'Harbour notes': citation is blank"),
    "no published columns": (with_dataset(columns=()), r"data set 'Harbour notes': columns is \(\); give a tuple"),
    "traps as a text": (with_dataset(traps="a trap"), r"data set 'Harbour notes': traps is 'a trap'; give a tuple"),
    "blank trap": (with_dataset(traps=("",)), r"data set 'Harbour notes': traps is \(''"),
    # samples
    "few samples": (with_samples(BASE, NOTES[:11]), r"samples: there are 11; write 12 rows"),
    "no samples": (with_samples(BASE, ()), r"samples: there are 0; write 12 rows"),
    "repeated sample": (with_samples(BASE, [*NOTES, NOTES[0]]), r"samples 1, 25 ask the same"),
    "label missing": (
        single_label("toy/state", instruction="?", labels=("done", "open", "lost"), samples=NOTES, **WORDS),
        r"samples: none has the label 'lost'",
    ),
    "label of a plain task missing": (
        replace(BASE, classes=None, labels=("done", "open", "lost")),
        r"samples: none has the label 'lost'",
    ),
    "letter never right": (
        with_samples(QUIZ, [{**row, "answer": "A"} for row in QUIZ.samples]),
        r"samples: none has the label 'B', 'C'; write a row for each",
    ),
    "label of sets missing": (
        replace(TAGS, classes=None, labels=("red", "big", "blue")),
        r"samples: none has the label 'blue'",
    ),
    "no row without labels": (
        with_samples(TAGS, [row for row in TAGS.samples if row["labels"]]),
        r"samples: none has the label 'none'",
    ),
    "one reference": (with_samples(BASE, NOTES[::2]), r"samples: all have the same reference"),
    "all alike": (with_samples(BASE, ALIKE), r"samples: qlorakit\.split cannot divide them"),
    # what is asked
    "format fails": (
        replace(BASE, format=lambda row: {}[1]),
        r"samples 1, 2, 3 and 21 more: format fails with KeyError",
    ),
    "format changes": (said_otherwise(Random()), r"format gives other examples when it is called again"),
    "row changed": (replace(BASE, format=mutating), r"format changes the row"),
    "no example": (replace(BASE, format=lambda row: ()), r"format gives no example"),
    "texts as examples": (
        replace(BASE, format=lambda row: [row["text"]]),
        r"something other than qlorakit\.task\.Example",
    ),
    "keys twice": (
        asked_otherwise(lambda row, example: replace(example, key=1), TAGS),
        r"two questions have the same key",
    ),
    "no target": (targeted(None), r"an example has no target"),
    "blank target": (written(whole, target=lambda row: " "), r"a target is blank"),
    "blank choice": (asked_otherwise(lambda row, ex: replace(ex, choices=(*ex.choices, " "))), r"or one is blank"),
    "no choices": (asked_otherwise(lambda row, ex: replace(ex, choices=())), r"the choices \(\) are none"),
    "choice twice": (
        asked_otherwise(lambda row, ex: replace(ex, choices=("done", "open", "done"))),
        r"a choice occurs twice in \('done', 'open', 'done'\)",
    ),
    "strange target": (targeted("lost"), r"the target 'lost' is not among the choices"),
    "reference fails": (labelled(lambda row: row["kind"]), r"reference fails with KeyError: 'kind'"),
    "label told": (
        said_otherwise(lambda row: user(required_text(row, "text") + str(row.get("label")))),
        r"what is asked gives the label away",
    ),
    "label in choices": (
        asked_otherwise(lambda row, ex: replace(ex, choices=ex.choices[:: -1 if ex.target == "open" else 1])),
        r"what is asked gives the label away",
    ),
    "label elsewhere": (
        asked_otherwise(lambda row, ex: replace(ex, target="done" if DONE in row["text"] else "open")),
        r"a row without its label columns has a target all the same",
    ),
    "label needed": (
        replace(BASE, format=lambda row: BASE.format(row) if row["label"] else ()),
        r"format of a row without its label columns fails with KeyError: 'label'",
    ),
    # as tokens
    "too long": (
        said_otherwise(lambda row: [Message("user", (Part(required_text(row, "text") + MANY),))]),
        r"it does not fit into 4096 tokens.*nothing may be cut",
    ),
    "long target": (
        written(whole, target=lambda row: MANY[:3000]),
        r"its target has \d+ tokens, and 256 are generated",
    ),
    "control tokens in a target": (
        written(whole, target=lambda row: f"<|end|>{row['label']}"),
        r"as tokens the target '<\|end\|>0' reads '< \|end\|>0'",
    ),
    # answers
    "wrong parse": (
        parsing(lambda row, examples, predictions: Output("done")),
        r"right answers are read as 'done', and right is 'open'",
    ),
    "no output": (
        parsing(lambda row, examples, predictions: predictions[0].text),
        r"parse gives str where a qlorakit\.task\.Output",
    ),
    "matches nothing": (replace(BASE, matches=lambda value, right: False), r"matches says that 'done' is wrong"),
    "matches everything": (
        replace(BASE, matches=lambda value, right: True),
        r"right answers to other rows are right as well",
    ),
    "inexpressible": (
        replace(BASE, expressible=lambda row: Output("done")),
        r"can only say 'done' \(Task\.expressible\)",
    ),
    "wrong decision": (
        replace(BASE, decision=DecisionRule(lambda *_: {}, lambda output, _: Output("open"), {})),
        r"right answers are read as 'open', and right is 'done'",
    ),
    "one of several invalid": (
        replace(TAGS, parse=all_needed, baselines=()),
        r"parse with one invalid answer among several fails with KeyError: 'nothing'",
    ),
    "one of several taken for a no": (
        parsing(no_for_invalid, TAGS),
        r"with one invalid answer among several the value is right by luck",
    ),
    "a question unread": (
        replace(TAGS, parse=first_only, decision=None, baselines=()),
        r"any answer to question 2 \(key 'big'\) gives the same output",
    ),
    "nonsense": (written(unreadable), r"parse of nonsense fails with ValueError: invalid literal"),
    "invalid answers read": (
        parsing(lambda row, examples, predictions: Output(predictions[0].text)),
        r"invalid answers are read as 'done'; where Prediction\.valid is False",
    ),
    # metrics
    "imperfect": (
        measured(judge=lambda output, right: (output.value == right) / 2),
        r"metric 'spoiled' of right answers is 0\.5, and should be 1; declare Metric\.best",
    ),
    "wrong best": (
        measured(best=lambda references, rows: 0.75),
        r"is 1, and should be 0\.75; correct it, or Metric\.best",
    ),
    "wrong direction": (
        measured(higher_is_better=False, best=lambda references, rows: 1.0),
        r"metric 'spoiled' is 0 where each row has the answer to another, no worse than the 1",
    ),
    "blind metric": (
        measured(judge=lambda output, right: 1.0),
        r"'spoiled' is 1 where each row has the answer to another",
    ),
    "failing metric": (
        measured(judge=lambda output, right: 1 / (output.value == right)),
        r"metric 'spoiled' of answers to other rows fails with ZeroDivisionError",
    ),
    "invalid answers fail": (
        measured(judge=lambda output, right: len(output.value) and output.value == right),
        r"metric 'spoiled' of invalid answers fails with TypeError",
    ),
    "invalid answers undefined": (
        measured(judge=lambda output, right: output.value == right if output.value else math.nan),
        r"metric 'spoiled' of invalid answers is not a number",
    ),
    "invalid answers rewarded": (
        measured(judge=lambda output, right: 2.0 if output.value is None else output.value == right),
        r"metric 'spoiled' of invalid answers is 2, no worse than the 1 of right answers",
    ),
    "invalid answers left out": (
        measured(
            counts=None,
            from_counts=None,
            compute=lambda outputs, references, rows: share_right(
                [pair for pair in zip(outputs, references, strict=True) if pair[0].value is not None]
            ),
        ),
        r"metric 'spoiled' of answers half of which are invalid, and the others right, is 1, no worse than the 1",
    ),
    "invalid answers free": (
        measured(judge=lambda output, right: output.value not in {None, right}, higher_is_better=False),
        r"metric 'spoiled' of invalid answers is 0, no worse than the 0 of right answers",
    ),
    "invalid answers taken for a label": (
        measured(judge=lambda output, right: (output.value or "open") == right),
        r"metric 'spoiled' takes an invalid answer for 'open'",
    ),
    "scores of invalid answers left out": (
        measured(
            "surprise",
            lambda output, right: 1 - output.scores.get(right, 1.0),
            needs_scores=True,
            higher_is_better=False,
        ),
        r"metric 'surprise' of answers half of which are invalid, and the others right, is 0, no worse than the 0",
    ),
    "wrong counts of invalid answers": (
        measured(counts=lambda output, right, row: (float(output.value in {None, right}), 1.0)),
        r"counts and from_counts give 1 for answers half of which are invalid where compute gives 0\.5",
    ),
    "never measured": (
        replace(written(whole), metrics=(*BASE.metrics, log_loss())),
        r"metric 'log_loss' needs probabilities, and right answers are read without any",
    ),
    "wrong counts": (
        measured(counts=lambda output, right, row: (1.0, 1.0)),
        r"counts and from_counts give 1 for answers to other rows where compute gives 0",
    ),
    "wrong totals": (
        measured(counts=EVERY, from_counts=lambda totals: totals[:, 0] / 24 + (totals[:, 0] < 24)),
        r"counts and from_counts give 1 for answers to other rows where compute gives 0",
    ),
    "wrong shape": (measured(counts=EVERY, from_counts=lambda totals: totals), r"give values of shape \(3, 2\)"),
    "wrong resamples": (
        measured(counts=None, from_counts=None, resampled=doubled),
        r"the values of resampled give 48 for right answers where compute gives 1",
    ),
    "not of resamples": (
        measured(
            counts=None,
            from_counts=None,
            compute=whole_only,
            resampled=lambda *_: lambda weights: [1.0 if weight[0] == 1 else 0.5 for weight in weights],
        ),
        r"where compute gives \d of resampled rows",
    ),
    "nonsense measured": (
        replace(
            written(
                lambda row, examples, predictions: (
                    Output(predictions[0].text or None) if predictions[0].valid else Output(None)
                )
            ),
            reference=lambda row: str(int(row["label"])),
            metrics=(
                mean_metric("near", lambda output, right: output.value is not None and int(output.value) == int(right)),
            ),
        ),
        r"parse of nonsense fails with ValueError: invalid literal for int",
    ),
    # hostile rows
    "missing cell": (showing(lambda row: row["text"]), r"column 'text' is not there: format raises KeyError"),
    "cell of another type": (
        showing(lambda row: row.get("text", "") + "."),
        r"column 'text' is None: format raises TypeError",
    ),
    "blank cell asked": (showing(careless), r"column 'text' is blank: format asks all the same; raise a DataError"),
    "list asked": (showing(careless), r"column 'text' is a list of wrong things: format asks all the same"),
    "column unnamed": (showing(unnamed), r"column 'text' is empty: the DataError does not name the column in quotes"),
    "format fields": (
        showing(lambda row: f"{required_text(row, 'text')}".format()),
        r"column 'text' holds format fields: format fails with KeyError",
    ),
    "fields eaten": (
        showing(lambda row: required_text(row, "text").replace("{label}", "?")),
        r"column 'text' holds format fields: '\{label\} \{0\} %s \{\{x\}\}' is not asked as it stands",
    ),
    "huge text": (
        showing(lambda row: required_text(row, "text") if len(row["text"]) < 9_999 else {}["huge"]),
        r"column 'text' holds 200,000 characters: format fails with KeyError: 'huge'",
    ),
    "control characters": (
        showing(
            lambda row: (
                re.sub("\x00", {}.get("x"), required_text(row, "text"))
                if "\x00" in str(row.get("text"))
                else required_text(row, "text")
            )
        ),
        r"column 'text' holds control characters: format fails with TypeError",
    ),
    "text that is none": (
        said_otherwise(lambda row: user(b"x" if "\u0335" in required_text(row, "text") else row["text"])),
        r"holds letters from right to left and combining ones: encoding raises TypeError",
    ),
    "short texts": (showing(lambda row: required_text(row, "text")[:60]), r"holds 200,000 characters: 'word .* as it"),
    "no letters beyond ASCII": (
        showing(lambda row: required_text(row, "text").encode("ascii", "ignore").decode()),
        r"column 'text' holds letters from right to left and combining ones: '.*' is not asked as it stands",
    ),
    "control tokens dropped": (
        showing(lambda row: required_text(row, "text").replace("</s>", "")),
        r"column 'text' holds texts of control tokens: '.*' is not asked as it stands",
    ),
    "column never filled": (
        replace(BASE, columns=(*BASE.columns, Column("note", optional=True))),
        r"samples: none fills the column 'note'; write one that does",
    ),
    "undeclared column": (
        with_samples(
            showing(lambda row: f"{required_text(row, 'text')} {row.get('place', '').strip()}"),
            [{**row, "place": f"at {at} miles"} for at, row in enumerate(NOTES)],
        ),
        r"column 'place', which is not declared, is or holds None: format raises AttributeError",
    ),
    "turns from text": (
        said_otherwise(lambda row: user(*required_text(row, "text").split("</s>"))),
        r"column 'text': texts of control tokens in it become control tokens",
    ),
    "any label": (
        labelled(lambda row: row["label"] or BASE.reference(row)),
        r"label column 'label' is an unknown value: reference gives 'no such label'",
    ),
    "label not there": (
        labelled(lambda row: BASE.reference({**row, "label": row["label"]})),
        r"label column 'label' is not there: reference raises KeyError",
    ),
    "label of another type": (
        labelled(lambda row: {"done": "done", "open": "open"}[row.get("label")]),
        r"label column 'label' is an object: reference raises KeyError",
    ),
    "label asked": (
        replace(
            BASE, format=lambda row: BASE.format({**row, "label": row["label"].strip()} if "label" in row else row)
        ),
        r"label column 'label' is None: format fails with AttributeError",
    ),
    # the rest
    "failing baseline": (
        replace(BASE, baselines=(Baseline("guess", lambda task, train, rows: {}["x"]),)),
        r"baseline 'guess' fails with KeyError",
    ),
    "short baseline": (
        replace(BASE, baselines=(Baseline("guess", lambda task, train, rows: [Output("done")]),)),
        r"baseline 'guess' gives 1 answers to 24 rows",
    ),
    "unhashable group": (replace(BASE, group=lambda row: [row["text"]]), r"its group \['In short.*\] is not hashable"),
    "group of what is not there": (
        replace(
            BASE,
            group=lambda row: None if row.get("from") is None else f"pier {row['from']}",
            samples=tuple({**row, "from": f"pier {number}"} for number, row in enumerate(BASE.samples)),
        ),
        r"column 'from' is blank: group gives 'pier +', which joins all such rows; give None \(qlorakit.cells.is_blank",
    ),
    "fleeting group": (replace(BASE, group=lambda row: object()), r"group gives another value when it is called again"),
}


@pytest.mark.parametrize(("task", "message"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_task_is_told_what_is_wrong(task, message, monkeypatch):
    monkeypatch.setitem(hostile_rows.HOSTILE, "200,000 characters", "word " * 2_000)  # faster, and as good here
    with pytest.raises(PluginError) as caught:
        check_task(task)
    assert re.search(message, str(caught.value)), caught.value


PIECES = replace(
    SINGLE, format=in_pieces, parse=any_done, baselines=(), metrics=BASE.metrics, classes=None,
    samples=tuple(
        {**row, "text": f"{row['text']}, and {'as everybody by the sea knows ' * 5}it is {row['text'][9:]}"}
        for row in NOTES
    ),
)  # fmt: skip


@pytest.mark.parametrize("task", [BASE, DATED, written(whole)], ids=["closed", "grouped", "written"])
def test_what_is_spoiled_was_sound(task):
    check_task(task)


def test_answers_may_be_left_out_of_a_metric_on_which_they_have_no_say():
    precision = replace(
        mean_metric("precision_done", lambda output, right: 0),
        compute=lambda outputs, references, rows: share_right(
            [pair for pair in zip(outputs, references, strict=True) if pair[0].value == "done"]
        ),
        counts=None,
        from_counts=None,
    )
    check_task(replace(BASE, metrics=(precision,)))


def share_right(pairs):
    return sum(output.value == right for output, right in pairs) / max(len(pairs), 1)


def test_a_text_may_be_asked_in_pieces_any_of_which_decides():
    check_task(PIECES)


def test_one_reason_is_told_three_times():
    with pytest.raises(PluginError) as caught:
        check_task(replace(SINGLE, reference=lambda row: str(row["label"]).upper()))
    of_labels = [line for line in str(caught.value).splitlines() if "is none of the labels" in line]
    assert len(of_labels) == 3
    assert re.search(r"correct it, or add it to the labels \(and \d\d more fail for this reason\)$", of_labels[-1])


def test_problems_that_differ_by_row_are_told_three_times():
    with pytest.raises(PluginError, match=r"and 21 more rows with problems like the last 3$") as caught:
        check_task(labelled(lambda row: {}[row["text"]]))
    assert str(caught.value).count("reference fails") == 3


def test_a_metric_may_say_that_right_answers_reach_less_than_one():
    half = measured(judge=lambda output, right: (output.value == right) / 2, best=lambda references, rows: 0.5)
    check_task(half)


def test_a_task_may_be_without_public_data():
    check_task(replace(BASE, datasets=()))


def test_all_problems_are_listed_at_once_and_numbered():
    with pytest.raises(PluginError) as caught:
        check_task(replace(BASE, name="State", summary="", metrics=()))
    first, *listed = str(caught.value).splitlines()
    assert first == "State: 3 problems found"
    assert [line.split(":")[0] for line in listed] == ["1. name", "2. summary", "3. metrics"]


def test_a_problem_of_many_samples_is_told_once():
    with pytest.raises(PluginError) as caught:
        check_task(replace(BASE, group=lambda row: row["pier"]))
    told = [line for line in str(caught.value).splitlines() if "group fails" in line]
    assert told == ["2. samples 1, 2, 3 and 21 more: group fails with KeyError: 'pier'"]


def test_what_is_no_task_is_refused():
    with pytest.raises(ConfigurationError, match="'toy/state' is not a Task"):
        check_task("toy/state")


def test_checking_logs_nothing(caplog):
    with caplog.at_level(logging.DEBUG, logger="qlorakit"):
        check_task(DATED)
    assert caplog.records == []


def test_a_given_tokenizer_is_used():
    with pytest.raises(PluginError, match="the tokenizer has no chat template"):
        check_task(BASE, tokenizer=build_tokenizer(chat_template=None))


def test_seventy_seven_labels_are_checked_in_seconds():
    labels = tuple(f"{town} {place}" for town in NAMES[:7] for place in PLACES[:11])
    samples = [
        {"text": f"{name} asks {word} of {label}", "label": label}
        for label in labels for name, word in (("Ek", "the price"), ("Nygaard", "for the keys"))
    ]  # fmt: skip
    began = time.monotonic()
    check_task(single_label("toy/many", instruction="Which?", labels=labels, samples=samples, **WORDS))
    assert time.monotonic() - began < 60


# Plugins

README = "# Toy\n\n`toy/state` reads Harbour\nnotes (CC BY 4.0)."
CODE = """
    from qlorakit.hookspecs import hookimpl
    from qlorakit.kinds import single_label
    from qlorakit.metrics import accuracy
    from qlorakit.task import PublicDataset

    @hookimpl
    def qlorakit_tasks():
        yield single_label(
            "toy/state", summary={summary!r}, instruction="?", labels=("done", "open"), samples={samples!r},
            datasets=[PublicDataset({dataset!r}, "a/b", "https://b.example", "CC BY 4.0", "Lund", ("note",))],
            metrics=(accuracy(),), baselines=(),
        )
"""
SUPPLYING = CODE.format(summary="What a note is about", samples=NOTES, dataset="Harbour notes")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Write an installed distribution called qlorakit-toy."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(
        code=SUPPLYING, *, requires="qlorakit>=0.1,<0.2", readme=README, points="[qlorakit]\ntoy = qlorakit_toy\n"
    ):
        (tmp_path / "qlorakit_toy.py").write_text(textwrap.dedent(code))
        folder = tmp_path / "qlorakit_toy-1.0.dist-info"
        folder.mkdir()
        needed = f"Requires-Dist: {requires}\n" if requires else ""
        head = f"Metadata-Version: 2.1\nName: qlorakit-toy\nVersion: 1.0\n{needed}"
        (folder / "METADATA").write_text(f"{head}\n{readme}")
        (folder / "entry_points.txt").write_text(points)
        importlib.invalidate_caches()
        return folder

    yield write
    sys.modules.pop("qlorakit_toy", None)


def test_a_sound_plugin_passes(install):
    install()
    check_plugin("qlorakit-toy")


def test_a_plugin_of_recognisers_alone_passes(install):
    install("""
        from qlorakit.hookspecs import hookimpl
        from qlorakit.recognisers import Recogniser

        @hookimpl
        def qlorakit_recognisers():
            yield Recogniser.matching("badge", "HB-[0-9]{6}")
    """)
    check_plugin("qlorakit-toy")


def test_the_finance_plugin_is_installed_and_its_first_task_sound():
    check_task(qk.get_task("finance/sentiment"))


@pytest.mark.parametrize(("changes", "message"), [
    ({"code": "from nowhere import nothing"}, r"it does not load: ModuleNotFoundError"),
    ({"code": "raise SystemExit"}, r"it does not load: SystemExit(.|\n)*fails in a process of its own"),
    ({"code": ""}, r"it supplies neither a task, nor a model, nor a recogniser; yield one from"),
    ({"points": "[console_scripts]\ntoy = qlorakit_toy:main\n"}, r"no entry point in the group 'qlorakit'"),
    ({"requires": ""}, r"it does not require qlorakit; add it"),
    ({"requires": "qlorakit>=0.1"}, r"it requires 'qlorakit>=0\.1'; bound the version below and above"),
    ({"requires": "qlorakit<0.2"}, r"it requires 'qlorakit<0\.2'; bound the version below and above"),
    ({"requires": "qlorakit => 1"}, r"reading its requirements fails with InvalidRequirement"),
    ({"readme": ""}, r"it has no README"),
    ({"readme": README.replace("toy/state", "it")}, r"README: the task 'toy/state' is not named"),
    ({"readme": README.replace("Harbour", "Pier")}, r"README: the data set 'Harbour notes' is not named"),
    ({"readme": README.replace("CC BY", "CC")}, r"README: the licence 'CC BY 4\.0' of 'Harbour notes' is not named"),
    ({"code": f"import sklearn.metrics\n{textwrap.dedent(SUPPLYING)}"}, r"importing qlorakit_toy imports sklearn"),
    ({"code": "import socket\nsocket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"},
     r"importing qlorakit_toy reaches for the network \(socket\.connect\)"),
    ({"code": "import sys\nif not hasattr(sys, 'ps9') and sys.argv[0] == '-c': raise ValueError('alone')"},
     r"importing qlorakit_toy fails in a process of its own: ValueError: alone"),
    ({"code": CODE.format(summary="", samples=NOTES, dataset="Harbour notes")}, r"1\. toy/state: summary: ''"),
])  # fmt: skip
def test_a_spoiled_plugin_is_told_what_is_wrong(install, changes, message):
    install(**changes)
    with pytest.raises(PluginError, match=message):
        check_plugin("qlorakit-toy")


def test_a_plugin_that_is_not_installed_is_named():
    with pytest.raises(PluginError, match=r"qlorakit-nowhere: 1 problem found\n1\. it is not installed; pip install"):
        check_plugin("qlorakit-nowhere")


def test_the_readme_of_an_editable_install_is_the_one_in_its_folder(install, tmp_path):
    folder = install(readme="an old one")
    project = tmp_path / "a project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nreadme = "ABOUT.md"\n')
    (project / "ABOUT.md").write_text(README)
    (folder / "direct_url.json").write_text(f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}')
    check_plugin("qlorakit-toy")


# Fakes


def test_the_small_tokenizer_learns_words_and_says_everything():
    tokenizer = small_tokenizer(["harbour harbour harbour"])
    assert len(tokenizer("harbour")["input_ids"]) == 1
    assert tokenizer.decode(tokenizer("Ærø \u2603")["input_ids"]) == "Ærø \u2603"


def test_the_small_model_is_the_same_at_every_call():
    first, second = (small_model(300, hidden_size=32, num_attention_heads=2) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert first.config.initializer_range == 0.2


def test_tests_know_the_fakes_by_shorter_names():
    assert (build_tokenizer, build_model) == (small_tokenizer, small_model)


@pytest.mark.parametrize("task", SOUND.values(), ids=SOUND)
def test_perfect_predictions_are_right(task):
    outputs = outputs_of(task, task.samples, perfect_predictions(task, task.samples))
    assert all(
        task.matches(output.value, task.reference(row)) for output, row in zip(outputs, task.samples, strict=True)
    )


def test_perfect_predictions_need_labels():
    with pytest.raises(DataError, match="has no target; give rows with their labels"):
        perfect_predictions(BASE, [{"text": "a pier"}])


@pytest.mark.parametrize("task", SOUND.values(), ids=SOUND)
def test_shuffled_predictions_are_those_of_rows_with_other_references(task):
    found = shuffled_predictions(task, task.samples)
    assert found == shuffled_predictions(task, task.samples)
    outputs = outputs_of(task, task.samples, found)
    right = [task.matches(output.value, task.reference(row)) for output, row in zip(outputs, task.samples, strict=True)]
    assert Counter(right)[True] <= len(right) / 2


def test_shuffled_predictions_answer_closed_sets_by_their_choices():
    found = shuffled_predictions(QUIZ, QUIZ.samples)
    for row, (prediction,) in zip(QUIZ.samples, found, strict=True):
        (example,) = QUIZ.format(row)
        assert set(prediction.logprobs) == set(example.choices)
        assert prediction.text in set(example.choices) - {example.target}


def test_shuffled_predictions_need_two_references():
    with pytest.raises(DataError, match="all rows have the same reference"):
        shuffled_predictions(BASE, NOTES[::2])


def test_importing_the_kit_leaves_heavy_libraries_out():
    code = "import qlorakit.testing, sys; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert not set(process.stdout.split()) & {"torch", "transformers", "datasets", "sklearn", "peft"}

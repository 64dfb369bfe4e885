"""Reports with made-up but consistent numbers, for the tests of how reports are drawn."""

import functools
import math
from dataclasses import replace

import numpy as np

from qlorakit.metrics import class_scores, confusion, is_right
from qlorakit.report import Comparison, Cost, Estimate, Report, Slice, Slices, System
from qlorakit.score_metrics import calibration_bins, risk_coverage
from qlorakit.statistics import mcnemar
from qlorakit.task import Output

METRICS = {"macro_f1": True, "accuracy": True, "log_loss": False, "ece_15": False}
TONES = ("negative", "neutral", "positive")
SKILLS = {"tuned": 2.4, "base": 0.7, "base, 8 shots": 1.3, "majority": 0.0, "tfidf": 2.38}
COSTS = {
    "tuned": Cost(10.14, 48_211, 121_874, 1_412_000_000),
    "base": Cost(9.02, 48_211, 121_874, 1_398_000_000),
    "base, 8 shots": Cost(31.7, 177_030, 1_240_417, 1_730_000_000),
}
NOTHING = Estimate(None, None, None)
INSTRUCTION = "Answer with one of the labels."
WORDS = "The order book grew in the third quarter while costs fell and the outlook for the year stays as it was"


def sample_report(labels=TONES, rows=452, *, texts=True, **changes):
    """A report on systems that answer at random, the better ones less so."""
    return replaced(_sample(tuple(labels), rows, texts), **changes)


def small_report(**changes):
    """Two systems and two metrics, so that every table fits the terminal."""
    made = sample_report()
    keep = ("macro_f1", "log_loss")
    systems = tuple(
        replace(system, metrics={name: system.metrics[name] for name in keep})
        for system in made.systems
        if system.name in {"tuned", "majority"}
    )
    chosen = tuple(found for found in made.comparisons if found.against == "majority")
    return replaced(made, **{"systems": systems, "comparisons": chosen, **changes})


def hostile_report(data):
    """A small report with the same words wherever a user's data go."""
    labels, wrong = (data, "neutral", "positive"), {"right": False, "value": data, "scores": {data: 0.75}}
    made = small_report(labels=labels, task=data, kind=data, notes=(data,), settings={**sample_settings(), data: data})
    systems = made.systems[0], replace(made.systems[1], name=data)
    classes = tuple(replace(one, label=label) for one, label in zip(systems[0].classes, labels, strict=True))
    item = {"row_id": data, "reference": data, "text": ("", data), "tuned": wrong}
    return replaced(
        made,
        systems=(replace(systems[0], classes=classes, decision=dict.fromkeys(labels, 0.5)), systems[1]),
        comparisons=tuple(replace(one, against=data) for one in made.comparisons),
        predictions=(item, {"row_id": "-", "text": ("", "-")}),
        slices=(Slices(data, "macro_f1", (Slice(data, 9, NOTHING),), NOTHING),),
    )


def first_changed(made, **changes):
    return replaced(made, systems=(replace(made.systems[0], **changes), *made.systems[1:]))


def replaced(report, **changes):
    return Report(**{**vars(report), **changes})


@functools.cache
def _sample(labels, rows, texts):
    references = draw_references(labels, rows)
    answered = {
        name: answer_with(skill, labels, references, seed=place) for place, (name, skill) in enumerate(SKILLS.items())
    }
    answered["majority"] = [Output(labels[0])] * rows
    systems = tuple(build_system(name, outputs, references, labels) for name, outputs in answered.items())
    return Report(
        task="finance/sentiment",
        kind="single label",
        rows=rows,
        labels=labels,
        systems=systems,
        comparisons=tuple(
            build_comparison(systems[0], other, answered["tuned"], answered[other.name], references)
            for other in systems[1:]
        ),
        predictions=tuple(build_predictions(references, answered, texts=texts)),
        notes=("3 rows ask what a training row asks (row 17 first): the numbers flatter the tuned model and TF-IDF",),
        settings=sample_settings(),
        slices=sample_slices(systems[0]),
        training=training_history(),
    )


def draw_references(labels, rows, *, seed=0):
    weights = np.array([1 / (place + 1) for place in range(len(labels))])
    drawn = np.random.default_rng(seed).choice(len(labels), size=rows, p=weights / weights.sum())
    return [labels[place] for place in drawn]


def answer_with(skill, labels, references, *, seed):
    """Outputs of a system that leans towards the right label."""
    logits = np.random.default_rng(seed).normal(size=(len(references), len(labels)))
    logits[range(len(references)), [labels.index(reference) for reference in references]] += skill
    weights = np.exp(1.4 * logits)
    shares = (weights / weights.sum(axis=1, keepdims=True)).tolist()
    return [Output(labels[np.argmax(line)], dict(zip(labels, line, strict=True))) for line in shares]


def build_system(name, outputs, references, labels):
    rows, classes, scored = len(references), class_scores(outputs, references, labels), bool(outputs[0].scores)
    present = [scores.f1 for scores in classes if scores.support]
    bins = calibration_bins(outputs, references) if scored else ()
    likely = [output.scores.get(reference, 1.0) for output, reference in zip(outputs, references, strict=True)]
    metrics = {
        "macro_f1": estimated(sum(present) / len(present), rows),
        "accuracy": estimated(sum(map(is_right, outputs, references)) / rows, rows),
        "log_loss": estimated(-sum(map(math.log, likely)) / rows, rows, most=99.0) if scored else NOTHING,
        "ece_15": estimated(sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / rows, rows)
        if scored else NOTHING,
    }  # fmt: skip
    return System(
        name,
        metrics,
        invalid=0.0,
        classes=classes,
        confusion=confusion(outputs, references, labels),
        calibration=bins or None,
        risk_coverage=risk_coverage(outputs, references) if scored else None,
        cost=COSTS.get(name),
    )


def estimated(value, rows, *, most=1.0):
    """A value with an interval of about the width that one has on so many rows."""
    spread = 1.96 * math.sqrt(max(value * (1 - value), 0.002) / rows) if most == 1 else 1.4 / math.sqrt(rows)
    return Estimate(value, max(value - spread, 0.0), min(value + spread, most))


def build_comparison(first, other, outputs, others, references):
    differences = {}
    for metric, found in first.metrics.items():
        against = other.metrics[metric].value
        value = None if against is None else found.value - against
        differences[metric] = NOTHING if value is None else Estimate(value, value - 0.045, value + 0.045)
    right = (list(map(is_right, answers, references)) for answers in (outputs, others))
    test = mcnemar(*right)
    return Comparison(first.name, other.name, differences, test, test.mid_p, adjusted_p=min(1.0, 2 * test.mid_p))


def training_history():
    losses = [{"step": step, "loss": 1.4 * math.exp(-step / 130) + 0.22} for step in range(10, 400, 10)]
    held = [(99, 0.61, 0.74), (198, 0.46, 0.83), (297, 0.43, 0.86), (396, 0.45, 0.85)]
    return (*losses, *({"step": step, "eval_loss": loss, "eval_macro_f1": f1} for step, loss, f1 in held))


def build_predictions(references, answered, *, texts):
    words = WORDS.split()
    for place, reference in enumerate(references):
        record = {"row_id": f"row-{place + 1:04}", "reference": reference}
        if texts:
            record["text"] = (INSTRUCTION, f"{' '.join(words[: 6 + place % 15])}, item {place + 1}.")
        for name, outputs in answered.items():
            output = outputs[place]
            record[name] = {"right": output.value == reference, "scores": dict(output.scores), "value": output.value}
        yield record


def sample_slices(system):
    parts = {
        "site": (("Frankfurt", 188, 0.02), ("London", 141, -0.01), ("Singapore", 76, 0.04), ("New York", 47, -0.09)),
        "text length": (
            ("under 14 words", 110, 0.05),
            ("14 to 21 words", 118, 0.01),
            ("22 words and more", 224, -0.04),
        ),
    }
    return tuple(sliced(column, system.metrics["macro_f1"].value, found) for column, found in parts.items())


def sliced(column, value, parts):
    slices = tuple(Slice(name, rows, estimated(min(value + change, 0.99), rows)) for name, rows, change in parts)
    return Slices(column, "macro_f1", slices, Estimate(0.131, 0.022, 0.258))


def sample_settings():
    base = {
        "name": "qlorakit/tiny",
        "revision": None,
        "files": {"model.safetensors": "c0ffee12" * 8},
        "quantization": {"type": "nf4", "double": True, "compute_dtype": "float32"},
    }
    return {
        "max_length": 512,
        "token_budget": 8192,
        "prefix_sharing": True,
        "shots": 8,
        "template": "9b1f" * 16,
        "rows_fingerprint": "03ac674216f3e15c" * 4,
        "base": base,
        "versions": {"qlorakit": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
        "parameters": {"trainable": 811_008, "total": 6_912_400},
        "higher_is_better": METRICS,
        "confidence": 0.95,
        "resamples": 2000,
        "seed": 0,
    }

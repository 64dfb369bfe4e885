"""``legal/unfair``: which potentially unfair terms a sentence of terms of service holds, of eight kinds.

A row: ``{"text": "we may end the service at any time without notice.", "labels": ["Unilateral termination"]}``.

Nine of ten sentences hold none of them.  So metrics count as LexGLUE does (Chalkidis et al., 2022): a row without
labels is of a ninth class, ``"none"``, in references and in answers alike, and micro- and macro-F1 are those of nine
classes; their names end with ``_with_none``.  Answering nothing is right for such a row, and for a row with labels it
is a false alarm of the ninth class besides the labels that are missed.  Two things differ from LexGLUE's program.  A
class that neither references nor answers have is left out of the mean, where that counts it as 0.  And labels are given
from thresholds that are fitted on validation rows, where that takes one half for all.

LexGLUE's TF-IDF with a linear SVM has a macro-F1 of 75.0 on the official test, after training on the official 5,532
sentences, which are of other companies.

The labels are ranked as choices of one question.  Few sentences, 6 of the 113 that have a label, have two; and one
question of nine has something to find then, where of yes-or-no questions for each label one of 67 has a yes, at about
three times the tokens.  :func:`unfair_task` makes the task with such questions.

Labels may be numbers, as in LexGLUE's rows on the Hub: those of :data:`LABELS`, from 0; also an array, or a single one.
"""

import dataclasses
import re
from collections.abc import Hashable
from typing import Any, Literal

from qlorakit.cells import is_blank, is_missing
from qlorakit.kinds import multilabel
from qlorakit.task import Column, PublicDataset, Row, Task
from qlorakit_legal.unfair_samples import UNFAIR_SAMPLES

Labels = tuple[str, ...]

DESCRIPTIONS = {
    "Limitation of liability": "that the company is not liable, or only up to a limit",
    "Unilateral termination": "that the company may end or suspend the service or an account by itself",
    "Unilateral change": "that the company may change the terms or the service by itself",
    "Content removal": "that the company may remove what users have posted",
    "Contract by using": "that using the service is agreeing to the terms",
    "Choice of law": "which country's or state's law applies",
    "Jurisdiction": "where disputes go to court",
    "Arbitration": "that disputes go to arbitration instead of a court",
}
LABELS = tuple(DESCRIPTIONS)
"""The eight kinds in LexGLUE's order, by which its numbers count from 0."""

LABEL = Column("labels", aliases=("label",), label=True)
COMPANY = Column("company", aliases=("document", "service"), optional=True)
_NUMBERS = re.compile(r"\s*\[?\s*\d+(?:\s*[,;]\s*\d+)*\s*\]?\s*")
_WHOLE = re.compile(r"(\d+)(?:\.0+)?")


def company_of(row: Row) -> Hashable:
    """Whose terms a sentence is from, so that they stay on one side of a split; ``None`` where that is not known."""
    company = row.get(COMPANY.name)
    return None if is_blank(company) else str(company).strip().casefold()


def _with_names(row: Row) -> Row:
    """A row with names of labels for their numbers."""
    labels: Any = row.get(LABEL.name)
    if isinstance(labels, str) and _NUMBERS.fullmatch(labels):
        labels = re.findall(r"\d+", labels)
    elif hasattr(labels, "tolist"):  # an array, or one of its numbers
        labels = labels.tolist()
    if isinstance(labels, int | float) and not is_missing(labels):
        labels = [labels]
    if not isinstance(labels, list | tuple):
        return row
    return {**row, LABEL.name: [_name(item) for item in labels]}


def _name(item: object) -> object:
    """The label of a number; anything else as it is, for the task to accept or refuse."""
    whole = None if isinstance(item, bool) else _WHOLE.fullmatch(str(item).strip())
    return LABELS[int(whole[1])] if whole and int(whole[1]) < len(LABELS) else item


UNFAIR_TOS = PublicDataset(
    name="UNFAIR-ToS",
    identifier="coastalcph/lex_glue, unfair_tos",
    url="https://github.com/coastalcph/lex-glue",
    licence="CC BY 4.0, as LexGLUE states; that of the terms themselves was not verified",
    citation=(
        "Lippi, Pałka, Contissa, Lagioia, Micklitz, Sartor, Torroni (2019): CLAUDETTE: an automated detector of "
        "potentially unfair clauses in online terms of service. Artificial Intelligence and Law 27. arXiv:1805.01217; "
        "in the form of LexGLUE, Chalkidis et al. (2022), arXiv:2110.00976"
    ),
    columns=("text", "labels"),
    traps=(
        "figures are of 1,000 sentences drawn from the official test",
        "887 of 1,000 sentences have no label: always 'none' has a micro-F1 of 0.88 and a macro-F1 of 0.10",
        "Unilateral termination has 26 rows, Limitation of liability 24, Unilateral change 23, Contract by using 15",
        "Jurisdiction has 11 rows, Content removal 8, Arbitration and Choice of law 6 each: a few rows move macro-F1",
        "6 of the 113 sentences that have a label have two, none has three",
        "labels are numbers on the Hub, in an order of LexGLUE's own that is not the alphabet's: see LABELS",
        "one version of LexGLUE's program filled the answers' ninth class from the references: always right, too high",
        "the official split is by company: 30 to train, 10 to validate, 10 to test",
        "the Hub's rows do not tell the company: a random split has sentences of one company on both sides",
        "414 of 1,000 sentences name one of the ten companies of the test",
        "6 sentences occur twice, 4 of them with labels, always the same ones; one more pair is nearly the same",
        "lower-cased: sentences as companies write them look otherwise",
        "tokenised: 's stands apart in 107 sentences, n't in 12, and brackets have spaces in 190",
        "34 sentences begin with the bullet of a list; 39 hold characters outside ASCII",
        "4 to 247 words, 24 in the median; some speak of the sentence before, as in 'those courts'",
    ),
)


def unfair_task(encoding: Literal["ranking", "questions"] = "ranking") -> Task[Labels]:
    """The task in one of two forms.

    Args:
        encoding: ``"ranking"`` asks one question with the eight labels and ``"none"`` as its choices; ``"questions"``
            one for each label, to be answered by yes or no.

    Raises:
        PluginError: There is no such encoding.
    """
    asked = {
        "ranking": (
            "Name a kind of potentially unfair term that the sentence from terms of service holds, or none where it "
            "holds none."
        ),
        "questions": "Read the sentence from terms of service and answer the question about it with yes or no.",
    }
    task = multilabel(
        "legal/unfair",
        summary="Which of eight kinds of potentially unfair terms a sentence of terms of service holds, if any",
        instruction=asked.get(encoding, ""),
        labels=DESCRIPTIONS,
        question="Does it say {label}?",
        label=LABEL,
        none_label=True,
        encoding=encoding,
        group=company_of,
        samples=UNFAIR_SAMPLES,
        datasets=(UNFAIR_TOS,),
    )
    return dataclasses.replace(
        task,
        columns=(*task.columns, COMPANY),
        format=lambda row: task.format(_with_names(row)),
        reference=lambda row: task.reference(_with_names(row)),
    )


UNFAIR = unfair_task()

"""Why each finding of an audit matters, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What is said of every finding with a code.

    Attributes:
        why: Why it matters.
        what_to_do: How to deal with it.
    """

    why: str
    what_to_do: str


ADVICE = {
    "unusable_rows": Advice(
        "Training and evaluation refuse them.",
        "Mend or remove these rows; task.format(row) says what is wrong with each.",
    ),
    "empty_texts": Advice(
        "There is nothing to answer from: the model learns to guess.",
        "Remove these rows.",
    ),
    "no_labels": Advice(
        "There is nothing to learn.",
        "Name the column that holds the label, or bring its values into the form that the task knows.",
    ),
    "missing_labels": Advice(
        "Training and evaluation refuse them.",
        "Label these rows, or remove them.",
    ),
    "unknown_labels": Advice(
        "Training and evaluation refuse them.",
        "Correct them, or add the labels to the task.",
    ),
    "exact_duplicates": Advice(
        "Copies on both sides of a split make a test easy that should be hard; within the training split they weigh a "
        "text several times.",
        "Split with qlorakit.split, which keeps copies on one side, or keep one of each.",
    ),
    "near_duplicates": Advice(
        "They differ in numbers, punctuation or a few words. On both sides of a split they make a test easy that "
        "should be hard.",
        "Split with qlorakit.split, which keeps them on one side. Where numbers carry the meaning, as in rows of a "
        "table, they are no duplicates: audit with ignore_digits=False.",
    ),
    "random_split_leak": Advice(
        "A model can remember their answers, or is misled by other answers to the same text; either way the test says "
        "nothing about new texts.",
        "Split with qlorakit.split, never row by row at random; distrust results on this data that do not say how it "
        "was split.",
    ),
    "conflicting_labels": Advice(
        "A model that gives each text one answer cannot be right on all its copies. No training can pass this ceiling, "
        "and a higher accuracy was measured on other rows.",
        "Decide what is right for each of these texts, make the task one of several labels, or state the ceiling with "
        "every result.",
    ),
    "one_label": Advice(
        "A model learns to say that always, whatever it reads.",
        "Add rows with other answers.",
    ),
    "label_balance": Advice(
        "Always answering the commonest label is right that often: an accuracy says something only above it.",
        "Judge by macro-F1 and against the majority baseline; weigh or oversample inside the training split alone.",
    ),
    "rare_labels": Advice(
        "From fewer than 10 examples little is learned, and with fewer than five test rows a label's score is chance; "
        "macro-F1 weighs it like any other.",
        "Collect more rows of these labels, merge them, or leave them out and say so.",
    ),
    "label_in_text": Advice(
        "The model learns to copy the label instead of to read, and fails where nobody has written it there.",
        "Take the label out of the text, or another column as the text.",
    ),
    "leaking_column": Advice(
        "The task does not read it. A model that were given it would score high by copying and be useless on rows "
        "where it is not filled in yet.",
        "Never put this column into the text.",
    ),
    "overlap": Advice(
        "Trained on the audited rows, a model has seen these texts: its score on them says nothing about new ones.",
        "Remove them here or there, or split again with qlorakit.split. The rows listed are those of the other set.",
    ),
    "control_characters": Advice(
        "They are invisible, cost tokens, and can make a text show other than it reads.",
        "Remove them where the rows are made; check how the file was exported.",
    ),
    "special_tokens": Advice(
        "Read as a control token it would end or begin a turn inside the text. Training and evaluation break it up, so "
        "that it is read as the plain text it is.",
        "Nothing needs be done; remove it if it is a remnant of how the rows were made.",
    ),
    "encoding_damage": Advice(
        "Somewhere on its way the text was read in another encoding than it was written in, so that words are no "
        "longer the words they were.",
        "Read the original file with its own encoding, or repair the texts with ftfy.fix_text; what became U+FFFD is "
        "lost.",
    ),
    "same_beginning": Advice(
        "Headings cost tokens in every row and tell nothing about its label; one that comes with one label alone gives "
        "it away.",
        "Look at some of these rows, and cut what is the same in all of them.",
    ),
    "same_end": Advice(
        "Closing words cost tokens in every row and tell nothing about its label; those that come with one label alone "
        "give it away.",
        "Look at some of these rows, and cut what is the same in all of them.",
    ),
    "languages": Advice(
        "A model answers best in the languages of its base; a label that goes with a language is learned by it.",
        "Make sure that the base model knows these languages, and report results by language.",
    ),
    "personal_data": Advice(
        "A model can remember and repeat what it was trained on, names and numbers included. Patterns find much of it, "
        "not all, and some of what they find is none.",
        "Replace it before training with qlorakit.privacy, or train where such data may be used.",
    ),
    "cut_prompts": Advice(
        "What stands at the end of these texts is never read.",
        "Raise max_length, or shorten the texts where it does least harm.",
    ),
    "answers_do_not_fit": Advice(
        "Answers are never cut: training and evaluation stop at such a row.",
        "Raise max_length and max_new_tokens, or leave these rows out.",
    ),
}

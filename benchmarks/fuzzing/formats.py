"""The file formats of installed plugins: a small file in each, which is damaged in every way."""

from __future__ import annotations

import functools
import gzip
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzzing.damage import damaged_bytes, damaged_json
from fuzzing.files import as_csv, file_with
from fuzzing.reader import Reader
from qlorakit.plugins import installed
from qlorakit.reading import read_rows

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from qlorakit.task import Task

GERMAN = "A12 30 A34 A40 5234 A61 A71 4 A94 A101 2 A123 28 A143 A152 2 A174 1 A191 A201 2\n"
GOLD = (
    "Dates,URL,News,Price Direction Up,Price Direction Constant,Price Direction Down,Asset Comparision,"
    "Past Information,Future Information,Price Sentiment\n"
)
GOLD_LINE = '05-02-2019,https://example.org/a,"Gold rises, silver falls",1,0,0,0,1,0,positive\n'
AGREEMENT = "-DOCSTART- -X- O O\n\nNorvik NNP - I-ORG\npays VBZ - O\n. . - O\n\nOslo NNP - I-LOC\n"
FINER = "gold_label,gold_token,doc_idx,sent_idx\n1,Anna,0,0\n2,Keller,0,0\n0,sold,0,0\n0,.,0,0\n5,Norvik,1,0\n"
CONVFINQA = {
    "questions": ["what was the company 2019s rent?", "by how much did it change?"], "answer": 0.25,
    "text": "rent rose .", "table": "rent | 10 | 8\n", "id": "Single_NRV/2015/page_7.pdf-2", "programs": ["ans = 10"],
}  # fmt: skip
FIQA = {
    "55": {"sentence": "Norvik gains", "info": [{"target": "Norvik", "sentiment_score": "0.4", "aspects": "['x']"}]}
}
CUAD_LINE = {"contract": "a.pdf", "category": "Governing Law", "clause": "The law of Ohio\n applies.", "answer": "Yes"}
CUAD = {
    "version": "v", "data": [{"title": "a", "paragraphs": [{"context": "The law of Ohio governs.", "qas": [
        {
            "id": "a__Governing Law", "question": "?", "is_impossible": False,
            "answers": [{"text": "law of Ohio", "answer_start": 4}],
        },
        {"id": "a__Insurance", "question": "?", "is_impossible": True, "answers": []},
    ]}]}],
}  # fmt: skip
LEGAL_NER = [{
    "id": "x", "data": {"text": "Anna Keller v. State of Ohio"}, "meta": {"source": "https://example.org/1"},
    "annotations": [{"result": [{"value": {"start": 0, "end": 11, "text": "Anna Keller", "labels": ["PETITIONER"]}}]}],
}]  # fmt: skip
DECODED = {"text": "Anna Keller v. Ohio", "entities": [{"start": 0, "end": 11, "label": "PETITIONER"}], "tokens": []}
CONTRACT_NLI = {
    "documents": [{
        "id": 7, "file_name": "lease.pdf", "text": "Ash keeps it. Ash may copy it.", "spans": [[0, 13], [14, 30]],
        "annotation_sets": [{"annotations": {
            "nda-17": {"choice": "Entailment", "spans": [1]}, "nda-7": {"choice": "NotMentioned", "spans": []},
        }}],
        "document_type": "search-pdf", "url": "u",
    }],
    "labels": {"nda-17": {"short_description": "copy"}},
}  # fmt: skip
PAIRS = (
    "concatenated_spans,hypothesis,label,evidence_spans,num_spans,num_tokens\nAsh may copy it.,Ash may copy.,0,1,9,70\n"
    ",Nothing.,2,0,9,70\n"
)
HOLDING = (
    "example_id,citing_prompt,holding_0,holding_1,holding_2,holding_3,holding_4,label\n"
    "1,So held (<HOLDING>).,holding a,holding b,holding c,holding d,holding e,2\n"
)
SUMMARY = {
    "legal01": {
        "uid": "legal01",
        "original_text": "You keep what is yours.",
        "reference_summary": "Yours.",
        "doc": "Terms",
        "urls": "https://example.org",
    }
}
XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document id="1" source="S" url="u">\n<Focus>Gout</Focus>\n<QAPairs>\n'
    '<QAPair pid="1"><Question qtype="causes">What causes gout?</Question>'
    "<Answer>Too much <b>uric</b> acid.</Answer></QAPair>\n"
    "</QAPairs>\n</Document>\n"
)
BC5CDR = "-DOCSTART-\tO\n\nAspirin\tB-Chemical\nhelps\tO\n.\tO\n"
EXAM = {
    "question": "Which nerve?", "exp": "b", "cop": 1, "opa": "Vagus", "opb": "Phrenic", "opc": "Axillary",
    "opd": "Femoral", "subject_name": "Anatomy", "id": "q1", "choice_type": "single",
}  # fmt: skip
DIALOGUE = (
    "ID,section_header,section_text,dialogue\n"
    '0,ALLERGY,Penicillin.,"Doctor: Any allergies?\r\nPatient: Only penicillin."\n'
)
TRANSCRIPTIONS = (
    ",description,medical_specialty,sample_name,transcription,keywords\n"
    '0,A short line., Cardiovascular / Pulmonary, Echo,"SUBJECTIVE:,  The heart is fine.","cardiovascular, echo"\n'
    "1,Another line., Neurology, Head,The head is fine.,\n"
)
PUBMED = {
    "11": {
        "QUESTION": "Does tea calm?",
        "CONTEXTS": ["Forty people drank tea."],
        "LABELS": ["RESULTS"],
        "final_decision": "yes",
        "YEAR": "2001",
    }
}
MEQSUM = "File,CHQ,Summary\n1.txt,SUBJECT: gout MESSAGE: what helps?,What helps against gout?\n"
MEDQUAD = "qtype,Question,Answer\ncauses,What causes gout?,Uric acid.\n"


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), written)
    return written.getvalue()


def _master() -> bytes:
    """A line for a contract, with all 41 columns that the plugin asks for."""
    import csv

    from qlorakit_legal.cuad import CATEGORIES

    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(["Filename", *(name for one in CATEGORIES for name in (one, f"{one}-Answer"))])
    cells = {"Governing Law": ["The law of Ohio applies."], "Insurance": ["We insure.", "You insure."]}
    writer.writerow(["a.pdf", *(cell for one in CATEGORIES for cell in (repr(cells.get(one, [])), "Yes"))])
    return written.getvalue().encode()


def _ledgar() -> list[dict[str, Any]]:
    """Provisions with numbers for labels, enough of them for the plugin to tell what the numbers are."""
    from qlorakit_legal.provisions import LABELS

    words = {
        "Arbitration": "All arbitration.", "Base Salary": "A salary.", "Headings": "Each heading.",
        "Notices": "A notice.", "Survival": "It survives.",
    }  # fmt: skip
    return [
        {"text": f"{text} Number {n}.", "label": LABELS.index(name)} for n, (name, text) in enumerate(words.items())
    ]


Make = Callable[[], "bytes | dict[str, Any] | list[Any]"]
# By task: the name of a file in each of its formats, and what makes the file, of JSON its content.
FILES: Mapping[str, tuple[tuple[str, Make], ...]] = {
    "finance/credit_risk": (("german.data", lambda: GERMAN.encode() * 2),),
    "finance/entities": (
        ("FIN5.txt", AGREEMENT.encode), ("finer.csv", FINER.encode),
        ("finer.csv.gz", lambda: gzip.compress(FINER.encode(), mtime=0)),
    ),
    "finance/fraud": (("ccfraud.csv", lambda: b"1,35,1,3000,4,14,2,0\n2,2,1,0,9,0,18,1\n"),),
    "finance/headlines": (("gold.csv", (GOLD + GOLD_LINE).encode),),
    "finance/numbers": (("convfinqa.json", lambda: [CONVFINQA, {**CONVFINQA, "answer": "yes"}]),),
    "finance/sentiment": (
        ("bank.txt", lambda: "Profit r\u00f6se@positive\nIt fell@negative\n".encode("latin-1")),
        ("bank.csv", lambda: b'neutral,"Norvik, of Oslo"\npositive,Profit rose\n'), ("fiqa.json", lambda: FIQA),
        ("fiqa.csv", lambda: b"sentence,target,score\nNorvik gains,Norvik,0.4\n"),
        ("fiqa.parquet", lambda: _parquet([{"sentence": "Norvik gains", "target": "Norvik", "score": 0.4}])),
        ("gold.csv", (GOLD + GOLD_LINE).encode),
    ),
    "legal/clauses": (
        ("master_clauses.csv", _master), ("clauses.jsonl", lambda: json.dumps(CUAD_LINE).encode()),
        ("clauses.json", lambda: [CUAD_LINE]),
    ),
    "legal/entities": (("ner.json", lambda: LEGAL_NER), ("ner.jsonl", lambda: json.dumps(DECODED).encode())),
    "legal/holding": (("casehold.csv", HOLDING.encode),),
    "legal/nli": (("nli.json", lambda: CONTRACT_NLI),),
    "legal/nli_pairs": (("pairs.csv", PAIRS.encode),),
    "legal/provisions": (
        ("ledgar.csv", lambda: as_csv(tuple(_ledgar())).encode()), ("ledgar.parquet", lambda: _parquet(_ledgar())),
    ),
    "legal/review": (("CUAD_v1.json", lambda: CUAD),),
    "legal/summary": (("all_v1.json", lambda: SUMMARY),),
    "medical/advice": (("gout.xml", XML.encode), ("medquad.csv", MEDQUAD.encode)),
    "medical/entities": (("train.tsv", BC5CDR.encode),),
    "medical/exam": (
        ("dev.json", lambda: [EXAM, {**EXAM, "cop": 4}]),
        ("dev.jsonl", lambda: b"%s\n%s" % (json.dumps(EXAM).encode(), json.dumps({**EXAM, "cop": 4}).encode())),
    ),
    "medical/note": (("dialogues.csv", DIALOGUE.encode),),
    "medical/organ_specialty": (("mtsamples.csv", TRANSCRIPTIONS.encode),),
    "medical/questions": (("ori_pqal.json", lambda: PUBMED),),
    "medical/section": (("dialogues.csv", DIALOGUE.encode),),
    "medical/specialty": (
        ("mtsamples.csv", TRANSCRIPTIONS.encode), ("mtsamples.tsv", lambda: TRANSCRIPTIONS.replace(",", "\t").encode()),
    ),
    "medical/summary": (("mtsamples.csv", TRANSCRIPTIONS.encode), ("meqsum.csv", MEQSUM.encode)),
}  # fmt: skip


def tasks() -> dict[str, Task[Any]]:
    """The tasks of installed plugins that have formats of their own."""
    return {name: task for name, task in sorted(installed().tasks.items()) if task.file_formats}


def valid_file(make: Make) -> bytes:
    """The undamaged file."""
    made = make()
    return made if isinstance(made, bytes) else json.dumps(made, indent=1).encode()


def _inputs(task: str) -> SearchStrategy[tuple[str, bytes]]:
    def of(name: str, make: Make) -> SearchStrategy[tuple[str, bytes]]:
        made = make()
        damaged = damaged_bytes([made]) if isinstance(made, bytes) else damaged_json([made])
        return st.tuples(st.just(name), damaged)

    return st.one_of(*(of(name, make) for name, make in FILES[task]))


def _read(task: str, given: tuple[str, bytes]) -> None:
    name, content = given
    with file_with(content, name) as path:
        read_rows(path, task=installed().tasks[task], bad_rows="skip")


def _readers() -> tuple[Reader, ...]:
    """A reader for the files of each task that is installed."""
    return tuple(
        Reader(f"files of {task}", functools.partial(_inputs, task), functools.partial(_read, task), 0.3)
        for task in tasks()
        if task in FILES
    )


READERS: tuple[Reader, ...] = _readers()

"""BC5CDR, chemicals and diseases in abstracts, as it is published in BIO: ``token TAB tag`` in each line.

Sentences are parted by empty lines; which of them make up an abstract is not marked in the published files.  Copies
that mark it with ``-DOCSTART-`` lines have the column ``document``, as ``"train/1"``.  Lines are cut at the tab and
nowhere else: quotation marks are tokens, and a reader of tables would take what stands between two of them for one
cell.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

TYPES = ("Chemical", "Disease")
ENDINGS = (".tsv", ".txt")
TAG = re.compile(rf"O|[BI]-(?:{'|'.join(TYPES)})")
TAG_OF_SOME_SCHEME = re.compile(r"O|[BIESLU]-\S+")
DOCUMENT_START = "-DOCSTART-"
CELLS = 2  # of a line: a token and its tag

Tagged = tuple[str, str]


def _is_tagged(path: Path, head: Sequence[str]) -> bool:
    """Whether most lines have the shape; the reader names those that have not, and wrong tags."""
    lines = [line.split("\t") for line in head if line.strip()]
    right = [len(cells) == CELLS and TAG_OF_SOME_SCHEME.fullmatch(cells[1].strip()) for cells in lines]
    return path.suffix.lower() in ENDINGS and 2 * sum(map(bool, right)) > len(right)


def _read_tagged(path: Path) -> Iterable[tuple[int, Row]]:
    """Sentences, each with the number of its first line, and with its document where these are marked."""
    for number, document, tokens in _sentences(path):
        row = {"tokens": [token for token, _ in tokens], "tags": [tag for _, tag in tokens]}
        yield number, {**row, "document": f"{path.stem}/{document}"} if document else row


def _sentences(path: Path) -> Iterator[tuple[int, int, list[Tagged]]]:
    """The number of a sentence's first line, that of its document from 1 (0 before the first mark), and its tokens."""
    tokens: list[Tagged] = []
    document = 0
    with path.open(encoding=file_encoding(path)) as file:
        for number, line in enumerate([*file, ""], start=1):
            starts = line.split()[:1] == [DOCUMENT_START]
            if line.strip() and not starts:
                tokens.append(_checked(line, f"{path}, line {number}"))
                continue
            if tokens:
                yield number - len(tokens), document, tokens
                tokens = []
            document += starts


def _checked(line: str, where: str) -> Tagged:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != CELLS or not cells[0]:
        msg = f"{where}: {len(cells)} cells where a token, a tab and a tag are expected; repair or remove the line"
        raise DataError(msg)
    token, tag = cells
    if not TAG.fullmatch(tag):
        msg = (
            f"{where}: unknown tag {tag!r}; O, or B- or I- and one of {', '.join(TYPES)} is expected. Files in another "
            "scheme than BIO, or of other types, need a task of their own (qlorakit.kinds.entities)"
        )
        raise DataError(msg)
    return token, tag


BC5CDR_TSV = FileFormat(
    "BC5CDR .tsv in BIO (token TAB tag, an empty line after each sentence)", _is_tagged, _read_tagged
)

BC5CDR = PublicDataset(
    name="BC5CDR",
    identifier="cambridgeltl/MTL-Bioinformatics-2016, data/BC5CDR-IOB",
    url="https://github.com/cambridgeltl/MTL-Bioinformatics-2016",
    licence="CC BY 4.0, as that repository states; the corpus itself is freely available from BioCreative V",
    citation=(
        "Li, Sun, Johnson, Sciaky, Wei, Leaman, Davis, Mattingly, Wiegers, Lu (2016): BioCreative V CDR task corpus: a "
        "resource for chemical disease relation extraction. Database 2016, baw068. In BIO: Crichton, Pyysalo, Chiu, "
        "Korhonen (2017): A neural network multi-task learning approach to biomedical named entity recognition. BMC "
        "Bioinformatics 18, 368"
    ),
    columns=("token", "tag"),
    traps=(
        "no header, and quotation marks are tokens: read as a quoted table, train.tsv loses 72,130 of 118,170 lines",
        "tokens are cut at hyphens, apostrophes and the points of numbers: Parkinson ' s disease, 2 . 5 mg",
        "59 % of the mentions of test.tsv stand in train.tsv with their type: a dictionary of these has an F1 of 0.70",
        "documents are not marked: sentences of an abstract are on every side of a random split",
        "16 and 18 sentences of test.tsv are in train.tsv and devel.tsv as well, nearly all of them such as 1 . alone",
        "three of these are a review's that is in both devel.tsv and test.tsv, with other tags in one place",
        "94 entities begin right after another of their type: B- and I- cannot be merged",
        "10 abbreviations, such as RA and AMI, are a chemical in one abstract and a disease in another",
        "17 % of the sentences hold no entity; 51 are longer than 100 tokens, up to 225",
    ),
)

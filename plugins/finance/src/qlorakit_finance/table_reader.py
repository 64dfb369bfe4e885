"""What is read of the rows of a table, what is not, and why."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qlorakit.cells import is_blank, required_text
from qlorakit_finance.table_rows import cell_of, row_text

if TYPE_CHECKING:
    from qlorakit.task import Column, Row

logger = logging.getLogger(__name__)

TEXT = "text"
PEOPLE = ("", "customer_", "applicant_", "client_", "borrower_", "cardholder_", "person_", "user_")
THINGS = ("account_", "card_", "credit_card_", "cc_", "transaction_", "trans_", "tx_", "txn_", "application_", "loan_")
_DECIMAL_COMMA = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+),\d{1,2}")

IDENTIFIER = "identifiers or personal data"
LABEL = "other names of the label, or known only after it"
SENSITIVE = "protected attributes"
LEFT_OUT = "left out by the task"


@functools.lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A column's name without case, spaces and signs, so that ``Card-Number`` is ``card_number``."""
    return re.sub(r"[\W_]+", "", name.casefold()) or name.strip()


def of_everyone(names: Iterable[str], owners: Sequence[str] = PEOPLE) -> tuple[str, ...]:
    """Names of columns as they are and with those before them whose they are, such as ``customer_age``."""
    return tuple(f"{owner}{name}" for name in names for owner in owners)


# Columns that tell rows apart, sides of a split, or people, and nothing else; their folded names.
IDENTIFIERS = frozenset(map(folded, (
    "", "#", "uuid", "guid", "index", "unnamed: 0", "row_id", "row_number", "split", "fold", "custid", "trans_num",
    "cc_num", "iban", "name_orig", "name_dest", "first", "last", "street",
    *of_everyone((
        "id", "name", "first_name", "last_name", "full_name", "surname", "email", "email_address", "phone",
        "phone_number", "address", "ip", "ip_address", "ssn", "social_security_number", "passport", "passport_number",
    )),
    *of_everyone(("number", "no"), PEOPLE[1:]),
    *of_everyone(("id", "number", "no"), THINGS),
)))  # fmt: skip
# Attributes by which it is forbidden to decide on a person's credit, in many countries.
PROTECTED = of_everyone((
    "sex", "gender", "age", "age_years", "age_in_years", "birth_date", "date_of_birth", "dob", "birthday", "birth_year",
    "year_of_birth", "marital_status", "civil_status", "marriage", "married", "personal_status", "personal_status_sex",
    "personal_status_and_sex", "status_and_sex", "status_sex", "foreign_worker", "nationality", "race", "ethnicity",
    "religion", "disability",
))  # fmt: skip
_PROTECTED = frozenset(map(folded, PROTECTED))


@dataclass(frozen=True)
class TableReader:
    """What a task reads of its rows; what it does not read, it tells once.

    Attributes:
        task: Its name.
        label: The column with the right answer.
        fields: The columns to read, in this order; ``None`` for all that there is no reason against.
        reasons: Why columns are not read, by their folded names.
        told: What has been told.
    """

    task: str
    label: str
    fields: tuple[str, ...] | None
    reasons: Mapping[str, str]
    told: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(
        cls, task: str, label: Column, fields: Sequence[str] | None, left_out: Sequence[str], afterwards: Sequence[str]
    ) -> TableReader:
        """Gather the reasons; see :func:`~qlorakit_finance.fraud.risk_task`."""
        reasons = {
            **{name: SENSITIVE if name in _PROTECTED else LEFT_OUT for name in map(folded, left_out)},
            **dict.fromkeys(IDENTIFIERS, IDENTIFIER),
            **dict.fromkeys(map(folded, (label.name, *label.aliases, *afterwards)), LABEL),
        }
        return cls(task, label.name, None if fields is None else tuple(fields), reasons)

    def columns(self, row: Row) -> Sequence[str]:
        """The columns that are read, in their order."""
        if self.fields is not None:
            return self.fields
        return [name for name in row if name not in {TEXT, self.label} and folded(name) not in self.reasons]

    def cells(self, row: Row) -> dict[str, object] | None:
        """The cells that are read; ``None`` where the row has a text, which is read instead.

        Raises:
            DataError: The row lacks a column.
        """
        return {name: cell_of(row, name) for name in self.columns(row)} if is_blank(row.get(TEXT)) else None

    def show(self, row: Row) -> str:
        """The row's text, or its cells as text.

        Raises:
            DataError: There is nothing to read, or the row lacks a column.
        """
        columns = self.columns(row)
        if not is_blank(row.get(TEXT)):
            self._tell_beside([name for name in columns if not is_blank(row.get(name))])
            return required_text(row, TEXT)
        self._tell_unread([name for name in row if self.fields is None and name not in {TEXT, self.label, *columns}])
        self._tell_commas(row, columns)
        return row_text(row, columns)

    def _new(self, why: str, columns: Sequence[str]) -> list[str]:
        """Those that have not been told for this reason; from now on they have."""
        new = [name for name in columns if (why, name) not in self.told]
        self.told.update((why, name) for name in new)
        return new

    def _tell_unread(self, columns: Sequence[str]) -> None:
        groups: dict[str, list[str]] = {}
        for name in self._new("unread", columns):
            groups.setdefault(self.reasons[folded(name)], []).append(name)
        if groups:
            logger.warning(
                "%s: the model does not read %s; risk_task(fields=[...]) makes a task that reads the columns you name",
                self.task,
                "; ".join(f"{_listed(names)} ({why})" for why, names in groups.items()),
            )

    def _tell_beside(self, columns: Sequence[str]) -> None:
        if new := self._new("beside a text", columns):
            logger.warning("%s: of a row with a text that alone is read, and not %s", self.task, _listed(new))

    def _tell_commas(self, row: Row, columns: Sequence[str]) -> None:
        found = [name for name in columns if isinstance(cell := row.get(name), str) and _DECIMAL_COMMA.fullmatch(cell)]
        if new := self._new("commas", found):
            logger.warning(
                "%s: cells of %s look like numbers with decimal commas and are read as texts; write decimal points",
                self.task,
                _listed(new),
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) if name.strip() else "the column without a name" for name in names)

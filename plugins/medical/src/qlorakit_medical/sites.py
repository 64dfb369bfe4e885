"""Where a problem is: which part of the body it is said of."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from qlorakit_medical.vocabulary import Match
from qlorakit_medical.words import Word, word_set

# Between a part of the body and what is said of it: "the ankle is still very swollen", "ankle: no swelling".
LINKS = word_set(
    """is was are were be been feels felt feel appears appeared looks looked remains remained became becomes seems has
    had also still very more mildly severely moderately somewhat slightly quite markedly really too again now not
    joint area region and or no any shows showed with without demonstrates reveals red warm painful swollen tender
    stiff sore numb weak"""
)
# Between a problem and its part: "pain in the left knee".
TOWARDS = word_set("in of to at over around on along from involving affecting behind")
DETERMINERS = word_set(
    """the a an his her my their your both left right bilateral l r of lower upper distal proximal entire whole mid
    anterior posterior medial lateral inner outer side sided area region aspect outside inside back front"""
)
NEW_SUBJECT = word_set("a an the his her my their your")  # right after a problem something else begins with them
# Between a part and a problem right after it: "hip joint pain", "ankle pitting edema".
QUALIFIERS = word_set(
    """mild moderate severe chronic acute sharp dull persistent new worsening increased joint wall soft tissue bone
    shaft neck head region area nondisplaced displaced comminuted closed open pitting stage grade type invasive"""
)
GENERIC = word_set("joint bone muscle skin extremity nerve")  # parts that another one makes clear: "knee joint"
CONJUNCTIONS = word_set("and or")
AFTER_A_PART = word_set("for since with that which after when is has was today but") | CONJUNCTIONS | TOWARDS
FARTHEST = 5  # words from a problem to its part
BEFORE_GENERIC = 3  # words before a problem among which its part stands


@dataclass(frozen=True)
class Part:
    """A part of the body that is mentioned.

    Attributes:
        concept: Its name in the vocabulary.
        first: The place of its first word.
        last: The place after its last word.
    """

    concept: str
    first: int
    last: int


@dataclass(frozen=True)
class Sites:
    """The parts of the body of a note.

    Attributes:
        words: Of the note.
        starting: Parts by the place of their first word.
        ending: Parts by the place after their last word.
        named: The places of words in the names of problems.
    """

    words: Sequence[Word]
    starting: Mapping[int, Part]
    ending: Mapping[int, Part]
    named: AbstractSet[int]

    @classmethod
    def of(cls, words: Sequence[Word], parts: Sequence[Part], named: AbstractSet[int]) -> "Sites":
        """Where parts are.

        Args:
            words: Of the note.
            parts: That it mentions.
            named: See above.
        """
        return cls(words, {part.first: part for part in parts}, {part.last: part for part in parts}, named)

    def of_problem(self, match: Match) -> tuple[Part, ...]:
        """The parts of the body where a problem is: "knee pain", "pain in the knee", "the knee is swollen"."""
        adjacent = self._just_before(match.first)
        if adjacent:
            return tuple(self._with_those_before(adjacent))
        after = self._after(match.last)
        if after:
            return tuple(self._with_those_after(after))
        before = self._said_of(match.first)
        return (before,) if before else ()

    def _is_one_sentence(self, at: int) -> bool:
        """Whether a word is in the sentence of the word before it."""
        return self.words[at].sentence == self.words[at - 1].sentence

    def _is_joined(self, at: int) -> bool:
        """Whether nothing but a space, a hyphen or a slash stands before a word."""
        return at < len(self.words) and self.words[at].gap.strip(" \n") in {"", "-", "/"} and self._is_one_sentence(at)

    def _just_before(self, at: int) -> Part | None:
        """A part right before the problem, perhaps with a qualifier; a generic one only if there is no other."""
        generic = None
        for place in range(at, max(at - BEFORE_GENERIC, 0), -1):
            if not self._is_joined(place):
                return generic
            part = self.ending.get(place)
            if part and part.concept not in GENERIC:
                return part
            generic = generic or part
            if not part and self.words[place - 1].lower not in QUALIFIERS:
                return generic
        return generic

    def _with_those_before(self, part: Part) -> Iterator[Part]:
        """All three parts of "neck, back and shoulder pain"."""
        yield part
        at = part.first
        while at > 0:
            if self.words[at - 1].lower in CONJUNCTIONS:
                at -= 1
            elif "," not in self.words[at].gap and "/" not in self.words[at].gap:
                return
            other = self.ending.get(at)
            if other is None or self.words[other.first].sentence != self.words[part.first].sentence:
                return
            yield other
            at = other.first

    def _after(self, at: int) -> Part | None:
        """A part after the problem, which words such as "in the left" lead to."""
        for place in range(at, min(at + FARTHEST, len(self.words))):
            if not self._is_joined(place):
                return None
            if place in self.starting and place not in self.named:
                return self.starting[place]
            word = self.words[place].lower
            if word not in TOWARDS and (word not in DETERMINERS or (place == at and word in NEW_SUBJECT)):
                return None
        return None

    def _with_those_after(self, part: Part) -> Iterator[Part]:
        """Both parts of "pain in the neck and shoulder"."""
        yield part
        at = part.last
        while at + 1 < len(self.words) and self._is_one_sentence(at):
            conjoined = self.words[at].lower in CONJUNCTIONS
            if not conjoined and "," not in self.words[at].gap:
                return
            at += conjoined
            while at < len(self.words) and self.words[at].lower in DETERMINERS and at not in self.starting:
                at += 1
            if at not in self.starting or self._begins_anew(self.starting[at]):
                return
            yield self.starting[at]
            at = self.starting[at].last

    def _begins_anew(self, part: Part) -> bool:
        """Whether something else is said of a part: "pain in the neck and shoulder stiffness"."""
        at = part.last
        return at < len(self.words) and self.words[at].gap == " " and self.words[at].lower not in AFTER_A_PART

    def _said_of(self, at: int) -> Part | None:
        """A part of which the problem is said: "the ankle is still swollen"."""
        for place in range(at, max(at - FARTHEST, 0), -1):
            if not self._is_one_sentence(place) or self.words[place].gap.strip(" ,:\n"):
                return None
            if place in self.ending and place != at:
                return self.ending[place]
            if self.words[place - 1].lower not in LINKS:
                return None
        return None

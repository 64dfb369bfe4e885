import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qlorakit.errors import ConfigurationError
from qlorakit.near_duplicates import miss_probability, near_duplicate_groups, normalise

SENTENCE = "gold futures fell by the close of trade on monday as the dollar rose against most other currencies again"


def groups(*texts, **settings):
    return near_duplicate_groups(texts, **settings).tolist()


def jaccard(first, second):
    sets = [{tuple(words[at : at + 3]) for at in range(len(words) - 2)} for words in (first.split(), second.split())]
    union = sets[0] | sets[1]
    return len(sets[0] & sets[1]) / len(union) if union else 0.0


def brute_force(texts, threshold):
    group = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        if texts[i] and (texts[i] == texts[j] or jaccard(texts[i], texts[j]) >= threshold):
            group = [group[i] if one == group[j] else one for one in group]
    return group


def same_grouping(first, second):
    return len(set(zip(first, second, strict=True))) == len(set(first)) == len(set(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Gold at $1,116.10/oz", "gold at $950/oz"),
        ("Gold  fell.\n", "gold fell"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER G}old\N{IDEOGRAPHIC SPACE}fell", "gold fell"),
        ("Straße", "STRASSE"),
        ("co\N{SOFT HYPHEN}operate", "cooperate"),
        ("on 2016-01-28 it rose", "on 2017-11-02 it rose"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("٣ items", "12 items"),
    ],
)
def test_copies_that_differ_in_case_digits_or_punctuation_are_equal(first, second):
    assert normalise(first) == normalise(second) != ""
    assert groups(first, second) == [0, 0]


@pytest.mark.parametrize(
    ("first", "second"), [("किताब", "कतब"), ("I \N{GRINNING FACE}", "I \N{CRYING FACE}"), ("ab c", "a bc"), ("v2", "v")]
)
def test_what_makes_a_word_is_kept(first, second):
    assert normalise(first) != normalise(second)


def test_numbers_tell_texts_apart_where_asked():
    assert normalise("Paid 1,200 on 3 May", ignore_digits=False) == "paid 1 200 on 3 may"
    assert groups("age 12 sum 900", "age 13 sum 800") == [0, 0]
    assert groups("age 12 sum 900", "age 13 sum 800", ignore_digits=False) == [0, 1]


@given(st.text(alphabet=st.characters(exclude_categories=["Cf", "Cs"]), max_size=40))
@example("1.,2")
def test_a_normalised_text_is_left_as_it_is(text):
    once = normalise(text)
    assert normalise(once) == once


def test_texts_without_a_word_are_never_duplicates():
    assert groups("", " ", "...", "", "-") == [0, 1, 2, 3, 4]


def test_no_texts_have_no_groups():
    assert near_duplicate_groups([]).tolist() == []
    assert near_duplicate_groups([]).dtype == np.int64


def test_texts_shorter_than_a_shingle_are_linked_by_equality_alone():
    assert groups("gold fell", "gold rose", "Gold fell!", "gold") == [0, 1, 0, 2]


def test_a_changed_end_is_a_near_duplicate_and_another_text_is_not():
    changed = SENTENCE.rsplit(" ", 1)[0] + " today"
    assert jaccard(SENTENCE, changed) > 0.8
    assert groups(SENTENCE, "nothing in common with that at all", changed) == [0, 1, 0]


def test_a_group_holds_what_is_linked_through_others():
    chain = [SENTENCE]
    for place in range(6):
        chain.append(f"{chain[-1]} more{place} words{place}")
    assert jaccard(chain[0], chain[-1]) < 0.8 <= min(itertools.starmap(jaccard, itertools.pairwise(chain)))
    assert groups(*chain) == [0] * 7


def test_characters_are_words_where_none_are_written_apart():
    first = "黄金期货价格周一收盘下跌美元兑多数货币走强投资者等待央行会议纪要公布"
    assert groups(first, first[:-1] + "了", first[:5] + "完全不同的另一句话说的是别的事情") == [0, 0, 1]


def test_lone_surrogates_do_no_harm():
    assert groups("a \ud800 b c d", "a \ud800 b c d", "e") == [0, 0, 1]


vocabulary = st.lists(st.sampled_from("abcdefgh"), min_size=0, max_size=14).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(vocabulary, max_size=14), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_groups_are_those_of_comparing_every_pair(texts, threshold):
    assert same_grouping(near_duplicate_groups(texts, threshold=threshold).tolist(), brute_force(texts, threshold))


def test_as_many_pairs_at_the_threshold_are_found_as_promised():
    rng = np.random.default_rng(0)
    words = [f"w{letters}" for letters in map("".join, itertools.product("abcdefghij", repeat=4))]
    texts = []
    for _ in range(1500):  # pairs of 18 and 16 shingles, the 16 among the 18 but for one: similarity 16 / 20 or above
        drawn = [str(word) for word in rng.choice(words, 20, replace=False)]
        texts += [" ".join(drawn), " ".join([*drawn[:18], "end", "other"])]
    similar = jaccard(texts[0], texts[1])
    found = near_duplicate_groups(texts, threshold=similar)
    missed = sum(found[0::2] != found[1::2])
    assert similar == pytest.approx(0.8)
    assert missed <= 1500 * miss_probability(similar) + 3


def test_pairs_just_below_the_threshold_are_not_linked():
    first = " ".join(f"x{letter}" for letter in "abcdefghijklmnopqrst")
    second = first.replace("xt", "end")
    assert jaccard(first, second) == pytest.approx(17 / 19)
    assert groups(first, second, threshold=17 / 19) == [0, 0]
    assert groups(first, second, threshold=17 / 19 + 1e-9) == [0, 1]


def test_the_order_of_texts_does_not_change_the_groups():
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(list("abcd"), 8)) for _ in range(200)]
    order = rng.permutation(len(texts))
    shuffled = near_duplicate_groups([texts[place] for place in order])
    assert same_grouping(near_duplicate_groups(texts)[order].tolist(), shuffled.tolist())


def test_more_texts_than_a_batch_holds_are_grouped_across_batches(monkeypatch):
    texts = [f"{SENTENCE} {'abcdefgh'[place % 8]}" for place in range(40)] + ["", "other words of another text"] * 20
    whole = near_duplicate_groups(texts).tolist()
    monkeypatch.setattr("qlorakit.near_duplicates.BATCH_TEXTS", 3)
    monkeypatch.setattr("qlorakit.near_duplicates.COMPARED_AT_ONCE", 50)
    assert near_duplicate_groups(iter(texts)).tolist() == whole
    assert len(set(whole)) == 1 + 20 + 1


def test_a_crowded_bucket_is_still_joined():
    texts = [f"{SENTENCE} {SENTENCE} ending {word}" for word in map("".join, itertools.product("abcdefg", repeat=4))]
    assert set(near_duplicate_groups(texts).tolist()) == {0}


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ConfigurationError, match="threshold"):
        near_duplicate_groups(["a"], threshold=threshold)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_the_bands_miss_at_most_one_pair_in_ten_thousand(threshold):
    assert miss_probability(threshold) <= 1e-4


def test_another_process_gives_the_same_groups():
    script = (
        "from qlorakit.near_duplicates import near_duplicate_groups\n"
        "texts = [f'{a} {b} {c} d e f' for a in 'abc' for b in 'abc' for c in 'abc']\n"
        "print(near_duplicate_groups(texts, threshold=0.4).tolist())"
    )
    command = [sys.executable, "-c", script]
    runs = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)}  # noqa: S603  # ours
    assert len(runs) == 1

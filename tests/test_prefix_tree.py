import re
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import prefix_tree
from qlorakit.prefix_tree import SHORTEST_SAVING, Continuation, PrefixTree, common_length, cut

quick = settings(deadline=None, max_examples=60, derandomize=True)
# Few letters, so that beginnings coincide, whole sequences too, and some are the beginning of others.
TOKENS = st.integers(1, 3)
SEQUENCE = st.builds(
    Continuation,
    st.lists(TOKENS, min_size=1, max_size=6).map(tuple),
    st.lists(TOKENS, min_size=1, max_size=3).map(tuple),
)
SEQUENCES = st.lists(SEQUENCE, min_size=1, max_size=9)
# From no flattening over the usual one to flattening all.
SHORTEST = st.sampled_from([0, 2, 5, SHORTEST_SAVING, 1000])
TILES = st.sampled_from([1, 2, 3, 8, 64])


@st.composite
def trees(draw):
    sequences = draw(SEQUENCES)
    return sequences, PrefixTree.build(sequences, shortest_saving=draw(SHORTEST))


@st.composite
def divided(draw):
    """Sequences with their groups and the units within them, and a budget."""
    units = [number for number in range(draw(st.integers(1, 6))) for _ in range(draw(st.integers(1, 3)))]
    group_of = draw(st.lists(st.integers(0, 2), min_size=6, max_size=6))
    sequences = draw(st.lists(SEQUENCE, min_size=len(units), max_size=len(units)))
    order = draw(st.permutations(range(len(units))))
    units = [units[place] for place in order]
    return sequences, [group_of[unit] for unit in units], units, draw(st.integers(1, 40))


def parent_of(tree):
    """Of each token the one before it in its sequence, from depths alone: the last one written that is less deep."""
    first = min(tree.position_ids)
    latest, parents = {first - 1: None}, []
    for index, depth in enumerate(tree.position_ids):
        parents.append(latest[depth - 1])
        latest[depth] = index
    return parents


def path_to(tree, index):
    """A token and all before it, up to the root."""
    parents, path = parent_of(tree), []
    while index is not None:
        path.append(index)
        index = parents[index]
    return path[::-1]


def tokens_of(sequences):
    """Tokens of the tree in which everything that begins alike is written once."""
    return len({sequence.read[:end] for sequence in sequences for end in range(1, sequence.input_length + 1)})


def drawn(name):
    """A line of numbers from the drawing in the module's docstring."""
    return tuple(map(int, re.search(rf"{name} +([\d ]+)$", prefix_tree.__doc__, re.MULTILINE)[1].split()))


# The row


def test_the_example_drawn_in_the_docstring_holds_literally():
    a, b, c, x, z, d, y, w, v = range(1, 10)
    sequences = [Continuation((a, b, c), (x, y)), Continuation((a, b, c), (z, w)), Continuation((a, b, c, d), (v,))]
    tree = PrefixTree.build(sequences, shortest_saving=0)
    assert tree.input_ids == (a, b, c, x, z, d)
    assert (tree.position_ids, tree.exit) == (drawn("position"), drawn("exit"))
    assert set(zip(tree.parents, tree.targets, strict=True)) == {(3, y), (4, w), (5, v), (2, x), (2, z)}


@quick
@given(trees())
def test_a_token_sees_exactly_itself_and_its_ancestors(built):
    _, tree = built
    for query in range(len(tree)):
        seen = [key for key in range(len(tree)) if key <= query < tree.exit[key]]
        assert seen == path_to(tree, query)
        assert seen == [key for key in range(len(tree)) if tree.sees(query, key)]


@quick
@given(trees())
def test_every_sequence_can_be_read_back_along_its_path(built):
    sequences, tree = built
    for sequence, path in zip(sequences, tree.paths, strict=True):
        ancestors = path_to(tree, tree.parents[path[-1]])
        assert tuple(tree.input_ids[index] for index in ancestors) == sequence.read
        assert tuple(tree.targets[place] for place in path) == sequence.answer


@quick
@given(trees())
def test_each_answer_token_is_predicted_after_the_token_before_it(built):
    sequences, tree = built
    for sequence, path in zip(sequences, tree.paths, strict=True):
        whole = path_to(tree, tree.parents[path[-1]])
        assert [tree.parents[place] for place in path] == whole[len(sequence.prompt) - 1 :]


@quick
@given(trees())
def test_positions_are_depths(built):
    _, tree = built
    assert tree.position_ids == tuple(len(path_to(tree, index)) - 1 for index in range(len(tree)))


@quick
@given(trees())
def test_a_pair_of_parent_and_target_occurs_once_and_belongs_to_a_sequence(built):
    _, tree = built
    pairs = list(zip(tree.parents, tree.targets, strict=True))
    assert len(set(pairs)) == len(pairs) == len(tree.weights)
    assert {place for path in tree.paths for place in path} == set(range(len(pairs)))


@quick
@given(SEQUENCES, st.data(), SHORTEST)
def test_weights_are_summed_over_the_sequences_that_predict_a_token(sequences, data, shortest):
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(sequences), max_size=len(sequences)))
    tree = PrefixTree.build(sequences, weights, shortest_saving=shortest)
    expected = Counter()
    for path, weight in zip(tree.paths, weights, strict=True):
        expected.update(dict.fromkeys(path, weight))
    assert list(tree.weights) == [expected[place] for place in range(len(tree.targets))]
    assert sum(tree.weights) == sum(weight * len(item.answer) for item, weight in zip(sequences, weights, strict=True))


@quick
@given(SEQUENCES)
def test_every_prefix_is_written_once_where_nothing_is_flattened(sequences):
    tree = PrefixTree.build(sequences, shortest_saving=0)
    assert len(tree) == tokens_of(sequences)


@quick
@given(SEQUENCES, SHORTEST)
def test_identical_sequences_merge(sequences, shortest):
    twice = PrefixTree.build([sequence for sequence in sequences for _ in range(2)], shortest_saving=shortest)
    assert twice.paths[::2] == twice.paths[1::2]
    merged, once = PrefixTree.build(sequences[:1] * 3), PrefixTree.build(sequences[:1])
    assert (merged.input_ids, merged.weights) == (once.input_ids, tuple(3 * weight for weight in once.weights))


@quick
@given(SEQUENCES, st.randoms(use_true_random=False))
def test_the_order_of_the_sequences_has_no_influence_on_the_row(sequences, random):
    shuffled = random.sample(sequences, len(sequences))
    first, second = PrefixTree.build(sequences), PrefixTree.build(shuffled)
    assert (first.input_ids, first.exit) == (second.input_ids, second.exit)
    assert set(zip(first.parents, first.targets, strict=True)) == set(zip(second.parents, second.targets, strict=True))


# Flattening


@quick
@given(SEQUENCES, st.integers(1, 40))
def test_flattening_only_adds_tokens_and_fewer_than_its_bound_at_each_inner_node(sequences, shortest):
    added = len(PrefixTree.build(sequences, shortest_saving=shortest)) - tokens_of(sequences)
    assert 0 <= added <= (len({item.read for item in sequences}) - 1) * (shortest - 1)


@quick
@given(SEQUENCES)
def test_flattening_everything_leaves_one_path_for_each_sequence_that_differs(sequences):
    tree = PrefixTree.build(list(dict.fromkeys(sequences)), shortest_saving=1000)
    reads = [item.read for item in dict.fromkeys(sequences)]
    if len(set(reads)) == len(reads):
        assert len(tree) == sum(map(len, reads))


@pytest.mark.parametrize(("shared", "tokens"), [(15, 34), (16, 20)])
def test_a_node_is_shared_once_it_saves_enough(shared, tokens):
    stem = tuple(range(shared))
    sequences = [Continuation((*stem, 100, 101), (1,)), Continuation((*stem, 200, 201), (1,))]
    assert len(PrefixTree.build(sequences)) == tokens


def test_a_short_node_under_a_long_one_is_written_once_for_each_child():
    stem = tuple(range(50))
    sequences = [Continuation((*stem, 60, last), (1,)) for last in (70, 71)] + [Continuation((*stem, 80), (1,))]
    tree = PrefixTree.build(sequences)
    assert tree.input_ids == (*stem, 60, 70, 60, 71, 80)


# Rectangles


@quick
@given(trees(), TILES)
def test_rectangles_cover_what_is_seen_and_no_pair_twice(built, tile):
    _, tree = built
    covered = Counter(
        (query, key)
        for part in tree.rectangles(tile)
        for query in range(part.first_query, part.end_query)
        for key in range(part.first_key, part.end_key)
    )
    seen = {(query, key) for query in range(len(tree)) for key in range(len(tree)) if tree.sees(query, key)}
    assert set(covered) >= seen
    assert set(covered.values()) == {1}


@quick
@given(trees(), TILES)
def test_a_full_rectangle_is_seen_in_full(built, tile):
    _, tree = built
    for part in tree.rectangles(tile):
        if part.full:
            for query in range(part.first_query, part.end_query):
                assert all(tree.sees(query, key) for key in range(part.first_key, part.end_key))


@quick
@given(trees(), TILES)
def test_a_masked_rectangle_is_a_square_of_a_tile_or_one_node(built, tile):
    _, tree = built
    for part in tree.rectangles(tile):
        if not part.full:
            size = part.end_query - part.first_query
            alike = len(set(tree.exit[part.first_key : part.end_key])) == 1
            assert (part.first_query, part.end_query) == (part.first_key, part.end_key)
            assert size <= tile or alike


def test_without_a_branch_there_is_one_rectangle():
    tree = PrefixTree.build([Continuation(tuple(range(200)), (1,))])
    (part,) = tree.rectangles()
    assert part == (0, 200, 0, 200, False)


# Skipping


@quick
@given(SEQUENCES, st.lists(TOKENS, min_size=1, max_size=5).map(tuple), SHORTEST)
def test_skipping_drops_exactly_the_common_prefix(sequences, stem, shortest):
    with_stem = [Continuation(stem + item.prompt, item.answer) for item in sequences]
    rest = PrefixTree.build(sequences, shortest_saving=shortest)
    skipped = PrefixTree.build(with_stem, skip=len(stem), shortest_saving=shortest)
    assert (skipped.input_ids, skipped.exit) == (rest.input_ids, rest.exit)
    assert (skipped.parents, skipped.targets, skipped.paths) == (rest.parents, rest.targets, rest.paths)
    assert skipped.position_ids == tuple(len(stem) + depth for depth in rest.position_ids)


@pytest.mark.parametrize("skip", [2, 3])
def test_skipping_what_differs_or_a_whole_prompt_is_an_error(skip):
    sequences = [Continuation((1, 2, 3), (4,)), Continuation((1, 5, 3), (4,))]
    with pytest.raises(ValueError, match=rf"skip={skip}: sequence [12] does not share so many tokens"):
        PrefixTree.build(sequences, skip=skip)


@pytest.mark.parametrize(("prompt", "answer", "empty"), [((), (1,), "prompt"), ((1,), (), "answer")])
def test_an_empty_prompt_or_answer_is_an_error(prompt, answer, empty):
    with pytest.raises(ValueError, match=f"sequence 2 has an empty {empty}"):
        PrefixTree.build([Continuation((1,), (1,)), Continuation(prompt, answer)])


# Cutting


@quick
@given(divided())
def test_every_sequence_is_cut_into_exactly_one_tree(case):
    sequences, groups, units, budget = case
    parts = cut(sequences, groups, units, token_budget=budget)
    assert sorted(place for part in parts for place in part) == list(range(len(sequences)))


@quick
@given(divided())
def test_units_stay_whole_and_side_by_side(case):
    sequences, groups, units, budget = case
    for part in cut(sequences, groups, units, token_budget=budget):
        order = [units[place] for place in part]
        blocks = [unit for place, unit in enumerate(order) if place == 0 or unit != order[place - 1]]
        assert len(blocks) == len(set(blocks))
        assert all(order.count(unit) == units.count(unit) for unit in blocks)


@quick
@given(divided())
def test_no_tree_is_over_the_budget_unless_one_unit_alone_is(case):
    sequences, groups, units, budget = case
    for part in cut(sequences, groups, units, token_budget=budget):
        tokens = len(PrefixTree.build([sequences[place] for place in part], shortest_saving=0))
        assert tokens <= budget or len({units[place] for place in part}) == 1


@quick
@given(divided())
def test_a_group_that_fits_stays_whole(case):
    sequences, groups, units, budget = case
    trees_of = defaultdict(set)
    for number, part in enumerate(cut(sequences, groups, units, token_budget=budget)):
        for place in part:
            trees_of[groups[place]].add(number)
    for group, trees_ in trees_of.items():
        # The units of a group are joined by what they share with their neighbours, at least.
        reads = [sequence.read for sequence, of in zip(sequences, groups, strict=True) if of == group]
        assert len(trees_) == 1 or sum(map(len, reads)) > budget


@quick
@given(divided())
def test_skipped_tokens_do_not_count_against_the_budget(case):
    sequences, groups, units, budget = case
    stem = (9, 9, 9, 9)
    longer = [Continuation(stem + item.prompt, item.answer) for item in sequences]
    parts = cut(sequences, groups, units, token_budget=budget)
    assert cut(longer, groups, units, token_budget=budget, skip=len(stem)) == parts


def test_what_fits_into_one_tree_is_one_tree():
    stem = tuple(range(10))
    sequences = [Continuation((*stem, 100 + place), (1,)) for place in range(20)]
    assert len(cut(sequences, range(20), range(20), token_budget=30)) == 1
    assert len(cut(sequences, range(20), range(20), token_budget=29)) == 2


def test_what_begins_alike_comes_into_the_same_tree():
    first, second = tuple(range(10)), tuple(range(50, 60))
    sequences = [Continuation((*stem, 100 + place), (1,)) for place in range(4) for stem in (first, second)]
    parts = cut(sequences, range(8), range(8), token_budget=14)
    assert sorted(map(sorted, parts)) == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_a_group_over_the_budget_is_caseby_units():
    sequences = [Continuation((place, place + 1, place + 2), (1,)) for place in range(0, 60, 10)]
    parts = cut(sequences, [0] * 6, [0, 0, 1, 1, 2, 2], token_budget=6)
    assert sorted(map(sorted, parts)) == [[0, 1], [2, 3], [4, 5]]


def test_nothing_to_cut_gives_no_trees():
    assert cut([], [], [], token_budget=10) == []


# Small parts


@quick
@given(st.lists(TOKENS), st.lists(TOKENS))
def test_the_common_length_is_found_token_by_token(first, second):
    length = common_length(first, second)
    assert first[:length] == second[:length]
    assert length in {len(first), len(second)} or first[length] != second[length]


@quick
@given(SEQUENCE)
def test_the_last_token_of_an_answer_is_not_read(sequence):
    assert (*sequence.read, sequence.answer[-1]) == sequence.prompt + sequence.answer
    assert sequence.input_length == len(sequence.read)

import inspect
import re

import pytest

from qlorakit import errors

BRANCH = re.compile(r"^ {4}(?P<lead>[ │]*)(?:├── |└── )?(?P<name>\w+Error)\b(?P<note>.*)$", re.MULTILINE)
CLASSES = {
    name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
}


def drawn():
    # The parent of each class as drawn, and the classes drawn as value errors.
    path, parents, values = [], {}, set()
    for match in BRANCH.finditer(errors.__doc__):
        depth = match.start("name") - match.start() - 4
        path[depth // 4 :] = [match["name"]]
        parents[match["name"]] = path[-2] if len(path) > 1 else "Exception"
        if "also a ValueError" in match["note"]:
            values.add(match["name"])
    return parents, values


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    assert drawn()[0] == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}


def test_the_docstring_tells_which_errors_are_value_errors_too():
    assert drawn()[1] == {name for name, kind in CLASSES.items() if ValueError in kind.__bases__}


@pytest.mark.parametrize("kind", CLASSES.values())
def test_one_except_clause_catches_every_error(kind):
    assert issubclass(kind, errors.QlorakitError)


def test_a_near_miss_is_suggested():
    assert errors.did_you_mean("fiance/sentiment", ["finance/sentiment", "tax"]) == " Did you mean 'finance/sentiment'?"


def test_a_name_far_from_all_others_gets_no_suggestion():
    assert errors.did_you_mean("weather", ["finance/sentiment", "tax"]) == ""

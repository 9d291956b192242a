"""A value is as deep as the lists and objects in which its innermost one stands."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from features.nesting import DEEPEST, is_too_deep

TREES = st.recursive(
    st.one_of(st.none(), st.integers(0, 9), st.sampled_from(["[", "{", "]"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab["), inner, max_size=3)),
)


def depth(tree: object) -> int:
    """The same by recursion."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(TREES, st.integers(0, 6))
def test_it_is_as_deep_as_by_recursion(tree: object, deepest: int) -> None:
    assert is_too_deep(tree, deepest) == (depth(tree) > deepest)


def test_what_is_not_too_deep_can_be_written() -> None:
    tree = orjson.loads(b"[" * DEEPEST + b"]" * DEEPEST)
    assert not is_too_deep(tree)
    assert is_too_deep([tree])
    orjson.dumps({"in": {"something": [tree]}})

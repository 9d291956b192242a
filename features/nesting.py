"""How deep lists and objects of JSON may stand in one another: nobody means more, and not all of it can be written."""

DEEPEST = 100
"""Levels; orjson reads 1,024 of them and writes 254."""


def is_too_deep(tree: object, deepest: int = DEEPEST) -> bool:
    """Whether lists and objects stand in one another more than so many levels deep; linear, and without recursion.

    >>> is_too_deep([[], {"a": [1]}], deepest=2), is_too_deep([[], {"a": [1]}], deepest=3)
    (True, False)
    """
    level = [tree] if isinstance(tree, dict | list) else []
    for _ in range(deepest):
        if not level:
            return False
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)

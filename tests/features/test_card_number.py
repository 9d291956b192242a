"""Card numbers are found however they are written, and nothing else is mistaken for one."""

import re
from itertools import combinations
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.card_number import holds_card_number, is_bin, mask_card_numbers, passes_luhn, refuse_card_number
from features.errors import CardNumberError

ESCAPES = ("\\n", "\\x0a", "\\u0020")
UUID_LIKE = " 4a120b7a-0570-4687-8629-276653494039 "
PLAINLY = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9](?:[ .\-]?[0-9]){12,18}(?![0-9A-Za-z])")


SHAPES = {(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 4), (4, 6, 5)}
ALNUM = re.compile(r"[0-9A-Za-z]")


def _with_check_digit(body: str) -> str:
    return next(body + str(d) for d in range(10) if _luhn_by_the_book(body + str(d)))


def _luhn_by_the_book(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 == len(digits) % 2 else 1) for i, d in enumerate(digits)]
    return sum(sum(map(int, str(value))) for value in doubled) % 10 == 0


@given(st.text("0123456789", min_size=2, max_size=19))
def test_the_check_digit_follows_the_book(digits: str) -> None:
    assert passes_luhn(digits) == _luhn_by_the_book(digits)


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-", "."]))
def test_any_valid_number_is_found_in_any_usual_grouping(body: str, separator: str) -> None:
    number = _with_check_digit("4" + body[1:])
    if len(set(number)) == 1:
        return
    grouped = separator.join(number[i : i + 4] for i in range(0, len(number), 4))
    assert holds_card_number(f"declined: {grouped}, sorry")
    assert number not in mask_card_numbers(f"{grouped}")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:15:00Z",
        "pm_1QxY4242424242424242Za",
        "4242424242424241",
        "0000000000000000",
        "+49 30 1234567",
        "12.50",
    ],
)
def test_times_tokens_and_identifiers_are_not_card_numbers(text: str) -> None:
    assert not holds_card_number(text)
    assert mask_card_numbers(text) == text


@given(st.floats(0, 1e9, allow_nan=False))
def test_no_decimal_number_is_a_card_number(value: float) -> None:
    assert not holds_card_number(f"{value:.20f}")
    assert not holds_card_number(f"propensity {value:.12f}, amount -{value:.6f}")


def test_a_refusal_names_the_field_and_never_the_number() -> None:
    with pytest.raises(CardNumberError) as caught:
        refuse_card_number("methods[0].method_id", "4242 4242 4242 4242")
    assert "methods[0].method_id" in str(caught.value)
    assert "4242" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("411111", True),
        ("41111111", True),
        ("41111", False),
        ("411111111", False),
        ("4111-11", False),
        ("٤١١١١١", False),
    ],
)
def test_a_bin_is_six_to_eight_digits_and_never_more(text: str, holds: bool) -> None:
    assert is_bin(text) is holds


def test_uuids_are_identifiers_and_hide_no_number_beside_them() -> None:
    random, would_be = Random(1), 0
    for _ in range(30_000):
        one = str(UUID(int=random.getrandbits(128), version=4))
        would_be += holds_card_number(one[1:])
        assert not holds_card_number(one)
        assert not holds_card_number(one.upper())
        assert mask_card_numbers(f"key {one} is used") == f"key {one} is used"
        assert holds_card_number(f"{one} 4242424242424242")
    assert would_be > 0
    known = "4a120b7a-0570-4687-8629-276653494039"
    assert mask_card_numbers(f"4242424242424242 {known}") == f"[card number removed] {known}"
    assert holds_card_number("41111111-1111-1111-1111-111111111111")  # of no variant of a UUID


CHARACTERS = (*"0123456789" * 4, *" .-a\nZ", "é", "٤", UUID_LIKE, *ESCAPES)


@given(st.lists(st.sampled_from(CHARACTERS), min_size=10, max_size=60))
def test_no_shortcut_of_the_search_changes_what_is_found(characters: list[str]) -> None:
    text = "".join(characters)
    plain = text.replace(UUID_LIKE, " uuid ")
    for escape in ESCAPES:
        plain = plain.replace(escape, "\n")
    found = [match.group() for match in PLAINLY.finditer(plain)]
    digits = [re.sub(r"[ .-]", "", one) for one in found if not re.fullmatch(r"[0-9]+\.[0-9]+", one)]
    digits += written_as_cards_are(plain)
    assert holds_card_number(text) == any(passes_luhn(one) and len(set(one)) > 1 for one in digits)
    assert not holds_card_number(mask_card_numbers(text))


def written_as_cards_are(text: str) -> list[str]:
    """Every stretch, by looking at each of them: its groups, and what stands before and after."""
    found = []
    for begin, end in combinations(range(len(text) + 1), 2):
        groups = re.split(r"[ .\-]", text[begin:end])
        sizes = tuple(map(len, groups))
        shaped = (len(sizes) == 1 and 13 <= sizes[0] <= 19) or sizes in SHAPES
        if not shaped or not all(set(group) <= set("0123456789") for group in groups):
            continue
        before, after = text[max(begin - 2, 0) : begin], text[end : end + 1]
        fraction = len(before) == 2 and before[0] in "0123456789" and before[1] == "."
        if not (fraction or ALNUM.fullmatch(before[-1:]) or ALNUM.fullmatch(after)):
            found.append("".join(groups))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242 123",
        "4242424242424242-123",
        "4242424242424242 12/29",
        "1 4242424242424242",
        "4242 4242 4242 4242 123",
        "0001 4242 4242 4242 4242",
        "3782 822463 10005 1234",
    ],
)
def test_what_is_written_beside_a_number_does_not_hide_it(text: str) -> None:
    assert holds_card_number(text)
    assert "4242424242424242" not in mask_card_numbers(text)
    assert not holds_card_number(mask_card_numbers(text))


@pytest.mark.parametrize("escape", [r"\n", r"\r\n", r"\t", r"\b", r"\f", r"\v", r"\x0a", r"\u000a", r"\u0020", "\\\\n"])
def test_no_escape_before_a_number_hides_it(escape: str) -> None:
    text = f"refused{escape}4242424242424242"
    assert holds_card_number(text)
    assert mask_card_numbers(text) == f"refused{escape}[card number removed]"

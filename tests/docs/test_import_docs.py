"""docs/import.md says what the code does."""

import re
import tomllib
from pathlib import Path

from features.history import FIELDS, Field
from features.sources.mapping_file import parse_mapping
from features.sources.times import TIME_FORMATS, Ambiguous, Nonexistent

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")

KINDS = {
    "text": "text",
    "instant": "instant",
    "date": "date",
    "whole": "whole number",
    "number": "number",
    "flag": "true or false",
}


def line(field: Field) -> str:
    kind = KINDS[field.kind] if field.words is None else ", ".join(f"`{word}`" for word in field.words)
    return f"| `{field.name}` | {'yes' if field.required else ''} | {field.meaning} | {kind} | `{field.example}` |"


def format_table() -> str:
    head = "| Field | Required | Meaning | Holds | Example |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join(map(line, FIELDS))


def test_the_format_table_lists_every_field_as_the_code_has_it() -> None:
    assert format_table() in PAGE


def test_the_example_mapping_of_the_page_is_valid_toml_that_lacks_only_what_it_leaves_out() -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)[0]
    fields = tomllib.loads(example)["fields"]
    example = example.replace('payment_id = "invoice"', "# payment_id is derived")
    missing = {"rail": '{ constant = "card" }', "processor": '"gateway"'}
    assert not missing.keys() & fields.keys()
    added = "\n".join(f"{name} = {rule}" for name, rule in missing.items())
    mapping = parse_mapping(example.replace("[payments]", f"{added}\n[payments]"), "import.md")
    assert mapping.shape.delimiter == ";"
    assert mapping.grouping is not None


def test_every_time_format_of_the_code_is_on_the_page() -> None:
    for word in (*TIME_FORMATS, *Ambiguous, *Nonexistent):
        assert f'"{word}"' in PAGE

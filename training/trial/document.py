"""A report as a value, and as one HTML page that needs nothing else: findings first, then tables, then plots."""

import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib import rc_context
from matplotlib.figure import Figure

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{margin-top:2.4rem;border-bottom:1px solid #ddd}h3{margin-bottom:.3rem}
.lead{color:#555;margin-top:0}ul.findings li{margin:.45rem 0}table{border-collapse:collapse;margin:.6rem 0 1.2rem}
th,td{padding:.25rem .7rem;text-align:right;font-variant-numeric:tabular-nums;border-bottom:1px solid #eee}
th{font-weight:600;border-bottom:2px solid #bbb}td:first-child,th:first-child{text-align:left}
caption,.note{color:#555;text-align:left;font-size:.92rem}figure{margin:1rem 0}svg{max-width:100%;height:auto}
.scroll{overflow-x:auto}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a header; the first column names the row."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Part of a report: notes as sentences, then tables, then plots."""

    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found.

    Args:
        lead: What was judged, in a sentence.
        findings: The answers, a sentence each, most important first.
        figures: For MLflow, by name.
        data: Everything as JSON values.
    """

    title: str
    lead: str
    findings: tuple[str, ...]
    sections: tuple[Section, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)


def report_html(report: Report) -> str:
    """The report as one page."""
    findings = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in report.findings)
    sections = "".join(_section(section) for section in report.sections)
    title = html.escape(report.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>"
        f'<body><h1>{title}</h1><p class="lead">{html.escape(report.lead)}</p><h2>In short</h2>'
        f'<ul class="findings">{findings}</ul>{sections}</body></html>\n'
    )


def _section(section: Section) -> str:
    notes = "".join(f'<p class="note">{html.escape(note)}</p>' for note in section.notes)
    tables = "".join(_table(table) for table in section.tables)
    plots = "".join(f"<figure>{svg(plot)}</figure>" for plot in section.plots)
    return f"<h2>{html.escape(section.title)}</h2>{notes}{tables}{plots}"


def _table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    rows = "".join(_row(row) for row in table.rows)
    return (
        f'<div class="scroll"><table><caption>{html.escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def svg(figure: Figure) -> str:
    """The plot as an SVG element, the same bytes for the same plot."""
    target = io.StringIO()
    with rc_context({"svg.hashsalt": "recoup"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    text = target.getvalue()
    return text[text.index("<svg") :]

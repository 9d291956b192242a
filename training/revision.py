"""Which commit of Recoup is running, read from a checkout's own files; None in an installed copy."""

from pathlib import Path


def commit(start: Path = Path(__file__).parent.parent) -> str | None:
    """The full hash HEAD points to, or None where there is no readable Git folder."""
    git = start / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        loose = git / reference
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {reference}")), None)

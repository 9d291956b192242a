"""Asks the open-source vulnerability database (OSV) about every locked version; fails where one is known to be unsafe.

Usage: audit.py LOCK. Where the database cannot be reached it says so and passes, unless AUDIT_REQUIRED is set;
AUDIT_SOURCE names another address that answers the same questions, such as a mirror inside a network.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

SOURCE = "https://api.osv.dev/v1/querybatch"
IGNORED: dict[str, str] = {}
"""Advisories that were judged not to concern us, each with the reason."""
TIMEOUT_S = 30


def locked(text: str) -> list[tuple[str, str]]:
    """Names and versions of a lock file."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^ ;\\]+)", text, flags=re.MULTILINE)


def advisories(packages: list[tuple[str, str]], source: str) -> dict[str, list[str]]:
    """Ids of the advisories against each package that has some."""
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(source, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        results = json.load(answer)["results"]
    found = {}
    for (name, version), result in zip(packages, results, strict=True):
        ids = [one["id"] for one in result.get("vulns", []) if one["id"] not in IGNORED]
        if ids:
            found[f"{name} {version}"] = ids
    return found


def main(path: str) -> int:
    """The exit code: 1 for findings, or for no answer where one is required."""
    packages = locked(Path(path).read_text(encoding="utf-8"))
    source = os.environ.get("AUDIT_SOURCE", SOURCE)
    try:
        found = advisories(packages, source)
    except (urllib.error.URLError, TimeoutError, ValueError, KeyError) as error:
        print(
            f"SKIPPED: no answer from {source} ({error}); {len(packages)} locked versions were not audited "
            "for known vulnerabilities; AUDIT_SOURCE names a mirror of the database"
        )
        return 1 if os.environ.get("AUDIT_REQUIRED") else 0
    for package, ids in found.items():
        print(f"{package}: {', '.join(ids)}")
    print(f"{len(packages)} locked versions audited, {len(found)} with advisories")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Runs the commands that the documents print, so that they work as printed.

Every fenced block marked `sh` is run, in order, from the root of the checkout, with `bash -e`. A block that is not for
this (it needs a file of the reader's, or runs until stopped) is marked `sh no-run` or `sh needs=VARIABLE`; the latter
runs where the variable is set.

A `recoup` that no path leads to is refused in every block, run or not: it works only where the environment is active.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

BLOCK = re.compile(r"^```sh(?P<flags>[^\n]*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
BARE = re.compile(r"(?:^|[;&|(]|\b[A-Z_]+=\S+[ \t])[ \t]*recoup[ \t]", re.MULTILINE)
SKIPPED = ("make test", "make check", ".ci/run")  # run by .ci/run itself
LIMIT_SECONDS = 1200  # of a machine at a third of its speed


def main(paths: list[str]) -> int:
    """Run every block of the documents; 1 if one failed or names a command without its path."""
    ran = failed = left = 0
    for document in _documents(paths):
        for block in BLOCK.finditer(document.read_text(encoding="utf-8")):
            body = "\n".join(line for line in block["body"].splitlines() if not line.startswith(SKIPPED))
            line = document.read_text(encoding="utf-8")[: block.start()].count("\n") + 1
            if BARE.search(body):
                print(f"{document}:{line}: FAILED, write .venv/bin/recoup", body, sep="\n", flush=True)
                ran, failed = ran + 1, failed + 1
                continue
            if not _wanted(block["flags"]) or not body.strip():
                left += 1
                continue
            ran += 1
            failed += not _run(f"{document}:{line}", body)
    print(f"documents: {ran - failed} blocks passed, {failed} failed, {left} not run here")
    return 1 if failed else 0


def _documents(paths: list[str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        found += sorted(path.glob("*.md")) if path.is_dir() else [path]
    return found


def _wanted(flags: str) -> bool:
    needed = re.search(r"needs=(\w+)", flags)
    return "no-run" not in flags and (needed is None or needed[1] in os.environ)


def _run(place: str, body: str) -> bool:
    began = time.monotonic()
    command = ["bash", "-euo", "pipefail", "-c", body]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    print(f"{place}: {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode:
        print(body, done.stdout[-4000:], done.stderr[-4000:], sep="\n", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

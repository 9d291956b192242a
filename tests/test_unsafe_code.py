"""No code comes from data: nothing is unpickled, evaluated, put into a shell, or rendered as a template from input."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("features", "model", "experiments", "training", "serving")
MODULES = frozenset(
    ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "codeop", "jinja2", "mako")
)
"""Of these, importing is doing: they load objects, or run what they are given."""
CALLS = frozenset({"eval", "exec", "compile", "__import__", "input", "breakpoint"})
METHODS = frozenset({"system", "popen", "loads_pickle", "read_pickle", "to_pickle", "full_load", "unsafe_load"})
# Their patterns stand in our own tables; what callers send only fills them.
PATTERNS_OF_OURS = frozenset(
    (
        *("features/columns/listing.py", "model/caps/sense.py", "model/caps/sentences.py", "model/caps/wording.py"),
        *("model/explanation.py", "serving/requests.py"),
    )
)


def unsafe(tree: ast.AST, file: str) -> Iterator[str]:
    """What stands in a module that may run what it is given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"{file}:{node.lineno} imports {name}" for name in names if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from (f"{file}:{node.lineno} {found}" for found in called(node, file))


def called(node: ast.Call, file: str) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield f"calls {node.func.id}"
    if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        yield f"calls {node.func.attr}"
    for word in node.keywords:
        if word.arg in {"shell", "allow_pickle"} and not (
            isinstance(word.value, ast.Constant) and not word.value.value
        ):
            yield f"says {word.arg}"
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "format_map", "safe_substitute"}:
        literal = isinstance(node.func.value, ast.Constant)
        if not literal and file not in PATTERNS_OF_OURS:
            yield f"formats {ast.unparse(node.func.value)}, which is no literal"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_runs_what_it_is_given(package: str) -> None:
    files = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / package).rglob("*.py"))}
    assert files
    assert [found for name, path in files.items() for found in unsafe(ast.parse(path.read_text()), name)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "eval(x)",
        "pd.read_pickle(x)",
        "subprocess.run(x, shell=True)",
        "np.load(x, allow_pickle=flag)",
        "os.system(x)",
        "given.format(1)",
    ],
)
def test_what_would_run_it_is_found(text: str) -> None:
    assert list(unsafe(ast.parse(text), "some.py"))

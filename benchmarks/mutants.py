"""How many small faults the tests notice: mutants of the source, sampled, each run against the tests that mirror it.

    python benchmarks/mutants.py                                   # 200 mutants, of the four packages below
    python benchmarks/mutants.py --packages composition --mutants 50 --seed 7
    python benchmarks/mutants.py --only composition/ensemble.py --mutants 0 # all of one file

A mutant differs in one place: another comparison, ``and`` for ``or``, ``+`` for ``-``, a condition turned round, a
number off by one, True for False, or a statement left out (but for those that log). All tests of the package run once
without any mutant, to see which statements each of them runs and how long it takes. On a mutant within a function run
the tests that reach its statement, the quickest first; on any other, those whose names hold that of its file, then
those beside them, then all others of the package. Killed is a mutant that fails a test, or whose tests take more than
``--limit`` seconds of a processor, or ten times as long by the clock. Some survivors mean the same as the original, and
no test can tell. What only a program that a test starts runs counts as not reached, and so survives.

Left out are changes that a test could only notice by repeating the source, and guards against what can't happen: the
numbers of defaults and of constants at the top of a module, ``slots`` of a dataclass, ``total`` of a TypedDict, and
``strict`` of a ``zip``. How many these are is printed first.

The tests run in forked children, in copies of ``src`` and ``tests`` below a temporary folder. Needs Linux or macOS, and
pip install -e ".[test]".
"""

import argparse
import ast
import builtins
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("composition", "verify", "cache", "llm")
# Tests of a package's files that lie elsewhere, or are named otherwise.
ALSO = {
    "composition/attempts": ["composition/test_fallback.py", "composition/test_coalescing.py"],
    "composition/members": ["composition/test_ensemble.py"],
    "composition/cascade": ["composition/cascade"],
    "composition/portions": ["composition/test_passage.py"],
    "cache": ["cache", "composition/test_cached.py"],
    "llm": ["llm", "rerankers/test_llm.py"],
}
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}


Site = tuple[int, int]
"""The position of a node in its tree, and of a change among those that it can have."""

Reach = dict[str, tuple[float, dict[str, list[int]]]]
"""Of each test, by its name: the seconds that it takes, and the lines of the statements that it runs, by file."""


def sites(code: str) -> tuple[list[Site], int]:
    """Return all places where a module can be changed, and how many there are besides that are left out."""
    tree = ast.parse(code)
    found = [(at, number, node) for at, node in enumerate(ast.walk(tree)) for number in range(_n_changes(node))]
    excepted = {id(node) for node in _excepted(tree)}
    kept = [(at, number) for at, number, node in found if id(node) not in excepted]
    return kept, len(found) - len(kept)


def _excepted(tree: ast.Module) -> Iterator[ast.AST]:
    """Find what is left out, as the head of this file says."""
    for line in tree.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            yield from _numbers(line.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            for default in (*node.defaults, *node.kw_defaults):
                yield from _numbers(default) if default is not None else ()
        elif isinstance(node, ast.ClassDef):
            for field in node.body:
                yield from _numbers(field.value) if isinstance(field, ast.AnnAssign) and field.value else ()
        elif isinstance(node, ast.keyword) and node.arg in ("slots", "strict", "total"):
            yield node.value


def _numbers(value: ast.expr) -> Iterator[ast.AST]:
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            yield node


def mutant(code: str, site: Site) -> tuple[str, int, str, int | None]:
    """Return the changed code, the line, what was done there, and the line of its `statement`."""
    tree = ast.parse(code)
    node = list(ast.walk(tree))[site[0]]
    before, reached = _shown(node), statement(tree, node)
    _change(node, site[1])
    return ast.unparse(tree), getattr(node, "lineno", 0), f"{before}  ->  {_shown(node)}", reached


def _shown(node: ast.AST) -> str:
    code = " ".join(ast.unparse(node.test if isinstance(node, ast.If | ast.While) else node).split())
    return code if len(code) <= 70 else f"{code[:69]}…"


def _n_changes(node: ast.AST) -> int:
    if isinstance(node, ast.Compare):
        return sum(type(operator) in COMPARISONS for operator in node.ops)
    if isinstance(node, ast.BinOp):
        return int(type(node.op) in ARITHMETIC and not isinstance(node.left, ast.Constant | ast.JoinedStr))
    if isinstance(node, ast.Constant):
        return int(isinstance(node.value, bool | int | float))
    if isinstance(node, ast.Expr):
        logs = ast.unparse(node).startswith(("_log.", "logging."))
        return int(isinstance(node.value, ast.Call) and not logs)
    return int(isinstance(node, ast.BoolOp | ast.If | ast.While | ast.AugAssign))


def _change(node: ast.AST, number: int) -> None:
    if isinstance(node, ast.Compare):
        places = [at for at, operator in enumerate(node.ops) if type(operator) in COMPARISONS]
        node.ops[places[number]] = COMPARISONS[type(node.ops[places[number]])]()
    elif isinstance(node, ast.BinOp):
        node.op = ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            node.value = not node.value
        elif isinstance(node.value, int | float):
            node.value = node.value + 1 if isinstance(node.value, int) else 2 * node.value + 0.5
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.AugAssign):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.If | ast.While):
        node.test = ast.UnaryOp(ast.Not(), node.test)


def tests_of(file: Path, folder: Path) -> list[list[str]]:
    """Return the test files to run on a mutant of a file: the nearest, then those beside them, then all others."""
    path = file.relative_to(folder / "src/secondpass")
    tests, package = folder / "tests", path.parts[0]
    beside = [*(tests / path.parent).glob("test_*.py")] if (tests / path.parent).is_dir() else []
    near = [test for test in beside if test.stem.startswith(f"test_{path.stem.strip('_')}")]
    for prefix, names in ALSO.items():
        if str(path).startswith(prefix) and prefix != package:
            near += [tests / name for name in names]
    everything = [tests / name for name in ALSO.get(package, [package])]
    groups, seen = list[list[str]](), set[Path]()
    for group in (near, beside, everything):
        files = {test for each in group for test in ([each] if each.suffix else each.rglob("test_*.py"))} - seen
        seen |= files
        groups += [sorted(map(str, files))] if files else []
    return groups


def statement(tree: ast.Module, wanted: ast.AST) -> int | None:
    """Return the line of the statement of a function that a node stands in; None if it runs when it is imported."""
    pending: list[tuple[ast.AST, int | None]] = [(tree, None)]
    while pending:
        node, line = pending.pop()
        if node is wanted:
            return line
        body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ()
        for child in ast.iter_child_nodes(node):
            is_inside = isinstance(child, ast.stmt) and (line is not None or child in body)
            pending.append((child, child.lineno if is_inside else line))  # type: ignore[attr-defined]
    raise LookupError("the node is of another tree")


def tests_reaching(file: Path, line: int, reached: Reach) -> list[str]:
    """Return the tests that run the statement at a line of a file, the quickest first."""
    found = [(seconds, name) for name, (seconds, files) in reached.items() if line in files.get(str(file), ())]
    return [name for _, name in sorted(found)]


class Marking(ast.NodeTransformer):
    """Lets each statement of a function first note its file and line, in what builtins holds as ``_reached``."""

    def __init__(self, path: str) -> None:
        self._path, self._depth = path, 0

    def visit(self, node: ast.AST) -> ast.AST:
        """Mark what a node holds."""
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        self._depth += is_function
        self.generic_visit(node)
        if self._depth and not isinstance(node, ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    setattr(node, name, [each for line in block for each in (self._mark(line), line)])
        self._depth -= is_function
        return node

    def _mark(self, line: ast.stmt) -> ast.stmt:
        mark = ast.parse(f"_reached.add(({self._path!r}, {line.lineno}))").body[0]
        for node in ast.walk(mark):
            ast.copy_location(node, line)  # the same line, and so no further step for who counts them
        return mark


class Reached:
    """A plugin of pytest: which statements of packages each test runs, and how long it takes.

    Args:
        folders: of the packages.
        path: of the JSON file that is written, which holds a `Reach`.
    """

    def __init__(self, folders: list[Path], path: Path) -> None:
        self._folders, self._path = tuple(f"{folder}{os.sep}" for folder in folders), path
        self._of: Reach = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Mark the packages' modules as they are imported; some are by conftest.py."""
        compiled = SourceFileLoader.source_to_code

        def source_to_code(loader: SourceFileLoader, data: Any, path: Any, **options: Any) -> Any:
            if str(path).startswith(self._folders):
                data = Marking(str(path)).visit(ast.parse(data))
            return compiled(loader, data, path, **options)

        SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign, assignment]
        vars(builtins)["_reached"] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what one test reaches. What an earlier one left in caches is forgotten, or this one would not."""
        for module in list(sys.modules.values()):
            of_package = str(getattr(module, "__file__", "")).startswith(self._folders)
            for value in vars(module).values() if of_package else ():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
        reached: set[tuple[str, int]] = vars(builtins)["_reached"]
        reached.clear()
        start = time.monotonic()
        result = yield
        files: dict[str, list[int]] = {}
        for file, line in reached.copy():
            files.setdefault(file, []).append(line)
        self._of[item.nodeid] = time.monotonic() - start, files
        return result

    def pytest_sessionfinish(self) -> None:
        """Write what was found."""
        self._path.write_text(json.dumps(self._of), encoding="utf-8")


class Chosen:
    """A plugin of pytest: runs some of the tests, in an order of their own.

    Args:
        names: of the tests, in that order.
    """

    def __init__(self, names: list[str]) -> None:
        self._at = {name: at for at, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = sorted((item for item in items if item.nodeid in self._at), key=lambda item: self._at[item.nodeid])


def passes(folder: Path, tests: list[str], limit_s: int, plugin: object = None) -> bool | None:
    """Run tests in a forked child; None if they took too long."""
    child = os.fork()
    if not child:
        status = 1
        try:
            status = _run_tests(folder, tests, limit_s, plugin)
        finally:
            os._exit(status)
    end = time.monotonic() + 10 * limit_s
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return None if os.WIFSIGNALED(status) else status == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run_tests(folder: Path, tests: list[str], limit_s: int, plugin: object) -> int:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.chdir(folder)
    sys.path[:0] = [str(folder / "src"), str(folder)]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])  # for the programs that tests start
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0"]
    # What was imported before pytest is not rewritten, which it warns about.
    # Not by the clock on the wall, as the machine may have other work.
    options += ["-o", "timeout=0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", "-m", "not slow and not torture"]
    return int(pytest.main([*options, *tests], plugins=[plugin] if plugin else None))


def main() -> None:
    """Sample mutants, run the tests on each, and print the survivors and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs="+", default=PACKAGES)
    parser.add_argument("--only", nargs="+", help="files, relative to src/secondpass")
    parser.add_argument("--mutants", type=int, default=200, help="how many in all, 0 for all that there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=200, help="seconds of a processor for the tests of a mutant")
    arguments = parser.parse_args()
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # Once, for all children; none of these imports secondpass.
    for name in (
        "numpy",
        "scipy.stats",
        "hypothesis",
        "onnxruntime",
        "tokenizers",
        "httpx",
        "yaml",
        "openai",
    ):
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part in ("src", "tests", "integrations", "training"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        run(folder, arguments)


def run(folder: Path, arguments: argparse.Namespace) -> None:
    """Run the sample in a copy of the repository."""
    source = folder / "src/secondpass"
    files = [source / name for name in arguments.only or ()] or [
        file for package in arguments.packages for file in sorted((source / package).rglob("*.py"))
    ]
    sample, n_excepted = [], 0
    for file in files:
        found, excepted = sites(file.read_text(encoding="utf-8"))
        sample += [(file, site) for site in found]
        n_excepted += excepted
    print(f"{len(sample)} mutants of {len(files)} files; {n_excepted} left out", flush=True)
    random.Random(arguments.seed).shuffle(sample)
    sample = sample[: arguments.mutants or None]
    used = {file.relative_to(source).parts[0]: file for file, _ in sample}
    everything = sorted({test for file in used.values() for group in tests_of(file, folder) for test in group})
    report = folder / "reached.json"
    if not passes(folder, everything, 20 * arguments.limit, Reached([source / package for package in used], report)):
        raise SystemExit(f"the tests of {', '.join(used)} fail without any mutant")
    reached: Reach = json.loads(report.read_text(encoding="utf-8"))
    killed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for number, (file, site) in enumerate(sample, start=1):
        original = file.read_text(encoding="utf-8")
        changed, line, what, inside = mutant(original, site)
        package = file.relative_to(source).parts[0]
        file.write_text(changed, encoding="utf-8")
        start = time.monotonic()
        passed: bool | None = True
        if inside is None:
            for tests in tests_of(file, folder):
                passed = passed and passes(folder, tests, arguments.limit)
        elif names := tests_reaching(file, inside, reached):
            tests = sorted({str(folder / name.partition("::")[0]) for name in names})
            passed = passes(folder, tests, arguments.limit, Chosen(names))
        file.write_text(original, encoding="utf-8")
        total[package] += 1
        killed[package] += not passed
        outcome = {True: "SURVIVED", False: "killed", None: "too long"}[passed]
        place = f"{file.relative_to(source)}:{line}"
        print(f"{number:>4}/{len(sample)} {outcome:<8} {time.monotonic() - start:5.1f} s  {place}  {what}", flush=True)
    for package, n in total.items():
        print(f"{package:<12} {killed[package]:>4} of {n:>4} killed ({killed[package] / n:.0%})")
    print(f"{'all':<12} {killed.total():>4} of {total.total():>4} killed ({killed.total() / total.total():.0%})")


if __name__ == "__main__":
    main()

"""How many small faults the tests notice: mutants of the source, sampled, each run against the tests that mirror it.

    python benchmarks/mutants.py                                   # 200 mutants, of the four packages below
    python benchmarks/mutants.py --packages composition --mutants 50 --seed 7
    python benchmarks/mutants.py --only composition/ensemble.py --mutants 0 # all of one file

A mutant differs in one place: another comparison, ``and`` for ``or``, ``+`` for ``-``, a condition turned round, a
number off by one, True for False, or a statement left out (but for those that log). The test files whose names hold
that of the mutated one run first; what survives them is run against all tests of the package. Killed is a mutant that
fails a test or takes longer than ``--limit`` seconds. Some survivors mean the same as the original, and no test can
tell.

The tests run in forked children, in copies of ``src`` and ``tests`` below a temporary folder. Needs Linux or macOS, and
pip install -e ".[test]".
"""

import argparse
import ast
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

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


def sites(code: str) -> list[Site]:
    """Return all places where a module can be changed."""
    return [(at, number) for at, node in enumerate(ast.walk(ast.parse(code))) for number in range(_n_changes(node))]


def mutant(code: str, site: Site) -> tuple[str, int, str]:
    """Return the changed code, the line, and what was done there."""
    tree = ast.parse(code)
    node = list(ast.walk(tree))[site[0]]
    before = _shown(node)
    _change(node, site[1])
    return ast.unparse(tree), getattr(node, "lineno", 0), f"{before}  ->  {_shown(node)}"


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
    """Return the tests to run on a mutant of a file, relative to its package: first the nearest, then all."""
    path = file.relative_to(folder / "src/secondpass")
    tests, package = folder / "tests", path.parts[0]
    mirrored = tests / path.parent
    near = [*mirrored.glob(f"test_{path.stem.strip('_')}*.py")] if mirrored.is_dir() else []
    for prefix, names in ALSO.items():
        if str(path).startswith(prefix) and prefix != package:
            near += [tests / name for name in names]
    everything = [tests / name for name in ALSO.get(package, [package])]
    return [[str(each) for each in group] for group in (near, everything) if group]


def passes(folder: Path, tests: list[str], limit_s: int) -> bool | None:
    """Run tests in a forked child; None if they took too long."""
    child = os.fork()
    if not child:
        status = 1
        try:
            status = _run_tests(folder, tests)
        finally:
            os._exit(status)
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run_tests(folder: Path, tests: list[str]) -> int:
    os.setsid()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.chdir(folder)
    sys.path[:0] = [str(folder / "src"), str(folder)]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])  # for the programs that tests start
    import pytest

    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0"]
    # What was imported before pytest is not rewritten, which it warns about.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", "-m", "not slow and not torture"]
    return int(pytest.main([*options, *tests]))


def main() -> None:
    """Sample mutants, run the tests on each, and print the survivors and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs="+", default=PACKAGES)
    parser.add_argument("--only", nargs="+", help="files, relative to src/secondpass")
    parser.add_argument("--mutants", type=int, default=200, help="how many in all, 0 for all that there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=300, help="seconds for the tests of a mutant")
    arguments = parser.parse_args()
    for name in ("numpy", "scipy.stats", "hypothesis", "pytest", "onnxruntime", "tokenizers", "httpx", "yaml"):
        importlib.import_module(name)  # once, for all children; none is of secondpass
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
    sample = [(file, site) for file in files for site in sites(file.read_text(encoding="utf-8"))]
    print(f"{len(sample)} mutants of {len(files)} files", flush=True)
    random.Random(arguments.seed).shuffle(sample)
    sample = sample[: arguments.mutants or None]
    sound = {tuple(tests) for file, _ in sample for tests in tests_of(file, folder)}
    for tests in sorted(sound):
        if not passes(folder, list(tests), 10 * arguments.limit):
            raise SystemExit(f"these fail without any mutant: {' '.join(tests)}")
    killed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for number, (file, site) in enumerate(sample, start=1):
        original = file.read_text(encoding="utf-8")
        changed, line, what = mutant(original, site)
        package = file.relative_to(source).parts[0]
        file.write_text(changed, encoding="utf-8")
        start = time.monotonic()
        survived = all(passes(folder, tests, arguments.limit) for tests in tests_of(file, folder))
        file.write_text(original, encoding="utf-8")
        total[package] += 1
        killed[package] += not survived
        outcome = "SURVIVED" if survived else "killed"
        place = f"{file.relative_to(source)}:{line}"
        print(f"{number:>4}/{len(sample)} {outcome:<8} {time.monotonic() - start:5.1f} s  {place}  {what}", flush=True)
    for package, n in total.items():
        print(f"{package:<12} {killed[package]:>4} of {n:>4} killed ({killed[package] / n:.0%})")
    print(f"{'all':<12} {killed.total():>4} of {total.total():>4} killed ({killed.total() / total.total():.0%})")


if __name__ == "__main__":
    main()

"""Style, types, packaging, and that the documents say what is done."""

import json
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]


def _run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_style() -> None:
    """Ruff has nothing to say, of code or of notebooks."""
    _run("ruff", "check", ".")
    _run("ruff", "format", "--check", ".")


def test_imports_go_one_way() -> None:
    """The rules in pyproject.toml hold: the picture in CONTRIBUTING.md, no circle, no framework in the core."""
    code = "import importlinter.cli; importlinter.cli.lint_imports_command()"
    command = (sys.executable, "-c", code, "--no-cache")
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.slow
def test_types() -> None:
    """Mypy, strict, has nothing to say of the package, the adapters, the notebooks' tools and a user's calls."""
    _run("mypy", "src", "integrations", "notebooks", "tests/typing")


@pytest.mark.slow
def test_a_misspelt_setting_is_caught_by_pyright_too(tmp_path: Path) -> None:
    """In one script of a user for each framework: on the lines where mypy is told to ignore it, and nowhere else."""
    folder, here = tmp_path / "typing", _ROOT / "tests" / "typing"
    folder.mkdir()
    expected = set()
    for script in here.glob("*_user.py"):
        text = script.read_text(encoding="utf-8")
        wrong = (at for at, line in enumerate(text.splitlines()) if "# type: ignore" in line)
        expected |= {(script.name, at) for at in wrong}
        (folder / script.name).write_text(text.replace("# type: ignore", "#"), encoding="utf-8")
    settings = (here / "pyrightconfig.json").read_text(encoding="utf-8").replace("../..", _ROOT.as_posix())
    (folder / "pyrightconfig.json").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "-p", str(folder), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    found = {(Path(each["file"]).name, each["range"]["start"]["line"]) for each in report["generalDiagnostics"]}
    assert found == expected and len(expected) == 15 and report["summary"]["filesAnalyzed"] == 3


@pytest.mark.slow
def test_the_wheel_holds_everything_and_nothing_else(tmp_path: Path) -> None:
    """The package with its data, and the adapters in their namespaces, which must not have an __init__ of ours."""
    _run("hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {
        "secondpass",
        "langchain_secondpass",
        "llama_index",
        "haystack_integrations",
    }
    assert {
        "secondpass/py.typed",
        "secondpass/evaluate/page.css",
        "secondpass/evaluate/page.js",
        "secondpass/monitor/grafana.json",
        "secondpass/serve/page/index.html",
        "secondpass/serve/page/page.css",
        "secondpass/serve/page/page.js",
        "secondpass/evaluate/stdlib_queries.jsonl",
        "secondpass/evaluate/stdlib_qrels.tsv",
        "langchain_secondpass/__init__.py",
        "llama_index/postprocessor/secondpass/__init__.py",
        "haystack_integrations/components/rankers/secondpass/__init__.py",
    } <= names
    assert names.isdisjoint({"llama_index/__init__.py", "llama_index/postprocessor/__init__.py"})
    assert names.isdisjoint({"haystack_integrations/__init__.py"})


@pytest.mark.parametrize(
    ("group", "name", "loaded"),
    [
        ("secondpass.rerankers", "cross-encoder", "CrossEncoderReranker"),
        ("langchain.document_compressors", "secondpass", "SecondPassReranker"),
        ("llama_index.postprocessors", "secondpass", "SecondPassRerank"),
        ("haystack.rankers", "secondpass", "SecondPassRanker"),
    ],
)
def test_entry_points_lead_to_the_classes(group: str, name: str, loaded: str) -> None:
    """Each group that the documentation names has our entry, and it can be loaded."""
    (point,) = {point.value: point for point in entry_points(group=group, name=name)}.values()
    assert point.load().__name__ == loaded


def test_ci_runs_the_command_of_the_documentation() -> None:
    """What CONTRIBUTING.md tells a developer to run is what CI runs."""
    install = 'pip install -q -c constraints.txt -e ".[test]"\n'
    test = 'python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not alone" && python -m pytest -m alone'
    for path in (_ROOT / "CONTRIBUTING.md", _ROOT / ".ci" / "run"):
        text = path.read_text(encoding="utf-8")
        assert install in text and test in text

"""The notebooks run from top to bottom, and are stored with what they print."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from notebooks.store import PYTHON, differences, executed, same_text

_ROOT = Path(__file__).parents[1]
_NOTEBOOKS = sorted((_ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_what_is_stored(path: Path) -> None:
    """Every cell runs, in order, in a fresh kernel, on the embedded models, and its stored output is up to date."""
    stored, run = nbformat.read(path, as_version=4), executed(path)
    if stored.metadata.language_info.version != PYTHON:
        pytest.skip(f"it ran; its outputs are those of Python {stored.metadata.language_info.version}")
    found = differences(stored, run)
    assert not found, f"python -m notebooks.store {path.name}:\n" + "\n".join(found)


@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_with_output(path: Path) -> None:
    """Readers who run nothing see results; no error is among them, nor a path or a warning of whoever ran it."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert notebook.metadata.language_info.version == "3.11"  # as in .github/workflows/ci.yml
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs and not any(output.output_type == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert not any(place in str(outputs) for place in ("/home/", "/tmp/", "site-packages"))
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("path", _NOTEBOOKS, ids=lambda path: path.stem)
def test_it_opens_in_colab(path: Path) -> None:
    """A link at its head, to this file; its first cell installs there, and only there, what the head says."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cells = nbformat.read(path, as_version=4).cells
    head, first = cells[0].source, next(cell.source for cell in cells if cell.cell_type == "code")
    address = urlsplit(project["urls"]["Source"])
    where = f"https://colab.research.google.com/github{address.path}/blob/main/notebooks/{path.name}"
    assert head.splitlines()[0].startswith("# ") and f"[Open in Colab]({where})" in head.splitlines()[2]
    (told,) = re.findall(r"^pip install (.*)$", head, re.MULTILINE)
    (extras,) = re.findall(r'"secondpass\[([a-z0-9,-]+)\]"', told)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    from_source = told.replace(f'"secondpass[{extras}]"', f'"secondpass[{extras}] @ git+{address.geturl()}"')
    assert first == f'import sys\n\nif "google.colab" in sys.modules:\n    %pip install -q {from_source}'


def test_there_are_some() -> None:
    """Basics, LangChain, LlamaIndex, composing, verifying, classifying."""
    assert [path.stem[:2] for path in _NOTEBOOKS][:6] == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize(
    ("stored", "run", "same"),
    [
        ("logit -7.61 for 3 documents", "logit -7.55 for 3 documents", True),
        ("logit -7.61", "logit 7.61", False),
        ("kept 12 of 40", "kept 31 of 40", False),
        ("it took 1.23 s", "it took 12.9 s", True),
        ("<Model at 0x7f3a>", "<Model at 0x41bc>", True),
        ("shutil.copy", "shutil.move", False),
        ("a\nb", "b\na", False),
        ("version 1.2.3", "version 1.2.4", True),
    ],
)
def test_what_counts_as_the_same(stored: str, run: str, same: bool) -> None:
    """Times and addresses may differ, numbers a little, words and their order not at all."""
    assert same_text(stored, run) is same


def test_a_stale_output_is_found() -> None:
    """A text that differs, an output that is missing, and a tag that lets a cell vary."""

    def notebook(*outputs: str, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
        cell = nbformat.v4.new_code_cell("1", metadata={"tags": list(tags)})
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in outputs]
        return nbformat.v4.new_notebook(cells=[cell])

    assert differences(notebook("a 1.0"), notebook("a 1.01")) == []
    assert differences(notebook("a ", "1.0"), notebook("a 1.0")) == []
    assert len(differences(notebook("a"), notebook("b"))) == 1
    assert len(differences(notebook("a"), notebook())) == 1
    assert differences(notebook("a", tags=("varies",)), notebook("b", tags=("varies",))) == []

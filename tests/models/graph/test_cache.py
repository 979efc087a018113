"""Rebuilt models are kept in the cache folder, and built again when they must be."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from secondpass.errors import ConfigError, ModelFormatError
from secondpass.models.graph import build as building
from secondpass.models.graph import cache as optimized
from secondpass.models.graph.cache import describe, is_optimized, optimized_path
from secondpass.models.sources.resolve import ModelFiles, find_model, sha256_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of the test's own."""
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the builds, and make each one short: building itself has tests of its own."""
    seen: list[str] = []

    def build(files: ModelFiles, *, head: str, precision: str, masked: bool) -> bytes:
        seen.append(f"{head} {precision} {masked}")
        return seen[-1].encode()

    monkeypatch.setattr(building, "build_optimized", build)
    return seen


def graphs(cache: Path) -> list[Path]:
    """Return all that is in the folder, but for the notes of what was hashed."""
    return sorted(path for path in cache.iterdir() if path.suffix != ".sha256")


def test_the_embedded_model_is_built_into_a_file_that_runs(embedded: ModelFiles, cache: Path) -> None:
    """With default options; the second time the same file is found; nothing else is left in the folder."""
    path = optimized_path(embedded, head="classifier")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = np.array([[101, 2054, 102, 2054, 102]])
    (logits,) = session.run(None, {"input_ids": ids, "token_type_ids": np.array([[0, 0, 0, 1, 1]])})
    assert logits.shape == (1, 1)
    assert optimized_path(embedded, head="classifier") == path
    assert graphs(cache) == [path]
    assert is_optimized(path) and not is_optimized(embedded.weights)


def test_each_variant_is_built_once(embedded: ModelFiles, builds: list[str]) -> None:
    """Head, precision and mask are told apart."""
    for _ in range(2):
        optimized_path(embedded, head="classifier")
        optimized_path(embedded, head="classifier", masked=True)
        optimized_path(embedded, head="cls")
        optimized_path(embedded, head="classifier", precision="float32")
    assert builds == ["classifier int8 False", "classifier int8 True", "cls int8 False", "classifier float32 False"]


def test_a_damaged_file_is_built_again(embedded: ModelFiles, cache: Path, builds: list[str]) -> None:
    """A file whose contents are not those of its name."""
    path = optimized_path(embedded, head="cls")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert optimized_path(embedded, head="cls").read_bytes() == whole
    assert len(builds) == 2
    assert graphs(cache) == [path]


def test_other_weights_settings_or_builder_make_another_file(
    embedded: ModelFiles, tmp_path: Path, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is what the graph is made of, not the model's name or place."""
    folder = tmp_path / "copy"
    shutil.copytree(embedded.folder, folder)
    files = dataclasses.replace(embedded, folder=folder, weights=folder / "model.onnx")
    first = optimized_path(embedded, head="cls")
    assert optimized_path(files, head="cls") == first
    (folder / "config.json").write_text('{"model_type": "bert", "num_attention_heads": 12}')
    second = optimized_path(files, head="cls")
    with files.weights.open("ab") as file:
        file.write(b"\0")
    third = optimized_path(files, head="cls")
    monkeypatch.setattr(optimized, "BUILDER_VERSION", 10**6)
    fourth = optimized_path(files, head="cls")
    assert len({first, second, third, fourth}) == len(builds) == 4


def test_nothing_is_left_of_a_write_that_failed(
    embedded: ModelFiles, cache: Path, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves no half of a file."""

    def full(handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(optimized.os, "fsync", full)
    with pytest.raises(ConfigError, match=r"No space left on device; set SECONDPASS_CACHE_DIR"):
        optimized_path(embedded, head="cls")
    assert list(cache.iterdir()) == []


def test_layers_behind_the_encoder_are_refused(tmp_path: Path) -> None:
    """A sentence-transformers model with a dense layer of its own would lose it."""
    files = find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True)
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelFormatError, match="2_Dense"):
        optimized_path(dataclasses.replace(files, folder=tmp_path), head="cls")


def test_what_is_said_without_building(embedded: ModelFiles, tmp_path: Path, builds: list[str]) -> None:
    """Before and after a graph was built, and of a model that has none."""
    said = describe(embedded, head="classifier")
    assert said.startswith("fused graph, int8, each sequence alone; built when it is first loaded") and not builds
    path = optimized_path(embedded, head="classifier")
    assert describe(embedded, head="classifier").endswith(f"kept in {path}")
    shutil.copy(embedded.weights, tmp_path / "model.onnx")
    (tmp_path / "config.json").write_text('{"model_type": "deberta-v2"}')
    files = dataclasses.replace(embedded, folder=tmp_path, weights=tmp_path / "model.onnx")
    assert describe(files, head="classifier").startswith("as exported: ")
    assert "'deberta-v2' is not of the shape of BERT" in describe(files, head="classifier")
    assert "no head for labels" in describe(
        find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True), head="classifier"
    )


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    """A SHA-256 is kept as long as the file is the same."""
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = sha256_of(path)
    path.write_bytes(b"other")
    assert sha256_of(path) != first
    path.unlink()
    path.write_bytes(b"one")
    assert sha256_of(path) == first

"""A model's identity covers all that can change a score, as it was when the model was loaded."""

import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secondpass.cache import SQLiteCache
from secondpass.composition.cached import CachedReranker
from secondpass.errors import ModelIntegrityError
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.sources import files as files_module
from secondpass.models.sources.files import ModelFiles, sha256_of
from secondpass.models.sources.formats import ONNX, SAFETENSORS
from secondpass.models.sources.resolve import find_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from tests.models.copying import DOCUMENTS, QUERY
from tests.models.tiny_encoder import save_tiny_encoder

TWO_LABELS = {"id2label": {"0": "irrelevant", "1": "relevant"}}


@pytest.fixture
def tiny(tmp_path: Path, embedded: ModelFiles) -> Path:
    """Return a folder with a tiny reranker of two labels."""
    return save_tiny_encoder(tmp_path / "tiny", embedded.folder, labels=2, **TWO_LABELS)


def change_json(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file of a model."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    change(settings)
    path.write_text(json.dumps(settings), encoding="utf-8")


def keep_case(tokenizer: Any) -> None:
    """Make a tokenizer tell capitals from small letters."""
    tokenizer["normalizer"]["lowercase"] = False


CHANGES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "lower-casing": ("tokenizer.json", keep_case),
    "labels": ("config.json", lambda config: config.update(id2label={"0": "relevant", "1": "irrelevant"})),
    "layer_norm_eps": ("config.json", lambda config: config.update(layer_norm_eps=0.1)),
    "hidden_act": ("config.json", lambda config: config.update(hidden_act="relu")),
}


def reranker(folder: Path, **settings: Any) -> CrossEncoderReranker:
    """Return a reranker on a random model, which no test of its order would let pass."""
    return CrossEncoderReranker(folder, backend="onnx", smoke_test=False, **settings)


@pytest.mark.parametrize("change", CHANGES)
def test_a_persistent_cache_does_not_mix_models_up(tiny: Path, tmp_path: Path, change: str) -> None:
    """Same weights, other settings: scores of the second model are its own, not those that the first one stored."""
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    name, edit = CHANGES[change]
    change_json(other / name, edit)
    documents = [text.upper() for text in DOCUMENTS]
    with closing(SQLiteCache(tmp_path / "scores.db")) as cache:
        first = CachedReranker(reranker(tiny), cache=cache).score(QUERY, documents)
        second = CachedReranker(reranker(other), cache=cache).score(QUERY, documents)
    assert np.abs(first - second).max() > 1e-6
    np.testing.assert_array_equal(second, reranker(other).score(QUERY, documents))


def test_weights_that_are_replaced_later_do_not_get_old_scores(tiny: Path, tmp_path: Path) -> None:
    """A rolling update between loading and the first call: the running process stores under the old weights' name."""
    running = reranker(tiny)
    tensors = {name: array * 1.5 for name, array in load_file(tiny / "model.safetensors").items()}
    save_file(tensors, tmp_path / "new.safetensors")
    (tmp_path / "new.safetensors").replace(tiny / "model.safetensors")
    with closing(SQLiteCache(tmp_path / "scores.db")) as cache:
        old = CachedReranker(running, cache=cache).score(QUERY, DOCUMENTS)
        new = CachedReranker(reranker(tiny), cache=cache).score(QUERY, DOCUMENTS)
    np.testing.assert_array_equal(new, reranker(tiny).score(QUERY, DOCUMENTS))
    assert np.abs(new - old).max() > 1e-6
    restored = pickle.loads(pickle.dumps(running))  # it loads what is there now
    assert restored.fingerprint == reranker(tiny).fingerprint != running.fingerprint
    np.testing.assert_array_equal(restored.score(QUERY, DOCUMENTS), new)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_files_that_change_while_a_model_is_loaded_are_noticed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Old settings with new weights would be a model that never was; what to do is said."""
    from secondpass.models.backends import onnx

    read = onnx.read_tokenizer

    def replaced_meanwhile(files: ModelFiles, max_length: int | None) -> Any:
        tokenizer = read(files, max_length)
        shutil.copy(tiny / name, tiny / "copy")
        (tiny / "copy").replace(tiny / name)
        return tokenizer

    monkeypatch.setattr(onnx, "read_tokenizer", replaced_meanwhile)
    with pytest.raises(ModelIntegrityError, match="changed while it was loaded; load it again"):
        reranker(tiny)


def test_a_copy_in_another_folder_is_the_same_model(tiny: Path, tmp_path: Path) -> None:
    """Neither path nor times count, nor what nobody reads."""
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    (other / "README.md").write_text("about it")
    assert reranker(other).fingerprint == reranker(tiny).fingerprint
    assert reranker(other, max_length=32).fingerprint != reranker(tiny).fingerprint


def test_a_bi_encoder_has_the_identity_of_its_tokenizer_too(tmp_path: Path) -> None:
    """A saved index would otherwise be searched with vectors of other tokens."""
    files = find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True)
    folder = Path(shutil.copytree(files.folder, tmp_path / "bge"))
    before = load_embedding_model(str(folder), precision="exported").fingerprint
    change_json(folder / "tokenizer.json", keep_case)
    assert load_embedding_model(str(folder), precision="exported").fingerprint != before


def test_weights_beside_an_onnx_file_count_by_whatever_name(tmp_path: Path) -> None:
    """Exporters name the file of a large model's weights as they like, and the graph says how."""
    (tmp_path / "model.onnx").write_bytes(b"\x0a\x08location\x12\x07far.bin rest \x0a\x08location\x12\x05../up")
    (tmp_path / "far.bin").write_bytes(b"weights")
    (tmp_path.parent / "up").write_bytes(b"not ours")

    def files() -> ModelFiles:
        return ModelFiles("mine", "folder", tmp_path, "onnx", tmp_path / "model.onnx", ONNX)

    assert files().weight_files() == [tmp_path / "far.bin", tmp_path / "model.onnx"]
    before = files().identity()
    (tmp_path / "far.bin").write_bytes(b"others!")
    assert files().identity() != before


def test_the_name_of_a_file_of_weights_may_stand_across_two_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the graph is cut to be read."""
    content = b"." * 100 + b"\x0a\x08location\x12\x07far.bin" + b"." * 100
    (tmp_path / "model.onnx").write_bytes(content)
    (tmp_path / "far.bin").touch()
    monkeypatch.setattr(files_module, "_LONGEST_NAME", 32)
    for block in range(90, 130):
        monkeypatch.setattr(files_module, "_BLOCK", block)
        files_module._external_names.cache_clear()
        files = ModelFiles("mine", "folder", tmp_path, "onnx", tmp_path / "model.onnx", ONNX)
        assert tmp_path / "far.bin" in files.weight_files()


def test_settings_of_further_layers_count(tmp_path: Path) -> None:
    """What sentence-transformers reads from subfolders, and an adapter."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")

    def identity() -> str:
        files = ModelFiles("mine", "folder", tmp_path, "torch", tmp_path / "model.safetensors", SAFETENSORS)
        return files.identity()

    seen = {identity()}
    for name in ("2_Dense/config.json", "2_Dense/model.safetensors", "adapter_model.safetensors", "modules.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[]" if name == "modules.json" else "{}")
        seen.add(identity())
    assert len(seen) == 5


def test_a_pipe_among_the_files_is_refused(tiny: Path) -> None:
    """Whoever opens it would wait for ever."""
    import os

    os.mkfifo(tiny / "vocab.txt")
    with pytest.raises(ModelIntegrityError, match=r"vocab\.txt is not a regular file"):
        load_pair_model(str(tiny), backend="onnx")


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

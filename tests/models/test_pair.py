"""Pairs are tokenized and scored in portions, and nothing else shows it."""

from pathlib import Path

import numpy as np
import pytest

from secondpass.models import batching
from secondpass.models.backends.load import load_pair_model
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import KeptTokens
from tests.models.copying import DOCUMENTS, PAIRS, QUERY
from tests.models.tiny_encoder import save_tiny_encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, embedded: ModelFiles) -> PairModel:
    """Return a tiny cross-encoder."""
    return load_pair_model(str(save_tiny_encoder(tmp_path_factory.mktemp("pair"), embedded.folder)), backend="onnx")


def sized(monkeypatch: pytest.MonkeyPatch, characters: int) -> None:
    """Set how much text is in a portion."""
    monkeypatch.setattr(batching.portions, "__defaults__", (characters,))


@pytest.mark.parametrize("kept", [None, KeptTokens(2)])
def test_portions_change_no_score(model: PairModel, monkeypatch: pytest.MonkeyPatch, kept: KeptTokens | None) -> None:
    """Logits, lengths, what was cut and what is repeated are the same to the bit, however much goes in at a time."""
    pairs = [*PAIRS, (DOCUMENTS[0], "word " * 100), *PAIRS[:2], (QUERY, "")]
    whole = model.run(pairs)
    assert whole.repeated.tolist() == [False] * 6 + [True, True, False] and whole.truncated[5].tolist() == [False, True]
    for characters in (1, 60, 150):
        sized(monkeypatch, characters)
        found = model.run(pairs, kept_tokens=kept)
        np.testing.assert_array_equal(found.logits, whole.logits)
        np.testing.assert_array_equal(found.n_tokens, whole.n_tokens)
        np.testing.assert_array_equal(found.truncated, whole.truncated)
        np.testing.assert_array_equal(found.repeated, whole.repeated)


def test_no_more_than_a_portion_is_tokenized_at_a_time(model: PairModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tokenizer makes of a text takes forty times its memory, so that thousands of long ones would not fit."""
    sized(monkeypatch, 200)
    asked: list[list[str]] = []
    tokenize = model.tokenizer.tokenize

    def noted(texts: list[str]) -> object:
        asked.append(texts)
        return tokenize(texts)

    monkeypatch.setattr(model.tokenizer, "tokenize", noted)
    model.run([(QUERY, f"{at} {DOCUMENTS[0]}") for at in range(50)])
    assert len(asked) > 10
    assert max(sum(map(len, texts)) for texts in asked) <= 200


def test_no_pairs(model: PairModel) -> None:
    """Nothing goes in, and empty arrays of the right shapes come out."""
    output = model.run([])
    assert output.logits.shape == (0, 1) and output.truncated.shape == (0, 2)
    assert output.n_tokens.shape == output.repeated.shape == (0,)


def test_settings_are_read_once(model: PairModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load reads config.json a single time: what it says travels with the files."""
    read: list[str] = []
    read_text = Path.read_text

    def noted(path: Path, *arguments: object, **settings: object) -> str:
        read.append(path.name)
        return read_text(path, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", noted)
    load_pair_model(model.name, backend="onnx")
    assert read.count("config.json") == 1

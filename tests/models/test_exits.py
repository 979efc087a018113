"""Exits: what they estimate, and files of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from secondpass.errors import ConfigError, ModelIntegrityError
from secondpass.models.exits import Exit, Exits
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model


def exits(*layers: int, width: int = 2, fitted_on: str = "abc") -> Exits:
    """Return exits with simple weights."""
    weights = np.arange(3 * width, dtype=np.float32) / 4
    return Exits(tuple(Exit(layer, weights, -1.0, 0.5) for layer in layers), "a-model", fitted_on)


def test_an_estimate_is_linear_and_no_neighbour_changes_it() -> None:
    """A weighted sum and the bias; the same bit for bit in any batch."""
    (only,) = exits(3).exits
    rows = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    together = only.estimate(rows)
    np.testing.assert_allclose(together, rows.astype(np.float64) @ only.weights - 1.0)
    assert together.tolist() == [only.estimate(row[None])[0] for row in rows]


def test_they_come_back_from_a_file(tmp_path: Path) -> None:
    """With the same fingerprint; another margin has another one."""
    saved = exits(2, 5)
    saved.save(tmp_path / "exits.json")
    loaded = Exits.load(tmp_path / "exits.json")
    assert loaded.layers == (2, 5) and loaded.hidden_size == 2 and loaded.fingerprint == saved.fingerprint
    assert loaded.exits[1].weights.tolist() == saved.exits[1].weights.tolist()
    changed = Exits((saved.exits[0], Exit(5, saved.exits[1].weights, -1.0, 0.6)), "a-model", "abc")
    assert changed.fingerprint != saved.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["exits.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"exits": []},
        {"exits": [{"layer": 2}]},
        {"exits": None},
        {"exits": [{"layer": 0, "bias": 0.0, "margin": 1.0, "weights": "AAAA"}]},
        {"exits": [{"layer": 1, "bias": 0.0, "margin": -1.0, "weights": "AAAA"}]},
        {"exits": [{"layer": 1, "bias": 0.0, "margin": 1.0, "weights": "not base64"}]},
        {"exits": [{"layer": 1, "bias": 0.0, "margin": 1.0, "weights": "AH4AfgB+"}]},
    ],
)
def test_files_of_something_else_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    """Another format, layers or weights that can't be, and NaN among these."""
    path = tmp_path / "exits.json"
    path.write_text(json.dumps(exits(2).to_data() | change), encoding="utf-8")
    with pytest.raises(ModelIntegrityError, match=r"exits\.json: these are no exits"):
        Exits.load(path)


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """One that is missing, and one that is no JSON."""
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    for name in ("missing.json", "bad.json"):
        with pytest.raises(ModelIntegrityError, match=f"{name} can't be read"):
            Exits.load(tmp_path / name)


def test_layers_rise_and_widths_are_equal() -> None:
    """A list that falls, and weights of two lengths."""
    first = exits(4).exits[0]
    with pytest.raises(ConfigError, match="rising layers"):
        Exits((first, exits(2).exits[0]), "a-model", "abc")
    with pytest.raises(ConfigError, match="equally many values"):
        Exits((first, exits(5, width=3).exits[0]), "a-model", "abc")


def test_ready_ones_are_of_the_embedded_reranker_alone(embedded: ModelFiles) -> None:
    """Others have none; and exits of other weights are refused."""
    ready = Exits.ready(embedded)
    assert ready is not None and ready.hidden_size == 384 and len(ready.layers) in (2, 3, 4)
    ready.check(embedded)
    assert Exits.ready(find_model("secondpass-nli-minilm", "nli")) is None
    own = exits(2, fitted_on=embedded.identity())
    own.check(embedded)
    with pytest.raises(ConfigError, match=r"fitted on a-model, and not on .*fit_exits"):
        exits(2).check(embedded)

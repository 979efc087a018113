"""Makes the small ONNX model of a trained checkpoint: ``python -m training.export CHECKPOINT FOLDER``.

The embeddings of word pieces that English text has no use for (those of other scripts, and unused places) are
dropped, the weights quantized to int8, and the file written that `secondpass.models.nli.NliModel` loads.

Needs: pip install "secondpass[train]"
"""

import argparse
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from secondpass.learn.exporting import write_graph
from secondpass.models.graph.weights import read_weights

__all__ = ["english_pieces", "export", "main"]

_EMBEDDING = "embeddings.word_embeddings.weight"


def export(checkpoint: Path, folder: Path) -> str:
    """Write model.onnx, tokenizer.json and config.json into a folder; return the SHA-256 of model.onnx.

    Args:
        checkpoint: what `training.longrun` wrote.
        folder: is made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = json.loads((checkpoint / "tokenizer.json").read_text(encoding="utf-8"))
    kept = english_pieces(settings["model"]["vocab"])
    tokenizer = _with_pieces(settings, kept)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    weights = read_weights(checkpoint)
    rows = np.array([settings["model"]["vocab"][piece] for piece in kept])
    tensors = {name: array[rows] if name == _EMBEDDING else array for name, array in weights.tensors.items()}
    weights = replace(weights, tensors=tensors)
    (folder / "config.json").write_text(json.dumps(_config(checkpoint, len(kept)), indent=1), encoding="utf-8")
    return write_graph(weights, folder)


def english_pieces(vocabulary: dict[str, int]) -> list[str]:
    """Return the word pieces that English text may need, in their order: none of other scripts, no unused places."""
    return [
        piece
        for piece, _ in sorted(vocabulary.items(), key=lambda item: item[1])
        if not piece.startswith("[unused")
        and all(not letter.isalpha() or unicodedata.name(letter, "").startswith("LATIN") for letter in piece)
    ]


def _with_pieces(settings: dict[str, Any], kept: Sequence[str]) -> dict[str, Any]:
    """Return a tokenizer's settings with some of its pieces only, numbered anew."""
    numbers = {piece: at for at, piece in enumerate(kept)}
    changed: dict[str, Any] = json.loads(json.dumps(settings))
    changed["model"]["vocab"] = numbers
    changed["added_tokens"] = [
        {**token, "id": numbers[token["content"]]} for token in settings["added_tokens"] if token["content"] in numbers
    ]
    changed["truncation"] = changed["padding"] = None
    template = changed["post_processor"] or {}
    for piece, token in template.get("special_tokens", {}).items():
        token["ids"] = [numbers[piece]]
    for side in {"sep", "cls"} & set(template):
        template[side] = [template[side][0], numbers[template[side][0]]]
    return changed


def _config(checkpoint: Path, n_pieces: int) -> dict[str, Any]:
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    wanted = ("model_type", "architectures", "hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act",
              "intermediate_size", "layer_norm_eps", "max_position_embeddings", "type_vocab_size", "id2label",
              "label2id", "pad_token_id")  # fmt: skip
    return {name: config[name] for name in wanted if name in config} | {"vocab_size": n_pieces}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    digest = export(asked.checkpoint, asked.folder)
    size = (asked.folder / "model.onnx").stat().st_size
    print(f"{asked.folder / 'model.onnx'}: {size / 1e6:.1f} MB, sha256 {digest}")  # a command's answer


if __name__ == "__main__":
    main()

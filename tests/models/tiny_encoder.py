"""A BERT with a head, tiny and random, saved without PyTorch."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file


def save_tiny_encoder(
    folder: Path,
    vocabulary: Path,
    *,
    labels: int = 1,
    width: int = 32,
    positions: int = 64,
    words: int = 30_522,
    **settings: Any,
) -> Path:
    """Save random weights and the tokenizer of another folder, and return the folder.

    Args:
        folder: where to.
        vocabulary: the folder of the tokenizer.
        labels: outputs of the head.
        width: of the vectors.
        positions: the most tokens that it takes.
        words: tokens that it has vectors for.
        settings: what else is to stand in config.json.
    """
    rng = np.random.default_rng(3)
    inner, layers = 2 * width, 2
    shapes = {
        "bert.embeddings.word_embeddings": (words, width),
        "bert.embeddings.position_embeddings": (positions, width),
        "bert.embeddings.token_type_embeddings": (2, width),
        "bert.pooler.dense": (width, width),
        "classifier": (labels, width),
    }
    norms = ["bert.embeddings.LayerNorm"]
    for at in range(layers):
        layer = f"bert.encoder.layer.{at}"
        shapes |= {f"{layer}.attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        shapes |= {f"{layer}.attention.output.dense": (width, width)}
        shapes |= {f"{layer}.intermediate.dense": (inner, width), f"{layer}.output.dense": (width, inner)}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    tensors = {f"{name}.weight": rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    tensors |= {f"{name}.bias": rng.normal(0, 0.1, shape[0]) for name, shape in shapes.items() if "_emb" not in name}
    tensors |= {f"{name}.weight": rng.normal(1, 0.1, width) for name in norms}
    tensors |= {f"{name}.bias": rng.normal(0, 0.1, width) for name in norms}
    folder.mkdir(exist_ok=True)
    save_file({name: array.astype(np.float32) for name, array in tensors.items()}, folder / "model.safetensors")
    config = {"model_type": "bert", "num_attention_heads": 4, "max_position_embeddings": positions, **settings}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(vocabulary / "tokenizer.json", folder)
    return folder

"""A BERT of two layers that knows a few words, and questions about things and their colours that it can learn."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from secondpass.learn.data.example import TrainingExample

COLOURS = ("red", "green", "blue", "black", "white", "brown", "grey", "pink")
THINGS = ("cat", "dog", "bird", "fish", "horse", "cow", "sheep", "goat")
WORDS = (*COLOURS, *THINGS, *["what", "colour", "is", "the", "has", "a", "of", "who", "not", "and"])


def write_tiny(folder: Path, *, n_labels: int = 1, n_layers: int = 2) -> Path:
    """Write the checkpoint of a tiny BERT of random weights, always the same ones; without labels, a bi-encoder's."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    vocabulary = {word: at for at, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=n_layers, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, num_labels=n_labels or 2,
    )  # fmt: skip
    (BertForSequenceClassification if n_labels else BertModel)(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that gives the folder of a tiny checkpoint, with so many labels."""
    pytest.importorskip("datasets")
    made: dict[int, Path] = {}

    def checkpoint(n_labels: int = 1) -> Path:
        if n_labels not in made:
            made[n_labels] = write_tiny(tmp_path_factory.mktemp("tiny") / "start", n_labels=n_labels)
        return made[n_labels]

    return checkpoint


def questions(n: int, seed: int = 0) -> list[TrainingExample]:
    """Return questions for the colour of a thing; the answer that names the thing is relevant."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        (thing, other), (colour, another) = draw.sample(THINGS, 2), draw.sample(COLOURS, 2)
        query = f"what colour is the {thing}"
        found.append(
            TrainingExample.of(
                query, [f"the {thing} is {colour}"], [f"the {other} is {colour}", f"a {another} {other}"]
            )
        )
    return found


@pytest.fixture(name="questions", scope="session")
def questions_fixture() -> Callable[..., list[TrainingExample]]:
    """Return the function that makes questions."""
    return questions

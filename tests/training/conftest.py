"""A tiny encoder to train."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that writes the checkpoint of a random BERT, with one logit unless told otherwise."""

    def write(texts: Iterable[str], *, head: float = 1.0, **settings: Any) -> Path:
        import torch
        from tokenizers import BertWordPieceTokenizer
        from transformers import BertConfig, BertForSequenceClassification

        folder = tmp_path_factory.mktemp("bert")
        text = folder / "text.txt"
        text.write_text("\n".join(texts))
        tokenizer = BertWordPieceTokenizer(lowercase=True)
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tokenizer.train([str(text)], vocab_size=500, special_tokens=special, show_progress=False)
        tokenizer.save(str(folder / "tokenizer.json"))
        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_attention_heads=2, intermediate_size=64,
            **({"num_labels": 1} | settings),
        )  # fmt: skip
        model = BertForSequenceClassification(config)
        with torch.no_grad():
            model.classifier.weight.mul_(head)
        model.save_pretrained(folder)
        return folder

    return write

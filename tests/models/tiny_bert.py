"""A BERT with a head, too small to be good for anything but a comparison."""

from collections.abc import Sequence
from pathlib import Path


def save_tiny_bert(
    folder: Path, labels: Sequence[str], *, vocabulary: Path, seed: int, initializer_range: float, words: int = 30_522
) -> Path:
    """Save random weights for the labels, with the tokenizer of another folder, and return the folder."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=words,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=initializer_range,
        id2label=dict(enumerate(labels)),
        label2id={label: at for at, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast.from_pretrained(vocabulary).save_pretrained(folder)
    return folder

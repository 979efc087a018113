"""Small checkpoints of any architecture with random weights, and tokenizers as those of ModernBERT and DeBERTa."""

from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
    "vocab_size": 50,
    "num_labels": 3,
    "initializer_range": 0.5,
}
MODERNBERT = {
    "num_hidden_layers": 4,  # global, local, local, global
    "local_attention": 16,
    "max_position_embeddings": 8192,
    **{f"{name}_token_id": at for at, name in enumerate(("pad", "cls", "sep", "bos", "eos"))},
}
# As microsoft/deberta-v3-xsmall has them.
DEBERTA = {
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_buckets": 16,
    "max_position_embeddings": 128,
    "type_vocab_size": 0,
    "initializer_range": 0.2,
}
_TEXTS = (
    "How do I copy a file? shutil.copy copies a file to another place, and os.rename gives it another name.",
    "The weather will be sunny all week, but not in the north, where it rains from Monday to Thursday.",
    "To copy a whole folder with all that is in it, use shutil.copytree, which also keeps the permissions.",
)
_SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]


def save_random(
    folder: Path, model_type: str, *, auto: str = "AutoModelForSequenceClassification", seed: int = 7, **settings: Any
) -> Any:
    """Save a model in a folder, and return it; biases and gains, where mistakes would not show, are random too."""
    import torch
    import transformers

    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(model_type, **{**SMALL, **settings})
    model = getattr(transformers, auto).from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias" in name or "norm" in name.lower():
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    return model


def bpe_tokenizer(vocabulary_size: int = 400) -> tokenizers.Tokenizer:
    """Return a tokenizer of the kind that ModernBERT has: byte pairs."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    return _trained(tokenizer, trainer)


def unigram_tokenizer(vocabulary_size: int = 200) -> tokenizers.Tokenizer:
    """Return a tokenizer of the kind that DeBERTa-v3 has: pieces with probabilities, a space in front of each word."""
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Strip(left=False, right=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary_size, special_tokens=_SPECIAL, unk_token="[UNK]", show_progress=False
    )
    return _trained(tokenizer, trainer)


def _trained(tokenizer: tokenizers.Tokenizer, trainer: Any) -> tokenizers.Tokenizer:
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, _SPECIAL.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def save_tokenizer(folder: Path, tokenizer: tokenizers.Tokenizer, *, with_types: bool) -> None:
    """Save a tokenizer so that transformers reads it too."""
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask", *(["token_type_ids"] if with_types else [])],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "unk", "mask")},
    ).save_pretrained(folder)

"""A Qwen3 that answers yes or no after a chat template, tiny and random: what Qwen3-Reranker is, in small."""

from pathlib import Path

import tokenizers
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

__all__ = ["DEFAULT", "save_tiny_qwen"]

DEFAULT = "Given a web search query, retrieve relevant passages that answer the query"
_ROLE = '{{ messages | selectattr("role", "eq", "%s") | map(attribute="content") | first }}'
_TOLD = _ROLE.replace(" | first", f' | first | default("{DEFAULT}")') % "system"


def save_tiny_qwen(folder: Path, *, told: bool = True, positions: int = 256) -> Path:
    """Save random weights with a template and the two answers, as sentence-transformers does; returns the folder.

    Args:
        folder: where to.
        told: whether the template has a place for an instruction.
        positions: the most tokens that it takes.
    """
    instruct = f"<Instruct>: {_TOLD}\n" if told else ""
    template = f"<|im_start|>{instruct}<Query>: {_ROLE % 'query'}\n<Document>: {_ROLE % 'document'}<|im_end|>"
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=specials)
    tokenizer.train_from_iterator([f"{template} {DEFAULT} yes no"] * 3, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=specials[0],
        eos_token=specials[2],
        padding_side="left",
        model_max_length=positions,
        chat_template=template,
    )
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=positions,
        initializer_range=0.5,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder / "causal")
    fast.save_pretrained(folder / "causal")
    answers = [fast.encode(word)[0] for word in ("yes", "no")]
    modules = [Transformer(str(folder / "causal"), transformer_task="text-generation"), LogitScore(*answers)]
    CrossEncoder(modules=modules, device="cpu").save_pretrained(str(folder / "reranker"))
    return folder / "reranker"

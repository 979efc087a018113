"""Batches without padding on PyTorch: sequences laid end to end, each of which attends to itself alone."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from transformers import AttentionInterface

from secondpass.models.batching import Rows
from secondpass.models.tokens import Batch

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:  # before PyTorch 2.10
    varlen_attn = None  # type: ignore[assignment]

__all__ = ["PaddingFree"]

_ATTENTION = "secondpass_padding_free"
# Encoders of transformers that hand unknown keywords on to their attention, with a head that reads the first token.
_MODEL_TYPES = frozenset({"bert", "camembert", "electra", "modernbert", "roberta", "xlm-roberta"})


class PaddingFree:
    """Runs a classifier over a batch as one sequence: the linear layers see no padding, the head first tokens only.

    The logits are those of the padded batch, up to rounding. The model's attention is replaced: until `undo`, it
    takes no padded batches.

    Args:
        model: one of transformers' ``...ForSequenceClassification``, for which `reason_against` gives nothing.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._first_position = _first_position(model)
        self._attention_before = model.config._attn_implementation
        AttentionInterface.register(_ATTENTION, _attention)
        model.set_attn_implementation(_ATTENTION)
        self._hook = model.base_model.register_forward_hook(_keep_first_tokens, with_kwargs=True)

    @staticmethod
    def reason_against(model: Any) -> str | None:
        """Return why a model's batches have to be padded, or None if they need not be."""
        config = model.config
        if config.model_type not in _MODEL_TYPES or getattr(config, "is_decoder", False):
            return f"its architecture, {config.model_type}, is not known to work without padding"
        if getattr(config, "classifier_pooling", "cls") != "cls":
            return "its head reads every token"
        if model.device.type != "cuda":
            return "padding is left out on CUDA only"
        if varlen_attn is None:
            return "PyTorch has attention over many lengths from 2.10 on"
        if model.dtype not in (torch.float16, torch.bfloat16) or torch.cuda.get_device_capability(model.device) < (
            8,
            0,
        ):
            return "attention over many lengths takes float16 or bfloat16, on a GPU of 2020 (Ampere) or later"
        if config.hidden_size // config.num_attention_heads % 8:
            return "attention over many lengths takes heads of a multiple of 8 dimensions"
        return None

    def undo(self) -> None:
        """Give the model its own attention back."""
        self._hook.remove()
        self._model.set_attn_implementation(self._attention_before)

    def logits(self, batch: Batch, names: frozenset[str]) -> Rows:
        """Return the logits of a batch, shape (n_sequences, n_labels), float32.

        Args:
            batch: padded on the right, as a tokenizer of ours makes it; the padding is taken out.
            names: of the arrays that the model takes.
        """
        real = batch.attention_mask.astype(bool)
        lengths = real.sum(axis=1)
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.arange(bounds[-1]) - np.repeat(bounds[:-1], lengths) + self._first_position
        inputs = {name: getattr(batch, name)[real] for name in names if name != "attention_mask"}
        on_device = {
            name: torch.from_numpy(array[None]).to(self._model.device)
            for name, array in {**inputs, "position_ids": positions}.items()
        }
        with torch.inference_mode():
            logits = self._model(
                **on_device,
                cu_seq_lens_q=torch.from_numpy(bounds.astype(np.int32)).to(self._model.device),
                max_length_q=int(lengths.max()),
            ).logits
        return np.asarray(logits.float().cpu().numpy(), dtype=np.float32)


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    cu_seq_lens_q: torch.Tensor,
    max_length_q: int,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Let each sequence attend to itself.

    Query, key and value have the shape (1, n_heads, n_tokens, n_dimensions), the result (1, n_tokens, n_heads,
    n_dimensions).
    """
    # transformers counts the token itself into its window, PyTorch does not.
    reach = -1 if sliding_window is None else sliding_window - 1
    if query.is_cuda:
        q, k, v = (states[0].transpose(0, 1).contiguous() for states in (query, key, value))
        bounds, longest = cu_seq_lens_q, max_length_q
        out: Any = varlen_attn(q, k, v, bounds, bounds, longest, longest, scale=scaling, window_size=(reach, reach))
        return out[None], None
    parts = []
    for start, stop in pairwise(cu_seq_lens_q.tolist()):
        mask = None
        if 0 <= reach < stop - start:
            places = torch.arange(stop - start)
            mask = (places[:, None] - places).abs() <= reach
        q, k, v = (states[:, :, start:stop] for states in (query, key, value))
        parts.append(torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scaling))
    return torch.cat(parts, dim=2).transpose(1, 2), None


def _keep_first_tokens(module: Any, args: Any, kwargs: dict[str, Any], output: Any) -> Any:
    """Make what the head reads of one sequence a batch of sequences with one token each."""
    first = output.last_hidden_state[0, kwargs["cu_seq_lens_q"][:-1].long(), None]
    output.last_hidden_state = first
    if getattr(module, "pooler", None) is not None:
        output.pooler_output = module.pooler(first)
    return output


def _first_position(model: Any) -> int:
    """Return the number of a sequence's first position: those of the RoBERTa family stand behind that of padding."""
    for module in model.modules():
        padding = getattr(module, "padding_idx", None)
        if isinstance(padding, int) and isinstance(getattr(module, "position_embeddings", None), torch.nn.Embedding):
            return padding + 1
    return 0

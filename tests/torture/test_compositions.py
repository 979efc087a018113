"""Random calls of random compositions: no document is lost, doubled or changed, whatever the fakes within do.

``SECONDPASS_TORTURE_CALLS`` is the number of calls in all, ``SECONDPASS_TORTURE_SEED`` the first seed.
"""

import copy
import logging
import sys
from contextlib import suppress
from random import Random
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.types import Scale
from tests.torture.compositions import LeafError, closing, composition, request, setting

_CALLS_OF_EACH = 25
_SEEDS = 4

pytestmark = [pytest.mark.torture, pytest.mark.timeout(0)]


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_nothing_is_lost_doubled_changed_or_off_scale(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A call gives a whole ranking, or an error of ours or of the fake that failed."""
    random = Random(setting("SEED", 0) + seed)
    wanted = setting("CALLS", 20_000) // _SEEDS
    calls = failed = compositions = 0
    logging.disable(logging.CRITICAL)  # each failure is logged
    try:
        while calls < wanted:
            faults = random if random.random() < 0.7 else None
            try:
                made = composition(random, random.randint(1, 4), faults)
            except sp.CompositionError:
                continue
            compositions += 1
            with closing(made) as reranker:
                for _ in range(_CALLS_OF_EACH):
                    failed += not _is_right(reranker, random, faults)
                    calls += 1
    finally:
        logging.disable(logging.NOTSET)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{calls:,} calls of {compositions:,} compositions; {failed:,} raised an error, as they must\n"
        )


def _is_right(reranker: Reranker, random: Random, faults: Random | None) -> bool:
    """Call, and check what comes back; return whether it was rankings."""
    asked = [request(random) for _ in range(random.choice([1, 1, 1, 2, 4]))]
    before = copy.deepcopy(asked)
    rankings: list[sp.Ranking] | None = None
    allowed = (sp.SecondPassError, LeafError) if faults else (sp.InputError,)
    with suppress(allowed):
        rankings = reranker.rerank_many([sp.Request(*each) for each in asked])
    assert asked == before
    if rankings is None:
        return False
    assert all(_is_usable(document) for _, documents, *_ in asked for document in documents)
    assert len(rankings) == len(asked)
    for ranking, (_, documents, k, _) in zip(rankings, asked, strict=True):
        _check(ranking, documents, k, reranker)
    return True


def _is_usable(document: object) -> bool:
    return isinstance(document, str) or (isinstance(document, dict) and "text" in document)


def _check(ranking: sp.Ranking, documents: list[Any], k: int | None, reranker: Reranker) -> None:
    wanted = len(documents) if k is None else min(k, len(documents))
    places = [document.index for document in ranking]
    assert len(places) == len(set(places)) == wanted, repr(reranker)
    assert all(document.document is documents[document.index] for document in ranking)
    assert [document.rank for document in ranking] == list(range(1, wanted + 1))
    scores = [document.score for document in ranking]
    assert all(type(score) is float for score in scores) and np.isfinite(scores).all()
    assert scores == sorted(scores, reverse=True)
    assert ranking.scale is reranker.scale
    if ranking.scale is Scale.PROBABILITY and scores:
        assert 0 <= min(scores) <= max(scores) <= 1, repr(reranker)

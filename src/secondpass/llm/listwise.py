"""The mode that asks for the order of many documents at once, window by window."""

from collections.abc import Sequence

import numpy as np

from secondpass.llm.parsing import permutation
from secondpass.llm.prompts import permutation_prompt
from secondpass.llm.session import LLMSession

__all__ = ["central_ranking", "sliding_windows"]


def sliding_windows(
    session: LLMSession,
    query: str,
    texts: Sequence[str],
    *,
    window: int,
    step: int,
    samples: int,
    seed: int,
    max_tokens: int | None,
) -> tuple[list[int], list[bool]]:
    """Order documents window by window from the end, so that good ones rise (Sun et al. 2023, arXiv:2304.09542).

    Returns:
        The positions, best first, and for each document whether a usable answer covered it.
    """
    order, judged = list(range(len(texts))), [False] * len(texts)
    end = len(order)
    while True:
        start = max(0, end - window)
        members = order[start:end]
        ranked = _order_of_window(session, query, [texts[at] for at in members], samples, seed, max_tokens)
        if ranked is not None:
            order[start:end] = [members[at] for at in ranked]
            for at in members:
                judged[at] = True
        if start == 0:
            return order, judged
        end -= step


def _order_of_window(
    session: LLMSession, query: str, texts: list[str], samples: int, seed: int, max_tokens: int | None
) -> list[int] | None:
    n = len(texts)
    if n == 1 and samples == 1:
        # There is nothing to order; the answer could only be that document.
        return [0]
    generator = np.random.default_rng(abs(seed))  # servers take -1 for any seed, and numpy none below 0
    shuffles = [list(range(n)), *(generator.permutation(n).tolist() for _ in range(samples - 1))]
    prompts = [permutation_prompt(query, [texts[at] for at in shuffle], max_tokens) for shuffle in shuffles]
    answers = session.ask_all(prompts, lambda answer: permutation(answer.text, n, session.count))
    rankings = [
        [shuffle[at] for at in answer] for shuffle, answer in zip(shuffles, answers, strict=True) if answer is not None
    ]
    return central_ranking(rankings) if rankings else None


def central_ranking(rankings: Sequence[Sequence[int]]) -> list[int]:
    """Return an order of 0 to n - 1 that disagrees with the rankings on few pairs (Kemeny's rule, by local search).

    The search starts from the order by mean rank, with ties in numerical order, and moves single items as long as that
    lowers the number of disagreements. The result can be a local optimum: finding the best order is NP-hard.
    """
    n = len(rankings[0])
    if len(rankings) == 1:
        return list(rankings[0])
    places = np.argsort(np.array(rankings), axis=1)
    margin = np.sign(places[:, None, :] - places[:, :, None]).sum(axis=0)  # [a, b]: votes for a before b, less others
    order: list[int] = np.argsort(places.mean(axis=0), kind="stable").tolist()
    moved = True
    while moved:
        moved = False
        for item in range(n):
            at = order.index(item)
            rest = order[:at] + order[at + 1 :]
            # gains[p]: the votes kept when the item stands before rest[p:] and after rest[:p].
            votes = margin[item, rest]
            gains = np.concatenate([[0], -np.cumsum(votes)])
            target = int(np.argmax(gains))
            if gains[target] > gains[at]:
                order, moved = [*rest[:target], item, *rest[target:]], True
    return order

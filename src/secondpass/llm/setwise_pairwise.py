"""The modes that ask which of a few documents is the best, and sort by that."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

from secondpass.llm.parsing import best
from secondpass.llm.prompts import best_prompt
from secondpass.llm.session import LLMSession
from secondpass.llm.types import Answer

__all__ = ["all_pairs", "heapsort", "sliding_pairs"]


def _best_of(size: int, answer: Answer) -> int | None:
    return best(answer.text, size)


class _Judge:
    def __init__(self, session: LLMSession, query: str, texts: Sequence[str], max_tokens: int | None) -> None:
        self.session, self.query, self.texts, self.max_tokens = session, query, texts, max_tokens
        self.judged = [False] * len(texts)
        self._known: dict[tuple[int, ...], int | None] = {}

    def best(self, groups: Sequence[tuple[int, ...]]) -> list[int | None]:
        """Return the best document of each group, None where there is no usable answer; nothing is asked twice."""
        new = [group for group in dict.fromkeys(groups) if group not in self._known]
        prompts = [best_prompt(self.query, [self.texts[at] for at in group], self.max_tokens) for group in new]
        # Groups differ in size, and so do the numbers that an answer may hold: one parser for each size.
        for size in {len(group) for group in new}:
            of_size = [at for at, group in enumerate(new) if len(group) == size]
            answers = self.session.ask_all([prompts[at] for at in of_size], partial(_best_of, size))
            for at, answer in zip(of_size, answers, strict=True):
                self._known[new[at]] = None if answer is None else new[at][answer]
                if answer is not None:
                    for document in new[at]:
                        self.judged[document] = True
        return [self._known[group] for group in groups]

    def prefers(self, pairs: Sequence[tuple[int, int]]) -> list[int | None]:
        """Return the better one of each pair, asked in both orders; None if the answers contradict each other."""
        both = [pair for first, second in pairs for pair in ((first, second), (second, first))]
        answers = self.best(both)
        return [one if one == other else None for one, other in zip(answers[::2], answers[1::2], strict=True)]


def heapsort(
    session: LLMSession, query: str, texts: Sequence[str], *, set_size: int, depth: int, max_tokens: int | None
) -> tuple[list[int], list[bool]]:
    """Order the ``depth`` best by a heap whose nodes have ``set_size - 1`` children (Zhuang et al. 2023).

    Returns:
        The positions, best first, with those behind the ``depth`` best in their old order; and for each document
        whether a usable answer covered it. Where there is none, the old order decides.
    """
    judge, heap, children = _Judge(session, query, texts, max_tokens), list(range(len(texts))), set_size - 1

    def sift(at: int) -> None:
        while (first := children * at + 1) < len(heap):
            group = [at, *range(first, min(first + children, len(heap)))]
            members = [heap[node] for node in group]
            winner = judge.best([tuple(members)])[0]
            # Without an answer the old order decides, so that a heap of no answers at all gives it back.
            node = group[members.index(min(members) if winner is None else winner)]
            if node == at:
                return
            heap[at], heap[node] = heap[node], heap[at]
            at = node

    for node in reversed(range((len(heap) - 2) // children + 1)):
        sift(node)
    order: list[int] = []
    while heap and len(order) < depth:
        heap[0], heap[-1] = heap[-1], heap[0]
        order.append(heap.pop())
        if len(order) < depth:
            sift(0)
    return order + sorted(heap), judge.judged


def sliding_pairs(
    session: LLMSession, query: str, texts: Sequence[str], *, depth: int, max_tokens: int | None
) -> tuple[list[int], list[bool]]:
    """Let good documents rise in ``depth`` passes that compare neighbours from the end (Qin et al. 2023).

    Returns:
        The positions, best first, and for each document whether a usable answer covered it.
    """
    judge, order = _Judge(session, query, texts, max_tokens), list(range(len(texts)))
    for top in range(min(depth, len(order) - 1)):
        for at in range(len(order) - 1, top, -1):
            if judge.prefers([(order[at - 1], order[at])])[0] == order[at]:
                order[at - 1], order[at] = order[at], order[at - 1]
    return order, judge.judged


def all_pairs(
    session: LLMSession, query: str, texts: Sequence[str], *, max_tokens: int | None
) -> tuple[list[int], list[bool]]:
    """Order by the number of comparisons won among all pairs; an undecided one is half a win for both.

    Returns:
        As `sliding_pairs`; n * (n - 1) calls for n documents, side by side.
    """
    judge, wins = _Judge(session, query, texts, max_tokens), [0.0] * len(texts)
    pairs = list(combinations(range(len(texts)), 2))
    for (first, second), winner in zip(pairs, judge.prefers(pairs), strict=True):
        for at in (first, second):
            wins[at] += 0.5 if winner is None else float(winner == at)
    return sorted(range(len(texts)), key=lambda at: (-wins[at], at)), judge.judged

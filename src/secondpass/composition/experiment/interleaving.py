"""Two rankings in one, so that clicks tell which is better: team draft interleaving.

Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?" (CIKM 2008). It needs a fraction
of the traffic of a split to find the same difference, as each user compares both (Chapelle, Joachims, Radlinski and
Yue, "Large-scale validation and analysis of interleaved search evaluation", TOIS 2012).
"""

from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt

__all__ = ["preference", "team_draft"]


def team_draft(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], seed: int
) -> tuple[npt.NDArray[np.float64], list[bool]]:
    """Let two rankings of the same documents pick in turn, in pairs of turns the order of which a coin decides.

    Args:
        first: the scores of one, shape (n_documents,); equal ones stand in their order.
        second: those of the other.
        seed: of the coin: the same gives the same result.

    Returns:
        Scores that order the documents as they were picked, and for each document whether ``second`` picked it.
    """
    coin = Random(seed)  # noqa: S311  # nothing secret hangs on it
    orders = [np.argsort(-scores, kind="stable").tolist() for scores in (first, second)]
    at, n_documents = [0, 0], len(first)
    values, by_second = np.zeros(n_documents), [False] * n_documents
    taken = [False] * n_documents
    turns: list[int] = []
    for place in range(n_documents):
        if not turns:
            turns = [0, 1] if coin.random() < 0.5 else [1, 0]
        team = turns.pop(0)
        while taken[orders[team][at[team]]]:
            at[team] += 1
        picked = orders[team][at[team]]
        taken[picked], by_second[picked] = True, team == 1
        values[picked] = n_documents - place
    return values, by_second


def preference(teams: Sequence[str], control: str) -> int:
    """Return 1 if the treatment has more of the clicks, -1 if the control has, 0 if both have as many."""
    for_control = sum(team == control for team in teams)
    for_treatment = len(teams) - for_control
    return (for_treatment > for_control) - (for_treatment < for_control)

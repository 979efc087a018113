"""Calls to several rerankers at once, shared by those that wrap more than one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from secondpass.base import Reranker
from secondpass.errors import ConfigError, InputError, MissingExtraError
from secondpass.loading import RerankerLike, load
from secondpass.pools import at_once
from secondpass.types import Request, Scale, Scores

__all__ = ["SETUP_FAULTS", "ask_members", "joined_explanations", "member_of", "require_initial_scores", "without_k"]

# What no request can mend is no failure to be hidden: every call would have it. A warning is an error only where the
# caller made it one.
SETUP_FAULTS = (ConfigError, MissingExtraError, Warning)
# What the caller can set right is never a member's failure.
_CALLERS = (InputError, *SETUP_FAULTS)


def member_of(owner: Reranker, given: RerankerLike, *scales: Scale, pointwise: bool = False) -> Reranker:
    """Return what a wrapper's constructor was given as a reranker: one, its name or its configuration.

    Args:
        owner: the wrapper, which checks that it can wrap it, see `Reranker.require_traits`.
        given: as for `secondpass.load`.
        scales: the scales that the wrapper can take; any if none is named.
        pointwise: whether the scores must not depend on the other documents.

    Raises:
        CompositionError: it does not fit, or is nothing of these.
        SecondPassError: what `secondpass.load` raises.
    """
    member = load(given) if isinstance(given, str | os.PathLike | Mapping) else given
    owner.require_traits(member, *scales, pointwise=pointwise)
    return member


def ask_members(
    members: Mapping[int, Reranker], requests: Sequence[Request], *, parallel: bool, catch: bool
) -> tuple[dict[int, list[Scores]], dict[int, Exception]]:
    """Let each member score all requests.

    Args:
        members: the rerankers, by position.
        requests: what each is asked.
        parallel: in a thread for each, with the caller's context variables; otherwise one after the other.
        catch: return a member's error, unless the caller is to blame for it. Otherwise the error of the first
            that failed is raised once all are done, with a note that names it.

    Returns:
        The scores of those that answered and the errors of those that failed, by position, in the order of
        ``members``.
    """

    def ask(at: int) -> list[Scores] | Exception:
        try:
            return members[at].score_many(requests)
        except _CALLERS:
            raise
        except Exception as exc:  # a member may be anyone's, and fail in any way
            if catch:
                return exc
            exc.add_note(f"(raised by member {at}, {type(members[at]).__name__})")
            raise

    if parallel and len(members) > 1:
        futures = at_once({at: partial(ask, at) for at in members})
        outcomes = {at: future.result() for at, future in futures.items()}
    else:
        outcomes = {at: ask(at) for at in members}
    answers = {at: outcome for at, outcome in outcomes.items() if not isinstance(outcome, Exception)}
    return answers, {at: outcome for at, outcome in outcomes.items() if isinstance(outcome, Exception)}


def joined_explanations(own: Mapping[str, Sequence[Any]], of_members: Mapping[int, Scores]) -> dict[str, Sequence[Any]]:
    """Return all columns of explanations; of those that share a name, each later one gets its member's position.

    So two members that both explain by ``passage`` give ``passage`` and ``passage_1``.
    """
    joined = dict(own)
    for at, scores in of_members.items():
        for name, column in scores.explanations.items():
            free = name
            while free in joined:
                free += f"_{at}"
            joined[free] = column
    return joined


def without_k(requests: Sequence[Request]) -> list[Request]:
    """Return the requests for all documents: the best k of a member need not be among the best k of all."""
    return [request if request.k is None else replace(request, k=None) for request in requests]


def require_initial_scores(requests: Sequence[Request], who: str, instead: str) -> None:
    """Check that each request that has documents has the first stage's scores.

    Raises:
        InputError: one has none; ``instead`` says what else can be done.
    """
    if any(len(request) and request.initial_scores is None for request in requests):
        raise InputError(
            f"{who} needs the first stage's score of every document, and a request has none: pass initial_scores "
            f"(to an adapter, documents that have scores; in LangChain, score_key says where in the metadata), "
            f"{instead}"
        )

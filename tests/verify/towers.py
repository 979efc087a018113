"""An answer with a claim of each kind, and the passages that it is verified against."""

from collections.abc import Callable
from typing import Any

from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier

Make = Callable[..., FactVerifier]
PASSAGES: list[Any] = [
    "The tower was built in 1889 by a company in Paris. It is 330 metres tall.",
    {"text": "The museum opens on Monday at nine. It is closed on Sunday.", "id": "m", "metadata": {"a": 1}},
]
ANSWER = (
    "The tower was built in 1889. The tower is 300 metres tall. The museum is not closed on Sunday. "
    "The museum sells coffee. Shall I go on?"
)


def verdicts(claims: Any) -> list[Verdict]:
    """Return the verdicts of claims, in order."""
    return [claim.verdict for claim in claims]

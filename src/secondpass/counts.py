"""Numbers of things, in words."""

__all__ = ["counted"]


def counted(n: int, what: str) -> str:
    """Return a number of things as a text: ``1 query``, ``2 queries``, ``5,253 documents``.

    Args:
        n: how many.
        what: one of them, ending with the word that has the plural: ``judged query``.
    """
    if n == 1:
        return f"1 {what}"
    ends_in_y = what.endswith("y") and what[-2:-1] not in "aeiou"
    return f"{n:,} {what[:-1]}ies" if ends_in_y else f"{n:,} {what}s"

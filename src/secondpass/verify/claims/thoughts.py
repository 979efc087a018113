"""What a reasoning model thought before its answer: it stands in tags, and is no part of the answer."""

import re

__all__ = ["Thoughts"]

_OPENING = re.compile(r"\s{0,100}<(think|thinking|thoughts?|reasoning|scratchpad)>")
_MAY_OPEN = re.compile(r"\s{0,100}(?:<[a-z]{0,10})?\Z")


class Thoughts:
    """Takes the thoughts off the beginning of an answer that comes in pieces.

    They are held until they end, and what does not end is read as a part of the answer, so that nothing goes unchecked
    for want of a tag.

    Attributes:
        text: the thoughts with their tags and the blanks before them, once they have ended; else empty.
    """

    def __init__(self) -> None:
        self.text = ""
        self._held: list[str] = []
        self._tail = ""  # in which the closing tag is looked for
        self._closing = ""
        self._is_done = False

    def feed(self, piece: str) -> str:
        """Add a piece, and return what is to be read of it and of those that were held.

        The thoughts are among it as so many line breaks, so that all else keeps its place.
        """
        if self._is_done:
            return piece
        self._held.append(piece)
        self._tail += piece
        if not self._closing:
            opening = _OPENING.match(self._tail)
            if opening is None:
                return "" if _MAY_OPEN.match(self._tail) else self.finish()
            self._closing = f"</{opening[1]}>"
        at = self._tail.find(self._closing)
        if at < 0:
            self._tail = self._tail[-len(self._closing) :]
            return ""
        left = self._tail[at + len(self._closing) :]
        whole = self.finish()
        self.text = whole[: len(whole) - len(left)]
        return "\n" * len(self.text) + left

    def finish(self) -> str:
        """Hold nothing any more, and return what was held."""
        held, self._held, self._is_done = "".join(self._held), [], True
        return held

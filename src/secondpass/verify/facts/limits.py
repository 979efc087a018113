"""What of a sentence is beyond a limit, or an exception: so that what is denied of it may hold of all else."""

from collections.abc import Sequence

from secondpass.verify.claims.conjuncts import has_finite_verb
from secondpass.verify.words import AUXILIARIES, Token, word_set

__all__ = ["EXCEPT", "beyond"]

EXCEPT = "except"
"""The side of what is left out: nothing that is said of all holds of it."""

# On one side of a limit, on the other, or what is left out, by the words before it; each with what groups it.
_WORDS = {
    **dict.fromkeys(word_set("except excepting excluding"), EXCEPT),
    "without": "without",
    **dict.fromkeys(word_set("unless"), "unless"),
    **dict.fromkeys(word_set("until till before"), "before"),
    **dict.fromkeys(word_set("after since"), "after"),
    **dict.fromkeys(word_set("outside"), "outside"),
    "beside": "outside",
}
_PHRASES = {("exception", "of"): EXCEPT, ("not", "including"): EXCEPT, ("but", "not"): "without"}
# Beside all of something these leave out, else they may only add: "apart from the pool, there is a gym".
_OR_ADDING = frozenset({("apart", "from"), ("aside", "from"), ("other", "than")})
_ONLY_OF_ALL = frozenset({("save", "for")})  # "save for later"
_ALL = word_set("all any anyone anybody anything every everyone everybody everything none nobody nothing no")
_MOST_OF_ALL = 4  # tokens: "all of the members but"
_BEFORE_NUMBERS = {
    **dict.fromkeys(word_set("under below less fewer younger shorter smaller lower earlier"), "before"),
    **dict.fromkeys(word_set("over above past beyond more older longer larger higher later exceeding"), "after"),
}
_NEAR_NUMBER = 3  # tokens: "more than 20", "over the 20"
_RELATIVE = word_set("who that which whose if when whenever where")
_ONES = word_set("one ones")  # "all offices but the one in Gent"
_NOT = word_set("not never no lacks lack cannot")
_FAR = 4  # tokens between "who" and "not": "who have not"
_LONGEST = 6  # words that an exception is made of


def beyond(tokens: Sequence[Token], first: int, end: int, stops: frozenset[str]) -> dict[str, str]:
    """Return the stems of a clause that are beyond a limit, or an exception, with the side that they are on.

    Those are the words behind "without", "except on", "other than", "after", "who are not", "non-" and, before a
    number, "over" and "under", up to a verb or a comma.

    Args:
        tokens: of a text.
        first: the index of the clause's first token.
        end: the index of the token after it.
        stops: words that say nothing by themselves.
    """
    found: dict[str, str] = {}
    side, left = "", 0
    leads = tokens[first].first  # "Except on Sundays, entry is free."
    for at in range(first, end):
        token = tokens[at]
        begun = _side(tokens, at, first, end)
        if begun:
            side, left = begun, _LONGEST
        elif (_begins_verb(token) and left < _LONGEST) or (leads and token.text == ","):
            side = ""
        elif side and token.stem and token.lower not in stops and token.lower not in _ONES:
            found[token.stem] = side
            left -= 1
            side = side if left else ""
    if any(token.lower in _RELATIVE for token in tokens[end : end + 2]):
        # "All but the drivers, who get a tablet": something is said of these as well.
        found = {stem: "without" if side == EXCEPT else side for stem, side in found.items()}
    return found


def _begins_verb(token: Token) -> bool:
    return token.lower in AUXILIARIES or (token.text.islower() and has_finite_verb(f"it {token.lower}"))


def _is_of_all(tokens: Sequence[Token], but: int) -> bool:
    """Return whether a "but" has nothing before it but all of something: "every room but the kitchen".

    Where a sentence begins with it, that stands behind its comma: "apart from the kitchen, every room".
    """
    if tokens[but].first:
        after = tokens[but : but + _MOST_OF_ALL + _LONGEST]
        comma = next((at for at, token in enumerate(after) if token.text == ","), len(after))
        return any(token.lower in _ALL for token in after[comma + 1 : comma + 2])
    for token in reversed(tokens[max(but - _MOST_OF_ALL, 0) : but]):
        if token.lower in _ALL:
            return True
        if token.kind == "symbol" or _begins_verb(token):
            return False
    return False


def _side(tokens: Sequence[Token], at: int, first: int, end: int) -> str:
    """Return the side of a limit that a word begins; empty if it begins none."""
    word, before = tokens[at].lower, tokens[at - 1].lower if at else ""
    if (before, word) in _PHRASES:
        return _PHRASES[before, word]
    if (before, word) in _OR_ADDING | _ONLY_OF_ALL:
        otherwise = "without" if (before, word) in _OR_ADDING else ""
        return EXCEPT if _is_of_all(tokens, at - 1) else otherwise
    if word == "but" and at and _is_of_all(tokens, at):
        return EXCEPT
    if word in _WORDS:
        return _WORDS[word]
    if word in _BEFORE_NUMBERS:
        near = tokens[at + 1 : min(at + 1 + _NEAR_NUMBER, end)]
        return _BEFORE_NUMBERS[word] if any(token.kind == "number" for token in near) else ""
    if word == "non":
        return "without"
    is_denied = word in _NOT or word.endswith("n't")
    if is_denied and any(token.lower in _RELATIVE for token in tokens[max(at - _FAR, first) : at]):
        return "without"
    return ""

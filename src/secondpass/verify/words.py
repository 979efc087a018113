"""Texts as tokens with offsets, and how many of a claim's words and pairs of words the evidence has."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

__all__ = ["STOP_WORDS", "Token", "bare", "content_words", "holds", "overlap", "pair_overlap", "stem", "tokenize"]
__all__ += ["AUXILIARIES", "addressed", "first_person", "subject_words", "word_numbers", "word_set"]

# Letters of scripts that put no space between words: Thai to Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ede\u1000-\u1049\u1780-\u17d3\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# Combining marks, which are parts of words though `\w` has few of them.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963"
    "\u0980-\u0983\u09bc-\u09cd\u0a3c-\u0a4d\u0abc-\u0acd\u0b3c-\u0b4d\u0bbe-\u0bcd\u0c3e-\u0c4d\u0cbc-\u0ccd\u0d3b-\u0d4d"
)
_LETTERS = f"(?:(?![{_UNSPACED}½¼¾⅓⅔⅛])[^\\W\\d_]|[{_MARKS}])++"

_TOKEN = re.compile(
    # 2.5e6; 1,25,00,000; 1'500; 1.234,56; 164 000 and 1 234 567, but not "in 5 300 people"; .05
    r"(?P<number>\d{1,15}(?:\.\d{1,15})?[eE][-+\u2212]?\d{1,2}(?![\w.])"
    r"|\d{1,2}(?:,\d{2}){1,6},\d{3}(?:\.\d{1,2})?(?![\d,])|\d{1,3}(?:['\u2019]\d{3}){1,6}(?:\.\d{1,2})?(?!['\u2019\w])"
    r"|\d{1,3}(?:\.\d{3}){1,8},\d{1,2}(?![\d,])|\d{1,3}(?:(?: \d{3}){2,7}|(?: \d{3})? 000)(?! ?\d)"
    r"|(?<![\w.])\.\d++(?!\.?\d)"
    r"|\d{1,3}(?:[,\u00a0\u202f\u2009]\d{3}){1,8}(?:\.\d++)?(?![\d])|\d++,\d{1,2}(?![\d,])|\d++(?:\.\d++)*+)"
    rf"|(?P<unspaced>[{_UNSPACED}]++)"
    rf"|(?P<word>(?:[A-Z]\.){{2,8}}|(?i:e\.g\.|i\.e\.)|{_LETTERS}(?:['\u2019]{_LETTERS})*+)"
    r"|(?P<symbol>\S)"
)
# Not "My Fair Lady", "Me 262" and a coal mine.
_OF_THE_SPEAKER = (
    r"[Mm]yself|my|me|My(?! [A-Z])|Me(?! [A-Z\d])|(?:(?<=\bof )|(?<=\bis )|(?<=\bare )|(?<=\bwas )|(?<=\bwere ))mine"
)
_ASKER = rf"I(?:['\u2019](?:m|ve|d|ll))?|{_OF_THE_SPEAKER}"
_NO_WORD = (r"(?<![\w.'\u2019-])", r"(?![\w/-]|\.\w)")
_FIRST_PERSON = re.compile(rf"{_NO_WORD[0]}(?:{_ASKER}){_NO_WORD[1]}")
_ASKER_WITH_VERB = re.compile(rf"{_NO_WORD[0]}(?:(?:[Aa]m|[Ww]as) I|I (?:am|was)|{_ASKER}){_NO_WORD[1]}")
_YOU = {"am": "are", "was": "were", "i": "you", "'m": "'re", "me": "you", "my": "your", "mine": "yours"}
_YOU["myself"] = "yourself"
_PARTS = re.compile(r"'?[a-z]+")
_WORD_BEFORE = re.compile(r"(\w+) $")
_ENDS = frozenset(".!?\u3002\uff01\uff1f")
_WIDE_ENDS = frozenset("\u3002\uff01\uff1f")  # no space follows them
_CLOSERS = frozenset("\"'\u201d\u2019)]")
_PAIR_WINDOW = 5  # content words
_FEW_WORDS = 4
_MOST_MOVED = 40  # words of a sentence of which a part may stand elsewhere
_KEPT = 256  # texts whose tokens are kept: a claim and its windows are read again at every step
_KEPT_WORDS = 1024
_LONGEST_KEPT = 2000  # characters; two windows together have some 1000


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that is a list of them."""
    return frozenset(text.split())


def word_numbers(text: str, *, start: int = 0) -> dict[str, int]:
    """Return words with their numbers, from a list with "|" between the numbers and spaces between words for one."""
    return {word: number for number, words in enumerate(text.split("|"), start=start) for word in words.split()}


_BEFORE_NUMERALS = word_set("type phase class part level stage chapter title article volume grade section book act")
_INTERJECTIONS = word_set("yeah yes yep nope okay haha hmm well wow maybe sure sorry honestly actually personally true")
_OPENERS = word_set("The A An He She It They We In On At This That These His Her Its Their But However")
_ABBREVIATIONS = word_set(
    "mr mrs ms dr st prof gen col lt sgt capt rev hon sen rep gov pres jr sr inc ltd co corp vs etc al ca c cf no nos "
    "vol fig pp ed eds approx dept est jan feb mar apr jun jul aug sep sept oct nov dec mt ft"
)

# Clauses and adverbials that begin so may stand first or last in a sentence.
_MOVABLE = word_set(
    "if unless when whenever while whereas because since although though after before until once as provided in on at "
    "during under within from by for with without despite according"
)
_STOP_WORDS = word_set(
    "a an the this that these those some any each every either neither both all another such own i me my "
    "mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself "
    "it its itself they them their theirs themselves one's oneself who whom whose which what whatever whichever am is "
    "are was were be been being do does did doing done have has had having will would shall should can could may "
    "might must ought not no nor never and or but if then else because as until while of at by for with about against "
    "between into through during before after above below to from up down in out on off over under again further once "
    "here there when where why how so than too very just also only even still yet though although however therefore "
    "thus hence upon among amongst within without along across toward towards via per since whereas whether unless "
    "except etc e.g. i.e. n't 's 'll 're 've 'd 'm cannot it's he's she's that's there's they're we're i'm isn't "
    "aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't couldn't shouldn't mustn't"
)
AUXILIARIES = word_set(
    "is are was were has have had does do did can could will would may might must shall should cannot "
    "isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't can't couldn't won't wouldn't mustn't "
    "shouldn't"
)
STOP_WORDS = _STOP_WORDS | {word.replace("'", "\u2019") for word in _STOP_WORDS}  # with either apostrophe


class Token(NamedTuple):
    """A piece of a text.

    Attributes:
        text: as it stands there.
        start: where it begins, in characters.
        end: where it ends.
        kind: ``number``, ``word``, ``unspaced`` (letters of a script without spaces) or ``symbol``.
        sentence: the index of its sentence, from 0.
        first: whether it is the first word or number of its sentence.
        glued: whether no space is before it.
        stem: of a word, see `stem`; of a number, its digits; empty for a symbol.
        lower: the text in lower case, with the straight apostrophe.
    """

    text: str
    start: int
    end: int
    kind: str
    sentence: int
    first: bool
    glued: bool
    stem: str
    lower: str

    @property
    def is_content(self) -> bool:
        """Whether it says something by itself."""
        return bool(self.stem) and self.lower not in STOP_WORDS


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text, in linear time."""
    return list(_kept_tokens(text) if len(text) <= _LONGEST_KEPT else _tokens(text))


@lru_cache(maxsize=_KEPT)
def _kept_tokens(text: str) -> tuple[Token, ...]:
    return tuple(_tokens(text))


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    sentence, opened, at = 0, False, -1
    for match in _TOKEN.finditer(text):
        kind, word, start = str(match.lastgroup), match.group(), match.start()
        if tokens and _begins_sentence(text, tokens, word, start):
            sentence, opened = sentence + 1, False
        named = kind != "symbol"
        stemmed = stem(word) if kind == "word" else word.replace(",", "") if named else ""
        end, lower = match.end(), word.lower().replace("\u2019", "'")
        tokens.append(Token(word, start, end, kind, sentence, named and not opened, start == at, stemmed, lower))
        opened, at = opened or named, end
    return tokens


def _begins_sentence(text: str, tokens: list[Token], word: str, start: int) -> bool:
    last = tokens[-1]
    if last.kind == "word" and last.text[-1] != "." and start - last.end < 2:  # most are in the middle of a sentence
        return False
    if last.end < start and text.count("\n", last.end, start) > 1:
        return True
    at = len(tokens) - 1
    if last.end == start and last.text not in _WIDE_ENDS:
        return False
    # Closing quotes and brackets stand between the full stop and the next sentence.
    while at >= 0 and len(tokens) - at < 4 and tokens[at].text in _CLOSERS:
        at -= 1
    if at < 0:
        return False
    ending = tokens[at]
    if ending.text not in _ENDS:
        # "in the U.S. The": an abbreviation may end a sentence too.
        return ending.text.endswith(".") and word in _OPENERS
    if word[0].islower():
        return False
    if ending.text == "." and at and tokens[at].glued:
        before = tokens[at - 1]
        if at > 1 and before.glued and tokens[at - 2].text == "\u00b0":
            return True  # "at 180 \u00b0C. Mix it": no initial
        return not (before.kind == "word" and (len(before.text) == 1 or before.lower in _ABBREVIATIONS))
    return True


def bare(word: str) -> str:
    """Return a word in lower case, without a possessive ending and without the dots of an acronym."""
    word = word.lower().replace("\u2019", "'").replace(".", "")
    if word.endswith("'s"):
        return word[:-2]
    return word.removesuffix("'")


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """Return a word in lower case, without the endings of plurals, past and progressive.

    Only English endings of words in ASCII letters are taken off, by rule: "cities" and "city" are one, "ran" and
    "run" are not. The stem is a key to compare by, and need not be a word.
    """
    word = bare(word)
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) > 2 and any(letter in "aeiouy" for letter in root):
            if ending == "ed" and root.endswith("i"):
                word = root[:-1] + "y"
            elif root[-1] == root[-2] and root[-1] not in "lsz":
                word = root[:-1]
            else:
                word = root
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def content_words(text: str) -> tuple[str, ...]:
    """Return the stems of a text's content words and its numbers, in order, repeats included.

    Function words are left out, unless there is nothing else. Where a script puts no space between words, each
    pair of neighbouring characters stands for a word.
    """
    return _kept_content_words(text) if len(text) <= _LONGEST_KEPT else _content_words(text)


@lru_cache(maxsize=_KEPT_WORDS)
def _kept_content_words(text: str) -> tuple[str, ...]:
    return _content_words(text)


def _content_words(text: str) -> tuple[str, ...]:
    tokens = tokenize(text)
    return tuple(_units([token for token in tokens if token.is_content] or tokens))


def _units(tokens: list[Token]) -> list[str]:
    units: list[str] = []
    for token in tokens:
        if token.kind == "unspaced" and len(token.text) > 1:
            units += map("".join, pairwise(token.text))
        elif token.stem:
            units.append(token.stem)
    return units


def subject_words(claim: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems of the words that tell what a claim is about: all of them, and those that no other may replace.

    These are the content words before the first auxiliary verb or, without one, the first half of them; the second
    set has the names among them, the numbers that name something ("P-7", "A100", "Basic", "Version 3.1"; not "from 0 to
    12"), and functions of a program, "copy()". A rule of thumb, which needs no parser.
    """
    tokens = tokenize(claim)
    verb = next((at for at, token in enumerate(tokens) if token.lower in AUXILIARIES), None)
    content = [token for token in tokens[:verb] if token.is_content]
    if verb is None:
        content = content[: len(content) // 2]
    before = dict(zip(tokens[1:], tokens, strict=False))
    calls = {one for one, other in pairwise(tokens) if other.text == "(" and other.glued}
    fixed = [token for token in content if token in calls or (not token.first and _names_one(token, before.get(token)))]
    return frozenset(token.stem for token in content), frozenset(token.stem for token in fixed)


def _names_one(token: Token, before: Token | None) -> bool:
    """Return whether a word or a number tells one thing from others like it."""
    if token.kind != "number":
        return token.text[0].isupper()
    return before is not None and (before.is_content or (token.glued and before.kind in {"symbol", "word"}))


def overlap(claim: str, evidence: str) -> float:
    """Return the share of the claim's distinct content words that the evidence has, in [0, 1]; 0 if it has no words."""
    words = set(content_words(claim))
    return len(words.intersection(content_words(evidence))) / len(words) if words else 0.0


def first_person(text: str) -> bool:
    """Return whether somebody speaks of themselves in a text, in English: "I", "my"; not "Elizabeth I", "type I"."""
    return any(match[0] != "I" or not _is_numeral(text, match.start()) for match in _FIRST_PERSON.finditer(text))


def addressed(question: str) -> str:
    """Return a question with "you" for whoever asks it: "I" in an answer would be who gives it."""
    return _ASKER_WITH_VERB.sub(_as_you, question)


def _as_you(asker: re.Match[str]) -> str:
    said = asker[0].replace("\u2019", "'")
    if said.startswith("I") and _is_numeral(asker.string, asker.start()):
        return asker[0]
    you = _PARTS.sub(lambda part: _YOU.get(part[0], part[0]), said.lower())
    is_small = asker.start() > 0 if said.startswith("I") else said[0].islower()
    return you if is_small else you.capitalize()


def _is_numeral(text: str, at: int) -> bool:
    before = _WORD_BEFORE.search(text, max(0, at - 32), at)
    if before is None:
        return False
    word = before[1]
    lower = word.lower()
    is_name = word[0].isupper() and len(word) > 2 and lower not in STOP_WORDS | _INTERJECTIONS
    return lower in _BEFORE_NUMERALS or is_name


def holds(text: str, claim: str) -> bool:
    """Return whether a sentence of a text has all words of a claim in its order with no other between them.

    Their case makes no difference, nor does it whether "when it rains", or "in winter", stands first or last. A claim
    of fewer than four words stands in many texts that say something else, and is held by none.
    """
    wanted, found = ([token for token in tokenize(each) if token.kind != "symbol"] for each in (claim, text))
    words = [token.lower for token in wanted]
    if len(words) < _FEW_WORDS:
        return False
    held = _in_sentences(found)
    if f" {_in_sentences(wanted)} " in f" {held} ":
        return True
    is_one = wanted[-1].sentence == 0 and len(words) <= _MOST_MOVED
    return is_one and any(f" {' '.join(moved)} " in f" {held} " for moved in _moved(words))


def _in_sentences(tokens: Sequence[Token]) -> str:
    """Return the words of some tokens with a line break between sentences."""
    sentences = groupby(tokens, key=attrgetter("sentence"))
    return " \n ".join(" ".join(token.lower for token in sentence) for _, sentence in sentences)


def _moved(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the words of a sentence with what may stand first put last, and what may stand last put first."""
    for at in range(1, len(words)):
        if words[0] in _MOVABLE or words[at] in _MOVABLE:
            yield [*words[at:], *words[:at]]


def pair_overlap(claim: str, evidence: str) -> float:
    """Return the share of the claim's neighbouring content words that stand near in the evidence too, in [0, 1].

    A pair counts if the evidence has its words in the same order, at most five content words apart: what is said of
    whom is seen, which single words don't tell ("A beat B", "B beat A"). For a claim of a single word it is `overlap`.
    """
    words = content_words(claim)
    pairs = set(pairwise(words))
    if not pairs:
        return overlap(claim, evidence)
    wanted = set(words)
    found = content_words(evidence)
    near = {
        (first, second)
        for at, first in enumerate(found)
        if first in wanted
        for second in found[at + 1 : at + 1 + _PAIR_WINDOW]
        if second in wanted
    }
    return len(pairs & near) / len(pairs)

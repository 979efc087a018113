"""What a server says of the key goes into no error, traceback, pickle or log, in whatever form it says it."""

import base64
import html
import json
import logging
import pickle
import traceback
import urllib.parse
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import SecondPassWarning
from secondpass.rerankers.llm import LLMReranker
from secondpass.secret import Secret
from tests.network.clients import CLIENTS, KEY
from tests.network.faults import Connection, faulty

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": json.dumps,
    "JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON, all escaped": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "JavaScript": lambda text: "".join(f"\\u{{{ord(char):X}}}" for char in text),
    "C": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "octal": lambda text: "".join(f"\\{ord(char):03o}" for char in text),
    "URL": lambda text: urllib.parse.quote(text, safe=""),
    "URL, all escaped": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "quoted-printable": lambda text: "".join(f"={ord(char):02X}" for char in text),
    "HTML": lambda text: html.escape(text, quote=True),
    "HTML, decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64 behind a word": lambda text: base64.b64encode(b"Bearer " + text.encode()).decode(),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(b"user:" + text.encode() + b":x").decode(),
    "hex": lambda text: text.encode().hex(),
    "bytes": lambda text: repr(bytearray(text.encode())),
    "capitals": str.upper,
    "spaced": " ".join,
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) for char in text),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "beginning": lambda text: text[:12],
    "end": lambda text: text[-12:],
}
# These keep what the others made recognizable by what it is decoded to.
_WRAPPING = ["as it is", "JSON", "URL", "HTML", "JSON, all escaped", "URL, all escaped"]

_keys = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=12, max_size=40).flatmap(
    lambda letters: st.sampled_from(["", "-", "_", "/", "+", "=", "."]).map(
        lambda mark: f"sk-{letters[:6]}{mark}{letters[6:]}"
    )
)


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isascii() and char.isalnum())


@given(_keys, st.sampled_from(list(ENCODINGS)), st.sampled_from(_WRAPPING), st.text(max_size=30), st.text(max_size=30))
def test_a_key_is_found_in_every_encoding(key: str, inner: str, outer: str, before: str, after: str) -> None:
    """Also in one that another one wraps, with anything around it; nothing recognizable of it is left."""
    text = f"{before} {ENCODINGS[outer](ENCODINGS[inner](key))} {after}"
    left = Secret(key).hidden_in(text)
    assert key not in left and not Secret(key).is_in(left)
    assert "***" in left


@given(
    _keys,
    st.lists(
        st.sampled_from(
            ["no", "such", "model", "key", "invalid", "request", "at", "position", "17", "/", "the", "-", "server"]
        )
    ),
)
def test_what_holds_no_key_is_left_as_it_is(key: str, words: list[str]) -> None:
    """Errors keep their words."""
    text = " ".join(words)
    assert Secret(key).hidden_in(text) == text


@pytest.mark.parametrize(("key", "text"), [("k", "ok"), ("abc", "a b c"), ("none", "nine")])
def test_a_short_key_does_not_hide_everything(key: str, text: str) -> None:
    """A key of a few letters is found as it is, or as a whole."""
    assert Secret(key).hidden_in(text) == text.replace(key, "***")


def test_a_key_cut_by_the_limit_is_hidden() -> None:
    """What is quoted ends within the key: no part of it is shown."""
    for at in range(270, 305):

        def act(connection: Connection, at: int = at) -> None:
            connection.read_request()
            _body(connection, "500 Oops", b"." * at + KEY.encode() + b"." * 400)

        with faulty(act) as server:
            raised = _raised("remote, tei", server.url)
        _assert_unseen(raised, "")


def test_a_key_behind_spaces_is_hidden() -> None:
    """Spaces are not shown, and so do not push the key out of what is."""
    for spaces in (1985, 1999, 65536 - len(KEY), 65536 - 5):

        def act(connection: Connection, spaces: int = spaces) -> None:
            connection.read_request()
            _body(connection, "500 Oops", b"x" + b" " * spaces + KEY.encode() + b" " * 100)

        with faulty(act) as server:
            _assert_unseen(_raised("remote, tei", server.url), "")


def _body(connection: Connection, status: str, body: bytes, headers: str = "") -> None:
    connection.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
    connection.for_ever()


def _raised(client: str, url: str) -> Any:
    try:
        return CLIENTS[client](url, 5.0)
    except Exception as exc:
        return exc


def _assert_unseen(result: Any, logged: str) -> None:
    """Check everything that is shown or kept of an error: nothing in it repeats the key."""
    shown = [logged, repr(result)]
    if isinstance(result, BaseException):
        shown += ["".join(traceback.format_exception(result)), pickle.dumps(result).decode("latin-1")]
        seen, errors = set[int](), [result]
        while errors:
            error = errors.pop()
            if error is not None and id(error) not in seen:
                seen.add(id(error))
                shown.append(f"{error!s} {error!r} {error.args} {vars(error)}")
                errors += [error.__cause__, error.__context__]
    for text in shown:
        assert not Secret(KEY).is_in(text), text
        assert _letters(KEY)[:6] not in _letters(text), text


def _said(encoded: str, place: str) -> Callable[[Connection], None]:
    data = encoded.encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")

    def act(connection: Connection) -> None:
        connection.read_request()
        if place == "status line":
            connection.send(b"HTTP/1.1 2x0 " + data + b"\r\n\r\n")
        elif place == "no HTTP":
            connection.send(data + b"\r\n\r\n")
        elif place == "header":
            connection.send(b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n")
        elif place == "location":
            _body(connection, "307 Go", b"", f"Location: http://other/{encoded}\r\n")
        elif place == "encoding":
            _body(connection, "200 OK", b"x", f"Content-Encoding: {encoded}\r\n")
        elif place == "error":
            _body(connection, "401 No", b'{"error": {"message": "' + data + b'"}}')
        elif place == "not JSON":
            _body(connection, "200 OK", data)
        elif place == "answer":
            _body(connection, "200 OK", json.dumps({"results": [{"index": encoded}], encoded: 1}).encode())
        elif place == "score":
            _body(connection, "200 OK", json.dumps([{"index": 0, "score": encoded}]).encode())
        else:
            connection.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\n" + data)
        connection.socket.shutdown(1)

    return act


_PLACES = (
    "status line",
    "no HTTP",
    "header",
    "location",
    "encoding",
    "error",
    "not JSON",
    "answer",
    "score",
    "cut off",
)


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("client", ["remote, cohere", "remote, tei", "llm, listwise", "llm, pointwise", "judge"])
def test_no_client_repeats_the_key(client: str, place: str, caplog: pytest.LogCaptureFixture) -> None:
    """Wherever a server puts it."""
    for encoding in ("as it is", "JSON with escaped slashes", "JSON, all escaped", "URL", "Base64 behind a word"):
        with faulty(_said(ENCODINGS[encoding](KEY), place)) as server, warnings.catch_warnings():
            warnings.simplefilter("ignore", SecondPassWarning)
            with caplog.at_level(logging.DEBUG, "secondpass"):
                result = _raised(client, server.url)
        _assert_unseen(result, caplog.text)


def test_an_llm_follows_no_redirect() -> None:
    """The documents and the key go to the server that was named and to no other; the error says where it points."""
    went: list[bytes] = []
    with faulty(lambda connection: went.append(connection.read_request())) as other:
        location = f"{other.url}/v1/chat/completions"

        def act(connection: Connection) -> None:
            connection.read_request()
            _body(connection, "307 Temporary Redirect", b"", f"Location: {location}\r\n")

        with faulty(act) as server:
            raised = _raised("llm, listwise", server.url)
    assert f"HTTP 307: the server redirects to {location}, which is not followed" in str(raised)
    assert went == [] and other.n_connections == 0


def test_the_settings_show_no_key() -> None:
    """Whatever is looked at of a reranker."""
    llm = LLMReranker("m", base_url="http://127.0.0.1:9/v1", api_key=KEY)
    for text in (repr(llm), str(llm.to_config()), str(vars(llm)), pickle.dumps(llm).decode("latin-1")):
        assert not Secret(KEY).is_in(text)

"""Keys: where they come from, and that copies have them while pickles and texts do not."""

import copy
import pickle
from typing import Any

import pytest

from secondpass.errors import ConfigError
from secondpass.rerankers.llm import LLMReranker
from secondpass.rerankers.remote import RemoteReranker
from secondpass.secret import Secret, split_url


def test_a_secret_brings_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another default does not take its place, in a reranker or in the configuration that it writes."""
    monkeypatch.setenv("MY_KEY", "mine")
    monkeypatch.setenv("OPENAI_API_KEY", "of-openai")
    monkeypatch.setenv("TEI_API_KEY", "of-tei")
    own = Secret(variable="MY_KEY")
    llm, remote = LLMReranker("m", api_key=own), RemoteReranker("http://host", shape="tei", api_key=own)
    assert [key.reveal() for key in (llm.settings["api_key"], remote.api_key)] == ["mine", "mine"]
    assert [reranker.to_config()["api_key_variable"] for reranker in (llm, remote)] == ["MY_KEY", "MY_KEY"]
    assert Secret(Secret("a"), variable="MY_KEY").reveal() == "a"
    assert Secret(None, variable="MY_KEY").reveal() == "mine"


@pytest.mark.parametrize("key", [["sesame"], 31415, b"sesame"])
def test_what_is_not_a_text_is_refused(key: Any) -> None:
    """Where it is given, not at the first call, and without showing it."""
    with pytest.raises(ConfigError, match="must be a str, not of the type") as caught:
        RemoteReranker("http://host", shape="tei", api_key=key)
    assert "sesame" not in str(caught.value) and "31415" not in str(caught.value)


def test_a_copy_has_the_key_and_a_pickle_does_not() -> None:
    """Copies stay in the process; what is pickled goes to others, and reads the variable there."""
    reranker = LLMReranker("m", base_url="http://127.0.0.1:1/v1", api_key="sk-hidden", api_key_variable="NO_SUCH_KEY")
    assert [c.settings["api_key"].reveal() for c in (copy.copy(reranker), copy.deepcopy(reranker))] == ["sk-hidden"] * 2
    assert pickle.loads(pickle.dumps(reranker)).settings["api_key"].reveal() is None


@pytest.mark.parametrize(("key", "sent"), [(" sk-1\n", "sk-1"), ("", ""), (None, ""), (" \n", "")])
def test_what_a_header_gets(key: str | None, sent: str) -> None:
    """The white space around a key is no part of it."""
    assert Secret(key).for_header("http://host") == sent


@pytest.mark.parametrize("key", ["line\nbreak", "null\0", "schlüssel"])
def test_what_no_header_can_hold_is_refused(key: str) -> None:
    """The error names the server, and not the key."""
    with pytest.raises(ConfigError, match="key for http://host has characters that an HTTP header can't") as error:
        Secret(key).for_header("http://host")
    assert key not in str(error.value)


def test_a_key_is_starred_out() -> None:
    """Wherever it stands in a text, also without the white space around it; no key leaves a text as it is."""
    assert Secret("sk-1\n").hidden_in("Bearer sk-1, sk-1") == "Bearer ***, ***"
    assert Secret().hidden_in("as it is") == "as it is"


@pytest.mark.parametrize(
    "url", ["http://user:hidden@host/v1", "http://hidden@host", "user:hidden@host", "http://[hidden", "ftp://h/hidden"]
)
def test_a_url_that_is_refused_is_not_repeated(url: str) -> None:
    """It may hold a password; the setting is named instead."""
    with pytest.raises(ConfigError, match=r"^base_url must ") as error:
        split_url(url, "base_url")
    assert "hidden" not in str(error.value)

"""The page, in a real browser: rerank, verify, an error, a key, a telephone, the dark, and texts that are attacks."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secondpass.serve import create_app
from tests.browser import Browser
from tests.serve.conftest import PATIENCE_S, listening

_ATTACK = "<img src='http://127.0.0.1:9/x' onerror='document.title = 1'><script>document.title = 2</script>"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a server with a fake reranker and the embedded verifier."""
    app = create_app({"rerankers": {"default": "fake", "other": "fake"}, "verifiers": {"facts": "fact"}})
    with listening(app) as at:
        yield f"{at}/"


def _until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def _press(browser: Browser, form: str) -> None:
    """Press the button of a form, and wait until its answer is there."""
    browser.one(f"#{form} button").click()
    _until(lambda: browser.one(f"#{form} button").is_enabled())


def _fill(browser: Browser, field: str, text: str) -> None:
    # Not key by key: Chromium's driver can't type all of Unicode.
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    browser.run(script, browser.one(f"#{field}"), text)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_rerank_and_verify(browser: Browser, url: str, width: int, dark: bool, tmp_path: Path) -> None:
    """Before and after, claims with verdicts and evidence; nothing is asked of anybody else, nothing sticks out."""
    browser.open(url, width=width, dark=dark)
    _until(lambda: len(browser.all("#reranker option")) == 2)
    _fill(browser, "query", "copy a file")
    _fill(browser, "passages", "delete a file\n\ncopy a file\n \nThe tower was finished in 1889.")
    assert "3 passages." in browser.text
    _press(browser, "rerank")
    assert [each.text for each in browser.all("#before p")][1] == "copy a file"
    after = [each.text for each in browser.all("#after li")]
    assert after[0].splitlines()[:3] == ["1", "copy a file", "▲ 1"]
    assert after[1].splitlines()[:3] == ["2", "delete a file", "▼ 1"]
    _fill(browser, "answer", "\U0001f5fc The tower was finished in 1887. It was finished in 1889.")
    _press(browser, "verify")
    assert browser.one("#verdict").text.startswith("✗ Not passed: 50 %")
    assert [each.text for each in browser.all("#claims .badge")] == ["contradicted", "supported"]
    assert [each.text for each in browser.all("#marked .contradicted.unsupported")] == ["1887"]
    assert [each.text for each in browser.all("#marked .supported")] == ["It was finished in 1889."]
    assert browser.all("blockquote")[0].text == "The tower was finished in 1889.\npassage 3"
    assert browser.overflow <= 0 and browser.errors == []
    assert all(asked.startswith((url, "data:")) for asked in browser.requests)
    stacked = browser.run(
        "return arguments[0].getBoundingClientRect().bottom <= arguments[1].getBoundingClientRect().top",
        browser.one("#after"),
        browser.one("#before"),
    )
    assert stacked is (width == 390)
    assert browser.screenshot(tmp_path / "page.png").stat().st_size > 10_000


def test_what_can_not_be_used_is_said(browser: Browser, url: str) -> None:
    """In the server's words, in place of the old result; and the next try works."""
    browser.open(url)
    _press(browser, "rerank")
    _fill(browser, "query", " ")
    _press(browser, "rerank")
    assert "the query is empty" in browser.one("#rerank-error").text
    assert not browser.one("#ranking").is_displayed()
    _fill(browser, "query", "copy")
    _press(browser, "rerank")
    assert browser.one("#ranking").is_displayed() and not browser.one("#rerank-error").is_displayed()


def test_texts_are_texts(browser: Browser, url: str) -> None:
    """A passage or an answer that is HTML is shown, and does nothing."""
    browser.open(url)
    for field in ("passages", "query", "answer"):
        _fill(browser, field, _ATTACK)
    _press(browser, "rerank")
    _press(browser, "verify")
    assert browser.one("#after p").text == _ATTACK and browser.one("#marked").text == _ATTACK
    assert browser.run("return document.title") == "secondpass"
    assert browser.errors == [] and all(asked.startswith((url, "data:")) for asked in browser.requests)


def test_a_server_with_a_key(browser: Browser) -> None:
    """The page asks for it, and goes on with it."""
    with listening(create_app({"rerankers": {"default": "fake"}, "api_keys": "sesame"})) as at:
        browser.open(f"{at}/")
        _until(lambda: browser.one("#key").is_displayed())
        _press(browser, "rerank")
        assert "this server asks for a key" in browser.one("#rerank-error").text
        browser.one("#key").send_keys("sesame")
        _press(browser, "rerank")
        assert browser.one("#ranking").is_displayed()
        _until(lambda: len(browser.all("#reranker option")) == 1)
        assert not browser.one("#verify").is_displayed()  # no verifier is served

"""What the environment says of the way to a server."""

import pytest

from secondpass.errors import ConfigError
from secondpass.network import CallError
from secondpass.rerankers.remote import RemoteReranker

_VARIABLES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def _asked() -> None:
    RemoteReranker("http://127.0.0.1:9/rerank?x=1", shape="vllm", api_key="sk-hidden", max_retries=0).score("q", ["a"])


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HTTP_PROXY", "gopher://me:hunter2@host", "ValueError: Unknown scheme for proxy URL"),
        ("SSL_CERT_FILE", "/nowhere.pem", "FileNotFoundError"),
        ("SSL_CERT_FILE", __file__, "SSLError"),
    ],
)
def test_proxies_and_certificates_that_cannot_be_used(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours that names the variables, and no password."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=rf"^http://127.0.0.1:9/rerank: .*\({said}.*check ALL_PROXY, .*") as caught:
        _asked()
    assert "hunter2" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a connection fails and the environment names a proxy, it may be that one's fault."""
    monkeypatch.setenv("NO_PROXY", "example.org")
    with pytest.raises(CallError, match=r"the host and port of the URL$"):
        _asked()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(CallError, match=r"the host and port of the URL, and the proxy that the environment names$"):
        _asked()

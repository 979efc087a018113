"""The package of the LangChain adapters."""

import importlib
import subprocess
import sys

import pytest

import langchain_secondpass
from secondpass import MissingExtraError


class TestPackage:
    """The package as a whole."""

    def test_public_names(self) -> None:
        """What the package offers."""
        assert langchain_secondpass.__all__ == [
            "SecondPassCrossEncoder",
            "SecondPassReranker",
            "SecondPassVerificationMiddleware",
            "SecondPassVerifier",
        ]

    def test_without_langchain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without langchain-core, the import says what to install."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "langchain_secondpass"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "langchain_core", None)
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain\]"') as caught:
            importlib.import_module("langchain_secondpass")
        assert isinstance(caught.value.__cause__, ImportError)

    def test_it_needs_langchain_core_alone(self) -> None:
        """Importing it imports no other LangChain package, and no model backend."""
        code = (
            "import sys, langchain_secondpass\n"
            "loaded = {name.partition('.')[0] for name in sys.modules}\n"
            "sys.exit(str(loaded & {'langchain', 'langchain_classic', 'langgraph', 'torch', 'onnxruntime'}))"
        )
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert child.stderr.strip() == "set()"

"""The package of the LangChain adapters."""

import importlib
import subprocess
import sys
from importlib.util import find_spec

import pytest

import langchain_secondpass
from secondpass import MissingExtraError


class TestPackage:
    """The package as a whole."""

    def test_public_names(self) -> None:
        """What the package offers; decision models are in langchain-core since 1.8."""
        decisions = {"SecondPassDecisionModel"} if find_spec("langchain_core.decisions") else set()
        assert set(langchain_secondpass.__all__) == decisions | {
            "SecondPassCrossEncoder",
            "SecondPassReranker",
            "SecondPassSufficiency",
            "SecondPassVerificationMiddleware",
            "SecondPassVerifier",
        }

    def test_without_langchain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without langchain-core, the import says what to install."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "langchain_secondpass"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "langchain_core", None)
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain\]"') as caught:
            importlib.import_module("langchain_secondpass")
        assert isinstance(caught.value.__cause__, ImportError)

    def test_an_old_langchain_core(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """langchain-core before 1.3 has no cross-encoders, and the import says what to install."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "langchain_secondpass"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "langchain_core.cross_encoders", None)
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain\]"'):
            importlib.import_module("langchain_secondpass")

    @pytest.mark.parametrize(
        "look",
        [
            "from langchain_secondpass import *; assert 'SecondPassVerifier' in dir()",
            "import inspect; assert 'SecondPassReranker' in dict(inspect.getmembers(langchain_secondpass))",
            "import pydoc; assert 'SecondPassCrossEncoder' in pydoc.render_doc(langchain_secondpass)",
        ],
        ids=["import *", "getmembers", "help"],
    )
    def test_looking_around_without_langchain(self, look: str) -> None:
        """Whoever asks for all names gets those that langchain-core is enough for."""
        code = f"import sys; sys.modules['langchain'] = None; import langchain_secondpass\n{look}"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert child.returncode == 0, child.stderr

    @pytest.mark.parametrize("fault", [ImportError("no AgentMiddleware"), TypeError("Too many arguments")])
    def test_middleware_on_an_old_langchain(self, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
        """What an old langchain raises, a bare TypeError included, becomes an error that says what to install."""

        class Refusing:
            def find_spec(self, name: str, *_: object) -> None:
                if name == "langchain_secondpass.middleware":
                    raise fault

        monkeypatch.delitem(sys.modules, "langchain_secondpass.middleware", raising=False)
        monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[langchain-agents\]"') as caught:
            _ = langchain_secondpass.SecondPassVerificationMiddleware
        assert caught.value.__cause__ is fault

    def test_decisions_on_an_old_langchain_core(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """langchain-core before 1.8 has no decision models, and whoever asks for ours is told what to install."""
        monkeypatch.delitem(sys.modules, "langchain_secondpass.decisions", raising=False)
        monkeypatch.setitem(sys.modules, "langchain_core.decisions", None)
        with pytest.raises(MissingExtraError, match=r"langchain-core 1\.8 or later: pip install") as caught:
            _ = langchain_secondpass.SecondPassDecisionModel
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

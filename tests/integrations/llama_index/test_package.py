"""The package of the LlamaIndex adapter."""

import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from llama_index.postprocessor.secondpass import SecondPassRerank
from secondpass.errors import MissingExtraError


class TestNamespace:
    def run(self, code: str, *, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        prefix = f"import sys; sys.path.insert(0, {str(path)!r}); " if path else "import sys; "
        return subprocess.run(
            [sys.executable, "-c", prefix + code], capture_output=True, text=True, timeout=60, check=False
        )

    def test_it_shares_the_namespace(self, tmp_path: Path) -> None:
        """Neither llama_index nor llama_index.postprocessor is ours alone: another package's part is found too."""
        other = tmp_path / "llama_index" / "postprocessor" / "other"
        other.mkdir(parents=True)
        (other / "__init__.py").write_text("NAME = 'other'\n")
        code = (
            "import llama_index.postprocessor.secondpass as ours, llama_index.postprocessor.other as other, "
            "llama_index.core, llama_index.postprocessor as shared; "
            "sys.stdout.write(f'{ours.__all__} {other.NAME} {shared.__file__} {llama_index.__file__}')"
        )
        done = self.run(code, path=tmp_path)
        names = ["SecondPassEvaluator", "SecondPassRerank", "SufficiencyQueryEngine", "VerificationResult"]
        verifying = ["VerifiedChatStream", "VerifyingAgent", "VerifyingChatEngine", "VerifyingQueryEngine"]
        ours = str([*names, *verifying])
        assert done.stdout == f"{ours} other None None", done.stderr

    def test_what_the_distribution_says_of_it(self) -> None:
        """The entry point loads the class, and what LlamaHub reads from pyproject.toml names what there is."""
        (point,) = {(point.name, point.value) for point in entry_points(group="llama_index.postprocessors")}
        assert EntryPoint(*point, "llama_index.postprocessors").load() is SecondPassRerank
        pyproject = Path(__file__).parents[3] / "pyproject.toml"
        hub = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["llamahub"]
        assert hub["import_path"] == SecondPassRerank.__module__.removesuffix(".base")
        assert list(hub["class_authors"]) == import_module(hub["import_path"]).__all__

    def test_importing_it_loads_no_verifier(self) -> None:
        """Of the verification only what its results are; the verifier comes with the first that is built."""
        code = (
            "import llama_index.postprocessor.secondpass; "
            "sys.stdout.write(' '.join(sorted(name for name in sys.modules if name.startswith('secondpass.verify.'))))"
        )
        assert self.run(code).stdout == (
            "secondpass.verify.agents secondpass.verify.reasons secondpass.verify.report secondpass.verify.types"
        )

    def test_without_llama_index(self) -> None:
        """The error names the command that installs it, and keeps its cause."""
        code = (
            "sys.modules['llama_index.core'] = None\n"
            "try: import llama_index.postprocessor.secondpass\n"
            "except ImportError as exc:\n"
            "    sys.stdout.write(f'{type(exc).__name__}|{exc}|{type(exc.__cause__).__name__}')"
        )
        name, message, cause = self.run(code).stdout.split("|")
        assert name == MissingExtraError.__name__ and 'pip install "secondpass[llama-index]"' in message
        assert cause == "ModuleNotFoundError"

"""A server for programs in any language: reranking in the dialects that they speak, verification, classification."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.serve.app import create_app
    from secondpass.serve.settings import ServeSettings

_LAZY = {"ServeSettings": "secondpass.serve.settings", "create_app": "secondpass.serve.app"}

__all__ = ["ServeSettings", "create_app"]

__getattr__, __dir__ = lazy(__name__, _LAZY)

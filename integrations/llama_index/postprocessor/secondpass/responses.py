"""What the evaluator, the engines and the agent share: responses and their sources as a verifier takes them."""

import asyncio
from collections.abc import Iterable

from llama_index.core.async_utils import asyncio_run
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.schema import MetadataMode, NodeWithScore
from llama_index.core.tools import ToolOutput

from secondpass.errors import ConfigError, InputError

__all__ = ["acompleted", "checked_mode", "completed", "passages_of", "passages_of_tools"]


def checked_mode(metadata_mode: object) -> MetadataMode:
    """Return a metadata mode, which may be given by its name (``"llm"``).

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        return MetadataMode(metadata_mode)
    except ValueError as exc:
        modes = ", ".join(mode.value for mode in MetadataMode)
        raise ConfigError(f"metadata_mode must be one of {modes}, not {metadata_mode!r}") from exc


def passages_of(nodes: Iterable[NodeWithScore], metadata_mode: MetadataMode) -> list[dict[str, str]]:
    """Return nodes as passages, in their order, so that ``[1]`` in an answer is the first of them."""
    return [{"text": node.get_content(metadata_mode=metadata_mode), "id": node.node_id} for node in nodes]


def passages_of_tools(results: Iterable[tuple[str, ToolOutput]], metadata_mode: MetadataMode) -> list[dict[str, str]]:
    """Return what tools returned as passages, each once, in their order; failed calls returned nothing.

    Those of a tool that returns nodes, or a response with source nodes, are its nodes. Else it is the text of the
    result, with the id that comes with it.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}  # two searches may find the same
    for tool_id, output in results:
        if output.is_error:
            continue
        raw = output.raw_output
        given = raw if isinstance(raw, list | tuple) else getattr(raw, "source_nodes", None) or ()
        nodes = passages_of([node for node in given if isinstance(node, NodeWithScore)], metadata_mode)
        for passage in nodes or [{"text": output.content, "id": tool_id}]:
            found.setdefault((passage["text"], passage["id"]), passage)
    return list(found.values())


def completed(response: object) -> Response:
    """Return a response with its whole text; the stream of a streaming one is read to its end.

    Raises:
        InputError: it holds no text, as a `PydanticResponse`.
    """
    if isinstance(response, StreamingResponse):
        return response.get_response()
    if isinstance(response, AsyncStreamingResponse):
        waited: Response = asyncio_run(response.get_response())
        return waited
    return _checked(response)


async def acompleted(response: object) -> Response:
    """Async version of `completed`."""
    if isinstance(response, AsyncStreamingResponse):
        return await response.get_response()
    if isinstance(response, StreamingResponse):  # its generator waits for the LLM in the thread that reads it
        return await asyncio.to_thread(response.get_response)
    return _checked(response)


def _checked(response: object) -> Response:
    if isinstance(response, Response):
        return response
    raise InputError(
        f"the response must be a Response or a streaming one, not {type(response).__name__}: "
        "what can be verified is text, so ask for an answer without an output class"
    )

"""Answers that are verified, and the documents that they rest on."""

from langchain_core.documents import Document

QUESTION = "How large is the buffer on Windows?"
RIGHT = "The default buffer size is 64 kilobytes on Windows."
WRONG = "The default buffer size is 128 kilobytes on Windows."
TEMPFILE = "The tempfile module makes temporary files and directories."
MARKED = f"{WRONG} [contradicted]"
REFUSED = "The sources that were found do not support an answer."


def documents() -> list[Document]:
    """Return what a retriever found."""
    return [
        Document(f"shutil.copy2 copies a file with its metadata. {RIGHT}", id="copy2", metadata={"tags": ["shutil"]}),
        Document(f"{TEMPFILE} It works on all supported platforms.", id="tempfile"),
    ]

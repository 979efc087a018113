"""A question and documents of several lengths, of which the first and the last answer it."""

QUERY = "how do I copy a file"
DOCUMENTS = [
    "shutil.copy copies a file to another place.",
    "The weather will be sunny all week.",
    "os.rename gives a file another name.",
    "cp",
    "To copy a whole folder with all that is in it, use shutil.copytree, which also keeps the permissions.",
]
PAIRS = [(QUERY, document) for document in DOCUMENTS]

"""Names of a file, in a line of text; apart from what reads files, so that it loads without onnx."""


def shown(name: str) -> str:
    """A name as a line can hold it: anybody may have put anything into it."""
    return name if name.isprintable() else repr(name)

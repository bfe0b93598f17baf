"""Checkpoint to a proven ONNX file."""

from typing import TYPE_CHECKING

from lstmbench.export.files import find
from lstmbench.export.forms import default_form, forms_of
from lstmbench.export.storage import Storage

if TYPE_CHECKING:
    from lstmbench.export.write import export

__all__ = ["Storage", "default_form", "export", "find", "forms_of"]


def __getattr__(name: str) -> object:
    # onnx takes half a second to import: whoever only looks for exports does without
    if name != "export":
        raise AttributeError(f"module 'lstmbench.export' has no attribute {name!r}")
    from lstmbench.export.write import export

    return export

"""Any ONNX file to what it is: form, cell, sizes, states, precision, and what will break where."""

from lstmbench.inspect.carried import carried
from lstmbench.inspect.read import inspect

__all__ = ["carried", "inspect"]

"""Cell equations, the NumPy reference, the PyTorch module, the language model and its folder; torch only on demand."""

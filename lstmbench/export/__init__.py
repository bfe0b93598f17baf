"""Checkpoint to a proven ONNX file."""

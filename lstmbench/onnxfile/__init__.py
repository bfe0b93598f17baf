"""An ONNX file as it lies on disk, anybody's: opened with care, its external data, what goes in and comes out."""

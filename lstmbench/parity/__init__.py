"""Comparing outputs: bounds, verdicts, where they part."""

"""Text from a prompt, one token at a time."""

"""Raw times of what passed the check."""

"""Every runtime against the float64 reference."""

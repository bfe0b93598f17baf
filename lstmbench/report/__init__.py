"""Records to tables, charts, Markdown and one HTML page."""

"""Server-rendered screens."""

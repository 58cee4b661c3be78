"""JSON API and its live stream."""

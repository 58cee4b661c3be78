"""Pure streaming signal processing, one question per file."""

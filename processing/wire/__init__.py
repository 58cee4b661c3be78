"""Topics and codecs: the only place that knows how the vocabulary looks as bytes."""

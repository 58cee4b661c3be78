"""From log entries to findings: vocabulary, wire formats, the signal core and the worker around it."""

"""The vocabulary that every part of lumbar shares: ids, entries, commands, findings, exercises, errors."""

"""Accuracy of the signal core on recordings and simulated people: one question per file."""

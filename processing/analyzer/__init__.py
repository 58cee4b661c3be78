"""Composition of the signal stages into one analysis per session."""

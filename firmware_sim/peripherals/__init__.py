"""Simulated wearables, one per kind of hardware."""

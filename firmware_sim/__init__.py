"""Wearables made of software on a virtual radio."""

"""Drivers: what the bytes of each wearable mean, without any waiting."""

"""The async shell around the analyzer: claims, order, checkpoints, acknowledgement."""

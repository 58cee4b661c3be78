"""Launchers of the embedded broker and database."""

"""Store, HTTP API, screens and the command line; the composition root of the system."""

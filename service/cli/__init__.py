"""The console script and the composition of the processes."""

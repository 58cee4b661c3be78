"""The whole system on embedded parts: processes, simulated patients, and someone who presses the buttons."""

"""The conversation in a terminal, typed by a person or by a script."""

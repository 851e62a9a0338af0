"""Turns of a conversation: the graph of model and tools, its history, its limits, and what goes on now."""

"""The assistant's tables, and the graph's checkpoints."""

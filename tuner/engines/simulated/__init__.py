"""The simulated engine: a server that queues, batches and fails by a known law."""

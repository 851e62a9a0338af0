"""Middleware of the graph: what is changed between the model and its tools."""

"""Environments that hold engines and the load generator: which are there, and how another one is installed."""

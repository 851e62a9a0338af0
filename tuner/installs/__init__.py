"""Environments that hold engines and load generators: which are there, and how another one is installed."""

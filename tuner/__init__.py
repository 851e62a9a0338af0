"""Finds the fastest safe way to serve a language model, by measuring it."""

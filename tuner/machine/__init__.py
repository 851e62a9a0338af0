"""This machine: its hardware, the locks that all tuners on it share, and processes that end completely."""

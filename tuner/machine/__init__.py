"""This machine: hardware, locks between processes, child processes, addresses."""

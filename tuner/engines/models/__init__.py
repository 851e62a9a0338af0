"""Models and tokenizers: where those that a task names are, and a tiny one for a first try."""

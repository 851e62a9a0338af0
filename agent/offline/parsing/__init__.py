"""A request to tune, in plain words, as a task."""

"""Tasks, experiments, events, presets and workers in SQL: the only part that knows SQLAlchemy."""

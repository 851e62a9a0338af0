"""The task file: its model, how it is read, what was wrong with it, and presets to begin one with."""

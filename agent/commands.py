"""What `autotuner` finds here: where a command is, and what it does. Imports nothing, so that `--help` is quick."""

CHAT = ("agent.terminal:chat", "Talk to the assistant in the terminal.")

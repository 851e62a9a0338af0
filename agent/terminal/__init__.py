"""`autotuner chat`: the assistant in a terminal, in a pipe, in a script."""

from agent.terminal.command import chat

__all__ = ["chat"]

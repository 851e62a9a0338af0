"""The assistant: a model with tools, approvals, sessions and a log of what happened."""

"""Logs: reading, following and searching them, what is removed before they are shown, and why a server failed."""

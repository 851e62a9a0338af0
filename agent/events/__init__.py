"""What happened in a session, as an append-only log of events that is written, streamed and read again."""

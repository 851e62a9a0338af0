"""HTTP, SSE and MCP over the tuner and the assistant; nothing is decided here."""

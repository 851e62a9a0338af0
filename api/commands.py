"""What `autotuner` finds here: where a command is, and what it does. Imports nothing, so that `--help` is quick."""

SERVE = ("api.serve:serve", "Serve the REST API, the assistant and the page, with a worker of its own.")
MCP = ("api.mcp:mcp", "Offer the tools over MCP on standard input and output.")

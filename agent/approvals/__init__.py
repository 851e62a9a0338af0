"""Which tool calls may run: the policy, what people decided, and the check right before a call runs."""

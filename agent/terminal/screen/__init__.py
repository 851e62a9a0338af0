"""Where a conversation is shown and typed: text, layout, and the two kinds of screen."""

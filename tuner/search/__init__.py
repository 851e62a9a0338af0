"""What to measure next: the space of a task, its constraints, and the strategies that choose from it."""

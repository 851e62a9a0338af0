"""Running a task: the plan, the loop, one experiment, and the workers that hold tasks under a lease."""

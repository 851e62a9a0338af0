"""Results for people and for other programs: reports in several formats, and artifacts to be used elsewhere."""

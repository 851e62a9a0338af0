"""The language models that can answer, and what each of them needs."""

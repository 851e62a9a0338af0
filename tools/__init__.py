"""The agent's hands: thin adapters over the tuner, GitHub and Hugging Face."""

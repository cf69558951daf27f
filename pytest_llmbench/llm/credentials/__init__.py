"""API keys: taken out of the environment, and redacted wherever text is kept."""

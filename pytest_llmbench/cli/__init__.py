"""``llmbench``: what can be done with stored runs, without pytest and without a model."""

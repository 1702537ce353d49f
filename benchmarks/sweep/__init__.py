"""Training runs of tiny byte-level language models: the source of the embedded tables."""

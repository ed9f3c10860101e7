"""One module per command: the stages of each, in order. Only this layer joins pure code and doors."""

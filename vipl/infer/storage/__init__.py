"""Files that never lose work: posteriors and the state of training, as arrays and JSON.

A file is written whole or not at all (`replacement`), says what it is and whether it is undamaged (`archive`), and
holds arrays (`arrays`) of nested containers (`trees`): a posterior (`posteriors`), or training under way
(`checkpoints`). Nothing in a file is ever run.
"""

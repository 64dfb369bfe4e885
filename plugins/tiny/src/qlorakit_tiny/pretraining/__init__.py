"""How the embedded model was made: corpus, tokenizer, training loop.

Run it with ``python -m qlorakit_tiny.pretraining --help``.  Nothing here is imported when the model is used.
"""

"""What is fuzzed and how: inputs for every reader of the library, and what must hold whatever they are.

``benchmarks/fuzz.py`` drives it for minutes, ``tests/test_fuzz.py`` for seconds, with the same readers.
"""

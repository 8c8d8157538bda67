"""Inference engines. These files run in a child process, by file path: `child.py` is where it starts.

They import nothing of edgeprof outside this folder, need the standard library and their engine, and run on
Python 3.8 and up. `docs/engine-protocol.md` says what they speak.
"""

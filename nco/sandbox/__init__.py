"""Unknown code in a process of its own that reaches nothing: no file, no network, no other process.

`cage.caged` starts it, gives it data, and takes plain data back; `inside` is what runs in it, under
the `guards` that the system has. docs/evolve.md says what this promises and what it does not.
"""

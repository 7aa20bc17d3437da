"""Operators that a language model writes: any server with OpenAI's interface, and prompts.

`model` asks the server, `prompts` has what it is asked, `author` takes programs out of its answers,
by `outside.door`, and tells it what is wrong with them.
"""

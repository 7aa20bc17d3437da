"""The verbs of the `nco` command, one module each: `add_arguments(parser)` and `run(arguments)`.

Modules import nothing heavy at their top: `nco VERB --help` must answer at once.
"""

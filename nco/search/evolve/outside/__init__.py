"""Programs from outside: text in a small part of Python, made into the language's programs.

`door` is the way in: text is only ever parsed in a caged process (`nco.sandbox`), and what comes
out is data that `language.program_of` checks again.
"""

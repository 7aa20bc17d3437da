"""What worker processes do for clients: every function takes bytes or plain data and makes a reply.

`served` holds what is opened once in a process. Nothing here knows of HTTP beyond the status of a
`Reply`, and nothing of what a client sends becomes a path: cities are those that are served, and
files that libraries insist on have names of our own in a folder of their own.
"""

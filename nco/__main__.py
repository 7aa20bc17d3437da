"""`python -m nco` is the `nco` command."""

from nco.cli import command

if __name__ == "__main__":
    command()

"""Pages for drivers and dispatchers: what each vehicle does, as HTML, PDF and GPX."""

from nco.sheets.write import write_sheets as write_sheets

__all__ = ["write_sheets"]

# `make demo` and `make test` work from a fresh clone; both set up .venv first.

.PHONY: demo test lint setup bench clean

demo: setup
	.venv/bin/nco demo --out out/demo

test: lint
	.venv/bin/python -m pytest

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: setup
	.venv/bin/nco bench --out out/bench

setup:
	@scripts/setup.sh

clean:
	rm -rf .venv out build dist *.egg-info

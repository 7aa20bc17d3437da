# `make demo` and `make test` work from a fresh clone; both set up .venv first.

.PHONY: demo docs test slow lint compile setup bench clean

demo: setup
	.venv/bin/nco demo --out out/demo

# The linters leave a core idle, on which the slowest loops are compiled meanwhile. Files with few
# but slow tests are not left for the end, where one worker would be alone with them.
test: setup
	@$(MAKE) --no-print-directory -j2 lint compile
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Tests that the gate has no time for.
slow: setup compile
	.venv/bin/python -m pytest -n 2 --dist loadfile -m slow

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-logo
	.venv/bin/mypy

compile: setup
	.venv/bin/python scripts/compile.py

bench: setup
	.venv/bin/nco bench --out out/bench

# The site of the documentation, in out/site; nothing is fetched but the packages, once.
docs: setup
	@.venv/bin/python -m mkdocs --version >/dev/null 2>&1 \
		|| .venv/bin/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build
	@echo "open out/site/index.html"

setup:
	@scripts/setup.sh

clean:
	rm -rf .venv out build dist *.egg-info

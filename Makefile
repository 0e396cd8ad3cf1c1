# `make test` runs everything that must pass; `make bench` prints ratios against a baseline measured in the same run.
# KUBESTRIDE_CORPUS names the folder with the public corpora; without it the tests that need them say so and are skipped.

CARGO ?= cargo

.PHONY: test bench fmt lint unit browser pictures

test: fmt lint unit browser

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

unit:
	$(CARGO) test --workspace --locked

# The pictures of the documentation. Look at them before you commit them.
pictures:
	$(CARGO) run --locked -- analyze examples/online-shop --date 2026-11-01 -q -o docs/online-shop.svg
	$(CARGO) run --locked -- analyze examples/online-shop --date 2026-11-01 -q -o docs/online-shop-orders.svg --focus orders

# The report in Chromium, with the program that `unit` built.
browser:
	$(CARGO) build --locked
	tests/browser/run.sh

bench:
	sh benches/run.sh

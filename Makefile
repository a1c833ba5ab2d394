# Everything happens in .venv; each target does the set-up that it needs.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.ready
# What some tests need beside Python: the synthesisers of the built-in sample, crontab, which checks an example, a
# browser, Prometheus with promtool, amtool, sclite, ffmpeg, two proxies, and shellcheck.
DEBIAN := flite libflite1 festival festlex-cmu festvox-us-slt-hts cron chromium chromium-driver prometheus \
          prometheus-alertmanager sctk ffmpeg nginx-light caddy openssl \
          shellcheck

.PHONY: setup demo study study-all test coverage test-engines test-cluster test-long quick check format lint types site release clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(SETUP) ## the environment alone, pinned, in .venv

$(SETUP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[data,faster-whisper,otel,pocketsphinx,report,serve,sql,dev]'
	@touch $(SETUP)

demo: setup ## compare three real models on real speech
	$(BIN)/earwitness demo

study: setup ## LFM2.5-Audio, Whisper base and faster-whisper base on 163 s and 944 s
	$(BIN)/python examples/first_study.py

study-all: setup ## the same with Whisper base in six engines (exports it to ONNX once, which takes 1.4 GB for minutes)
	@$(BIN)/python tools/export_onnx.py base
	$(BIN)/python examples/first_study.py --all-engines

quick: setup ## tests that need no weights, no network and no minute
	$(BIN)/python -m pytest -m 'not real and not long and not slow and not cluster' -n 2 -q

test: lint types ## lint, types, and every test but those of make test-engines (pulls 0.6 GB the first time)
	@tools/debian_packages.sh $(DEBIAN)
	$(BIN)/python -m pytest -m 'not real and not long and not cluster' -n 2 -q --durations 15
	$(BIN)/python -m pytest -m 'real and not long and not engines' -n 3 --dist loadfile --durations 15

coverage: setup ## what the first half of make test covers, which takes a third longer with it
	@tools/debian_packages.sh $(DEBIAN)
	$(BIN)/python -m pytest -m 'not real and not long and not cluster' -n 2 -q --cov --cov-report=
	@echo 'Covered, without processes that tests start: the ten least, and all.'
	@$(BIN)/coverage report | sed -n '1,12p;/^TOTAL/p'

test-engines: setup ## the engines that take long to install or run: on torch, MLX and ONNX Runtime (11 GB the first time)
	@echo 'In the cache of Earwitness: lfm2.5-audio 6.6 GB, whisper 2.2, transformers 1.1, mlx-whisper 0.5, mlx-audio 0.5, onnx-asr 0.2.'
	@echo 'Whisper tiny.en is exported to ONNX once, which takes 1.4 GB for some minutes.'
	@$(BIN)/python tools/export_onnx.py tiny.en
	$(BIN)/python -m pytest -m 'engines and not long' -n 2 --dist loadfile --durations 15

test-cluster: setup ## several nodes of Ray on this machine (installs 240 MB the first time)
	@echo 'Ray takes 240 MB in .venv.'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster]'
	$(BIN)/python -m pytest -m 'cluster and not long' --durations 15

test-long: setup ## what takes minutes: a million lines, an hour of audio through every engine
	$(BIN)/python -m pytest -m long

format: setup
	$(BIN)/ruff format src tests benchmarks tools examples
	$(BIN)/ruff check --fix src tests benchmarks tools examples

lint: setup ## formatting and lint
	$(BIN)/ruff format --check src tests benchmarks tools examples
	$(BIN)/ruff check src tests benchmarks tools examples

types: setup ## mypy, strict
	$(BIN)/mypy

check: test test-engines ## all of the above, with every engine

site: setup ## the documents as a site with search, in site/
	$(BIN)/mkdocs build --strict

release: ## build the source archive and the wheel, check them, and install the wheel in a fresh environment
	@tools/release.sh $(PYTHON)

clean: ## remove the environment (pulled weights and data stay in the user's cache)
	rm -rf .venv site .coverage .pytest_cache .mypy_cache .ruff_cache

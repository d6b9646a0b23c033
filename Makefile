# `make demo` and `make test` need Python 3.11 or newer and make; they set up the rest in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo release test lint bench clean

help:
	@echo "make demo    set up, read photos; then make some, convert, train, evaluate, read (6 minutes)"
	@echo "make release SVHN=your_data_dir    make weights like the packaged ones (hours; docs/recipe.md)"
	@echo "make test    set up, then run the tests"
	@echo "make lint    check style and formatting"
	@echo "make bench   measure speeds; see benchmarks/README.md"
	@echo "make clean   delete the demo's output (.venv stays)"

setup: .venv/installed

# The stamp is written last: an interrupted set-up is done again.
.venv/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11")'
	@echo "Setting up .venv (about a minute and a half, 2.7 GB) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

DEMO_PHOTOS := demo/photos
DEMO_DATA := demo/data
DEMO_LOGS := demo/logs

demo: .venv/installed
	@rm -rf demo
	@echo "== 1/6 Reading photos with the networks in the package"
	$(BIN)/python -m svhn.data.synthetic --out $(DEMO_PHOTOS) --train 0 --test 12 --extra 0 --seed 7
	$(BIN)/python inference.py --image $(DEMO_PHOTOS)/test --output_dir demo/first_readings
	@echo "Photos with the numbers read:  demo/first_readings/annotated/"
	@echo "== 2/6 Now a network of our own. Rendering photos of house numbers, labelled as SVHN's are"
	$(BIN)/python -m svhn.data.synthetic --out $(DEMO_DATA) --train 4000 --test 500 --extra 0 --seed 1
	@echo "== 3/6 Converting them to TFRecords"
	$(BIN)/python convert_to_tfrecords.py --data_dir $(DEMO_DATA)
	@echo "== 4/6 Training (about three minutes on two cores)"
	$(BIN)/python train.py --data_dir $(DEMO_DATA) --train_logdir $(DEMO_LOGS)/train --steps 900 --batch_size 32 --learning_rate 0.002 --augmentation 0.5 --evaluate_every 150
	@echo "== 5/6 Evaluating"
	$(BIN)/python eval.py --data_dir $(DEMO_DATA) --checkpoint_dir $(DEMO_LOGS)/train --eval_logdir $(DEMO_LOGS)/eval --splits val,test
	@echo "== 6/6 Reading photos with it"
	$(BIN)/python inference.py --image '$(DEMO_DATA)/test/?.png' --boxes labels --restore_checkpoint $(DEMO_LOGS)/train/model.ckpt --output_dir demo/readings
	@echo
	@echo "Photos with the numbers read:  demo/readings/annotated/"
	@echo "The most confident mistakes:   $(DEMO_LOGS)/eval/mistakes_test.png"
	@echo "Curves, graph and pictures:    .venv/bin/tensorboard --logdir $(DEMO_LOGS)  then open http://localhost:6006"

# SVHN: the folder with the photos. UNLABELLED: photos without labels, for self-training. PRECISION:
# bfloat16 where there are units for it.
SVHN ?=
RELEASE ?= release
release: .venv/installed
	@test -n "$(SVHN)" || { echo "Name the folder with SVHN's train/: make release SVHN=your_data_dir"; exit 1; }
	$(BIN)/python recipes/release.py --svhn_dir $(SVHN) --out $(RELEASE) $(if $(UNLABELLED),--unlabelled $(UNLABELLED)) $(if $(PRECISION),--precision $(PRECISION))

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# PEER: a checkout of github.com/potterhsu/SVHNClassifier, to be measured beside our converter.
# PEER_PYTORCH, PEER_PYTHON: a checkout of github.com/potterhsu/SVHNClassifier-PyTorch and a Python
# with what it needs, to be measured beside our training and inference.
PYTORCH := $(if $(PEER_PYTORCH),--peer_dir=$(PEER_PYTORCH)) $(if $(PEER_PYTHON),--peer_python=$(PEER_PYTHON))
bench: .venv/installed
	@$(BIN)/python benchmarks/digit_struct.py
	@$(BIN)/python benchmarks/synthetic.py
	@$(BIN)/python benchmarks/converter.py $(if $(PEER),--peer_dir=$(PEER))
	@$(BIN)/python benchmarks/input_pipeline.py
	@$(BIN)/python benchmarks/models.py
	@$(BIN)/python benchmarks/training.py $(PYTORCH)
	@$(BIN)/python benchmarks/inference.py $(PYTORCH)

clean:
	rm -rf demo build *.egg-info .pytest_cache .ruff_cache

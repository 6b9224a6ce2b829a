# What a user types besides `make`.

# Runs started from here: root may use mpirun (containers), ranks may outnumber cores and share them with other runs (a rank that
# waits gives way), one thread a rank.  Only what a site has not set already.
export OMPI_ALLOW_RUN_AS_ROOT ?= 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM ?= 1
export OMPI_MCA_rmaps_base_oversubscribe ?= 1
export OMPI_MCA_hwloc_base_binding_policy ?= none
export OMPI_MCA_mpi_yield_when_idle ?= 1
export OMPI_MCA_sharedfp ?= ^sm
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MPIEXEC PYTHON

help:
	@echo "make            build $(BUILD)/magtwin (installs missing Debian packages when root)"
	@echo "make demo       16 grains with a GB phase: curve and figures in out/demo, on NP=$(NP) ranks"
	@echo "make test       unit, command line and restart tests"
	@echo "make validate   the physics against published and analytic values: out/validate/report.md, figures"
	@echo "make bench-events  where 20 events end, beside LLG: out/bench/events; make bench shows its numbers, BENCH=full begins with it"
	@echo "make bench-mesh what the mesher promises, on many sets of grains: out/bench/mesher.json; 1000 grains on 1 and 2 ranks"
	@echo "make bench      speed and memory: out/bench/summary.json and figures; half an hour; BENCH=full: to 1e6 nodes, hours; BENCH=quick: 3e4 nodes"
	@echo "make peers      the same grains with published codes, which it installs (network, once): out/peers/peers.json; EDGE=$(EDGE) nm"
	@echo "make test-asan  unit programs and a small run under the address and undefined-behaviour sanitizers"
	@echo "make lint       no call up a floor; clang-format, clang-tidy, cppcheck"
	@echo "make install    PREFIX=$(PREFIX)"
	@echo "make deps       only install the missing packages, or print the command that does"
	@echo "make clean"
	@echo "variables: NP BUILD PREFIX CC OPT PETSC_DIR PETSC_ARCH SLEPC_DIR PKG_CONFIG_PATH METIS_LIBS GMSH_LIBS MPIEXEC PYTHON"

deps: ; @bash make/deps.sh libraries $(DEBIAN_PACKAGES)

# A SLURM of the tests' own (tests/slurm): installed as root in a container, taken where it is, skipped elsewhere.
test: all unit-programs
	@bash make/deps.sh optional slurmctld slurmd slurm-client munge
	@$(PYTHON) tests/run.py $(BUILD)

# out/demo and out/demo_nonmagnetic belong to the demo: a second `make demo` computes them anew.
demo: all
	@BUILD=$(BUILD) NP=$(NP) bash make/demo.sh

validate: all $(BUILD)/optimizer
	@$(PYTHON) tests/physics/validate.py $(BUILD) --report out/validate/report.md

$(BUILD)/stream: tests/bench/stream.c | deps
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(DEFINES) $< -o $@

# Where events end, beside the dynamics.
$(BUILD)/events: $(BUILD)/tests/bench/events.o $(BUILD)/libmagtwin.a
	$(call say,$@)$(CC) $< $(BUILD)/libmagtwin.a $(ALL_LIBS) -o $@

# Searches of test functions, and the time of a suggestion.
$(BUILD)/optimizer: $(BUILD)/tests/bench/optimizer.o $(BUILD)/libmagtwin.a
	$(call say,$@)$(CC) $< $(BUILD)/libmagtwin.a $(ALL_LIBS) -o $@

bench: all $(BUILD)/stream $(BUILD)/events $(BUILD)/optimizer
	@$(if $(filter full,$(BENCH)),$(PYTHON) tests/bench/events.py $(BUILD) || true,true)
	@$(PYTHON) tests/bench/bench.py $(BUILD) $(BENCH)

bench-events: all $(BUILD)/events
	@$(PYTHON) tests/bench/events.py $(BUILD)

bench-mesh: all
	@$(PYTHON) tests/bench/mesher.py $(BUILD); sets=$$?; $(PYTHON) tests/bench/mesh_ranks.py $(BUILD) && exit $$sets

# Each published code has a virtual environment of its own, BUILD/peers and BUILD/peers-mumag, made by the script.
EDGE ?= 24
peers: all
	@$(PYTHON) tests/peers/peers.py $(BUILD) $(EDGE)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/magtwin
	install -m 755 $(BUILD)/magtwin $(DESTDIR)$(PREFIX)/bin/magtwin
	cp -r postprocess inputs jobscripts $(DESTDIR)$(PREFIX)/share/magtwin/
	find $(DESTDIR)$(PREFIX)/share/magtwin -name __pycache__ -prune -exec rm -rf {} +

clean: ; rm -rf $(BUILD) $(ASAN_BUILD)
.PHONY: help deps test demo validate bench bench-events bench-mesh peers install clean

include make/check.mk

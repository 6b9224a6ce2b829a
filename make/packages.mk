# Compiler and libraries, by pkg-config where they have it, overridable for a site's modules.

ifeq ($(origin CC),default)
CC := mpicc
endif
PKG_CONFIG ?= pkg-config
ifneq ($(PETSC_DIR),)
export PKG_CONFIG_PATH := $(PETSC_DIR)/$(PETSC_ARCH)/lib/pkgconfig:$(PETSC_DIR)/lib/pkgconfig:$(SLEPC_DIR)/$(PETSC_ARCH)/lib/pkgconfig:$(SLEPC_DIR)/lib/pkgconfig:$(PKG_CONFIG_PATH)
endif
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)
first_pkg = $(firstword $(foreach p,$(1),$(if $(call pkg,--modversion,$(p)),$(p))))

# recursively expanded: the packages may be installed by `make deps` in the same run
HDF5_PKG   ?= $(call first_pkg,hdf5-openmpi hdf5-mpich hdf5)
PKG_LIST    = PETSc SLEPc $(HDF5_PKG) yaml-0.1 libtiff-4 libpng fftw3 nlopt libxml-2.0 zlib
METIS_LIBS ?= -lmetis
GMSH_LIBS  ?= -lgmsh
CMOCKA_LIBS ?= -lcmocka
PKG_CFLAGS  = $(call pkg,--cflags,$(PKG_LIST))
PKG_LIBS    = $(call pkg,--libs,$(PKG_LIST)) $(METIS_LIBS) $(GMSH_LIBS) -llapack -lblas

DEBIAN_PACKAGES := gcc make pkg-config openmpi-bin libopenmpi-dev libpetsc-real-dev libslepc-real-dev libhdf5-openmpi-dev \
  libmetis-dev libgmsh-dev libyaml-dev libtiff-dev libpng-dev libfftw3-dev libnlopt-dev libxml2-dev zlib1g-dev libcmocka-dev python3 python3-numpy python3-h5py python3-matplotlib python3-yaml

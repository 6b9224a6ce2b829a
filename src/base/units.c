/* Units of the surface and their factors.  1 Oe stands for the field whose mu0 H is 1e-4 T. */
#include "magtwin/units.h"
#include <stddef.h>
#include <string.h>

typedef struct {
  MtDimension dim;
  const char *name;
  double factor; /* to the canonical unit */
} Unit;

static const Unit units[] = {
    {MT_DIM_LENGTH, "nm", 1},
    {MT_DIM_LENGTH, "um", 1e3},
    {MT_DIM_LENGTH, "µm", 1e3},
    {MT_DIM_LENGTH, "mm", 1e6},
    {MT_DIM_LENGTH, "m", 1e9},
    {MT_DIM_FIELD, "T", 1},
    {MT_DIM_FIELD, "mT", 1e-3},
    {MT_DIM_FIELD, "A/m", MT_MU0},
    {MT_DIM_FIELD, "kA/m", 1e3 * MT_MU0},
    {MT_DIM_FIELD, "MA/m", 1e6 * MT_MU0},
    {MT_DIM_FIELD, "Oe", 1e-4},
    {MT_DIM_FIELD, "kOe", 1e-1},
    {MT_DIM_ANGLE, "deg", 1},
    {MT_DIM_ANGLE, "rad", 180 / MT_PI},
    {MT_DIM_ENERGY, "J/m3", 1},
    {MT_DIM_ENERGY, "kJ/m3", 1e3},
    {MT_DIM_ENERGY, "MJ/m3", 1e6},
    {MT_DIM_ENERGY, "Pa", 1},
    {MT_DIM_ENERGY, "MPa", 1e6},
    {MT_DIM_ENERGY, "GPa", 1e9},
    {MT_DIM_EXCHANGE, "J/m", 1},
    {MT_DIM_EXCHANGE, "pJ/m", 1e-12},
    {MT_DIM_SURFACE, "J/m2", 1},
    {MT_DIM_SURFACE, "mJ/m2", 1e-3},
    {MT_DIM_TIME, "s", 1},
    {MT_DIM_TIME, "ms", 1e-3},
    {MT_DIM_TIME, "us", 1e-6},
    {MT_DIM_TIME, "ns", 1e-9},
    {MT_DIM_TIME, "ps", 1e-12},
    {MT_DIM_TIME, "fs", 1e-15},
    {MT_DIM_TIME, "min", 60},
    {MT_DIM_TIME, "h", 3600},
    {MT_DIM_TEMPERATURE, "K", 1},
    {MT_DIM_FREQUENCY, "Hz", 1},
    {MT_DIM_FREQUENCY, "kHz", 1e3},
    {MT_DIM_FREQUENCY, "MHz", 1e6},
    {MT_DIM_FREQUENCY, "GHz", 1e9},
    {MT_DIM_FREQUENCY, "THz", 1e12},
    {MT_DIM_TRANSPORT, "m5/(J s)", 1},
    {MT_DIM_RELAXATION, "m3/(J s)", 1},
    {MT_DIM_BOUNDARYMOBILITY, "m4/(J s)", 1},
    {MT_DIM_MOLAR, "J/mol", 1},
    {MT_DIM_MOLAR, "kJ/mol", 1e3},
    {MT_DIM_MOLARVOLUME, "m3/mol", 1},
    {MT_DIM_MOLARVOLUME, "cm3/mol", 1e-6},
    {MT_DIM_DIFFUSIVITY, "m2/s", 1},
    {MT_DIM_DIFFUSIVITY, "cm2/s", 1e-4},
    {MT_DIM_DIFFUSIVITY, "um2/s", 1e-12},
    {MT_DIM_DIFFUSIVITY, "nm2/s", 1e-18},
};

static const char *const accepted[] = {
    [MT_DIM_NONE] = "none",
    [MT_DIM_LENGTH] = "nm, um, mm, m",
    [MT_DIM_FIELD] = "T, mT, A/m, kA/m, MA/m, Oe, kOe",
    [MT_DIM_ANGLE] = "deg, rad",
    [MT_DIM_ENERGY] = "J/m3, kJ/m3, MJ/m3, Pa, MPa, GPa",
    [MT_DIM_EXCHANGE] = "J/m, pJ/m",
    [MT_DIM_SURFACE] = "J/m2, mJ/m2",
    [MT_DIM_TIME] = "s, ms, us, ns, ps, fs, min, h",
    [MT_DIM_TEMPERATURE] = "K",
    [MT_DIM_FREQUENCY] = "Hz, kHz, MHz, GHz, THz",
    [MT_DIM_TRANSPORT] = "m5/(J s)",
    [MT_DIM_RELAXATION] = "m3/(J s)",
    [MT_DIM_MOLAR] = "J/mol, kJ/mol",
    [MT_DIM_MOLARVOLUME] = "m3/mol, cm3/mol",
    [MT_DIM_DIFFUSIVITY] = "m2/s, cm2/s, um2/s, nm2/s",
    [MT_DIM_BOUNDARYMOBILITY] = "m4/(J s)",
    [MT_DIM_EDGE] = "nm, um, mm, m, lex",
};

/* "J/m^3" is taken for "J/m3". */
static int same_unit(const char *a, const char *b) {
  for (;; a++, b++) {
    if (*a == '^') a++;
    if (*a != *b) return 0;
    if (!*a) return 1;
  }
}

/* Lengths of a mesh have the units of lengths, and one more. */
static MtDimension plain(MtDimension dim) {
  return dim == MT_DIM_EDGE ? MT_DIM_LENGTH : dim;
}

double mt_unit_factor(MtDimension dim, const char *unit) {
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (units[i].dim == plain(dim) && same_unit(unit, units[i].name)) return units[i].factor;
  return 0;
}

const char *mt_unit_name(MtDimension dim) {
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (units[i].dim == plain(dim)) return units[i].name;
  return "";
}

const char *mt_unit_accepted(MtDimension dim) {
  return accepted[dim];
}

int mt_unit_of_material(MtDimension dim, const char *unit) {
  return dim == MT_DIM_EDGE && !strcmp(unit, "lex");
}

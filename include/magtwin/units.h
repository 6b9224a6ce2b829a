/* Physical constants (CODATA 2018) and the units of the surface: nm, T (mu0 H and Js), J/m3, J/m, deg, K, s. */
#ifndef MAGTWIN_UNITS_H
#define MAGTWIN_UNITS_H

#define MT_PI 3.14159265358979323846
#define MT_MU0 1.25663706212e-6 /* T m/A */
#define MT_KB 1.380649e-23      /* J/K */
#define MT_GAMMA 2.211e5        /* m/(A s): the value the muMAG problems prescribe */

/* Dimensions of input values; the canonical unit each is stored in. */
typedef enum {
  MT_DIM_NONE,
  MT_DIM_LENGTH,           /* nm */
  MT_DIM_FIELD,            /* T, mu0 H; also accepts mT, kA/m, A/m, kOe, Oe */
  MT_DIM_ANGLE,            /* deg; also rad */
  MT_DIM_ENERGY,           /* J/m3; also MJ/m3, kJ/m3, Pa, MPa, GPa */
  MT_DIM_EXCHANGE,         /* J/m; also pJ/m */
  MT_DIM_SURFACE,          /* J/m2; also mJ/m2 */
  MT_DIM_TIME,             /* s; also ms, us, ns, ps, fs, min, h */
  MT_DIM_TEMPERATURE,      /* K */
  MT_DIM_FREQUENCY,        /* Hz; also kHz, MHz, GHz, THz */
  MT_DIM_TRANSPORT,        /* m5/(J s): of a flux down a gradient of J/m3 */
  MT_DIM_RELAXATION,       /* m3/(J s): of a rate by J/m3 */
  MT_DIM_MOLAR,            /* J/mol; also kJ/mol */
  MT_DIM_MOLARVOLUME,      /* m3/mol; also cm3/mol */
  MT_DIM_DIFFUSIVITY,      /* m2/s; also cm2/s, um2/s, nm2/s */
  MT_DIM_BOUNDARYMOBILITY, /* m4/(J s): of a speed by J/m3 */
  MT_DIM_EDGE,             /* nm: a length of the mesh; also lex, the smallest exchange length of the materials */
} MtDimension;

/* Factor that takes `unit` to the canonical unit of `dim`, 0 if the unit is not one of that dimension. */
double mt_unit_factor(MtDimension dim, const char *unit);
/* Canonical unit ("nm"), and the list of accepted ones ("nm, um, m") for messages and help. */
const char *mt_unit_name(MtDimension dim);
const char *mt_unit_accepted(MtDimension dim);
/* A unit of `dim` whose factor only the materials of an input tell: "lex" of MT_DIM_EDGE. */
int mt_unit_of_material(MtDimension dim, const char *unit);

#endif

/* The demagnetization curve in memory, and as the lines of curve.csv. */
#include "magtwin/error.h"
#include "magtwin/loop.h"
#include <stdlib.h>
#include <string.h>

static const char *const column[MT_CURVE_COLUMNS] = {"step",
                                                     "branch",
                                                     "segment",
                                                     "mu0_Hext_T",
                                                     "mu0_Hx_T",
                                                     "mu0_Hy_T",
                                                     "mu0_Hz_T",
                                                     "J_T",
                                                     "m",
                                                     "mx",
                                                     "my",
                                                     "mz",
                                                     "e_total_J/m3",
                                                     "e_exchange_J/m3",
                                                     "e_anisotropy_J/m3",
                                                     "e_zeeman_J/m3",
                                                     "e_demag_J/m3",
                                                     "torque_T",
                                                     "eigenvalue_T",
                                                     "iterations",
                                                     "evaluations",
                                                     "demag_iterations",
                                                     "event"};

static const char *const more_column[MT_CURVE_MORE] = {"e_surface_J/m3", "e_dmi_J/m3", "e_elastic_J/m3",
                                                       "e_interface_J/m3"};

PetscErrorCode mt_curve_add(MtCurve *curve, const MtCurveRow *row) {
  if (curve->n == curve->capacity) {
    int capacity = curve->capacity ? 2 * curve->capacity : 64;
    MtCurveRow *grown = realloc(curve->row, (size_t)capacity * sizeof *grown);
    if (!grown) return mt_error(MT_ERR_FAIL, "out of memory for %d steps of the curve", capacity);
    curve->row = grown;
    curve->capacity = capacity;
  }
  curve->row[curve->n++] = *row;
  return 0;
}

MtCurve mt_curve_branch(const MtCurve *curve, int branch) {
  int first = 0, end;
  while (first < curve->n && (int)curve->row[first].branch != branch) first++;
  for (end = first; end < curve->n && (int)curve->row[end].branch == branch;) end++;
  return (MtCurve){.n = end - first, .row = curve->row + first};
}

void mt_curve_free(MtCurve *curve) {
  free(curve->row);
  memset(curve, 0, sizeof *curve);
}

void mt_curve_print_header(FILE *f, unsigned more) {
  for (int c = 0; c < MT_CURVE_COLUMNS; c++) fprintf(f, "%s%s", c ? "," : "", column[c]);
  fputs(",converged", f);
  for (int c = 0; c < MT_CURVE_MORE; c++)
    if (more >> c & 1) fprintf(f, ",%s", more_column[c]);
  fputc('\n', f);
}

void mt_curve_print_row(FILE *f, unsigned more, double limit, const MtCurveRow *row) {
  double value[MT_CURVE_COLUMNS];
  memcpy(value, row, sizeof value);
  for (int c = 0; c < MT_CURVE_COLUMNS; c++) fprintf(f, "%s%.17g", c ? "," : "", value[c]);
  fputs(row->torque < limit ? ",1" : ",0", f);
  for (int c = 0; c < MT_CURVE_MORE; c++)
    if (more >> c & 1) fprintf(f, ",%.17g", row->more[c]);
  fputc('\n', f);
}

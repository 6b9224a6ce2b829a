/* The files of a run of energy barriers: barriers.csv (a line a field), barrier.csv (a line an image), states.h5. */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>

static const char *const term_name[MT_NTERMS] = {"exchange", "anisotropy", "zeeman",  "demag",
                                                 "surface",  "dmi",        "elastic", "interface"};

static void print_barriers(const MtBarrier *b, FILE *f) {
  fprintf(f, "mu0_H_T,barrier_J,barrier_kBT,back_J,end,rounds,saddle_image,saddle_torque_T,eigenvalue_1_T,"
             "eigenvalue_2_T,eigenvalue_initial_T,m_initial,m_saddle,m_final,evaluations,start\n");
  for (int i = 0; i < b->rows.n; i++) {
    const MtBarrierRow *r = mt_barrier_row(b, i);
    fprintf(f, "%.10g,%.10g,%.8g,%.10g,%s,%.0f,%.0f,%.4g,%.6g,%.6g,%.6g,%.8g,%.8g,%.8g,%.0f,%d\n", r->B, r->barrier,
            r->barrier / (MT_KB * b->opt.temperature), r->back, mt_barrier_end_name((int)r->end), r->rounds, r->image,
            r->torque, r->lambda[0], r->lambda[1], r->initial_lambda, r->m_initial, r->m_saddle, r->m_final,
            r->evaluations, 1 + mt_barrier_start_of(b, r->number));
  }
}

static bool shown(const MtBarrier *b, int term) {
  return term < MT_TERM_SURFACE || mt_energy_uses(b->energy, (MtTerm)term);
}

static void print_images(const MtBarrier *b, FILE *f) {
  fprintf(f, "mu0_H_T,image,arc_length_rad,m,energy_J");
  for (int t = 0; t < MT_NTERMS; t++)
    if (shown(b, t)) fprintf(f, ",%s_J", term_name[t]);
  fprintf(f, ",turn_rad,torque_T,start\n");
  for (int i = 0; i < b->images.n; i++) {
    const MtImageRow *r = mt_image_row(b, i);
    fprintf(f, "%.10g,%.0f,%.8g,%.8g,%.10g", r->B, r->image, r->s, r->m, r->energy[0]);
    for (int t = 0; t < MT_NTERMS; t++)
      if (shown(b, t)) fprintf(f, ",%.10g", r->energy[1 + t]);
    fprintf(f, ",%.6g,%.4g,%d\n", r->turn, r->torque, 1 + mt_barrier_start_of(b, r->number));
  }
}

static PetscErrorCode write_csv(const MtBarrier *b, const char *name, void (*print)(const MtBarrier *, FILE *)) {
  char *path = mt_path_join(b->folder, name), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  print(b, f);
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  free(path);
  return rc;
}

static PetscErrorCode write_tables(const MtBarrier *b) {
  PetscErrorCode rc = write_csv(b, "barriers.csv", print_barriers);
  return rc ? rc : write_csv(b, "barrier.csv", print_images);
}

static PetscErrorCode write_index(MtBarrier *b) {
  static const char *const name[] = {"initial", "path", "saddle", "last"};
  int n = b->kept.n;
  MtStateEntry *entry = malloc((size_t)(n + 1) * sizeof *entry);
  double *column = malloc(5 * (size_t)(n + 1) * sizeof *column);
  PetscErrorCode rc = entry && column ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", n);
  for (int i = 0; !rc && i < n; i++) {
    const MtKeptImage *k = mt_kept_image(b, i);
    const double value[5] = {k->number, k->B, k->image, k->s, k->energy};
    entry[i] = (MtStateEntry){.tags = name[(int)k->tag], .time = i};
    for (int c = 0; c < 5; c++) column[5 * i + c] = value[c];
  }
  MtStateList list = {n,
                      entry,
                      5,
                      column,
                      "line of barriers.csv (from 0), field T, image, arc length rad, energy above the initial state J",
                      false};
  if (!rc) rc = mt_site_states_index(&b->site, &list);
  free(column);
  free(entry);
  return rc;
}

PetscErrorCode mt_barrier_files(MtBarrier *b) {
  PetscCall(mt_agree_root(b->world, b->rank ? 0 : write_tables(b)));
  return mt_agree(b->world, b->opt.states && b->team.mine == 0 ? write_index(b) : 0);
}

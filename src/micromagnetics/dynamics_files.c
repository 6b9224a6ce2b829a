/* What a dynamics run writes: dynamics.csv, the states kept, its checkpoint, its part of summary.json. */
#include "dynamics_impl.h"
#include "energy_impl.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const TERM[MT_NTERMS] = {
    [MT_TERM_EXCHANGE] = "exchange", [MT_TERM_ANISOTROPY] = "anisotropy", [MT_TERM_ZEEMAN] = "zeeman",
    [MT_TERM_DEMAG] = "demag",       [MT_TERM_SURFACE] = "surface",       [MT_TERM_DMI] = "dmi",
    [MT_TERM_ELASTIC] = "elastic",   [MT_TERM_INTERFACE] = "interface"};

static void print_header(const MtDynamics *d, FILE *f) {
  fputs("t_ns,mx,my,mz,mu0_Hx_T,mu0_Hy_T,mu0_Hz_T,e_total_J/m3", f);
  for (int i = 0; i < MT_NTERMS; i++)
    if (mt_energy_uses(d->energy, (MtTerm)i)) fprintf(f, ",e_%s_J/m3", TERM[i]);
  fputs(",torque_T,dt_ns,steps,rejected,evaluations,demag_iterations\n", f);
}

/* Without the terms that the run does not have. */
static void print_row(const MtDynamics *d, FILE *f, const MtDynamicsRow *row) {
  const int first = offsetof(MtDynamicsRow, energy) / sizeof(double) + 1; /* after the total */
  double value[MT_DYNAMICS_ROW];
  memcpy(value, row, sizeof value);
  for (int c = 0; c < MT_DYNAMICS_ROW; c++) {
    bool term = c >= first && c < first + MT_NTERMS;
    if (!term || mt_energy_uses(d->energy, (MtTerm)(c - first))) fprintf(f, "%s%.17g", c ? "," : "", value[c]);
  }
  fputc('\n', f);
}

static PetscErrorCode csv_begin(MtDynamics *d) {
  char *path = mt_path_join(d->site.folder, "dynamics.csv"), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  print_header(d, f);
  for (int i = 0; i < d->rows.n; i++) print_row(d, f, mt_dynamics_row(d, i));
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  if (!rc && !(d->csv = fopen(path, "a"))) rc = mt_error(MT_ERR_INPUT, "cannot write to %s", path);
  free(path);
  return rc;
}

PetscErrorCode mt_dynamics_csv_open(MtDynamics *d) {
  return mt_agree_root(d->site.comm, d->site.rank ? 0 : csv_begin(d));
}

PetscErrorCode mt_dynamics_mean(MtDynamics *d, double mean[3]) {
  for (int c = 0; c < 3; c++) {
    const double e[3] = {c == 0, c == 1, c == 2};
    PetscCall(mt_energy_polarization(d->energy, d->m, e, &mean[c]));
    mean[c] /= mt_energy_saturation(d->energy);
  }
  return 0;
}

static PetscErrorCode csv_add(MtDynamics *d, const MtDynamicsRow *row) {
  print_row(d, d->csv, row);
  if (fflush(d->csv) == 0) return 0;
  return mt_error(MT_ERR_DISK, "cannot write to %s/dynamics.csv: the disk or a quota may be full", d->site.folder);
}

PetscErrorCode mt_dynamics_add_row(MtDynamics *d) {
  const MtLlgReport *r = &d->report;
  const MtLlgProgress *p = &r->progress;
  double volume = mt_energy_volume(d->energy);
  if (d->rows.n > 0 && mt_dynamics_row(d, d->rows.n - 1)->t >= p->t) return 0;
  MtDynamicsRow row = {.t = p->t,
                       .B = {r->B[0], r->B[1], r->B[2]},
                       .energy = {r->energy.total / volume},
                       .torque = r->torque,
                       .dt = p->dt,
                       .steps = p->steps,
                       .rejected = p->rejected,
                       .evaluations = p->evaluations,
                       .demag_iterations = p->demag_iterations};
  for (int i = 0; i < MT_NTERMS; i++) row.energy[1 + i] = r->energy.term[i] / volume;
  PetscCall(mt_dynamics_mean(d, row.mean));
  PetscErrorCode rc = mt_table_add(&d->rows, &row);
  return mt_agree(d->site.comm, rc || d->site.rank ? rc : csv_add(d, &row));
}

static PetscErrorCode write_extras(void *ctx, MtH5 *f) {
  const MtDynamicsState *k = ctx;
  PetscErrorCode rc = mt_h5_set_reals(f, "/", "t_ns", 1, &k->t);
  if (!rc) rc = mt_h5_set_reals(f, "/", "field_T", 3, k->B);
  if (!rc) rc = mt_h5_set_reals(f, "/", "m_mean", 3, k->mean);
  return rc ? rc : mt_h5_set_string(f, "/", "tag", k->last > 0 ? "last" : "snapshot");
}

PetscErrorCode mt_dynamics_index(MtDynamics *d) {
  int n = d->states.n;
  MtStateEntry *entry = malloc((size_t)(n + 1) * sizeof *entry);
  if (d->site.rank == 0) mt_site_states_remove(&d->site, n);
  PetscErrorCode rc =
      mt_agree(d->site.comm, entry ? 0 : mt_error(MT_ERR_FAIL, "out of memory for a list of %d states", n));
  for (int i = 0; !rc && i < n; i++) {
    const MtDynamicsState *k = mt_dynamics_state(d, i);
    entry[i] = (MtStateEntry){.tags = k->last > 0 ? "last" : "snapshot", .time = k->t};
  }
  MtStateList list = {n, entry, MT_DYNAMICS_STATE, d->states.data, "t ns, field x y z T, m x y z, last", false};
  if (!rc) rc = mt_site_states_index(&d->site, &list);
  free(entry);
  return rc;
}

PetscErrorCode mt_dynamics_keep(MtDynamics *d, bool last) {
  const MtLlgReport *r = &d->report;
  int n = d->states.n;
  bool there = n > 0 && mt_dynamics_state(d, n - 1)->t >= r->progress.t;
  MtDynamicsState k = {.t = r->progress.t, .B = {r->B[0], r->B[1], r->B[2]}, .last = last};
  if (there && (!last || mt_dynamics_state(d, n - 1)->last > 0)) return 0;
  PetscCall(mt_dynamics_mean(d, k.mean));
  PetscErrorCode rc = 0;
  if (there)
    *mt_dynamics_state(d, n - 1) = k;
  else
    rc = mt_agree(d->site.comm, mt_table_add(&d->states, &k));
  if (!rc) rc = mt_site_state_write(&d->site, d->states.n, d->m, write_extras, &k);
  return rc ? rc : mt_dynamics_index(d);
}

/* Format "magtwin-dynamics-checkpoint" 1: /state/m, /state/potential, /run/llg, /run/mark, /run/rows, /run/states (the
 * records of llg.h and dynamics_impl.h), and what it belongs to (site.h).  The potential is that of m, and the next
 * step depends on nothing else: a continued run repeats the steps to the bit on the same number of ranks. */
static PetscErrorCode write_all(void *ctx, MtH5 *f) {
  MtDynamics *d = ctx;
  const MtSite *s = &d->site;
  PetscErrorCode rc = mt_site_write_m(s, f, "/state/m", d->m);
  if (!rc) rc = mt_site_write_potential(s, f, "/state/potential", d->u);
  if (!rc) rc = mt_site_write_table(s, f, "/run/llg", 1, MT_LLG_PROGRESS, &d->report.progress);
  if (!rc) rc = mt_site_write_table(s, f, "/run/mark", 1, MT_DYNAMICS_MARK, &d->mark);
  if (!rc) rc = mt_site_write_table(s, f, "/run/rows", d->rows.n, MT_DYNAMICS_ROW, d->rows.data);
  return rc ? rc : mt_site_write_table(s, f, "/run/states", d->states.n, MT_DYNAMICS_STATE, d->states.data);
}

static PetscErrorCode read_all(void *ctx, MtH5 *f, const char *path) {
  MtDynamics *d = ctx;
  const MtSite *s = &d->site;
  MtTable llg = {.width = MT_LLG_PROGRESS}, mark = {.width = MT_DYNAMICS_MARK};
  PetscErrorCode rc = mt_site_read_m(s, f, "/state/m", d->m);
  if (!rc) rc = mt_site_read_potential(s, f, "/state/potential", d->u);
  if (!rc) rc = mt_site_read_table(f, "/run/llg", &llg);
  if (!rc) rc = mt_site_read_table(f, "/run/mark", &mark);
  if (!rc) rc = mt_site_read_table(f, "/run/rows", &d->rows);
  if (!rc) rc = mt_site_read_table(f, "/run/states", &d->states);
  if (!rc && (llg.n != 1 || mark.n != 1)) rc = mt_error(MT_ERR_INPUT, "%s is damaged: it has no progress record", path);
  if (!rc) {
    memcpy(&d->report.progress, llg.data, sizeof d->report.progress);
    memcpy(&d->mark, mark.data, sizeof d->mark);
  }
  mt_table_free(&llg);
  mt_table_free(&mark);
  return rc;
}

static MtCheckpoint checkpoint_of(MtDynamics *d) {
  return (MtCheckpoint){.format = "magtwin-dynamics-checkpoint",
                        .version = 1,
                        .sections = "grains mesh materials dynamics demagnetizing",
                        .method = "integrator",
                        .ctx = d,
                        .write = write_all,
                        .read = read_all};
}

PetscErrorCode mt_dynamics_save(MtDynamics *d) {
  const MtCheckpoint c = checkpoint_of(d);
  d->mark.wall = d->wall_before + mt_wall();
  if (d->u) d->mark.demag_spmv = d->spmv_before + mt_poisson_count(d->energy->poisson).spmv;
  PetscErrorCode rc = mt_site_checkpoint_write(&d->site, &c);
  if (rc) return rc;
  d->saved_rows = d->rows.n;
  d->saved_at = mt_wall();
  d->saved_t = d->report.progress.t;
  return 0;
}

PetscErrorCode mt_dynamics_load(MtDynamics *d, bool *found) {
  const MtCheckpoint c = checkpoint_of(d);
  PetscErrorCode rc = mt_site_checkpoint_read(&d->site, &c, found);
  if (rc || !*found) return rc;
  d->saved_rows = d->rows.n;
  d->saved_at = mt_wall();
  d->saved_t = d->report.progress.t;
  d->wall_before = d->mark.wall;
  d->spmv_before = d->mark.demag_spmv;
  return 0;
}

static void put_counts(const MtDynamics *d, MtJson *j) {
  const MtLlgProgress *p = &d->report.progress;
  mt_json_object(j, "counts");
  mt_json_int(j, "nodes", d->site.mesh->nv_global);
  mt_json_int(j, "magnetic_nodes", d->site.nodes->n_global);
  mt_json_int(j, "tets", d->site.mesh->nt_global);
  mt_json_int(j, "rows", d->rows.n);
  mt_json_int(j, "states", d->states.n);
  mt_json_int(j, "steps", (int64_t)p->steps);
  mt_json_int(j, "rejected", (int64_t)p->rejected);
  mt_json_int(j, "evaluations", (int64_t)p->evaluations);
  mt_json_int(j, "demag_solves", (int64_t)p->demag_solves);
  mt_json_int(j, "demag_iterations", (int64_t)p->demag_iterations);
  mt_json_real(j, "demag_spmv", d->mark.demag_spmv);
  mt_json_int(j, "inner_iterations", (int64_t)p->inner_iterations);
  mt_json_end(j);
}

PetscErrorCode mt_dynamics_results(MtDynamics *d, MtJson *j) {
  const MtLlgReport *r = &d->report;
  double mean[3];
  PetscCall(mt_dynamics_mean(d, mean));
  put_counts(d, j);
  mt_json_object(j, "results");
  mt_json_string(j, "end", d->mark.finished == 2 ? "torque" : d->mark.finished == 1 ? "time" : "stopped");
  mt_json_quantity(j, "t", r->progress.t, "ns");
  mt_json_reals(j, "m", 3, mean);
  mt_json_reals(j, "field_T", 3, r->B);
  mt_json_quantity(j, "torque", r->torque, "T");
  mt_json_int(j, "worst_node", r->worst_node);
  mt_json_quantity(j, "energy", r->energy.total / mt_energy_volume(d->energy), "J/m3");
  mt_json_quantity(j, "J_sat", mt_energy_saturation(d->energy), "T");
  mt_json_real(j, "evaluations_per_ns", r->progress.t > 0 ? r->progress.evaluations / r->progress.t : NAN);
  PetscCall(mt_composition_results(d->energy, d->site.material, j));
  mt_json_end(j);
  return 0;
}

/* checkpoint.h5 of a phase-field run, format "magtwin-evolve-checkpoint" 1: /state/... (what the model
 * keeps; of one field c0, c1, c2), /run/march, /run/mark, /run/rows, /run/times (of the files kept); attributes "input"
 * (canonical text of the sections that decide the result), "method" (of the time steps) and "mesh" (nodes, elements).
 * The next step depends on nothing else: a continued run repeats the steps to the bit on the same number of ranks. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <stdlib.h>
#include <string.h>

#define FORMAT "magtwin-evolve-checkpoint"

/* Those that decide the result. */
static const char *sections(const MtEvolve *e) {
#define ALWAYS "box mesh phasefield diffusion kks wetting temperature elasticity"
  const MtEvolveGiven *g = e->given;
  return g->labels && g->energy ? ALWAYS " grains materials demagnetizing"
         : g->labels            ? ALWAYS " grains"
         : g->energy            ? ALWAYS " materials demagnetizing"
                                : ALWAYS;
#undef ALWAYS
}

static PetscErrorCode write_text(const MtEvolve *e, MtH5 *f, const char *name, const char *sections) {
  char *text = mt_input_section(e->in, sections);
  PetscErrorCode rc = mt_h5_set_string(f, "/", name, text);
  free(text);
  return rc;
}

static PetscErrorCode write_table(const MtEvolve *e, MtH5 *f, const char *name, int n, int width, const void *data) {
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, n, width, 0, e->rank ? 0 : n, data, NULL);
}

static PetscErrorCode write_all(MtEvolve *e, MtH5 *f) {
  const int64_t mesh[2] = {e->domain->n_file, e->domain->ne_global};
  PetscErrorCode rc = write_text(e, f, "input", sections(e));
  if (!rc) rc = write_text(e, f, "method", "evolve");
  if (!rc) rc = mt_h5_set_string(f, "/", "mesh_input", e->mesh && e->mesh->input ? e->mesh->input : "");
  if (!rc) rc = mt_h5_set_ints(f, "/", "mesh", 2, mesh);
  if (!rc) rc = e->system->call->save(e->system, f);
  if (!rc) rc = write_table(e, f, "/run/march", 1, MT_MARCH_STATE, e->system->clock);
  if (!rc) rc = write_table(e, f, "/run/mark", 1, MT_EVOLVE_MARK, &e->mark);
  if (!rc) rc = write_table(e, f, "/run/rows", e->nrows, e->system->columns, e->row);
  return rc ? rc : write_table(e, f, "/run/times", (int)e->mark.fields, 1, e->field_times);
}

PetscErrorCode mt_evolve_save(MtEvolve *e) {
  MtH5 *f;
  char *path = mt_evolve_path(e, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_create(e->comm, path, FORMAT, 1, &f);
  free(path);
  if (rc) return rc;
  rc = write_all(e, f);
  if (rc) {
    mt_h5_discard(&f);
    return rc;
  }
  e->saved_rows = e->nrows;
  e->saved_at = mt_wall();
  e->saved_t = e->system->clock->t;
  return mt_h5_commit(&f, true);
}

static PetscErrorCode check_input(const MtEvolve *e, MtH5 *f, const char *path, bool *foreign) {
  char *then = NULL, *now = mt_input_section(e->in, sections(e)), *mesh = NULL;
  int64_t size[2];
  PetscErrorCode rc = mt_h5_get_string(f, "/", "input", &then);
  if (!rc) rc = mt_h5_get_string(f, "/", "mesh_input", &mesh);
  if (!rc) rc = mt_h5_get_ints(f, "/", "mesh", 2, size);
  const char *mesh_now = e->mesh && e->mesh->input ? e->mesh->input : "";
  *foreign = !rc && (strcmp(then, now) != 0 || strcmp(mesh, mesh_now) != 0 || size[0] != e->domain->n_file ||
                     size[1] != e->domain->ne_global);
  free(then);
  free(now);
  free(mesh);
  if (!*foreign) return rc;
  return mt_error(
      MT_ERR_INPUT,
      "%s belongs to another input or mesh: the sections %s must be as they were; restore them, or start anew with "
      "--force instead of --resume",
      path, sections(e));
}

static PetscErrorCode read_record(MtH5 *f, const char *path, const char *name, int width, void *record) {
  int64_t n;
  void *data;
  PetscErrorCode rc = mt_h5_read_all(f, name, H5T_NATIVE_DOUBLE, width, &n, &data);
  if (rc) return rc;
  if (n == 1) memcpy(record, data, (size_t)width * sizeof(double));
  free(data);
  return n == 1 ? 0 : mt_error(MT_ERR_INPUT, "%s is damaged: %s has %lld rows", path, name, (long long)n);
}

static PetscErrorCode read_lists(MtEvolve *e, MtH5 *f) {
  int64_t n;
  void *data;
  PetscErrorCode rc = mt_h5_read_all(f, "/run/rows", H5T_NATIVE_DOUBLE, e->system->columns, &n, &data);
  if (rc) return rc;
  free(e->row);
  e->row = data;
  e->nrows = e->capacity = (int)n;
  rc = mt_h5_read_all(f, "/run/times", H5T_NATIVE_DOUBLE, 1, &n, &data);
  if (rc) return rc;
  free(e->field_times);
  e->field_times = data;
  e->field_capacity = (int)n;
  e->mark.fields = (double)n;
  return 0;
}

static PetscErrorCode read_all(void *ctx, const char *path, bool *foreign) {
  MtEvolve *e = ctx;
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(e->comm, path, FORMAT, 1, &f);
  if (rc) return rc;
  rc = check_input(e, f, path, foreign);
  if (!rc) rc = read_record(f, path, "/run/march", MT_MARCH_STATE, e->system->clock);
  if (!rc) rc = e->system->call->load(e->system, f);
  if (!rc) rc = read_record(f, path, "/run/mark", MT_EVOLVE_MARK, &e->mark);
  if (!rc) rc = read_lists(e, f);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_evolve_load(MtEvolve *e, bool *found) {
  char *path = mt_evolve_path(e, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_read_newest(e->comm, path, read_all, e, found);
  free(path);
  if (rc || !*found) return rc;
  e->saved_rows = e->nrows;
  e->saved_at = mt_wall();
  e->saved_t = e->system->clock->t;
  return e->system->call->resume(e->system);
}

/* checkpoint.h5: all that the next field step depends on, so that a continued run takes the same steps; on the same
 * number of ranks to the bit, for m and the potential are the accepted ones and those from which the next are
 * predicted, and nothing else is carried from field to field.
 *
 * Format "magtwin-demag-checkpoint" 4, nodal data by file id: /state/m [nv,3], /state/potential [nv] (with
 * demagnetizing field), the same of the states before (/state/m_1, /state/potential_1 ...) where they serve to predict
 * the next, /state/switching [nv] T, /run/progress, /run/curve, /run/events, /run/kept (records of hysteresis.h and
 * loop.h); attributes "input" (canonical text of the sections that decide the curve), "method" (that of the minimizer),
 * "mesh" (the input kept in the mesh file), "identity" (nodes, tets, fingerprint). */
#include "hysteresis.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const FORMAT = "magtwin-demag-checkpoint";
enum { VERSION = 4 };
static const char *const SECTIONS = "grains mesh materials field demagnetizing";
/* May change on the way (a step that does not converge wants another limit), but not without a word. */
static const char *const METHOD = "minimizer";

static PetscErrorCode write_table(const MtHysteresis *h, MtH5 *f, const char *name, int n, int width,
                                  const void *data) {
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, n, width, 0, h->rank ? 0 : n, data, NULL);
}

static PetscErrorCode write_potential(MtHysteresis *h, MtH5 *f, const char *name, Vec potential, double *local) {
  const PetscScalar *u;
  if (!h->u) return 0;
  PetscCall(VecGetArrayRead(potential, &u));
  for (PetscInt v = 0; v < h->mesh->nv_owned; v++) local[v] = u[h->mesh->row[v] - h->mesh->row_start];
  PetscCall(VecRestoreArrayRead(potential, &u));
  return mt_mesh_write_nodal(h->mesh, f, name, 1, local, NULL);
}

/* Names of the k-th past state, from 1. */
static const char *const M_PAST[MT_PAST] = {"/state/m_1", "/state/m_2"};
static const char *const U_PAST[MT_PAST] = {"/state/potential_1", "/state/potential_2"};

static PetscErrorCode write_past(MtHysteresis *h, MtH5 *f, double *local) {
  for (int k = 0; k < (int)h->now.past && k < MT_PAST; k++) {
    PetscCall(mt_m_to_local(h, h->m_past[k], local));
    PetscCall(mt_mesh_write_nodal(h->mesh, f, M_PAST[k], 3, local, "1"));
    PetscCall(write_potential(h, f, U_PAST[k], h->u_past[k], local));
  }
  return 0;
}

static PetscErrorCode write_fields(MtHysteresis *h, MtH5 *f, double *local) {
  PetscCall(mt_m_to_local(h, h->m_accepted, local));
  PetscCall(mt_mesh_write_nodal(h->mesh, f, "/state/m", 3, local, "1"));
  PetscCall(write_potential(h, f, "/state/potential", h->u_accepted, local));
  PetscCall(write_past(h, f, local));
  for (PetscInt v = 0; v < h->mesh->nv_local; v++) local[v] = NAN;
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) local[h->nodes->node[i]] = h->switching[i];
  return mt_mesh_write_nodal(h->mesh, f, "/state/switching", 1, local, "T");
}

static PetscErrorCode write_sections(const MtHysteresis *h, MtH5 *f, const char *name, const char *sections) {
  char *text = mt_input_section(h->in, sections);
  PetscErrorCode rc = mt_h5_set_string(f, "/", name, text);
  free(text);
  return rc;
}

static PetscErrorCode write_identity(const MtHysteresis *h, MtH5 *f) {
  PetscCall(write_sections(h, f, "input", SECTIONS));
  PetscCall(write_sections(h, f, "method", METHOD));
  PetscCall(mt_h5_set_string(f, "/", "mesh", h->mesh->input ? h->mesh->input : ""));
  const int64_t identity[4] = {h->mesh->nv_global, h->mesh->nt_global, (int64_t)h->fingerprint, (int64_t)h->constants};
  return mt_h5_set_ints(f, "/", "identity", 4, identity);
}

static PetscErrorCode write_all(MtHysteresis *h, MtH5 *f) {
  double *local;
  PetscCall(write_identity(h, f));
  PetscCall(PetscMalloc1(3 * (size_t)h->mesh->nv_local + 1, &local));
  PetscErrorCode rc = write_fields(h, f, local);
  PetscCall(PetscFree(local));
  if (rc) return rc;
  PetscCall(write_table(h, f, "/run/progress", 1, MT_PROGRESS_SIZE, &h->now));
  PetscCall(write_table(h, f, "/run/curve", h->curve.n, MT_CURVE_COLUMNS, h->curve.row));
  PetscCall(write_table(h, f, "/run/events", h->events.n, MT_EVENT_SIZE, h->events.data));
  return write_table(h, f, "/run/kept", h->kept.n, MT_KEPT_SIZE, h->kept.data);
}

PetscErrorCode mt_checkpoint_write(MtHysteresis *h) {
  MtH5 *f;
  h->now.wall = h->wall_before + mt_wall();
  char *path = mt_path_join(h->folder, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_create(h->comm, path, FORMAT, VERSION, &f);
  free(path);
  if (rc) return rc;
  rc = write_all(h, f);
  if (rc) {
    mt_h5_discard(&f);
    return rc;
  }
  PetscCall(mt_h5_commit(&f, true));
  h->saved_steps = h->curve.n;
  h->saved_at = mt_wall();
  return 0;
}

static int next_line(const char **text, const char **line) {
  *line = *text;
  int n = (int)strcspn(*text, "\n");
  *text += n + ((*text)[n] == '\n');
  return n;
}

/* The first lines in which two texts differ. */
static void first_difference(const char *then, const char *now, char a[256], char b[256]) {
  const char *p, *q;
  int np, nq;
  do {
    np = next_line(&then, &p);
    nq = next_line(&now, &q);
  } while (np == nq && strncmp(p, q, (size_t)np) == 0 && (*then || *now));
  snprintf(a, 256, "%.*s", np, p);
  snprintf(b, 256, "%.*s", nq, q);
}

static PetscErrorCode other_input(const char *path, const char *what, const char *then, const char *now) {
  char a[256], b[256];
  first_difference(then, now, a, b);
  return mt_error(
      MT_ERR_INPUT,
      "%s belongs to another %s: it was made with \"%s\", now it is \"%s\"; restore that, or start anew with "
      "--force instead of --resume",
      path, what, a, b);
}

/* A curve may not change its method silently. */
static PetscErrorCode warn_method(const MtHysteresis *h, MtH5 *f) {
  char *then = NULL, *now = mt_input_section(h->in, METHOD), a[256], b[256];
  PetscErrorCode rc = mt_h5_get_string(f, "/", "method", &then);
  if (!rc && strcmp(then, now) != 0) {
    first_difference(then, now, a, b);
    mt_warn("the minimizer has changed since the checkpoint, from \"%s\" to \"%s\": the curve is made of two parts", a,
            b);
  }
  free(then);
  free(now);
  return rc;
}

static PetscErrorCode check_texts(const MtHysteresis *h, MtH5 *f, const char *path, bool *foreign) {
  char *then = NULL, *mesh_then = NULL, *now = mt_input_section(h->in, SECTIONS);
  const char *mesh_now = h->mesh->input ? h->mesh->input : "";
  PetscErrorCode rc = mt_h5_get_string(f, "/", "input", &then);
  if (!rc) rc = mt_h5_get_string(f, "/", "mesh", &mesh_then);
  if (!rc && strcmp(then, now) != 0) {
    *foreign = true;
    rc = other_input(path, "input", then, now);
  } else if (!rc && strcmp(mesh_then, mesh_now) != 0) {
    *foreign = true;
    rc = other_input(path, "mesh", mesh_then, mesh_now);
  }
  free(then);
  free(mesh_then);
  free(now);
  return rc;
}

static PetscErrorCode check_identity(const MtHysteresis *h, MtH5 *f, const char *path, bool *foreign) {
  int64_t then[4];
  PetscErrorCode rc = check_texts(h, f, path, foreign);
  if (rc) return rc;
  rc = mt_h5_get_ints(f, "/", "identity", 4, then);
  if (rc) return rc;
  const int64_t now[4] = {h->mesh->nv_global, h->mesh->nt_global, (int64_t)h->fingerprint, (int64_t)h->constants};
  if (memcmp(then, now, sizeof now) == 0) return 0;
  *foreign = true;
  if (memcmp(then, now, 3 * sizeof *now) == 0) {
    return mt_error(MT_ERR_INPUT, "%s belongs to other materials: a value in the library has changed since", path);
  }
  return mt_error(MT_ERR_INPUT,
                  "%s belongs to another mesh: it has %lld nodes and %lld tetrahedra, %s has %lld and %lld%s", path,
                  (long long)then[0], (long long)then[1], h->mesh_path, (long long)now[0], (long long)now[1],
                  then[0] == now[0] && then[1] == now[1] ? " at other places" : "");
}

static PetscErrorCode read_potential(MtHysteresis *h, MtH5 *f, const char *name, double *local, Vec potential) {
  PetscScalar *u;
  if (!h->u) return 0;
  PetscErrorCode rc = mt_mesh_read_nodal(h->mesh, f, name, 1, local);
  if (rc) return rc;
  PetscCall(VecGetArray(potential, &u));
  for (PetscInt v = 0; v < h->mesh->nv_owned; v++) u[h->mesh->row[v] - h->mesh->row_start] = local[v];
  PetscCall(VecRestoreArray(potential, &u));
  return 0;
}

/* After the progress record, which says whether they are there. */
static PetscErrorCode read_past(MtHysteresis *h, MtH5 *f, double *local) {
  PetscErrorCode rc = 0;
  for (int k = 0; !rc && k < (int)h->now.past && k < MT_PAST; k++) {
    rc = mt_mesh_read_nodal(h->mesh, f, M_PAST[k], 3, local);
    if (!rc) rc = mt_m_from_local(h, local, h->m_past[k]);
    if (!rc) rc = read_potential(h, f, U_PAST[k], local, h->u_past[k]);
  }
  return rc;
}

static PetscErrorCode read_fields(MtHysteresis *h, MtH5 *f, double *local) {
  PetscErrorCode rc = mt_mesh_read_nodal(h->mesh, f, "/state/m", 3, local);
  if (!rc) rc = mt_m_from_local(h, local, h->m_accepted);
  if (!rc) rc = read_potential(h, f, "/state/potential", local, h->u_accepted);
  if (!rc) rc = mt_mesh_read_nodal(h->mesh, f, "/state/switching", 1, local);
  if (rc) return rc;
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) h->switching[i] = local[h->nodes->node[i]];
  return 0;
}

static PetscErrorCode read_table(MtH5 *f, const char *name, MtTable *t) {
  int64_t n;
  void *data;
  PetscErrorCode rc = mt_h5_read_all(f, name, H5T_NATIVE_DOUBLE, t->width, &n, &data);
  if (rc) return rc;
  mt_table_free(t);
  t->data = data;
  t->n = t->capacity = (int)n;
  return 0;
}

static PetscErrorCode read_tables(MtHysteresis *h, MtH5 *f, const char *path) {
  MtTable progress = {.width = MT_PROGRESS_SIZE}, curve = {.width = MT_CURVE_COLUMNS};
  PetscErrorCode rc = read_table(f, "/run/progress", &progress);
  if (!rc) rc = read_table(f, "/run/curve", &curve);
  if (!rc) rc = read_table(f, "/run/events", &h->events);
  if (!rc) rc = read_table(f, "/run/kept", &h->kept);
  if (!rc && progress.n != 1) rc = mt_error(MT_ERR_INPUT, "%s is damaged: it has no progress record", path);
  if (!rc) {
    memcpy(&h->now, progress.data, sizeof h->now);
    h->curve.n = 0;
    for (int i = 0; !rc && i < curve.n; i++)
      rc = mt_curve_add(&h->curve, (const MtCurveRow *)(const void *)(curve.data + (size_t)i * MT_CURVE_COLUMNS));
  }
  mt_table_free(&progress);
  mt_table_free(&curve);
  return rc;
}

static PetscErrorCode read_all(MtHysteresis *h, const char *path, bool *foreign) {
  MtH5 *f;
  double *local;
  PetscErrorCode rc = mt_h5_open(h->comm, path, FORMAT, VERSION, &f);
  if (rc) return rc;
  PetscCall(PetscMalloc1(3 * (size_t)h->mesh->nv_local + 1, &local));
  rc = check_identity(h, f, path, foreign);
  if (!rc) rc = read_fields(h, f, local);
  if (!rc) rc = read_tables(h, f, path);
  if (!rc) rc = read_past(h, f, local);
  if (!rc) rc = warn_method(h, f);
  PetscCall(PetscFree(local));
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

static PetscErrorCode exists(const MtHysteresis *h, const char *path, bool *yes) {
  int found = h->rank == 0 && access(path, F_OK) == 0;
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, h->comm));
  *yes = found;
  return 0;
}

/* Out of the way of the next checkpoint, which would keep it as .prev in place of the good one. */
static void set_aside(const MtHysteresis *h, const char *path) {
  char *name = h->rank ? NULL : malloc(strlen(path) + sizeof ".damaged");
  if (!name) return;
  sprintf(name, "%s.damaged", path);
  rename(path, name);
  free(name);
}

/* The newest first; a damaged one is passed over, one that belongs to something else ends the run. */
static PetscErrorCode read_newest(MtHysteresis *h, char *const path[2], bool *found) {
  char damage[512] = "";
  *found = false;
  for (int i = 0; i < 2; i++) {
    bool there = false, foreign = false;
    PetscCall(exists(h, path[i], &there));
    if (!there) continue;
    PetscErrorCode rc = read_all(h, path[i], &foreign);
    if (rc && foreign) return rc;
    if (!rc) {
      if (damage[0]) {
        mt_warn("%s; going on from %s", damage, path[i]);
        set_aside(h, path[0]);
      }
      *found = true;
      return 0;
    }
    snprintf(damage, sizeof damage, "%s", mt_error_message());
    mt_error_clear();
  }
  return damage[0] ? mt_error(MT_ERR_INPUT, "no usable checkpoint: %s", damage) : 0;
}

PetscErrorCode mt_checkpoint_read(MtHysteresis *h, bool *found) {
  char *path[2] = {mt_path_join(h->folder, "checkpoint.h5"), mt_path_join(h->folder, "checkpoint.h5.prev")};
  PetscErrorCode rc = read_newest(h, path, found);
  free(path[0]);
  free(path[1]);
  if (rc || !*found) return rc;
  h->saved_steps = h->curve.n;
  h->saved_at = mt_wall();
  h->wall_before = h->now.wall;
  h->spmv_before = h->now.demag_spmv;
  return 0;
}

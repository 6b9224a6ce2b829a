/* checkpoint.h5 of a hysteresis run: all that the next field step depends on, so that a continued run takes the same
 * steps; on the same number of ranks to the bit, for m and the potential are the accepted ones and those from which the
 * next are predicted, and nothing else is carried from field to field.
 *
 * Format "magtwin-demag-checkpoint" 9, nodal data by file id: /state/m [nv,3], /state/potential [nv] (with
 * demagnetizing field), the same of the states before (/state/m_1, /state/potential_1 ...) where they serve to predict
 * the next, /state/switching [nv] T, /run/progress, /run/curve, /run/curve_more (energies that few runs
 * have), /run/events, /run/kept (records of hysteresis.h and loop.h); and what it belongs to (site.h). */
#include "hysteresis.h"
#include <string.h>

/* Names of the k-th past state, from 1. */
static const char *const M_PAST[MT_PAST] = {"/state/m_1", "/state/m_2", "/state/m_3"};
static const char *const U_PAST[MT_PAST] = {"/state/potential_1", "/state/potential_2", "/state/potential_3"};

static PetscErrorCode write_past(MtHysteresis *h, const MtSite *s, MtH5 *f) {
  for (int k = 0; k < (int)h->now.past && k < MT_PAST; k++) {
    PetscCall(mt_site_write_m(s, f, M_PAST[k], h->m_past[k]));
    PetscCall(mt_site_write_potential(s, f, U_PAST[k], h->u_past[k]));
  }
  return 0;
}

static PetscErrorCode write_switching(MtHysteresis *h, MtH5 *f) {
  double *local;
  PetscCall(PetscMalloc1((size_t)h->mesh->nv_local + 1, &local));
  for (PetscInt v = 0; v < h->mesh->nv_local; v++) local[v] = NAN;
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) local[h->nodes->node[i]] = h->switching[i];
  PetscErrorCode rc = mt_mesh_write_nodal(h->mesh, f, "/state/switching", 1, local, "T");
  PetscCall(PetscFree(local));
  return rc;
}

/* The rows without the energies that few runs have, and those. */
static PetscErrorCode write_curve(const MtHysteresis *h, const MtSite *s, MtH5 *f) {
  enum { ALL = MT_CURVE_COLUMNS + MT_CURVE_MORE };
  const size_t n = (size_t)h->curve.n;
  const double *row = (const double *)(const void *)h->curve.row;
  double *first, *more;
  PetscCall(PetscMalloc2(n * MT_CURVE_COLUMNS + 1, &first, n * MT_CURVE_MORE + 1, &more));
  for (size_t i = 0; i < n; i++) {
    memcpy(first + i * MT_CURVE_COLUMNS, row + i * ALL, MT_CURVE_COLUMNS * sizeof *row);
    memcpy(more + i * MT_CURVE_MORE, row + i * ALL + MT_CURVE_COLUMNS, MT_CURVE_MORE * sizeof *row);
  }
  PetscErrorCode rc = mt_site_write_table(s, f, "/run/curve", h->curve.n, MT_CURVE_COLUMNS, first);
  if (!rc && h->curve.more) rc = mt_site_write_table(s, f, "/run/curve_more", h->curve.n, MT_CURVE_MORE, more);
  PetscCall(PetscFree2(first, more));
  return rc;
}

static PetscErrorCode write_all(void *ctx, MtH5 *f) {
  MtHysteresis *h = ctx;
  const MtSite s = mt_hysteresis_site(h);
  PetscErrorCode rc = mt_site_write_m(&s, f, "/state/m", h->m_accepted);
  if (!rc) rc = mt_site_write_potential(&s, f, "/state/potential", h->u_accepted);
  if (!rc) rc = write_past(h, &s, f);
  if (!rc) rc = write_switching(h, f);
  if (!rc) rc = mt_site_write_table(&s, f, "/run/progress", 1, MT_PROGRESS_SIZE, &h->now);
  if (!rc) rc = write_curve(h, &s, f);
  if (!rc) rc = mt_site_write_table(&s, f, "/run/events", h->events.n, MT_EVENT_SIZE, h->events.data);
  return rc ? rc : mt_site_write_table(&s, f, "/run/kept", h->kept.n, MT_KEPT_SIZE, h->kept.data);
}

static PetscErrorCode read_switching(MtHysteresis *h, MtH5 *f) {
  double *local;
  PetscCall(PetscMalloc1((size_t)h->mesh->nv_local + 1, &local));
  PetscErrorCode rc = mt_mesh_read_nodal(h->mesh, f, "/state/switching", 1, local);
  for (PetscInt i = 0; !rc && i < h->nodes->n_owned; i++) h->switching[i] = local[h->nodes->node[i]];
  PetscCall(PetscFree(local));
  return rc;
}

/* After the progress record, which says whether they are there. */
static PetscErrorCode read_past(MtHysteresis *h, const MtSite *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int k = 0; !rc && k < (int)h->now.past && k < MT_PAST; k++) {
    rc = mt_site_read_m(s, f, M_PAST[k], h->m_past[k]);
    if (!rc) rc = mt_site_read_potential(s, f, U_PAST[k], h->u_past[k]);
  }
  return rc;
}

static PetscErrorCode take_curve(MtHysteresis *h, const MtTable *curve, const MtTable *more) {
  h->curve.n = 0;
  for (int i = 0; i < curve->n; i++) {
    MtCurveRow row = {0};
    memcpy(&row, curve->data + (size_t)i * MT_CURVE_COLUMNS, MT_CURVE_COLUMNS * sizeof(double));
    if (i < more->n) memcpy(row.more, more->data + (size_t)i * MT_CURVE_MORE, sizeof row.more);
    PetscErrorCode rc = mt_curve_add(&h->curve, &row);
    if (rc) return rc;
  }
  return 0;
}

static PetscErrorCode read_tables(MtHysteresis *h, MtH5 *f, const char *path) {
  MtTable progress = {.width = MT_PROGRESS_SIZE}, curve = {.width = MT_CURVE_COLUMNS};
  MtTable more = {.width = MT_CURVE_MORE};
  PetscErrorCode rc = mt_site_read_table(f, "/run/progress", &progress);
  if (!rc) rc = mt_site_read_table(f, "/run/curve", &curve);
  if (!rc && h->curve.more) rc = mt_site_read_table(f, "/run/curve_more", &more);
  if (!rc) rc = mt_site_read_table(f, "/run/events", &h->events);
  if (!rc) rc = mt_site_read_table(f, "/run/kept", &h->kept);
  if (!rc && progress.n != 1) rc = mt_error(MT_ERR_INPUT, "%s is damaged: it has no progress record", path);
  if (!rc) {
    memcpy(&h->now, progress.data, sizeof h->now);
    mt_branch_enter(h, (int)h->now.branch);
    rc = take_curve(h, &curve, &more);
  }
  mt_table_free(&progress);
  mt_table_free(&curve);
  mt_table_free(&more);
  return rc;
}

static PetscErrorCode read_all(void *ctx, MtH5 *f, const char *path) {
  MtHysteresis *h = ctx;
  const MtSite s = mt_hysteresis_site(h);
  PetscErrorCode rc = mt_site_read_m(&s, f, "/state/m", h->m_accepted);
  if (!rc) rc = mt_site_read_potential(&s, f, "/state/potential", h->u_accepted);
  if (!rc) rc = read_switching(h, f);
  if (!rc) rc = read_tables(h, f, path);
  return rc ? rc : read_past(h, &s, f);
}

static MtCheckpoint checkpoint_of(MtHysteresis *h) {
  return (MtCheckpoint){.format = "magtwin-demag-checkpoint",
                        .version = 9,
                        .sections = "grains mesh materials field demagnetizing",
                        .method = "minimizer", /* a step that does not converge wants another limit */
                        .open = h->plan.kind == MT_BRANCH_NONE ? "field.stop_below" : NULL,
                        .longer = h->plan.kind == MT_BRANCH_NONE    ? "field.segments"
                                  : h->plan.kind == MT_BRANCH_ANGLE ? "field.angles"
                                                                    : NULL,
                        .ctx = h,
                        .write = write_all,
                        .read = read_all};
}

PetscErrorCode mt_checkpoint_write(MtHysteresis *h) {
  const MtSite s = mt_hysteresis_site(h);
  const MtCheckpoint c = checkpoint_of(h);
  h->now.wall = h->wall_before + mt_wall();
  PetscErrorCode rc = mt_site_checkpoint_write(&s, &c);
  if (rc) return rc;
  h->saved_steps = h->curve.n;
  h->saved_at = mt_wall();
  return 0;
}

/* What was the end of the path is none any more. */
static void go_on(MtHysteresis *h) {
  h->now.finished = 0;
  for (int i = 0; h->plan.kind == MT_BRANCH_NONE && i < h->kept.n; i++) {
    MtKept *k = mt_kept(h, i);
    const unsigned others = (unsigned)k->tags & ~(unsigned)MT_TAG_LAST;
    k->tags = others ? others : MT_TAG_STEP;
  }
}

PetscErrorCode mt_checkpoint_read(MtHysteresis *h, bool *found) {
  const MtSite s = mt_hysteresis_site(h);
  MtCheckpoint c = checkpoint_of(h);
  bool longer = false;
  c.changed = &longer;
  PetscErrorCode rc = mt_site_checkpoint_read(&s, &c, found);
  if (rc || !*found) return rc;
  if (longer) go_on(h);
  h->saved_steps = h->curve.n;
  h->saved_at = mt_wall();
  h->wall_before = h->now.wall;
  h->spmv_before = h->now.demag_spmv;
  return 0;
}

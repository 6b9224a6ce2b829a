/* Magnetization states kept of a run: one file each, and two small files over them, one for programs and one for
 * ParaView. */
#include "hysteresis.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const tag_name[] = {"remanence", "before_event", "after_event", "coercivity", "last", "step"};

const char *mt_state_tags(unsigned tags, char buf[96]) {
  buf[0] = 0;
  for (size_t i = 0; i < sizeof tag_name / sizeof *tag_name; i++) {
    if (!(tags & 1u << i)) continue;
    if (buf[0]) strcat(buf, "+");
    strcat(buf, tag_name[i]);
  }
  return buf;
}

static char *state_path(const MtHysteresis *h, int number) {
  char name[64];
  snprintf(name, sizeof name, "states/state_%04d.h5", number);
  return mt_path_join(h->folder, name);
}

static PetscErrorCode write_data(MtHysteresis *h, MtH5 *f, Vec m, const MtKept *k, Vec mode) {
  char tags[96];
  const MtSite s = mt_hysteresis_site(h);
  PetscCall(mt_site_write_m(&s, f, "/m", m));
  if (mode) {
    PetscCall(mt_site_write_m(&s, f, "/mode", mode));
    PetscCall(mt_h5_set_reals(f, "/mode", "eigenvalue_T", 1, &k->eigenvalue));
  }
  PetscCall(mt_h5_set_string(f, "/", "tag", mt_state_tags((unsigned)k->tags, tags)));
  PetscCall(mt_h5_set_reals(f, "/", "field_T", 3, k->B));
  PetscCall(mt_h5_set_reals(f, "/", "field_along_T", 1, &k->B_along));
  PetscCall(mt_h5_set_reals(f, "/", "m_along", 1, &k->m));
  return mt_h5_set_ints(f, "/", "step", 1, (int64_t[]){(int64_t)k->step});
}

static PetscErrorCode write_state(MtHysteresis *h, Vec m, int number, Vec mode) {
  MtH5 *f;
  char *path = state_path(h, number);
  PetscErrorCode rc = mt_h5_create(h->comm, path, "magtwin-state", 1, &f);
  free(path);
  if (rc) return rc;
  rc = write_data(h, f, m, mt_kept(h, number - 1), mode);
  if (rc) {
    mt_h5_discard(&f);
    return rc;
  }
  return mt_h5_commit(&f, false);
}

PetscErrorCode mt_state_keep(MtHysteresis *h, Vec m, int row, unsigned tags, Vec mode, double eigenvalue) {
  const MtCurveRow *r = &h->curve.row[row];
  int at = 0;
  while (at < h->kept.n && mt_kept(h, at)->step != r->step) at++;
  if (at == h->kept.n) {
    MtKept k = {.step = r->step, .B_along = r->B_along, .B = {r->B[0], r->B[1], r->B[2]}, .m = r->m, .eigenvalue = NAN};
    PetscCall(mt_table_add(&h->kept, &k));
  } else if (((unsigned)mt_kept(h, at)->tags & tags) == tags) {
    return 0;
  }
  mt_kept(h, at)->tags = (unsigned)mt_kept(h, at)->tags | tags;
  if (mode) mt_kept(h, at)->eigenvalue = eigenvalue;
  PetscCall(write_state(h, m, at + 1, mode));
  return mt_states_index(h);
}

static char *mesh_link(const MtHysteresis *h) {
  const MtSite s = mt_hysteresis_site(h);
  return mt_site_mesh_link(&s);
}

static PetscErrorCode write_links(const MtHysteresis *h, MtH5 *f) {
  char *mesh = mesh_link(h);
  hid_t id = mt_h5_id(f);
  bool failed = false;
  for (int i = 0; !failed && i < h->kept.n; i++) {
    char name[32], target[64];
    snprintf(name, sizeof name, "/states/%04d", i + 1);
    snprintf(target, sizeof target, "states/state_%04d.h5", i + 1);
    failed = H5Lcreate_external(target, "/", id, name, H5P_DEFAULT, H5P_DEFAULT) < 0;
  }
  failed = failed || H5Lcreate_external(mesh, "/", id, "/mesh_file", H5P_DEFAULT, H5P_DEFAULT) < 0;
  failed = failed || H5Lcreate_external("switching.h5", "/switching", id, "/switching", H5P_DEFAULT, H5P_DEFAULT) < 0;
  free(mesh);
  return mt_agree(h->comm, failed ? mt_error(MT_ERR_FAIL, "the links of states.h5 cannot be written") : 0);
}

/* Table of the states: their tags as strings, the rest as numbers. */
static PetscErrorCode write_list(const MtHysteresis *h, MtH5 *f) {
  int n = h->kept.n;
  char(*text)[96] = malloc((size_t)(n + 1) * sizeof *text);
  const char **tags = malloc((size_t)(n + 1) * sizeof *tags);
  double *column = malloc(6 * (size_t)(n + 1) * sizeof *column);
  for (int i = 0; text && tags && column && i < n; i++) {
    const MtKept *k = mt_kept(h, i);
    tags[i] = mt_state_tags((unsigned)k->tags, text[i]);
    memcpy(column + 6 * i, k, 6 * sizeof *column); /* step, field along, field, m */
  }
  PetscErrorCode rc = text && tags && column ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", n);
  if (!rc) rc = mt_h5_write_strings(f, "/list/tags", n, tags);
  if (!rc) rc = mt_h5_write(f, "/list/state", H5T_NATIVE_DOUBLE, n, 6, 0, h->rank ? 0 : n, column, NULL);
  if (!rc) rc = mt_h5_set_string(f, "/list/state", "columns", "step, field along T, field x y z T, m");
  free(column);
  free(tags);
  free(text);
  return rc;
}

static PetscErrorCode write_index(MtHysteresis *h, const char *path) {
  MtH5 *f;
  PetscCall(mt_h5_create(h->comm, path, "magtwin-states", 1, &f));
  PetscErrorCode rc = mt_h5_set_string(f, "/states", "content", "one link per kept state, named by its number");
  if (!rc) rc = write_links(h, f);
  if (!rc) rc = write_list(h, f);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

/* The picture file: one time step per kept state, time = field step. */
static PetscErrorCode write_xdmf(MtHysteresis *h, const char *path) {
  int n = h->kept.n, shown = 0;
  MtXdmfField *field = calloc(2 * (size_t)n + 1, sizeof *field);
  char *mesh = mesh_link(h), (*file)[64] = malloc((size_t)(n + 1) * sizeof *file);
  PetscErrorCode rc = field && mesh && file ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", n);
  for (int i = 0; !rc && i < n; i++) {
    snprintf(file[i], sizeof file[i], "states/state_%04d.h5", i + 1);
    const MtKept *k = mt_kept(h, i);
    MtXdmfField m = {.time = k->step, .file = file[i], .dataset = "/m", .name = "m", .ncomp = 3, .nodal = true};
    field[shown++] = m;
    if (isnan(k->eigenvalue)) continue;
    m.dataset = "/mode";
    m.name = "mode";
    field[shown++] = m;
  }
  MtXdmf xdmf = {.mesh = mesh,
                 .nv = h->mesh->nv_global,
                 .nt = h->mesh->nt_global,
                 .tet_bytes = h->mesh->nv_global > INT32_MAX ? 8 : 4,
                 .n = shown,
                 .field = field};
  if (!rc) rc = mt_xdmf_write(h->comm, &xdmf, path);
  free(file);
  free(mesh);
  free(field);
  return rc;
}

/* A run that was killed may have kept states which its checkpoint does not know; one started anew has none yet. */
static void remove_surplus(const MtHysteresis *h) {
  for (int number = h->kept.n + 1, gone = 0; !gone; number++) {
    char *path = state_path(h, number);
    gone = unlink(path) != 0;
    free(path);
  }
}

PetscErrorCode mt_states_index(MtHysteresis *h) {
  if (h->rank == 0) remove_surplus(h);
  if (h->opt.states == MT_STATES_NONE) return 0;
  char *index = mt_path_join(h->folder, "states.h5"), *xdmf = mt_path_join(h->folder, "states.xdmf");
  PetscErrorCode rc = write_index(h, index);
  if (!rc) rc = write_xdmf(h, xdmf);
  free(index);
  free(xdmf);
  return rc;
}

/* Magnetization states kept of a run: one file each, and two small files over them, one for programs and one for
 * ParaView. */
#include "magtwin/error.h"
#include "site.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char FAILED_XDMF[] = "failed.xdmf";
enum { FAILED = 0 }; /* number of the state a run failed in; those kept begin at 1 */

static void state_name(int number, char name[64]) {
  if (number == FAILED)
    snprintf(name, 64, MT_FAILED_STATE);
  else
    snprintf(name, 64, "states/state_%04d.h5", number);
}

static char *state_path(const MtSite *s, int number) {
  char name[64];
  state_name(number, name);
  return mt_path_join(s->folder, name);
}

PetscErrorCode mt_site_state_write(const MtSite *s, int number, Vec m, PetscErrorCode (*more)(void *ctx, MtH5 *f),
                                   void *ctx) {
  MtH5 *f;
  char *path = state_path(s, number);
  PetscErrorCode rc = mt_h5_create(s->comm, path, "magtwin-state", 1, &f);
  free(path);
  if (rc) return rc;
  rc = mt_site_write_m(s, f, "/m", m);
  if (!rc) rc = more(ctx, f);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

/* The mesh file as seen from the folder: by name when it lies there, else by its full path. */
static char *mesh_link(const MtSite *s) {
  size_t n = strlen(s->folder);
  if (strncmp(s->mesh_path, s->folder, n) == 0 && s->mesh_path[n] == '/') return strdup(s->mesh_path + n + 1);
  char *full = realpath(s->mesh_path, NULL);
  return full ? full : strdup(s->mesh_path);
}

static PetscErrorCode write_links(const MtSite *s, const MtStateList *list, MtH5 *f) {
  char *mesh = mesh_link(s);
  hid_t id = mt_h5_id(f);
  bool failed = false;
  for (int i = 0; !failed && i < list->n; i++) {
    char name[32], target[64];
    snprintf(name, sizeof name, "/states/%04d", i + 1);
    state_name(i + 1, target);
    failed = H5Lcreate_external(target, "/", id, name, H5P_DEFAULT, H5P_DEFAULT) < 0;
  }
  failed = failed || H5Lcreate_external(mesh, "/", id, "/mesh_file", H5P_DEFAULT, H5P_DEFAULT) < 0;
  if (list->switching)
    failed = failed || H5Lcreate_external("switching.h5", "/switching", id, "/switching", H5P_DEFAULT, H5P_DEFAULT) < 0;
  free(mesh);
  return mt_agree(s->comm, failed ? mt_error(MT_ERR_FAIL, "the links of states.h5 cannot be written") : 0);
}

/* Table of the states: their tags as strings, the rest as numbers. */
static PetscErrorCode write_list(const MtSite *s, const MtStateList *list, MtH5 *f) {
  int n = list->n;
  const char **tags = malloc((size_t)(n + 1) * sizeof *tags);
  for (int i = 0; tags && i < n; i++) tags[i] = list->entry[i].tags;
  PetscErrorCode rc = tags ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", n);
  if (!rc) rc = mt_h5_write_strings(f, "/list/tags", n, tags);
  if (!rc)
    rc = mt_h5_write(f, "/list/state", H5T_NATIVE_DOUBLE, n, list->width, 0, s->rank ? 0 : n, list->column, NULL);
  if (!rc) rc = mt_h5_set_string(f, "/list/state", "columns", list->columns);
  free(tags);
  return rc;
}

static PetscErrorCode write_index(const MtSite *s, const MtStateList *list, const char *path) {
  MtH5 *f;
  PetscErrorCode rc = mt_h5_create(s->comm, path, "magtwin-states", 1, &f);
  if (rc) return rc;
  rc = mt_h5_set_string(f, "/states", "content", "one link per kept state, named by its number");
  if (!rc) rc = write_links(s, list, f);
  if (!rc) rc = write_list(s, list, f);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

/* m of every state, and the second field of those that have one -> field [2n]; the number of fields.  first: number of
 * the first state of the list. */
static int fields(const MtStateList *list, int first, char (*file)[64], MtXdmfField *field) {
  int shown = 0;
  for (int i = 0; i < list->n; i++) {
    const MtStateEntry *e = &list->entry[i];
    state_name(first + i, file[i]);
    MtXdmfField m = {.time = e->time, .file = file[i], .dataset = "/m", .name = "m", .ncomp = 3, .nodal = true};
    field[shown++] = m;
    if (!e->second) continue;
    m.dataset = e->second;
    m.name = e->second + 1; /* without the slash */
    field[shown++] = m;
  }
  return shown;
}

/* The picture file: one time step per kept state. */
static PetscErrorCode write_xdmf(const MtSite *s, const MtStateList *list, int first, const char *path) {
  MtXdmfField *field = calloc(2 * (size_t)list->n + 1, sizeof *field);
  char *mesh = mesh_link(s), (*file)[64] = malloc((size_t)(list->n + 1) * sizeof *file);
  PetscErrorCode rc = field && mesh && file ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", list->n);
  MtXdmf xdmf = {.mesh = mesh,
                 .nv = s->mesh->nv_global,
                 .nt = s->mesh->nt_global,
                 .shown = s->mesh->nt_body,
                 .tet_bytes = s->mesh->nv_global > INT32_MAX ? 8 : 4,
                 .n = rc ? 0 : fields(list, first, file, field),
                 .field = field};
  if (!rc) rc = mt_xdmf_write(s->comm, &xdmf, path);
  free(file);
  free(mesh);
  free(field);
  return rc;
}

typedef struct {
  double time;
  const double *B; /* [3] T */
  const char *reason;
} Failed;

static PetscErrorCode write_reason(void *ctx, MtH5 *f) {
  const Failed *failed = ctx;
  PetscErrorCode rc = mt_h5_set_string(f, "/", "tag", "failed");
  if (!rc) rc = mt_h5_set_string(f, "/", "reason", failed->reason);
  return rc ? rc : mt_h5_set_reals(f, "/", "field_T", 3, failed->B);
}

static PetscErrorCode write_failed(const MtSite *s, Vec m, Failed *failed) {
  const MtStateEntry entry = {.tags = "failed", .time = failed->time};
  const MtStateList list = {.n = 1, .entry = &entry};
  char *folder = mt_path_join(s->folder, "states"), *xdmf = mt_path_join(s->folder, FAILED_XDMF);
  PetscErrorCode rc = mt_agree_root(s->comm, s->rank ? 0 : mt_folder_make(folder));
  if (!rc) rc = mt_site_state_write(s, FAILED, m, write_reason, failed);
  if (!rc) rc = write_xdmf(s, &list, FAILED, xdmf);
  free(xdmf);
  free(folder);
  return rc;
}

/* The error stays the one there was, also where the disk does not take the state. */
PetscErrorCode mt_site_failed(const MtSite *s, Vec m, double time, const double B[3]) {
  char *text = strdup(mt_error_message());
  Failed failed = {time, B, text ? text : ""};
  const bool seen = !write_failed(s, m, &failed);
  mt_error_clear();
  mt_error(MT_ERR_FAIL, "%s%s%s%s", failed.reason, seen ? "; the state it failed in: " : "", seen ? s->folder : "",
           seen ? "/" MT_FAILED_STATE : "");
  free(text);
  return mt_agree(s->comm, MT_ERR_FAIL);
}

static void remove_failed(const MtSite *s) {
  char *state = state_path(s, FAILED), *xdmf = mt_path_join(s->folder, FAILED_XDMF);
  unlink(state);
  unlink(xdmf);
  free(xdmf);
  free(state);
}

void mt_site_states_remove(const MtSite *s, int n) {
  remove_failed(s);
  for (int number = n + 1, gone = 0; !gone; number++) {
    char *path = state_path(s, number);
    gone = unlink(path) != 0;
    free(path);
  }
}

PetscErrorCode mt_site_states_index(const MtSite *s, const MtStateList *list) {
  char *index = mt_path_join(s->folder, "states.h5"), *xdmf = mt_path_join(s->folder, "states.xdmf");
  PetscErrorCode rc = write_index(s, list, index);
  if (!rc) rc = write_xdmf(s, list, FAILED + 1, xdmf);
  free(index);
  free(xdmf);
  return rc;
}

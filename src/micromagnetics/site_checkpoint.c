/* checkpoint.h5: what it belongs to, and the newest readable one. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "site.h"
#include <stdlib.h>
#include <string.h>

PetscErrorCode mt_site_write_table(const MtSite *s, MtH5 *f, const char *name, int n, int width, const void *data) {
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, n, width, 0, s->rank ? 0 : n, data, NULL);
}

PetscErrorCode mt_site_read_table(MtH5 *f, const char *name, MtTable *t) {
  int64_t n;
  void *data;
  PetscErrorCode rc = mt_h5_read_all(f, name, H5T_NATIVE_DOUBLE, t->width, &n, &data);
  if (rc) return rc;
  mt_table_free(t);
  t->data = data;
  t->n = t->capacity = (int)n;
  return 0;
}

static PetscErrorCode write_sections(const MtSite *s, MtH5 *f, const char *name, const char *sections) {
  char *text = mt_input_section(s->in, sections);
  PetscErrorCode rc = mt_h5_set_string(f, "/", name, text);
  free(text);
  return rc;
}

static PetscErrorCode write_identity(const MtSite *s, const MtCheckpoint *c, MtH5 *f) {
  PetscErrorCode rc = write_sections(s, f, "input", c->sections);
  if (!rc) rc = write_sections(s, f, "method", c->method);
  if (!rc) rc = mt_h5_set_string(f, "/", "mesh", s->mesh->input ? s->mesh->input : "");
  const int64_t identity[4] = {s->mesh->nv_global, s->mesh->nt_global, (int64_t)s->fingerprint, (int64_t)s->constants};
  return rc ? rc : mt_h5_set_ints(f, "/", "identity", 4, identity);
}

PetscErrorCode mt_site_checkpoint_write(const MtSite *s, const MtCheckpoint *c) {
  MtH5 *f;
  char *path = mt_path_join(s->folder, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_create(s->comm, path, c->format, c->version, &f);
  free(path);
  if (rc) return rc;
  rc = write_identity(s, c, f);
  if (!rc) rc = c->write(c->ctx, f);
  if (!rc) return mt_h5_commit(&f, true);
  mt_h5_discard(&f);
  return rc;
}

static PetscErrorCode other_input(const char *path, const char *what, const char *longer, const char *then,
                                  const char *now) {
  char a[256], b[256];
  mt_site_first_difference(then, now, a, b);
  return mt_error(
      MT_ERR_INPUT,
      "%s belongs to another %s: it was made with \"%s\", now it is \"%s\"; restore that, or start anew with "
      "--force instead of --resume%s%s",
      path, what, a, b, longer ? "; a run is made longer by further entries at the end of " : "", longer ? longer : "");
}

/* A result may not change its method silently. */
static PetscErrorCode warn_method(const MtSite *s, const MtCheckpoint *c, MtH5 *f) {
  char *then = NULL, *now = mt_input_section(s->in, c->method), a[256], b[256];
  PetscErrorCode rc = mt_h5_get_string(f, "/", "method", &then);
  if (!rc && strcmp(then, now) != 0) {
    mt_site_first_difference(then, now, a, b);
    mt_warn("the %s has changed since the checkpoint, from \"%s\" to \"%s\": the curve is made of two parts", c->method,
            a, b);
  }
  free(then);
  free(now);
  return rc;
}

static PetscErrorCode check_texts(const MtSite *s, const MtCheckpoint *c, MtH5 *f, const char *path, bool *foreign) {
  char *then = NULL, *mesh_then = NULL, *now = mt_input_section(s->in, c->sections);
  const char *mesh_now = s->mesh->input ? s->mesh->input : "";
  PetscErrorCode rc = mt_h5_get_string(f, "/", "input", &then);
  if (!rc) rc = mt_h5_get_string(f, "/", "mesh", &mesh_then);
  const bool same = !rc && strcmp(then, now) == 0;
  if (!rc && c->changed) *c->changed = !same;
  if (!rc && !same && !mt_site_continues(then, now, c->open, c->longer)) {
    *foreign = true;
    rc = other_input(path, "input", c->longer, then, now);
  } else if (!rc && strcmp(mesh_then, mesh_now) != 0) {
    *foreign = true;
    rc = other_input(path, "mesh", NULL, mesh_then, mesh_now);
  }
  free(then);
  free(mesh_then);
  free(now);
  return rc;
}

static PetscErrorCode check_identity(const MtSite *s, const MtCheckpoint *c, MtH5 *f, const char *path, bool *foreign) {
  int64_t then[4];
  PetscErrorCode rc = check_texts(s, c, f, path, foreign);
  if (rc) return rc;
  rc = mt_h5_get_ints(f, "/", "identity", 4, then);
  if (rc) return rc;
  const int64_t now[4] = {s->mesh->nv_global, s->mesh->nt_global, (int64_t)s->fingerprint, (int64_t)s->constants};
  if (memcmp(then, now, sizeof now) == 0) return 0;
  *foreign = true;
  if (memcmp(then, now, 3 * sizeof *now) == 0) {
    return mt_error(MT_ERR_INPUT,
                    "%s belongs to other materials: a value in the library, or the strain or stress, has changed since",
                    path);
  }
  return mt_error(MT_ERR_INPUT,
                  "%s belongs to another mesh: it has %lld nodes and %lld tetrahedra, %s has %lld and %lld%s", path,
                  (long long)then[0], (long long)then[1], s->mesh_path, (long long)now[0], (long long)now[1],
                  then[0] == now[0] && then[1] == now[1] ? " at other places" : "");
}

typedef struct {
  const MtSite *site;
  const MtCheckpoint *checkpoint;
} Reader;

static PetscErrorCode read_all(void *ctx, const char *path, bool *foreign) {
  const Reader *r = ctx;
  const MtCheckpoint *c = r->checkpoint;
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(r->site->comm, path, c->format, c->version, &f);
  if (rc) return rc;
  rc = check_identity(r->site, c, f, path, foreign);
  if (!rc) rc = c->read(c->ctx, f, path);
  if (!rc) rc = warn_method(r->site, c, f);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_site_checkpoint_read(const MtSite *s, const MtCheckpoint *c, bool *found) {
  Reader reader = {s, c};
  char *path = mt_path_join(s->folder, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_read_newest(s->comm, path, read_all, &reader, found);
  free(path);
  return rc;
}

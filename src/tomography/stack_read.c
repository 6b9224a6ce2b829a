/* The pixels of a stack.  A slice that says nothing (missing, cut short, of one gray, a copy of the one before) is
 * refused, or noted as lost where stack.missing allows to fill it; one of another size or depth is refused always. */
#include "../microstructure/measured.h"
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/tomography.h"
#include "slabs.h"
#include "stack_files.h"
#include <math.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  MtSlices files;
  MtImage image; /* that all slices must have */
  bool fill;
  MtStack *s;
  double *sign; /* [2 nz] a sum over the pixels and their positions that tells slices apart, and why one is lost */
} Reader;

enum { FINE, NO_FILE, CUT, EMPTY, COPY };
static const char *const reasons[] = {"", "has no file", "cannot be read to its end", "has one gray value everywhere",
                                      "is a copy of the slice before it"};

static PetscErrorCode check_voxel(const MtInput *in, double v[3]) {
  mt_input_vec3(in, v, "stack.voxel");
  const double least = fmin(v[0], fmin(v[1], v[2])), most = fmax(v[0], fmax(v[1], v[2]));
  if (most > 50 * least)
    return mt_input_error(in, "stack.voxel",
                          "%g x %g x %g nm: one direction is more than 50 times as coarse as another; grains cannot be "
                          "followed through such a stack, or a unit is wrong",
                          v[0], v[1], v[2]);
  return 0;
}

static PetscErrorCode first_layout(Reader *r) {
  int rank, layout[4] = {0};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(r->comm, &rank));
  if (!rank) rc = mt_image_layout(r->files.path[0], 0, &r->image);
  PetscCall(mt_agree_root(r->comm, rc));
  if (!rank) layout[0] = r->image.nx, layout[1] = r->image.ny, layout[2] = r->image.bits, layout[3] = r->image.real;
  PetscCallMPI(MPI_Bcast(layout, 4, MPI_INT, 0, r->comm));
  r->image = (MtImage){layout[0], layout[1], layout[2], layout[3] != 0};
  if (r->image.nx >= 8 && r->image.ny >= 8) return 0;
  return mt_input_error(r->in, "stack.files", "%s has only %d x %d pixels", r->files.path[0], r->image.nx, r->image.ny);
}

static PetscErrorCode compare_layout(const Reader *r, int k, const MtImage *im) {
  char name[300], first[300];
  const MtImage *a = &r->image;
  mt_slices_name(&r->files, k, name);
  mt_slices_name(&r->files, 0, first);
  if (im->nx != a->nx || im->ny != a->ny)
    return mt_error(MT_ERR_INPUT, "%s has %d x %d pixels, %s has %d x %d: all slices of a stack must have one size",
                    name, im->nx, im->ny, first, a->nx, a->ny);
  if (im->bits != a->bits || im->real != a->real)
    return mt_error(MT_ERR_INPUT, "%s has %d bit %s, %s has %d bit %s: all slices of a stack must have one depth", name,
                    im->bits, im->real ? "reals" : "integers", first, a->bits, a->real ? "reals" : "integers");
  return 0;
}

/* Sum of the pixels, each with a weight of its own: equal for equal pictures, and for no others that a microscope
 * takes.
 */
static double signature(int64_t n, const float *gray, bool *empty) {
  double sum = 0;
  *empty = true;
  for (int64_t i = 0; i < n; i++) {
    sum += gray[i] * (1 + 1e-3 * (double)(i * 2654435761LL % 1009));
    *empty = *empty && gray[i] == gray[0];
  }
  return sum;
}

static PetscErrorCode read_slice(Reader *r, int k, float *gray, double sign[2]) {
  const MtSlices *f = &r->files;
  const int64_t n = (int64_t)r->image.nx * r->image.ny;
  MtImage im;
  bool empty;
  sign[1] = NO_FILE;
  if (f->file[k] < 0) return 0;
  const char *path = f->path[f->file[k]];
  PetscErrorCode rc = mt_image_layout(path, f->page[k], &im);
  if (!rc) PetscCall(compare_layout(r, k, &im));
  if (!rc) rc = mt_image_read(path, f->page[k], &im, gray);
  if (rc == MT_ERR_INPUT && r->fill) {
    mt_error_clear();
    memset(gray, 0, (size_t)n * sizeof *gray);
    sign[1] = CUT;
    return 0;
  }
  if (rc) return rc;
  sign[0] = signature(n, gray, &empty);
  sign[1] = empty ? EMPTY : FINE;
  return 0;
}

static PetscErrorCode read_slab(Reader *r) {
  MtStack *s = r->s;
  const size_t slice = (size_t)s->nx * (size_t)s->ny;
  double *mine = mt_calloc(2 * (size_t)s->nz_local + 1, sizeof *mine);
  PetscErrorCode rc = 0;
  s->gray = calloc(slice * (size_t)s->nz_local + 1, sizeof *s->gray);
  if (!s->gray) rc = mt_error(MT_ERR_FAIL, "not enough memory for %d x %d x %d pixels", s->nx, s->ny, s->nz_local);
  for (int k = 0; k < s->nz_local && !rc; k++)
    rc = read_slice(r, s->z0 + k, s->gray + slice * (size_t)k, mine + 2 * (size_t)k);
  rc = mt_agree(r->comm, rc);
  r->sign = mt_malloc(2 * (size_t)s->nz * sizeof *r->sign);
  if (!rc) rc = mt_slab_gather(r->comm, s->nz, 2, mine, r->sign);
  free(mine);
  return rc;
}

static void find_copies(Reader *r) {
  double *g = r->sign;
  for (int k = r->s->nz - 1; k > 0; k--)
    if (g[2 * k + 1] == FINE && g[2 * k - 1] == FINE && g[2 * k] == g[2 * k - 2]) g[2 * k + 1] = COPY;
}

static PetscErrorCode note_lost(Reader *r, MtJson *json) {
  MtStack *s = r->s;
  char name[300];
  s->lost = mt_calloc((size_t)s->nz + 1, sizeof *s->lost);
  if (json) mt_json_array(json, "lost_slices");
  for (int k = 0; k < s->nz; k++) {
    const int why = (int)r->sign[2 * k + 1];
    if (!why) continue;
    s->lost[k] = 1;
    s->nlost++;
    mt_slices_name(&r->files, k, name);
    if (!r->fill)
      return mt_error(MT_ERR_INPUT, "slice %d (%s) %s; stack.missing: interpolate fills it from its neighbours", k,
                      name, reasons[why]);
    if (!k || k == s->nz - 1)
      return mt_error(MT_ERR_INPUT, "slice %d (%s) %s: the first and the last slice cannot be filled; leave it out", k,
                      name, reasons[why]);
    mt_warn("stack: slice %d (%s) %s: it is filled from its neighbours", k, name, reasons[why]);
    if (json) mt_json_int(json, NULL, k);
  }
  if (json) mt_json_end(json);
  if (2 * s->nlost > s->nz)
    return mt_error(MT_ERR_INPUT, "%d of %d slices are lost: too few are left to fill the others", s->nlost, s->nz);
  return 0;
}

static PetscErrorCode read_stack(Reader *r, MtJson *json) {
  MtStack *s = r->s;
  MtLabels slab = {0};
  PetscCall(check_voxel(r->in, s->voxel));
  PetscCall(mt_slices_find(r->comm, r->in, &r->files));
  PetscCall(first_layout(r));
  PetscCall(mt_labels_layout(r->comm, r->image.nx, r->image.ny, r->files.nz, &slab));
  s->nx = slab.nx, s->ny = slab.ny, s->nz = slab.nz, s->z0 = slab.z0, s->nz_local = slab.nz_local;
  mt_labels_free(&slab);
  PetscCall(read_slab(r));
  find_copies(r);
  PetscCall(note_lost(r, json));
  mt_log("stack: %d slices of %d x %d pixels, %d bit%s, voxel %g x %g x %g nm%s", s->nz, s->nx, s->ny, r->image.bits,
         r->image.real ? " reals" : "", s->voxel[0], s->voxel[1], s->voxel[2],
         s->nlost ? "; lost slices are filled" : "");
  return 0;
}

PetscErrorCode mt_stack_read(MPI_Comm comm, const MtInput *in, MtStack *s, MtJson *json) {
  Reader r = {.comm = comm, .in = in, .s = s};
  memset(s, 0, sizeof *s);
  r.fill = !strcmp(mt_input_string(in, "stack.missing"), "interpolate");
  PetscErrorCode rc = read_stack(&r, json);
  mt_slices_free(&r.files);
  free(r.sign);
  if (rc) mt_stack_free(s);
  return rc;
}

void mt_stack_free(MtStack *s) {
  free(s->gray);
  free(s->lost);
  memset(s, 0, sizeof *s);
}

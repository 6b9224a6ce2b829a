/* section grains, source labels: a volume of label numbers, whatever its format, to numbered grains with easy axes. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "measured.h"
#include "power_axes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  bool stack; /* source stack: labelled by magtwin reconstruct */
  MtSeries files;
  int64_t *raw; /* [nz_local ny nx] */
  int naxes;    /* axes that the file itself holds */
  double *axes;
  double *turns; /* [4 naxes] and the orientations; NULL: none */
} Volume;

static bool ends_in(const char *path, const char *endings) {
  const char *dot = strrchr(path, '.'), *at = dot ? strstr(endings, dot) : NULL;
  return at && (at[strlen(dot)] == ' ' || !at[strlen(dot)]);
}

/* source stack: labels.h5 of magtwin reconstruct, in the folder of the results. */
static PetscErrorCode reconstructed_file(Volume *v) {
  const char *folder = mt_input_string(v->in, "output.folder");
  const size_t room = strlen(folder) + sizeof "/labels.h5";
  v->files.n = 1;
  v->files.text = mt_malloc(room);
  v->files.path = mt_malloc(sizeof *v->files.path);
  v->files.path[0] = v->files.text;
  snprintf(v->files.text, room, "%s/labels.h5", folder);
  const bool there = !access(v->files.text, R_OK);
  return mt_agree(v->comm, there ? 0
                                 : mt_input_error(v->in, "grains.source",
                                                  "is stack, but there is no %s yet: magtwin reconstruct makes it",
                                                  v->files.text));
}

static PetscErrorCode read_raw(Volume *v, MtLabels *l) {
  if (v->stack) {
    PetscCall(reconstructed_file(v));
    return mt_volume_hdf5(v->comm, v->files.path[0], "/labels", l, &v->raw, &v->naxes, &v->axes, &v->turns);
  }
  PetscCall(mt_series_find(v->comm, v->in, "grains.file", &v->files));
  const char *path = v->files.path[0];
  if (ends_in(path, ".tif .tiff .TIF .TIFF")) return mt_volume_tiff(v->comm, &v->files, l, &v->raw);
  if (v->files.n > 1)
    return mt_input_error(v->in, "grains.file", "matches %d files; only TIFF slices may be many: name one file",
                          v->files.n);
  if (ends_in(path, ".npy")) return mt_volume_npy(v->comm, path, l, &v->raw);
  if (ends_in(path, ".h5 .hdf5 .hdf .he5"))
    return mt_volume_hdf5(v->comm, path, mt_input_string(v->in, "grains.dataset"), l, &v->raw, &v->naxes, &v->axes,
                          &v->turns);
  return mt_input_error(v->in, "grains.file", "%s: the format is known by the ending: .npy, .h5, .hdf5, .tif or .tiff",
                        path);
}

static PetscErrorCode set_voxel(const Volume *v, MtLabels *l) {
  if (mt_input_has(v->in, "grains.voxel")) mt_input_vec3(v->in, l->voxel, "grains.voxel");
  for (int d = 0; d < 3; d++)
    if (!(l->voxel[d] > 0))
      return mt_input_error(v->in, "grains.file",
                            "the file does not say how large a voxel is: give grains.voxel, for example [4, 4, 10] nm");
  return 0;
}

/* The different labels of this slab, ascending; a value is stored when it differs from the one before, repeats are
 * dropped when the list is full. */
static PetscErrorCode local_labels(const int64_t *raw, int64_t n, int64_t background, int64_t **list, int64_t *nlist) {
  int64_t room = 65536, used = 0;
  *list = mt_malloc((size_t)room * sizeof **list);
  for (int64_t i = 0; i < n; i++) {
    if (raw[i] == background || (i && raw[i] == raw[i - 1])) continue;
    if (raw[i] < 0 || raw[i] > INT32_MAX)
      return mt_error(MT_ERR_INPUT, "label %lld is out of range (0 to 2147483647)", (long long)raw[i]);
    if (used == room && (used = mt_sort_unique(used, *list)) > room / 2) {
      room *= 2;
      *list = mt_realloc(*list, (size_t)room * sizeof **list);
    }
    (*list)[used++] = raw[i];
  }
  *nlist = mt_sort_unique(used, *list);
  return 0;
}

static PetscErrorCode find_labels(Volume *v, MtLabels *l, int64_t background) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  int64_t *mine = NULL, nmine = 0, nall = 0;
  PetscErrorCode rc = mt_agree(v->comm, local_labels(v->raw, n, background, &mine, &nmine));
  if (!rc) rc = mt_gather_i64(v->comm, nmine, mine, &nall, &l->source);
  free(mine);
  PetscCall(rc);
  l->ngrains = (int)mt_sort_unique(nall, l->source);
  if (!l->ngrains)
    return mt_input_error(v->in, "grains.file", "every voxel is background (%lld): there are no grains",
                          (long long)background);
  return 0;
}

static void number_voxels(const Volume *v, MtLabels *l, int64_t background) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  for (int64_t i = 0; i < n; i++) {
    if (i && v->raw[i] == v->raw[i - 1]) {
      l->label[i] = l->label[i - 1];
      continue;
    }
    const int64_t *at = NULL;
    if (v->raw[i] != background) at = bsearch(&v->raw[i], l->source, (size_t)l->ngrains, sizeof *at, mt_compare_i64);
    l->label[i] = at ? (int32_t)(at - l->source) : -1;
  }
}

static PetscErrorCode axes_of_file(const Volume *v, MtLabels *l) {
  for (int g = 0; g < l->ngrains; g++) {
    const int64_t k = l->source[g] - 1;
    if (k < 0 || k >= v->naxes)
      return mt_error(MT_ERR_INPUT, "%s: /grains/axis has %d rows, but there is a label %lld", v->files.path[0],
                      v->naxes, (long long)l->source[g]);
    memcpy(l->axis + 3 * g, v->axes + 3 * k, 3 * sizeof *l->axis);
    if (l->orientation && v->turns) memcpy(l->orientation + 4 * g, v->turns + 4 * k, 4 * sizeof *v->turns);
  }
  return 0;
}

/* Of what is known: a table, the file, or chance. */
static PetscErrorCode set_axes(const Volume *v, MtLabels *l) {
  l->axis = malloc((3 * (size_t)l->ngrains + 1) * sizeof *l->axis);
  PetscCall(mt_agree(v->comm, l->axis ? 0 : mt_error(MT_ERR_FAIL, "not enough memory for %d grains", l->ngrains)));
  if (mt_input_has(v->in, "grains.orientations"))
    return mt_labels_axes_csv(v->comm, mt_input_string(v->in, "grains.orientations"), l);
  if (v->turns) l->orientation = mt_malloc((4 * (size_t)l->ngrains + 1) * sizeof *l->orientation);
  if (v->naxes) return axes_of_file(v, l);
  mt_log("grains: no grains.orientations: easy axes are drawn about grains.texture_axis");
  MtRandom random;
  mt_random_seed(&random, (uint64_t)mt_input_int(v->in, "grains.seed"));
  l->axes_drawn = true;
  return mt_power_draw_axes(v->in, &random, l->ngrains, l->axis);
}

static PetscErrorCode set_orientations(const Volume *v, MtLabels *l) {
  PetscCall(set_axes(v, l));
  if (l->orientation) return 0;
  l->orientation = mt_malloc((4 * (size_t)l->ngrains + 1) * sizeof *l->orientation);
  mt_power_draw_turns((uint64_t)mt_input_int(v->in, "grains.seed"), l->ngrains, l->axis, l->orientation);
  return 0;
}

static PetscErrorCode read_all(Volume *v, MtLabels *l) {
  const int64_t background = v->stack ? 0 : mt_input_int(v->in, "grains.background");
  int64_t labelled = 0;
  PetscCall(read_raw(v, l));
  PetscCall(set_voxel(v, l));
  PetscCall(find_labels(v, l, background));
  number_voxels(v, l, background);
  PetscCall(set_orientations(v, l));
  PetscCall(mt_labels_count(v->comm, l));
  if (!v->stack) PetscCall(mt_labels_pieces(v->comm, v->in, l));
  for (int g = 0; g < l->ngrains; g++) labelled += l->voxels[g];
  l->kept = (double)labelled / ((double)l->nx * l->ny * l->nz);
  mt_log("grains: %d x %d x %d voxels of %g x %g x %g nm, %d labels on %.1f %% of the volume", l->nx, l->ny, l->nz,
         l->voxel[0], l->voxel[1], l->voxel[2], l->ngrains, 100 * l->kept);
  return 0;
}

PetscErrorCode mt_volume_read(MPI_Comm comm, const MtInput *in, MtLabels *l) {
  Volume v = {.comm = comm, .in = in, .stack = !strcmp(mt_input_string(in, "grains.source"), "stack")};
  PetscErrorCode rc = read_all(&v, l);
  free(v.raw);
  free(v.axes);
  free(v.turns);
  mt_files_free(&v.files);
  return rc;
}

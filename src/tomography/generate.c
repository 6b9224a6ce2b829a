/* magtwin generate: a stack of slices whose truth is known.  Every rank paints the slices of its slab; what is random
 * belongs to the seed and the slice's number. */
#include "generate.h"
#include "../microstructure/measured.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include "magtwin/tomography.h"
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096 };

typedef struct {
  MPI_Comm comm;
  int rank, size;
  const MtInput *in;
  const char *folder;
  MtPainter p;
  bool one_file;
  const char *ending;
  MtLabels truth;
} Job;

static PetscErrorCode count_voxels(Job *j) {
  int n[3];
  const MtScene *s = &j->p.scene;
  for (int d = 0; d < 3; d++) {
    const double exact = s->box[d] / s->voxel[d];
    if (exact > 1e5 || exact < 8 || fabs(exact - floor(exact + .5)) > 1e-6 * exact)
      return mt_input_error(j->in, "generate.voxel",
                            "grains.box must be a whole number of voxels, 8 to 100000, along %c; it is %.6g", 'x' + d,
                            exact);
    n[d] = (int)floor(exact + .5);
  }
  j->p.nx = n[0];
  j->p.ny = n[1];
  j->p.nz = n[2];
  return 0;
}

/* The walk begins where the truth lies; the picture is as much larger as the stage goes astray. */
static void walk(MtPainter *p, double step) {
  MtRandom r;
  double far = 0;
  mt_random_seed(&r, p->seed ^ 0x6472696674);
  p->drift = mt_calloc(2 * (size_t)p->nz, sizeof *p->drift);
  for (int i = 2; i < 2 * p->nz; i++) {
    p->drift[i] = p->drift[i - 2] + step * mt_random_normal(&r);
    far = fmax(far, fabs(p->drift[i]));
  }
  p->margin = (int)ceil(far) + 3;
  p->mx = p->nx + 2 * p->margin;
  p->my = p->ny + 2 * p->margin + p->marks;
}

static PetscErrorCode check_missing(const Job *j) {
  if (!mt_input_has(j->in, "generate.missing")) return 0;
  for (int i = 0; i < mt_input_count(j->in, "generate.missing"); i++) {
    const double k = mt_input_real_at(j->in, i, "generate.missing");
    if (k != floor(k) || k >= j->p.nz - 1 || k < 1)
      return mt_input_error(j->in, "generate.missing",
                            "%g is not the number of a slice inside the stack (1 to %d; the ends cannot be filled)", k,
                            j->p.nz - 2);
  }
  return 0;
}

static bool missing(const Job *j, int k) {
  if (!mt_input_has(j->in, "generate.missing")) return false;
  for (int i = 0; i < mt_input_count(j->in, "generate.missing"); i++)
    if ((int)mt_input_real_at(j->in, i, "generate.missing") == k) return true;
  return false;
}

static PetscErrorCode choose_format(Job *j) {
  const char *format = mt_input_string(j->in, "generate.format");
  const int bits = atoi(mt_input_string(j->in, "generate.bits"));
  const bool png = !strcmp(format, "png");
  j->one_file = !strcmp(format, "tiff-stack");
  j->ending = png ? "png" : "tif";
  if (png && bits == 32) return mt_input_error(j->in, "generate.bits", "PNG has 8 or 16 bits a pixel, not 32");
  j->p.image = (MtImage){j->p.mx, j->p.my, bits, bits == 32};
  return 0;
}

static PetscErrorCode set_up(Job *j) {
  MtPainter *p = &j->p;
  const MtInput *in = j->in;
  PetscCall(mt_scene_make(in, &p->scene));
  PetscCall(count_voxels(j));
  p->seed = p->scene.seed;
  p->marks = (int)mt_input_int(in, "generate.marks");
  p->blur = mt_input_real(in, "generate.blur");
  p->dose = mt_input_real(in, "generate.dose");
  p->noise = mt_input_real(in, "generate.noise");
  p->curtains = mt_input_real(in, "generate.curtains");
  p->shading = mt_input_real(in, "generate.shading");
  p->flicker = mt_input_real(in, "generate.flicker");
  walk(p, mt_input_real(in, "generate.drift"));
  PetscCall(check_missing(j));
  return choose_format(j);
}

/* ---- slices ---- */

static void paint(const Job *j, int k, float *gray) {
  if (missing(j, k)) { /* only painted for a page that must be there */
    memset(gray, 0, (size_t)j->p.mx * (size_t)j->p.my * sizeof *gray);
    return;
  }
  mt_paint_slice(&j->p, k, gray);
  mt_paint_defects(&j->p, k, gray);
}

static PetscErrorCode slice_path(const Job *j, const char *number, char path[PATH]) {
  if (snprintf(path, PATH, "%s/slices/slice_%s.%s", j->folder, number, j->ending) < PATH) return 0;
  return mt_error(MT_ERR_INPUT, "the name of the folder is too long: %.60s...", j->folder);
}

/* Slices of a run before, which might be more. */
static PetscErrorCode clear_slices(const Job *j) {
  char path[PATH];
  glob_t g;
  PetscCall(slice_path(j, "*", path));
  if (!glob(path, GLOB_NOSORT, NULL, &g))
    for (size_t i = 0; i < g.gl_pathc; i++) unlink(g.gl_pathv[i]);
  globfree(&g);
  snprintf(path, PATH, "%s/slices", j->folder);
  return mt_folder_make(path);
}

static PetscErrorCode write_files(const Job *j, int z0, int n, float *gray) {
  for (int k = z0; k < z0 + n; k++) {
    char path[PATH], number[16];
    if (missing(j, k)) continue;
    snprintf(number, sizeof number, "%04d", k);
    PetscCall(slice_path(j, number, path));
    paint(j, k, gray);
    PetscCall(mt_image_write(path, &j->p.image, gray));
  }
  return 0;
}

static int owner(const Job *j, int k) {
  for (int r = 0; r < j->size; r++) {
    int64_t start, n;
    mt_slab(j->p.nz, r, j->size, &start, &n);
    if (k >= start && k < start + n) return r;
  }
  return 0;
}

/* Rank 0 writes the pages in their order; the others paint and send theirs. */
static PetscErrorCode write_pages(const Job *j, int z0, int n, float *gray) {
  const int pixels = j->p.mx * j->p.my;
  char path[PATH];
  MtTiff *t = NULL;
  PetscErrorCode rc = slice_path(j, "all", path);
  if (j->rank) {
    for (int k = z0; k < z0 + n; k++) {
      paint(j, k, gray);
      PetscCallMPI(MPI_Send(gray, pixels, MPI_FLOAT, 0, 1, j->comm));
    }
    return 0;
  }
  if (!rc) rc = mt_tiff_create(path, (double)pixels * j->p.nz * j->p.image.bits / 8, &t);
  for (int k = 0; k < j->p.nz; k++) { /* also after an error: the others are sending */
    const int from = owner(j, k);
    if (from)
      PetscCallMPI(MPI_Recv(gray, pixels, MPI_FLOAT, from, 1, j->comm, MPI_STATUS_IGNORE));
    else if (!rc)
      paint(j, k, gray);
    if (!rc) rc = mt_tiff_add(t, &j->p.image, gray);
  }
  const PetscErrorCode rc2 = mt_tiff_close(&t);
  return rc ? rc : rc2;
}

static PetscErrorCode write_slices(const Job *j) {
  int64_t z0, n;
  PetscErrorCode rc = 0;
  if (!j->rank) rc = clear_slices(j);
  PetscCall(mt_agree_root(j->comm, rc));
  mt_slab(j->p.nz, j->rank, j->size, &z0, &n);
  float *gray = mt_malloc((size_t)j->p.mx * (size_t)j->p.my * sizeof *gray);
  rc = j->one_file ? write_pages(j, (int)z0, (int)n, gray) : write_files(j, (int)z0, (int)n, gray);
  free(gray);
  return mt_agree(j->comm, rc);
}

/* ---- truth ---- */

static PetscErrorCode make_truth(Job *j) {
  MtLabels *l = &j->truth;
  const MtPower *power = &j->p.scene.power;
  PetscCall(mt_labels_layout(j->comm, j->p.nx, j->p.ny, j->p.nz, l));
  memcpy(l->voxel, j->p.scene.voxel, sizeof l->voxel);
  for (int k = 0; k < l->nz_local; k++)
    mt_paint_truth(&j->p, l->z0 + k, l->label + (size_t)k * (size_t)l->nx * (size_t)l->ny);
  l->ngrains = power->n;
  l->axis = mt_malloc(3 * (size_t)power->n * sizeof *l->axis);
  l->orientation = mt_malloc(4 * (size_t)power->n * sizeof *l->orientation);
  l->source = mt_malloc((size_t)power->n * sizeof *l->source);
  memcpy(l->axis, power->axis, 3 * (size_t)power->n * sizeof *l->axis);
  memcpy(l->orientation, power->orientation, 4 * (size_t)power->n * sizeof *l->orientation);
  for (int g = 0; g < power->n; g++) l->source[g] = g + 1;
  PetscCall(mt_labels_count(j->comm, l));
  char path[PATH];
  snprintf(path, sizeof path, "%s/truth.h5", j->folder);
  return mt_labels_write(j->comm, l, path, j->in);
}

static PetscErrorCode open_table(const Job *j, const char *name, FILE **f) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/%s", j->folder, name);
  *f = fopen(path, "w");
  return *f ? 0 : mt_error(MT_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
}

static PetscErrorCode close_table(FILE *f, const char *name) {
  const bool good = !ferror(f);
  return !fclose(f) && good ? 0 : mt_error(MT_ERR_FAIL, "%s: cannot be written to its end", name);
}

static PetscErrorCode write_tables(const Job *j) {
  const MtLabels *l = &j->truth;
  FILE *f;
  PetscCall(open_table(j, "truth_drift.csv", &f));
  fprintf(f, "slice,dx_px,dy_px\n");
  for (int k = 0; k < j->p.nz; k++) fprintf(f, "%d,%.9g,%.9g\n", k, j->p.drift[2 * k], j->p.drift[2 * k + 1]);
  PetscCall(close_table(f, "truth_drift.csv"));
  PetscCall(open_table(j, "truth_grains.csv", &f));
  fprintf(f, "label,voxels,volume_nm3,gray,ax,ay,az\n");
  for (int g = 0; g < l->ngrains; g++)
    fprintf(f, "%d,%lld,%.9g,%.6g,%.9g,%.9g,%.9g\n", g + 1, (long long)l->voxels[g],
            (double)l->voxels[g] * l->voxel[0] * l->voxel[1] * l->voxel[2], j->p.scene.gray[g], l->axis[3 * g],
            l->axis[3 * g + 1], l->axis[3 * g + 2]);
  return close_table(f, "truth_grains.csv");
}

/* The input that reads the stack again.  The lines above the grains stay in view with any drift in the first
 * `marks` rows. */
static PetscErrorCode write_input(const Job *j) {
  const MtPainter *p = &j->p;
  const double *v = p->scene.voxel;
  double texture[3];
  FILE *f;
  mt_input_vec3(j->in, texture, "grains.texture_axis");
  PetscCall(open_table(j, "reconstruct.yaml", &f));
  fprintf(
      f,
      "# A generated stack with known truth, not a measurement: written by magtwin generate.\n"
      "title: generated stack, seed %lld\n\ngrains:\n  source: stack\n  texture_axis: [%.9g, %.9g, %.9g]\n\nstack:\n"
      "  files: %s/slices/slice_*.%s\n  voxel: [%.9g nm, %.9g nm, %.9g nm]\n",
      (long long)p->seed, texture[0], texture[1], texture[2], j->folder, j->ending, v[0], v[1], v[2]);
  if (p->marks) fprintf(f, "  marks: [0, 0, %d, %d]\n", p->mx, p->marks);
  fprintf(f, "  crop: [%d, %d, %d, %d]\n", p->margin, p->margin + p->marks, p->margin + p->nx,
          p->margin + p->marks + p->ny);
  if (mt_input_has(j->in, "generate.missing")) fprintf(f, "  missing: interpolate\n");
  fprintf(f, "  truth: %s\n\noutput:\n  folder: %s/grains\n", j->folder, j->folder);
  /* what comes after the grains, for the whole line from one input */
  char *rest = mt_input_section(j->in, "mesh materials field demagnetizing minimizer checkpoint");
  if (strstr(rest, "\n  grain:")) fprintf(f, "\n%s", rest);
  free(rest);
  return close_table(f, "reconstruct.yaml");
}

static void tell(const Job *j, MtJson *json) {
  const MtPainter *p = &j->p;
  int64_t inside = 0;
  int seen = 0;
  for (int g = 0; g < j->truth.ngrains; g++) {
    inside += j->truth.voxels[g];
    seen += j->truth.voxels[g] > 0;
  }
  const double share = 1 - (double)inside / ((double)p->nx * p->ny * p->nz);
  mt_log("stack: %d slices of %d x %d pixels, %d bit, drawn as a ground truth (not a measurement)", p->nz, p->mx, p->my,
         p->image.bits);
  mt_log("stack: truth of %d x %d x %d voxels: %d grains, %.2f %% pockets; drift up to %d pixels", p->nx, p->ny, p->nz,
         seen, 100 * share, p->margin - 3);
  mt_json_object(json, "stack");
  mt_json_bool(json, "generated_ground_truth", 1);
  mt_json_int(json, "slices", p->nz);
  mt_json_reals(json, "pixels", 2, (double[]){p->mx, p->my});
  mt_json_reals(json, "truth_voxels", 3, (double[]){p->nx, p->ny, p->nz});
  mt_json_reals(json, "voxel_nm", 3, p->scene.voxel);
  mt_json_int(json, "grains", seen);
  mt_json_real(json, "pocket_fraction", share);
  mt_json_end(json);
}

static PetscErrorCode generate(Job *j, MtJson *json) {
  PetscErrorCode rc;
  PetscCall(mt_agree(j->comm, set_up(j)));
  PetscCall(write_slices(j));
  PetscCall(make_truth(j));
  rc = j->rank ? 0 : write_tables(j);
  if (!rc && !j->rank) rc = write_input(j);
  PetscCall(mt_agree_root(j->comm, rc));
  tell(j, json);
  return 0;
}

PetscErrorCode mt_stack_generate(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  Job j = {.comm = comm, .in = in, .folder = folder};
  MPI_Comm_rank(comm, &j.rank);
  MPI_Comm_size(comm, &j.size);
  PetscErrorCode rc = generate(&j, json);
  mt_labels_free(&j.truth);
  free(j.p.drift);
  mt_scene_free(&j.p.scene);
  return rc;
}

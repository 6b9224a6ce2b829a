/* magtwin topology: a series of images, its diagrams, and the files of them. */
#include "magtwin/run.h"
#include "cycles.h"
#include "diagrams.h"
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "prepare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4200 };

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  bool resume;
  MtImages images;
  int start, n, found; /* images of this rank; found: read back, not computed */
  MtDiagram *d;        /* [n] owned */
  MtCubical options;   /* without size and values */
  MtPrepare prepare;
  bool lasting;
  bool shared; /* the ranks share each image */
  double last; /* value with which the last pixel of the image that is shared enters */
  double least;
  int64_t kept, dropped; /* pairs of this rank's images that die: longer than that, and shorter */
  int dims;              /* of the diagrams */
  double seconds;        /* in persistent homology alone */
} Job;

static int64_t pixels(const Job *j) {
  return (int64_t)j->options.n[0] * j->options.n[1] * j->options.n[2];
}

/* What a slab cannot do on its own; NULL: nothing of it is asked for. */
static const char *needs_whole(const Job *j) {
  if (j->images.parts) return "topology.diagrams";
  if (j->images.sampler) return "topology.mesh";
  if (j->prepare.blur > 0) return "topology.blur";
  if (j->prepare.binary) return "topology.binary";
  if (mt_input_int(j->in, "topology.regions")) return "topology.regions";
  return mt_input_int(j->in, "topology.cycles") ? "topology.cycles" : NULL;
}

static PetscErrorCode read_share(Job *j) {
  enum { LARGE = 1000000 };
  const char *share = mt_input_string(j->in, "topology.share"), *whole = needs_whole(j);
  int ranks;
  PetscCallMPI(MPI_Comm_size(j->comm, &ranks));
  j->shared = !strcmp(share, "volume");
  if (j->shared && whole) return mt_input_error(j->in, "topology.share", "volume: %s needs whole images", whole);
  if (!strcmp(share, "auto")) j->shared = !whole && !j->images.hidden && ranks > j->images.n && pixels(j) >= LARGE;
  return 0;
}

static PetscErrorCode read_options(Job *j) {
  const MtInput *in = j->in;
  j->options = mt_images_options(in, &j->images);
  for (int a = 0; a < 3; a++)
    if (j->options.periodic[a] && j->images.size[a] < 2)
      return mt_input_error(in, "topology.periodic", "the images have one pixel along %c", 'x' + a);
  j->prepare = mt_prepare_options(in, &j->options);
  j->lasting = mt_input_bool(in, "topology.lasting");
  j->least = mt_input_real(in, "topology.min_persistence");
  return read_share(j);
}

/* Drops what was not asked for. */
static void select_pairs(Job *j, MtDiagram *d) {
  for (int k = 0; k < d->dims; k++) {
    int64_t n = 0;
    for (int64_t i = 0; i < d->n[k]; i++) {
      const MtPair p = d->pair[k][i];
      const bool dies = isfinite(p.death), takes = dies ? fabs(p.death - p.birth) >= j->least : j->lasting;
      if (dies) (*(takes ? &j->kept : &j->dropped))++;
      if (takes) d->pair[k][n++] = p;
    }
    d->n[k] = n;
  }
}

static PetscErrorCode warn_of_none(const Job *j) {
  int64_t all[2] = {j->kept, j->dropped};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 2, MPI_INT64_T, MPI_SUM, j->comm));
  if (!all[0] && all[1])
    mt_warn("all %lld pairs last less than topology.min_persistence = %g: none is left", (long long)all[1], j->least);
  return 0;
}

/* The value at which the last pixel enters. */
static double highest(const Job *j, const double *value) {
  const double sign = j->options.superlevel ? -1 : 1;
  double last = -INFINITY;
  for (int64_t i = 0; i < pixels(j); i++)
    if (!j->options.hidden || !j->options.hidden[i]) last = fmax(last, sign * value[i]);
  return sign * last;
}

/* The last birth or death of a diagram whose image is not known. */
static double latest(const MtDiagram *d) {
  double last = NAN, sign = 1;
  for (int k = 0; k < d->dims; k++)
    for (int64_t i = 0; i < d->n[k]; i++)
      if (d->pair[k][i].death < d->pair[k][i].birth) sign = -1;
  for (int k = 0; k < d->dims; k++)
    for (int64_t i = 0; i < d->n[k]; i++) {
      const MtPair *p = &d->pair[k][i];
      last = fmax(last, sign * (isfinite(p->death) ? p->death : p->birth));
    }
  return isnan(last) ? 0 : sign * last;
}

/* The csv file last: it says that the others are there. */
static PetscErrorCode write_one(const Job *j, int i, const MtCubical *image, const MtDiagram *d) {
  char stem[PATH], path[PATH + 16];
  snprintf(stem, sizeof stem, "%s/diagrams/%04d", j->folder, i + 1);
  PetscErrorCode rc = 0;
  if (mt_input_bool(j->in, "topology.write.npy")) {
    snprintf(path, sizeof path, "%s.npy", stem);
    rc = mt_diagram_write_npy(path, d, j->options.n);
  }
  if (!rc && mt_input_bool(j->in, "topology.write.dipha")) {
    snprintf(path, sizeof path, "%s.diagram", stem);
    rc = mt_diagram_write_dipha(path, d, image->value ? highest(j, image->value) : (j->shared ? j->last : latest(d)));
  }
  if (!rc && image->value) rc = mt_region_table_write(stem, image, d, (int)mt_input_int(j->in, "topology.regions"));
  if (!rc && image->value) rc = mt_cycles_write(stem, image, d, (int)mt_input_int(j->in, "topology.cycles"));
  if (!rc && mt_input_bool(j->in, "topology.write.text")) rc = mt_diagram_write_text(stem, d);
  snprintf(path, sizeof path, "%s.csv", stem);
  return rc ? rc : mt_diagram_write_csv(path, d, j->options.n);
}

static PetscErrorCode compute_one(Job *j, int i, MtDiagram *d) {
  double *value = mt_malloc((size_t)pixels(j) * sizeof *value);
  char name[512];
  MtCubical image = j->options;
  PetscErrorCode rc = mt_images_read(&j->images, i, value);
  if (!rc) rc = mt_prepare(&j->prepare, mt_images_name(&j->images, i, name), value);
  image.value = value;
  const double start = mt_wall();
  if (!rc) rc = mt_persistence(&image, d);
  j->seconds += mt_wall() - start;
  if (!rc) {
    select_pairs(j, d);
    rc = write_one(j, i, &image, d);
  }
  free(value);
  return rc;
}

/* A diagram computed elsewhere. */
static PetscErrorCode take_one(Job *j, int i, MtDiagram *d) {
  PetscErrorCode rc = mt_diagram_load(&j->images, i, d);
  if (rc) return rc;
  select_pairs(j, d);
  return write_one(j, i, &j->options, d);
}

static PetscErrorCode do_one(Job *j, int i) {
  char path[PATH];
  MtDiagram *d = &j->d[i - j->start];
  snprintf(path, sizeof path, "%s/diagrams/%04d.csv", j->folder, i + 1);
  if (j->images.parts) return take_one(j, i, d);
  if (!j->resume || access(path, F_OK)) return compute_one(j, i, d);
  j->found++;
  return mt_diagram_read_csv(path, j->dims, j->options.n, d);
}

typedef struct {
  Job *job;
  int image;
} Layers;

static PetscErrorCode read_layers(void *context, int from, int n, double *value) {
  const Layers *l = context;
  Job *j = l->job;
  const int64_t nx = j->options.n[0], ny = j->options.n[1], layer = nx * (j->options.n[2] > 1 ? ny : 1);
  const double start = mt_wall();
  char name[512];
  PetscCall(mt_images_read_layers(&j->images, l->image, from, n, value));
  uint8_t *hidden = mt_calloc((size_t)(n * layer), 1);
  int64_t shown;
  PetscErrorCode rc = j->images.mask ? mt_mask_layers(&j->images, from, n, hidden, &shown) : 0;
  for (int64_t i = 0; i < n * layer && !rc; i++) {
    const int64_t p = from * layer + i;
    if (hidden[i]) {
      value[i] = NAN;
      continue;
    }
    if (!isfinite(value[i]))
      rc = mt_error(MT_ERR_INPUT, "%s: pixel x %lld, y %lld, z %lld is not a finite number",
                    mt_images_name(&j->images, l->image, name), (long long)(p % nx), (long long)(p / nx % ny),
                    (long long)(p / nx / ny));
  }
  free(hidden);
  j->seconds -= mt_wall() - start; /* reading is no homology */
  return rc;
}

/* An image that all ranks share; rank 0 has its diagram.  Collective. */
static PetscErrorCode share_one(Job *j, int i) {
  Layers layers = {j, i};
  char path[PATH];
  int rank, there;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  snprintf(path, sizeof path, "%s/diagrams/%04d.csv", j->folder, i + 1);
  there = j->resume && !access(path, F_OK);
  PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, j->comm));
  MtDiagram other = {0}, *d = rank ? &other : &j->d[i];
  if (there) return rank ? 0 : do_one(j, i);
  const double start = mt_wall();
  PetscCall(mt_persistence_shared(j->comm, &j->options, read_layers, &layers, d, &j->last));
  if (!isfinite(j->last)) return mt_error(MT_ERR_INPUT, "%s: the mask hides every pixel of the images", j->images.mask);
  j->seconds += mt_wall() - start;
  if (rank) {
    mt_diagram_free(d);
    return 0;
  }
  select_pairs(j, d);
  return write_one(j, i, &j->options, d);
}

/* All ranks go round together, so that an error or a signal ends them all after the same image. */
static PetscErrorCode do_all(Job *j, bool *stopped) {
  int rounds = j->n;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_INT, MPI_MAX, j->comm));
  *stopped = false;
  for (int r = 0; r < rounds && !*stopped; r++) {
    PetscErrorCode rc = j->shared ? share_one(j, r) : (r < j->n ? do_one(j, j->start + r) : 0);
    PetscCall(mt_agree(j->comm, rc));
    mt_progress("image %d of %d%s", r + 1, rounds, j->shared ? "" : " on each rank");
    *stopped = r + 1 < rounds && mt_stop_agreed(j->comm);
  }
  mt_progress_end();
  return 0;
}

/* Continuing makes sense with the same input only. */
static PetscErrorCode check_input(const Job *j) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/topology.yaml", j->folder);
  const char *text = mt_input_canonical(j->in);
  const size_t n = strlen(text);
  if (j->resume && !access(path, F_OK)) {
    char *old = mt_malloc(n + 2);
    FILE *f = fopen(path, "r");
    const size_t got = f ? fread(old, 1, n + 1, f) : 0;
    const bool same = got == n && !memcmp(old, text, n);
    if (f) fclose(f);
    free(old);
    if (!same)
      return mt_error(MT_ERR_INPUT,
                      "%s holds diagrams made with another input (topology.yaml there): start anew with "
                      "--force",
                      j->folder);
    return 0;
  }
  snprintf(path, sizeof path, "%s/diagrams", j->folder);
  PetscErrorCode rc = mt_folder_make(path);
  snprintf(path, sizeof path, "%s/topology.yaml", j->folder);
  return rc ? rc : mt_file_write(path, text);
}

/* What a run before this one left would be taken for a part of it. */
static void remove_old(const Job *j) {
  char path[PATH];
  for (int i = 1, gone = 0; !gone; i++) {
    snprintf(path, sizeof path, "%s/diagrams/%04d.csv", j->folder, i);
    gone = unlink(path) != 0 && i > j->images.n;
  }
  snprintf(path, sizeof path, "%s/topology.yaml", j->folder);
  unlink(path);
}

static PetscErrorCode begin(Job *j) {
  int rank, ranks;
  int64_t start, n;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCallMPI(MPI_Comm_size(j->comm, &ranks));
  if (!rank && !j->resume) remove_old(j);
  if (!rank) rc = check_input(j);
  PetscCall(mt_agree_root(j->comm, rc));
  mt_slab(j->images.n, rank, ranks, &start, &n);
  if (j->shared) start = 0, n = rank ? 0 : j->images.n;
  j->start = (int)start;
  j->n = (int)n;
  j->d = mt_calloc((size_t)n, sizeof *j->d);
  j->dims = j->options.n[2] > 1 ? 3 : 2;
  if (j->images.parts)
    mt_log("%d diagram%s", j->images.n, j->images.n == 1 ? "" : "s");
  else
    mt_log("%d image%s of %d x %d x %d pixels", j->images.n, j->images.n == 1 ? "" : "s", j->options.n[0],
           j->options.n[1], j->options.n[2]);
  return 0;
}

/* Shares what each rank knows of its images: numbers of pairs, longest, sum of lengths, entropy for each dimension. */
enum { FACTS = 4 };
static void facts_of(const MtDiagram *d, int k, double *fact) {
  double sum = 0, longest = 0, entropy = 0;
  for (int64_t i = 0; i < d->n[k]; i++) {
    const double l = fabs(d->pair[k][i].death - d->pair[k][i].birth);
    if (!isfinite(l)) continue;
    sum += l;
    longest = fmax(longest, l);
  }
  for (int64_t i = 0; i < d->n[k]; i++) {
    const double share = fabs(d->pair[k][i].death - d->pair[k][i].birth) / sum;
    if (isfinite(share) && share > 0) entropy -= share * log(share);
  }
  fact[0] = (double)d->n[k], fact[1] = longest, fact[2] = sum, fact[3] = entropy;
}

static PetscErrorCode write_table(const Job *j, int dims, const double *fact) {
  const size_t line = 600 + 128 * (size_t)dims;
  char *text = mt_malloc(400 + line * (size_t)j->images.n), *p = stpcpy(text, "image,file"), name[512], path[PATH],
       b[32];
  for (int k = 0; k < dims; k++) p += sprintf(p, ",pairs_%d,longest_%d,total_%d,entropy_%d", k, k, k, k);
  *p++ = '\n';
  for (int i = 0; i < j->images.n; i++) {
    p += sprintf(p, "%d,\"%s\"", i + 1, mt_images_name(&j->images, i, name));
    for (int c = 0; c < dims * FACTS; c++) p += sprintf(p, ",%s", mt_real_text(fact[i * dims * FACTS + c], b));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/images.csv", j->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static void tell(const Job *j, int dims, const double *fact, MtJson *json) {
  mt_json_object(json, "topology");
  mt_json_int(json, "images", j->images.n);
  mt_json_quantity(json, "homology_wall", j->seconds, "s"); /* of the slowest rank */
  for (int k = 0; k < dims; k++) {
    char key[32];
    double pairs = 0;
    for (int i = 0; i < j->images.n; i++) pairs += fact[(i * dims + k) * FACTS];
    snprintf(key, sizeof key, "pairs_dimension%d", k);
    mt_json_int(json, key, (int64_t)pairs);
    mt_log("dimension %d: %lld pairs", k, (long long)pairs);
  }
  mt_json_end(json);
}

static PetscErrorCode finish(Job *j, MtJson *json) {
  int rank, found = j->found;
  for (int i = 0; i < j->n; i++) j->dims = j->d[i].dims > j->dims ? j->d[i].dims : j->dims;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &j->dims, 1, MPI_INT, MPI_MAX, j->comm));
  const int dims = j->dims;
  const size_t facts = (size_t)j->images.n * (size_t)dims * FACTS;
  char path[PATH];
  double *fact = mt_calloc(facts, sizeof *fact);
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  for (int i = 0; i < j->n; i++)
    for (int k = 0; k < dims; k++) facts_of(&j->d[i], k, fact + ((j->start + i) * dims + k) * FACTS);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, fact, (int)facts, MPI_DOUBLE, MPI_SUM, j->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_SUM, j->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &j->seconds, 1, MPI_DOUBLE, MPI_MAX, j->comm));
  if (found) mt_log("%d of them were there already", found);
  if (!found) PetscCall(warn_of_none(j));
  PetscErrorCode rc = mt_agree_root(j->comm, rank ? 0 : write_table(j, dims, fact));
  tell(j, dims, fact, json);
  free(fact);
  if (rc) return rc;
  snprintf(path, sizeof path, "%s/diagrams.h5", j->folder);
  PetscCall(mt_diagrams_write_hdf5(j->comm, path, j->in, dims, j->options.n, j->images.from, j->images.n, j->start,
                                   j->n, j->d));
  snprintf(path, sizeof path, "%s/features.h5", j->folder);
  mt_phase_begin("features");
  PetscCall(mt_features_write(j->comm, path, j->in, j->images.n, j->start, j->n, j->d, dims));
  mt_phase_end("features");
  mt_phase_begin("distances");
  PetscCall(mt_distances_write(j->comm, j->folder, j->in, dims, j->options.n, j->images.n));
  mt_phase_end("distances");
  return 0;
}

static PetscErrorCode run(Job *j, MtJson *json, bool *stopped) {
  const bool large = !strcmp(mt_input_string(j->in, "topology.share"), "volume");
  PetscCall((large ? mt_images_find_large : mt_images_find)(j->comm, j->in, &j->images));
  PetscCall(read_options(j));
  PetscCall(begin(j));
  mt_phase_begin("diagrams");
  PetscCall(do_all(j, stopped));
  mt_phase_end("diagrams");
  return *stopped ? 0 : finish(j, json);
}

PetscErrorCode mt_topology_run(MPI_Comm comm, const MtInput *in, const char *folder, bool resume, MtJson *json,
                               bool *stopped) {
  Job j = {.comm = comm, .in = in, .folder = folder, .resume = resume};
  *stopped = false;
  PetscErrorCode rc = run(&j, json, stopped);
  for (int i = 0; i < j.n && j.d; i++) mt_diagram_free(&j.d[i]);
  free(j.d);
  mt_images_free(&j.images);
  return rc;
}

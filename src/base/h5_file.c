/* Files that survive: written as path.tmp, synced, the old one hard-linked as path.prev, renamed.
 * A file is first looked at by rank 0 alone with the serial driver, so that damage ends in a sentence and not inside
 * MPI-IO. */
#include "error_internal.h"
#include "file.h"
#include "h5_internal.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void mt_slab(int64_t ntotal, int rank, int nranks, int64_t *start, int64_t *n) {
  int64_t each = ntotal / nranks, more = ntotal % nranks;
  *start = rank * each + (rank < more ? rank : more);
  *n = each + (rank < more);
}

PetscErrorCode mt_slab_here(MPI_Comm comm, int64_t ntotal, int64_t *start, int64_t *n) {
  int rank, ranks;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  mt_slab(ntotal, rank, ranks, start, n);
  return 0;
}

hid_t mt_h5_id(MtH5 *f) {
  return f->id;
}

static MtH5 *unfinished; /* rank 0's files that are not committed yet */

static MtH5 *h5_new(MPI_Comm comm, const char *path, bool writing) {
  MtH5 *f = calloc(1, sizeof *f);
  if (!f) abort();
  f->comm = comm;
  f->id = -1;
  f->path = mt_file_join(path, "");
  f->tmp = writing ? mt_file_join(path, ".tmp") : NULL;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return f;
}

/* A run that ends in an error between create and commit leaves no half file behind. */
static void remove_unfinished(void) {
  for (const MtH5 *f = unfinished; f; f = f->next) unlink(f->tmp);
}

static void watch(MtH5 *f) {
  static bool registered;
  if (!registered) registered = atexit(remove_unfinished) == 0;
  f->next = unfinished;
  unfinished = f;
}

static void unwatch(const MtH5 *f) {
  for (MtH5 **at = &unfinished; *at; at = &(*at)->next) {
    if (*at != f) continue;
    *at = f->next;
    return;
  }
}

static void h5_free(MtH5 **f) {
  unwatch(*f);
  free((*f)->path);
  free((*f)->tmp);
  free(*f);
  *f = NULL;
}

static int rank_of(MPI_Comm comm) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

/* Free bytes where the file lies; -1: not known. */
static double bytes_free(const char *path) {
  char *folder = mt_file_join(path, ""), *slash = strrchr(folder, '/');
  struct statvfs fs;
  if (slash) *slash = 0;
  double left = statvfs(slash ? folder : ".", &fs) ? -1 : (double)fs.f_bavail * (double)fs.f_frsize;
  free(folder);
  return left;
}

static PetscErrorCode write_failed(MtH5 *f, const char *what) {
  double left = bytes_free(f->path);
  if (left >= 0 && left < 1e8)
    return mt_error(MT_ERR_DISK, "cannot write %s to %s: the disk is full (%.1f MB free there)", what, f->path,
                    left / 1e6);
  return mt_error(MT_ERR_DISK, "cannot write %s to %s: the disk or a quota may be full", what, f->path);
}

PetscErrorCode mt_h5_failed(MtH5 *f, const char *what, bool failed) {
  PetscErrorCode rc = 0;
  if (failed && f->tmp)
    rc = write_failed(f, what);
  else if (failed)
    rc = mt_error(MT_ERR_INPUT, "%s is damaged: %s cannot be read (missing, truncated or its checksum is wrong)",
                  f->path, what);
  return f->tmp ? mt_agree_or_abort(f->comm, rc) : mt_agree(f->comm, rc);
}

PetscErrorCode mt_h5_room(MtH5 *f, const char *what, int64_t bytes) {
  const double spare = 65536; /* what HDF5 keeps of its own until the file is closed */
  PetscErrorCode rc = 0;
  double left = rank_of(f->comm) ? -1 : bytes_free(f->path);
  if (left >= 0 && left < (double)bytes + spare)
    rc = mt_error(MT_ERR_DISK, "cannot write %s to %s: the disk is full (%.3g MB needed, %.3g MB free there)", what,
                  f->path, ((double)bytes + spare) / 1e6, left / 1e6);
  return mt_agree(f->comm, rc);
}

/* No times inside, so that equal runs write equal bits; attributes may be longer than 64 kB (1.8 format). */
static hid_t access_list(MPI_Comm comm) {
  hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_mpio(fapl, comm, MPI_INFO_NULL);
  H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
  H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_coll_metadata_write(fapl, true);
  return fapl;
}

static PetscErrorCode probe_new(const char *path, const char *tmp) {
  struct stat st;
  if (!stat(path, &st) && S_ISDIR(st.st_mode))
    return mt_error(MT_ERR_INPUT, "cannot write %s: a folder is in its place", path);
  unlink(tmp);
  int fd = open(tmp, O_WRONLY | O_CREAT, 0666);
  if (fd < 0) return mt_file_failed(path, "write", errno);
  close(fd);
  return 0;
}

PetscErrorCode mt_h5_create(MPI_Comm comm, const char *path, const char *format, int version, MtH5 **out) {
  int size;
  MtH5 *f = *out = h5_new(comm, path, true);
  PetscErrorCode rc = mt_agree(comm, rank_of(comm) ? 0 : probe_new(path, f->tmp));
  if (!rc && rank_of(comm) == 0) watch(f);
  if (!rc) {
    hid_t fapl = access_list(comm), fcpl = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(fcpl, false); /* of the root group */
    f->id = H5Fcreate(f->tmp, H5F_ACC_TRUNC, fcpl, fapl);
    H5Pclose(fcpl);
    H5Pclose(fapl);
    rc = mt_h5_failed(f, "a new file", f->id < 0);
  }
  if (rc) {
    if (rank_of(comm) == 0) unlink(f->tmp);
    h5_free(out);
    return rc;
  }
  MPI_Comm_size(comm, &size);
  PetscCall(mt_h5_set_string(f, "/", "format", format));
  PetscCall(mt_h5_set_ints(f, "/", "version", 1, (int64_t[]){version}));
  PetscCall(mt_h5_set_string(f, "/", "made_by", mt_version()));
  PetscCall(mt_h5_set_ints(f, "/", "ranks", 1, (int64_t[]){size}));
  return 0;
}

/* The old file stays readable under path.prev at every moment; without hard links it is renamed instead. */
static PetscErrorCode keep_old(const char *path) {
  char *prev = mt_file_join(path, ".prev");
  PetscErrorCode rc = 0;
  if (!access(path, F_OK)) {
    if (unlink(prev) && errno != ENOENT) rc = mt_file_failed(prev, "replace", errno);
    if (!rc && link(path, prev) && rename(path, prev)) rc = mt_file_failed(prev, "write", errno);
  }
  free(prev);
  return rc;
}

static PetscErrorCode move_into_place(MtH5 *f, bool keep_prev) {
  PetscCall(mt_file_sync(f->tmp));
  if (keep_prev) PetscCall(keep_old(f->path));
  return mt_file_replace(f->tmp, f->path);
}

static herr_t close_id(MtH5 *f) {
  herr_t rc = f->id >= 0 ? H5Fclose(f->id) : 0;
  f->id = -1;
  return rc;
}

PetscErrorCode mt_h5_commit(MtH5 **fp, bool keep_prev) {
  MtH5 *f = *fp;
  /* the flush ends in MPI_File_sync: every node's part is on the disk before the rename */
  bool failed = H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0;
  failed = close_id(f) < 0 || failed;
  PetscErrorCode rc = mt_h5_failed(f, "the file", failed);
  if (!rc) rc = mt_agree(f->comm, rank_of(f->comm) ? 0 : move_into_place(f, keep_prev));
  if (rc && rank_of(f->comm) == 0) unlink(f->tmp);
  h5_free(fp);
  return rc;
}

PetscErrorCode mt_h5_discard(MtH5 **fp) {
  if (!*fp) return 0;
  MPI_Comm comm = (*fp)->comm;
  close_id(*fp);
  if (rank_of(comm) == 0) unlink((*fp)->tmp);
  h5_free(fp);
  PetscCallMPI(MPI_Barrier(comm));
  return 0;
}

/* As Python's h5py writes strings. */
static char *variable_string(hid_t attribute, hid_t type) {
  char *text = NULL, *value = NULL;
  if (H5Aread(attribute, type, &text) >= 0 && text) value = strdup(text);
  H5free_memory(text);
  return value;
}

static char *serial_string(hid_t file, const char *name) {
  char *value = NULL;
  hid_t a = H5Aexists(file, name) > 0 ? H5Aopen(file, name, H5P_DEFAULT) : -1, type = a >= 0 ? H5Aget_type(a) : -1;
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type)) {
    value = calloc(1, H5Tget_size(type) + 1);
    if (value && H5Aread(a, type, value) < 0) value[0] = 0;
  }
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type)) value = variable_string(a, type);
  if (type >= 0) H5Tclose(type);
  if (a >= 0) H5Aclose(a);
  return value;
}

static int64_t serial_int(hid_t file, const char *name) {
  int64_t value = -1;
  hid_t a = H5Aexists(file, name) > 0 ? H5Aopen(file, name, H5P_DEFAULT) : -1;
  if (a >= 0 && (H5Aread(a, H5T_NATIVE_INT64, &value) < 0)) value = -1;
  if (a >= 0) H5Aclose(a);
  return value;
}

static PetscErrorCode check_header(hid_t file, const char *path, const char *format, int version) {
  char *found = serial_string(file, "format");
  int64_t v = serial_int(file, "version");
  PetscErrorCode rc = 0;
  if (!found)
    rc = mt_error(MT_ERR_INPUT, "%s is not a magtwin file (no format attribute)", path);
  else if (format && strcmp(found, format))
    rc = mt_error(MT_ERR_INPUT, "%s is a %s file; a %s file is wanted", path, found, format);
  else if (format && v > version)
    rc = mt_error(MT_ERR_INPUT, "%s has version %lld of %s; this program reads up to version %d: use a newer magtwin",
                  path, (long long)v, format, version);
  else if (v < 1)
    rc = mt_error(MT_ERR_INPUT, "%s is damaged: it has no version", path);
  free(found);
  return rc;
}

static PetscErrorCode probe_old(const char *path, const char *format, int version) {
  struct stat st;
  if (stat(path, &st)) return mt_file_failed(path, "read", errno);
  if (!S_ISREG(st.st_mode)) return mt_error(MT_ERR_INPUT, "cannot read %s: it is not a file", path);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return mt_file_failed(path, "read", errno);
  close(fd);
  if (st.st_size == 0) return mt_error(MT_ERR_INPUT, "%s is empty", path);
  if (H5Fis_hdf5(path) <= 0) return mt_error(MT_ERR_INPUT, "%s is not an HDF5 file, or its beginning is damaged", path);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0)
    return mt_error(MT_ERR_INPUT, "%s is damaged or truncated (%lld bytes): HDF5 cannot open it", path,
                    (long long)st.st_size);
  PetscErrorCode rc = check_header(file, path, format, version);
  H5Fclose(file);
  return rc;
}

PetscErrorCode mt_h5_open(MPI_Comm comm, const char *path, const char *format, int version, MtH5 **out) {
  MtH5 *f = *out = h5_new(comm, path, false);
  PetscErrorCode rc = mt_agree(comm, rank_of(comm) ? 0 : probe_old(path, format, version));
  if (!rc) {
    hid_t fapl = access_list(comm);
    f->id = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    H5Pclose(fapl);
    rc = mt_h5_failed(f, "the file", f->id < 0);
  }
  if (rc) h5_free(out);
  return rc;
}

PetscErrorCode mt_h5_close(MtH5 **f) {
  if (!*f) return 0;
  close_id(*f);
  h5_free(f);
  return 0;
}

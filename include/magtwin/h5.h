/* HDF5 files that survive: written beside their place, synced, then renamed; every dataset chunked with Fletcher32 and
 * a unit; format name and version checked on reading.  Data lie by global id: they do not depend on the ranks. */
#ifndef MAGTWIN_H5_H
#define MAGTWIN_H5_H

#include <hdf5.h>
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct MtH5 MtH5; /* opaque; an open file */

/* Starts a new file that appears at `path` only with mt_h5_commit; format: "magtwin-mesh" and its version.
 * Writes the common attributes: format, version, made_by (program version), ranks; no date, so that equal runs write
 * equal bits (summary.json has the times).  Collective on comm. */
PetscErrorCode mt_h5_create(MPI_Comm comm, const char *path, const char *format, int version, MtH5 **f);
/* Closes, fsyncs, keeps an existing file as `path`.prev when keep_prev, renames into place, syncs the folder.
 * Collective. */
PetscErrorCode mt_h5_commit(MtH5 **f, bool keep_prev);
/* Closes and removes the unfinished file (error paths).  Collective. */
PetscErrorCode mt_h5_discard(MtH5 **f);

/* Opens for reading; MT_ERR_INPUT with a plain sentence if missing, truncated, of another format or a newer version.
 * Collective. */
PetscErrorCode mt_h5_open(MPI_Comm comm, const char *path, const char *format, int version, MtH5 **f);
/* Closes a file opened for reading; *f becomes NULL.  Collective. */
PetscErrorCode mt_h5_close(MtH5 **f);

/* Reads a file that mt_h5_commit has written and kept a .prev of: `path`, or `path`.prev where path is damaged; the
 * damaged one is then set aside as `path`.damaged, with a warning.  read returns an error where the file cannot be
 * used, and sets *foreign where it belongs to something else: that ends the search.  *found: false where neither file
 * is there.  MT_ERR_INPUT where none of them is usable.  Collective; read is called on every rank. */
typedef PetscErrorCode (*MtH5Reader)(void *ctx, const char *path, bool *foreign);
PetscErrorCode mt_h5_read_newest(MPI_Comm comm, const char *path, MtH5Reader read, void *ctx, bool *found);

/* Slabs: dataset `name` ("/mesh/x", groups made as needed) of [ntotal, ncomp] (ncomp 1: rank one); this rank has the
 * rows [start, start+n).  type: H5T_NATIVE_DOUBLE, H5T_NATIVE_INT32, H5T_NATIVE_INT64, H5T_NATIVE_UINT8.
 * Collective. */
PetscErrorCode mt_h5_write(MtH5 *f, const char *name, hid_t type, int64_t ntotal, int ncomp, int64_t start, int64_t n,
                           const void *data, const char *unit);
PetscErrorCode mt_h5_read(MtH5 *f, const char *name, hid_t type, int ncomp, int64_t start, int64_t n, void *data);
/* Whole dataset on every rank, replicated and allocated with malloc; *n rows.  Collective. */
PetscErrorCode mt_h5_read_all(MtH5 *f, const char *name, hid_t type, int ncomp, int64_t *n, void **data);
/* Number of rows of a dataset.  Collective. */
PetscErrorCode mt_h5_rows(MtH5 *f, const char *name, int64_t *n);
/* Is there a dataset or group of that name?  Collective. */
bool mt_h5_exists(MtH5 *f, const char *name);

/* format NULL in mt_h5_open: any format of this program.  Reading a dataset or attribute that is not there, or has
 * another shape, is MT_ERR_INPUT ("... is damaged").  All errors are agreed upon: every rank returns the same.
 *
 * Attributes on the root ("/" as object) or on a group or dataset.  Strings come back malloc'ed.  Collective. */
PetscErrorCode mt_h5_set_string(MtH5 *f, const char *object, const char *name, const char *value);
PetscErrorCode mt_h5_set_reals(MtH5 *f, const char *object, const char *name, int n, const double *value);
PetscErrorCode mt_h5_set_ints(MtH5 *f, const char *object, const char *name, int n, const int64_t *value);
PetscErrorCode mt_h5_get_string(MtH5 *f, const char *object, const char *name, char **value);
PetscErrorCode mt_h5_get_reals(MtH5 *f, const char *object, const char *name, int n, double *value);
PetscErrorCode mt_h5_get_ints(MtH5 *f, const char *object, const char *name, int n, int64_t *value);
/* An array of strings as one dataset of fixed-length strings (names of regions); same on all ranks.  value: [n]
 * malloc'ed strings in a malloc'ed array.  Collective. */
PetscErrorCode mt_h5_write_strings(MtH5 *f, const char *name, int n, const char *const *value);
PetscErrorCode mt_h5_read_strings(MtH5 *f, const char *name, int *n, char ***value);

/* The file's own identifier, for what is not covered above (external links); stays f's.  Not collective. */
hid_t mt_h5_id(MtH5 *f);

/* Rank r of nranks holds rows [start, start+n) of ntotal: the slab rule used for every file.  Plain C. */
void mt_slab(int64_t ntotal, int rank, int nranks, int64_t *start, int64_t *n);
/* That of this rank.  Not collective. */
PetscErrorCode mt_slab_here(MPI_Comm comm, int64_t ntotal, int64_t *start, int64_t *n);

/* Plain files: write text to path through a temporary with fsync and rename.  Call on one rank.
 * mt_errno_code, with the system's reason.  Not collective. */
PetscErrorCode mt_file_write(const char *path, const char *text);
/* The whole file; NULL if it cannot be opened.  The caller frees.  Not collective. */
char *mt_file_text(const char *path);
/* Makes the folder and its parents.  Call on one rank.  mt_errno_code, with the system's reason.  Not collective. */
PetscErrorCode mt_folder_make(const char *path);

#endif

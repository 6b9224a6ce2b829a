/* Arrays in NumPy's .npy format, versions 1 to 3 (numpy.lib.format), of integers and reals.  None is collective. */
#ifndef MAGTWIN_NPY_H
#define MAGTWIN_NPY_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
  const char *path; /* the caller's */
  FILE *file;
  long long data; /* offset of the first number, bytes */
  char kind;      /* i signed, u unsigned, b truth values, f real */
  int bytes;      /* of a number */
  bool swap, fortran;
  int dims;           /* 1 to 3 */
  long long shape[3]; /* the last runs fastest, unless fortran; those beyond dims are 1 */
} MtNpy;

/* Opens and reads the header; MT_ERR_INPUT if it is not such a file, or shorter than it says.  Close it in any case. */
PetscErrorCode mt_npy_open(const char *path, MtNpy *f);
void mt_npy_close(MtNpy *f);
/* n numbers from number `first` of the file on, to out[0], out[stride], ...; of integers (above 2^63 is not expected)
 * or of any kind. */
PetscErrorCode mt_npy_read_ints(const MtNpy *f, long long first, size_t n, size_t stride, int64_t *out);
PetscErrorCode mt_npy_read_reals(const MtNpy *f, long long first, size_t n, size_t stride, double *out);
/* Writes [rows, columns] doubles to a new file; mt_errno_code, with the system's reason. */
PetscErrorCode mt_npy_write(const char *path, int64_t rows, int64_t columns, const double *value);

#endif

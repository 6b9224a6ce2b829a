/* Private: VTK's XML files (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html) of unstructured grids,
 * in their little-endian forms: numbers as text, inline base64, appended raw or base64, plain or by zlib. */
#ifndef MAGTWIN_VTU_H
#define MAGTWIN_VTU_H

#include <libxml/tree.h>
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *path;
  unsigned char *bytes; /* [size] the whole file */
  size_t size;
  const unsigned char *appended; /* [nappended] behind the mark of the appended data; NULL: none */
  size_t nappended;
  bool appended_base64, zlib;
  int header; /* bytes of a number of bytes: 4 or 8 */
  xmlDoc *doc;
  xmlNode *grid; /* UnstructuredGrid */
} MtVtu;

/* Reads the file and looks at what stands around the data.  Close also after an error.  MT_ERR_INPUT with the line of
 * what is wrong, here and below.  Not collective, here and below. */
PetscErrorCode mt_vtu_open(const char *path, MtVtu *f);
void mt_vtu_close(MtVtu *f);
PetscErrorCode mt_vtu_fail(const MtVtu *f, const xmlNode *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first child, or the next one after `after`, of that name; NULL: none. */
xmlNode *mt_vtu_child(const xmlNode *parent, const xmlNode *after, const char *name);
bool mt_vtu_is(const xmlNode *node, const char *attribute, const char *value);
/* Freed with xmlFree; NULL: no such attribute. */
char *mt_vtu_text(const xmlNode *node, const char *attribute);
/* A number of points, cells or components, at least 0 and not more than a file of this size can hold. */
PetscErrorCode mt_vtu_count(const MtVtu *f, const xmlNode *node, const char *attribute, int64_t *n);

/* The n numbers of a DataArray, from malloc; as integers: only where each of them is one. */
PetscErrorCode mt_vtu_reals(const MtVtu *f, const xmlNode *array, int64_t n, double **values);
PetscErrorCode mt_vtu_integers(const MtVtu *f, const xmlNode *array, int64_t n, int64_t **values);
/* The n texts that the bytes of an array (UInt8, or VTK's String) are, one behind another, each with a 0 at its end. */
PetscErrorCode mt_vtu_strings(const MtVtu *f, const xmlNode *array, int64_t *n, char **texts);

#endif

/* XDMF 3 for ParaView: a temporal collection of one unstructured grid whose arrays stay in the HDF5 files
 * (https://www.xdmf.org/index.php/XDMF_Model_and_Format). */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/mesh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Path of an HDF5 file as seen from the folder of the XDMF file, when both lie in one folder: the pair can then be
 * moved. */
static const char *as_seen_from(const char *xdmf, const char *file) {
  const char *a = strrchr(xdmf, '/'), *b = strrchr(file, '/');
  const size_t na = a ? (size_t)(a - xdmf) + 1 : 0, nb = b ? (size_t)(b - file) + 1 : 0;
  return na == nb && !strncmp(xdmf, file, na) ? file + nb : file;
}

static void put_item(FILE *out, int64_t rows, int ncomp, const char *type, int bytes, const char *file,
                     const char *dataset) {
  fprintf(out, "<DataItem Dimensions=\"%lld", (long long)rows);
  if (ncomp > 1) fprintf(out, " %d", ncomp);
  fprintf(out, "\" NumberType=\"%s\" Precision=\"%d\" Format=\"HDF\">%s:%s</DataItem>", type, bytes, file, dataset);
}

static void put_field(FILE *out, const MtXdmf *x, const char *path, const MtXdmfField *f) {
  const char *kind = f->ncomp == 3 ? "Vector" : f->ncomp == 6 ? "Tensor6" : f->ncomp == 9 ? "Tensor" : "Scalar";
  fprintf(out, "<Attribute Name=\"%s\" AttributeType=\"%s\" Center=\"%s\">", f->name, kind, f->nodal ? "Node" : "Cell");
  put_item(out, f->nodal ? x->nv : x->shown, f->ncomp, f->integer ? "Int" : "Float", f->integer ? 4 : 8,
           as_seen_from(path, f->file), f->dataset);
  fprintf(out, "</Attribute>\n");
}

static void put_grid(FILE *out, const MtXdmf *x, const char *path, double time) {
  const char *mesh = as_seen_from(path, x->mesh);
  const bool part = x->shown < x->nt;
  fprintf(out, "<Grid Name=\"mesh\" GridType=\"Uniform\">\n<Time Value=\"%.17g\"/>\n", time);
  fprintf(out, "<Topology TopologyType=\"Tetrahedron\" NumberOfElements=\"%lld\">", (long long)x->shown);
  put_item(out, x->shown, 4, "Int", x->tet_bytes, mesh, part ? "/body/tet" : "/mesh/tet");
  fprintf(out, "</Topology>\n<Geometry GeometryType=\"XYZ\">");
  put_item(out, x->nv, 3, "Float", 8, mesh, "/mesh/x");
  fprintf(out, "</Geometry>\n");
  const MtXdmfField region = {.file = x->mesh,
                              .dataset = part ? "/body/region" : "/mesh/region",
                              .name = "region",
                              .ncomp = 1,
                              .integer = true};
  put_field(out, x, path, &region);
  for (int i = 0; i < x->n; i++)
    if (x->field[i].time == time) put_field(out, x, path, &x->field[i]);
  fprintf(out, "</Grid>\n");
}

static bool is_new_time(const MtXdmf *x, int i) {
  return i == 0 || x->field[i].time != x->field[i - 1].time;
}

static PetscErrorCode write_text(const MtXdmf *x, const char *path) {
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return mt_error(MT_ERR_FAIL, "no memory for %s", path);
  fprintf(out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n"
               "<Grid Name=\"states\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (int i = 0; i < x->n; i++)
    if (is_new_time(x, i)) put_grid(out, x, path, x->field[i].time);
  if (!x->n) put_grid(out, x, path, 0);
  fprintf(out, "</Grid>\n</Domain>\n</Xdmf>\n");
  fclose(out);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

PetscErrorCode mt_xdmf_write(MPI_Comm comm, const MtXdmf *x, const char *path) {
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  return mt_agree_root(comm, rank ? 0 : write_text(x, path));
}

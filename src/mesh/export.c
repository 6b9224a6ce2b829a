/* A mesh for other programs: Gmsh's MSH 2.2 (https://gmsh.info/doc/texinfo/gmsh.html, "MSH file format version 2") and
 * VTK's unstructured grid, XML with raw appended data
 * (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html). Both name the regions: as physical groups 1..,
 * and as numbers from 0 with the arrays region and kind. */
#include "../base/file.h"
#include "magtwin/error.h"
#include "magtwin/mesh.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_msh(FILE *out, const MtMeshData *d) {
  fprintf(out, "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n%d\n", d->regions.n);
  for (int i = 0; i < d->regions.n; i++) fprintf(out, "3 %d \"%s\"\n", i + 1, d->regions.name[i]);
  fprintf(out, "$EndPhysicalNames\n$Nodes\n%lld\n", (long long)d->nv);
  for (int64_t v = 0; v < d->nv; v++)
    fprintf(out, "%lld %.17g %.17g %.17g\n", (long long)v + 1, d->x[3 * v], d->x[3 * v + 1], d->x[3 * v + 2]);
  fprintf(out, "$EndNodes\n$Elements\n%lld\n", (long long)d->nt);
  for (int64_t t = 0; t < d->nt; t++) {
    const int region = d->region[t] + 1;
    const int64_t *c = d->tet + 4 * t;
    fprintf(out, "%lld 4 2 %d %d %lld %lld %lld %lld\n", (long long)t + 1, region, region, (long long)c[0] + 1,
            (long long)c[1] + 1, (long long)c[2] + 1, (long long)c[3] + 1);
  }
  fprintf(out, "$EndElements\n");
}

/* ---- VTU: each block of the appended data is its length in bytes (u64) and the bytes */

enum { TETRA = 10 }; /* VTK's cell type */

static void put_array(FILE *out, const char *type, const char *name, int ncomp, uint64_t *offset, uint64_t bytes) {
  fprintf(out, "<DataArray type=\"%s\" Name=\"%s\" NumberOfComponents=\"%d\" format=\"appended\" offset=\"%llu\"/>\n",
          type, name, ncomp, (unsigned long long)*offset);
  *offset += sizeof bytes + bytes;
}

/* The names of the regions, the bytes of each with a 0 at its end: texts of VTK's own make other readers give up. */
static void put_names(FILE *out, const MtRegions *r) {
  size_t n = 0;
  for (int i = 0; i < r->n; i++) n += strlen(r->name[i]) + 1;
  fprintf(out, "<FieldData>\n<DataArray type=\"UInt8\" Name=\"region_name\" NumberOfTuples=\"%zu\" format=\"ascii\">\n",
          n);
  for (int i = 0; i < r->n; i++) {
    for (const char *c = r->name[i]; *c; c++) fprintf(out, "%d ", (unsigned char)*c);
    fprintf(out, "0\n");
  }
  fprintf(out, "</DataArray>\n</FieldData>\n");
}

static void put_vtu_head(FILE *out, const MtMeshData *d) {
  const uint64_t one = 1, nv = (uint64_t)d->nv, nt = (uint64_t)d->nt;
  const bool little = *(const char *)&one == 1;
  uint64_t at = 0;
  fprintf(out,
          "<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\" version=\"1.0\" byte_order=\"%sEndian\" "
          "header_type=\"UInt64\">\n<UnstructuredGrid>\n",
          little ? "Little" : "Big");
  put_names(out, &d->regions);
  fprintf(out, "<Piece NumberOfPoints=\"%lld\" NumberOfCells=\"%lld\">\n<Points>\n", (long long)d->nv,
          (long long)d->nt);
  put_array(out, "Float64", "x", 3, &at, 24 * nv);
  fprintf(out, "</Points>\n<Cells>\n");
  put_array(out, "Int64", "connectivity", 1, &at, 32 * nt);
  put_array(out, "Int64", "offsets", 1, &at, 8 * nt);
  put_array(out, "UInt8", "types", 1, &at, nt);
  fprintf(out, "</Cells>\n<CellData Scalars=\"region\">\n");
  put_array(out, "Int32", "region", 1, &at, 4 * nt);
  put_array(out, "UInt8", "kind", 1, &at, nt);
  fprintf(out, "</CellData>\n</Piece>\n</UnstructuredGrid>\n<AppendedData encoding=\"raw\">\n_");
}

static void put_length(FILE *out, uint64_t bytes) {
  fwrite(&bytes, sizeof bytes, 1, out);
}

static void put_vtu(FILE *out, const MtMeshData *d) {
  const uint64_t nv = (uint64_t)d->nv, nt = (uint64_t)d->nt;
  put_vtu_head(out, d);
  put_length(out, 24 * nv), fwrite(d->x, 24, nv, out);
  put_length(out, 32 * nt), fwrite(d->tet, 32, nt, out);
  put_length(out, 8 * nt);
  for (int64_t end = 4; end <= 4 * d->nt; end += 4) fwrite(&end, sizeof end, 1, out);
  put_length(out, nt);
  for (int64_t t = 0; t < d->nt; t++) fputc(TETRA, out);
  put_length(out, 4 * nt), fwrite(d->region, 4, nt, out);
  put_length(out, nt);
  for (int64_t t = 0; t < d->nt; t++) fputc((int)d->regions.kind[d->region[t]], out);
  fprintf(out, "\n</AppendedData>\n</VTKFile>\n");
}

/* ---- files */

static PetscErrorCode write_file(const MtMeshData *d, const char *path, void (*put)(FILE *, const MtMeshData *)) {
  char *beside = mt_file_join(path, ".tmp");
  FILE *out = fopen(beside, "wb");
  PetscErrorCode rc = out ? 0 : mt_file_failed(path, "write", errno);
  if (out) {
    put(out, d);
    const bool failed = fflush(out) || ferror(out);
    const int err = errno;
    if (fclose(out) || failed) rc = mt_file_failed(path, "write", err);
    if (!rc) rc = mt_file_sync(beside);
    if (!rc) rc = mt_file_replace(beside, path);
    if (rc) unlink(beside);
  }
  free(beside);
  return rc;
}

PetscErrorCode mt_mesh_data_write_msh(const MtMeshData *data, const char *path) {
  return write_file(data, path, put_msh);
}

PetscErrorCode mt_mesh_data_write_vtu(const MtMeshData *data, const char *path) {
  return write_file(data, path, put_vtu);
}

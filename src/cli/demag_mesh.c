/* The mesh of a demagnetization run: the file the input names, else mesh.h5 in the output folder: built when missing,
 * and when present it must be the one that this input makes. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = 16, SHOWN = 8 };

typedef struct {
  int n;
  char **line; /* "mesh.gb.thickness: 3" */
} Lines;

/* Canonical YAML, two spaces a level -> one full path a line. */
static Lines flatten(const char *text) {
  Lines out = {0, calloc(strlen(text) + 1, sizeof(char *))};
  char *copy = strdup(text), *rest = copy, *parent[MAX_DEPTH] = {NULL};
  if (!out.line || !copy) abort();
  for (char *line; (line = strtok_r(rest, "\n", &rest));) {
    size_t depth = strspn(line, " -") / 2;
    char *name = line + strspn(line, " -"), *colon = strchr(name, ':'), full[1024] = "";
    if (depth >= MAX_DEPTH || !colon) continue;
    if (!colon[1]) {
      *colon = 0;
      parent[depth] = name;
      continue;
    }
    for (size_t i = 0; i < depth; i++)
      if (parent[i]) snprintf(full + strlen(full), sizeof full - strlen(full), "%s.", parent[i]);
    snprintf(full + strlen(full), sizeof full - strlen(full), "%s", name);
    out.line[out.n++] = strdup(full);
  }
  free(copy);
  return out;
}

static void lines_free(Lines *l) {
  for (int i = 0; i < l->n; i++) free(l->line[i]);
  free(l->line);
}

/* Appends the lines of a that b does not have. */
static void append_missing(char *text, size_t size, const char *title, const Lines *a, const Lines *b) {
  int shown = 0;
  for (int i = 0; i < a->n; i++) {
    int j = 0;
    while (j < b->n && strcmp(a->line[i], b->line[j])) j++;
    if (j < b->n || shown == SHOWN) continue;
    size_t used = strlen(text);
    snprintf(text + used, size - used, "\n  %s %s", title, a->line[i]);
    shown++;
  }
}

static PetscErrorCode other_input(const char *path, const char *made, const char *wanted, const char *advice) {
  char text[8192] = "";
  Lines a = flatten(made), b = flatten(wanted);
  append_missing(text, sizeof text, "mesh: ", &a, &b);
  append_missing(text, sizeof text, "input:", &b, &a);
  lines_free(&a);
  lines_free(&b);
  return mt_error(MT_ERR_INPUT, "%s was made by another input:%s\n%s", path, text, advice);
}

/* The sections that make a mesh, without the name of the file itself; grains have files too. */
static char *making(const MtInput *in) {
  char *text = mt_input_section(in, "grains mesh"), *mesh = strstr(text, "\nmesh:");
  char *line = strstr(mesh ? mesh : text, "\n  file: \"");
  if (line && mt_input_has(in, "mesh.file")) {
    const char *end = strchr(line + 1, '\n');
    memmove(line, end, strlen(end) + 1);
  }
  return text;
}

static PetscErrorCode belongs(MPI_Comm comm, const MtInput *in, const char *path, const char *advice) {
  MtH5 *f;
  char *made = NULL, *wanted;
  PetscCall(mt_h5_open(comm, path, "magtwin-mesh", 1, &f));
  PetscErrorCode rc = mt_h5_get_string(f, "/", "input", &made);
  PetscCall(mt_h5_close(&f));
  if (rc) return rc;
  wanted = making(in);
  rc = mt_agree(comm, strcmp(made, wanted) ? other_input(path, made, wanted, advice) : 0);
  free(made);
  free(wanted);
  return rc;
}

static bool exists(MPI_Comm comm, const char *path) {
  int rank, there = 0;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) there = !access(path, F_OK);
  return MPI_Bcast(&there, 1, MPI_INT, 0, comm) == MPI_SUCCESS && there;
}

PetscErrorCode cli_mesh_file(MPI_Comm comm, const MtInput *in) {
  const char *path = mt_input_string(in, "mesh.file");
  MtH5 *f;
  if (mt_input_has(in, "grains.source"))
    return belongs(comm, in, path, "leave out the section grains to take this mesh as it is, or mesh.file to make one");
  PetscCall(mt_h5_open(comm, path, "magtwin-mesh", 1, &f));
  return mt_h5_close(&f);
}

PetscErrorCode cli_demag_mesh(MPI_Comm comm, const MtInput *in, const char *folder, bool force, MtJson *json,
                              char path[CLI_PATH]) {
  if (mt_input_has(in, "mesh.file")) {
    PetscCall(cli_path(path, "", mt_input_string(in, "mesh.file")));
    return cli_mesh_file(comm, in);
  }
  PetscCall(cli_path(path, folder, "mesh.h5"));
  if (exists(comm, path)) {
    PetscErrorCode rc =
        belongs(comm, in, path, "choose another folder (output.folder=...), or rebuild the mesh with --force");
    if (!rc) mt_log("mesh: %s, made by this input before", path);
    if (!rc || !force) return rc;
    mt_warn("%s is built anew: it was made by another input, or is damaged", path);
    mt_error_clear();
  }
  PetscCall(cli_lengths_report(comm, in, json));
  PetscCall(mt_microstructure_build(comm, in, path, json));
  return 0;
}

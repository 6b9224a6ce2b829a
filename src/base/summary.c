/* summary.json: what was run, with what, how long, how much memory. */
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "run_internal.h"
#include <metis.h>
#include <petscpkg_version.h>
#include <slepcsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

static void add_version(MtJson *j, const char *name, int major, int minor, int patch) {
  char text[64];
  snprintf(text, sizeof text, "%d.%d.%d", major, minor, patch);
  mt_json_string(j, name, text);
}

/* The first words of the library's own description ("Open MPI v4.1.4"), without the name of the machine it was built
 * on. */
static void add_mpi_version(MtJson *j) {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int n;
  MPI_Get_library_version(text, &n);
  text[strcspn(text, ",\n")] = 0;
  mt_json_string(j, "MPI", text);
}

static void add_libraries(MtJson *j) {
  PetscInt p[3], s[3];
  unsigned h[3];
  int y[3];
  PetscGetVersionNumber(&p[0], &p[1], &p[2], NULL);
  SlepcGetVersionNumber(&s[0], &s[1], &s[2], NULL);
  H5get_libversion(&h[0], &h[1], &h[2]);
  yaml_get_version(&y[0], &y[1], &y[2]);
  mt_json_object(j, "libraries");
  add_version(j, "PETSc", (int)p[0], (int)p[1], (int)p[2]);
  add_version(j, "SLEPc", (int)s[0], (int)s[1], (int)s[2]);
#ifdef PETSC_PKG_HYPRE_VERSION_MAJOR /* the one that PETSc was built with */
  add_version(j, "hypre", PETSC_PKG_HYPRE_VERSION_MAJOR, PETSC_PKG_HYPRE_VERSION_MINOR,
              PETSC_PKG_HYPRE_VERSION_SUBMINOR);
#endif
  add_version(j, "HDF5", (int)h[0], (int)h[1], (int)h[2]);
  add_version(j, "METIS", METIS_VER_MAJOR, METIS_VER_MINOR, METIS_VER_SUBMINOR);
  add_version(j, "libyaml", y[0], y[1], y[2]);
  add_mpi_version(j);
  mt_json_end(j);
}

PetscErrorCode mt_summary_begin(MPI_Comm comm, const char *subcommand, const MtInput *in, MtJson **json) {
  int size;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  MtJson *j = *json = mt_json_new();
  mt_json_string(j, "program", "magtwin");
  mt_json_string(j, "version", mt_version());
  mt_json_string(j, "subcommand", subcommand);
  mt_json_string(j, "command", mt_run_command());
  mt_json_int(j, "ranks", size);
  add_libraries(j);
  if (!in) return 0;
  mt_json_string(j, "input_file", mt_input_path(in));
  mt_json_string(j, "input", mt_input_canonical(in));
  return 0;
}

/* Rank 0's phases; each rank gives its own time in them. */
static PetscErrorCode add_phases(MPI_Comm comm, MtJson *j) {
  MtPhase list[MT_MAX_PHASES];
  double seconds[2 * MT_MAX_PHASES], total[MT_MAX_PHASES];
  int n;
  const MtPhase *mine = mt_phase_list(&n);
  memcpy(list, mine, sizeof list);
  PetscCallMPI(MPI_Bcast(&n, 1, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(list, n * (int)sizeof list[0], MPI_BYTE, 0, comm));
  for (int i = 0; i < n; i++) {
    const MtPhase *p = mt_phase_find(list[i].name, false);
    seconds[i] = p ? p->seconds : 0;
    total[i] = seconds[n + i] = p ? p->processor : 0;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, 2 * n, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, total, n, MPI_DOUBLE, MPI_SUM, comm));
  mt_json_object(j, "phases");
  for (int i = 0; i < n; i++) {
    mt_json_object(j, list[i].name);
    mt_json_quantity(j, "wall", seconds[i], "s");
    mt_json_quantity(j, "processor", seconds[n + i], "s");
    mt_json_quantity(j, "processor_all_ranks", total[i], "s");
    mt_json_int(j, "calls", list[i].calls);
    mt_json_end(j);
  }
  mt_json_end(j);
  return 0;
}

static double peak_memory_mb(void) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  double kb = 0;
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
  if (f) fclose(f);
  return kb / 1024;
}

static PetscErrorCode add_memory(MPI_Comm comm, MtJson *j) {
  double mb = peak_memory_mb(), range[2] = {-mb, mb};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_DOUBLE, MPI_MAX, comm));
  mt_json_object(j, "peak_memory_per_rank");
  mt_json_quantity(j, "min", -range[0], "MiB");
  mt_json_quantity(j, "max", range[1], "MiB");
  mt_json_end(j);
  return 0;
}

/* The subcommand that wrote the summary at path ("" if there is none); it stands among the first lines. */
static void summary_author(const char *path, char author[40]) {
  char line[256];
  FILE *f = fopen(path, "r");
  *author = 0;
  for (int i = 0; f && !*author && i < 10 && fgets(line, sizeof line, f); i++)
    sscanf(line, " \"subcommand\": \"%39[a-z]", author);
  if (f) fclose(f);
}

/* On rank 0. */
static PetscErrorCode summary_put_aside(const char *folder, const char *subcommand) {
  char *path = mt_file_join(folder, "/summary.json"), author[40], name[80];
  PetscErrorCode rc = 0;
  summary_author(path, author);
  if (strcmp(author, subcommand) == 0) {
    unlink(path);
  } else if (*author) {
    snprintf(name, sizeof name, "/summary_%s.json", author);
    char *kept = mt_file_join(folder, name);
    rc = mt_file_replace(path, kept);
    free(kept);
  }
  free(path);
  return rc;
}

PetscErrorCode mt_summary_clear(MPI_Comm comm, const char *folder, const char *subcommand) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  return mt_agree_root(comm, rank ? 0 : summary_put_aside(folder, subcommand));
}

PetscErrorCode mt_summary_end(MPI_Comm comm, const char *folder, MtJson **json) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(add_phases(comm, *json));
  PetscCall(add_memory(comm, *json));
  mt_json_quantity(*json, "wall", mt_wall(), "s");
  mt_json_array(*json, "warnings");
  for (int i = 0; i < mt_warn_count(); i++) mt_json_string(*json, NULL, mt_warn_text(i));
  mt_json_end(*json);
  if (rank == 0) {
    char *path = mt_file_join(folder, "/summary.json");
    rc = mt_file_write(path, mt_json_text(*json));
    free(path);
  }
  mt_json_free(json);
  return mt_agree(comm, rc);
}

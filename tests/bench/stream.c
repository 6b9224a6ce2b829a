/* Memory bandwidth of N processes at once by the triad a = b + s c (McCalpin, STREAM): arrays far larger than the
 * caches, best of several passes, 24 bytes counted an element.  Prints GB/s summed over the ranks. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 8 << 20, PASSES = 12 };

static void triad(double *restrict a, const double *restrict b, const double *restrict c, double s) {
  for (size_t i = 0; i < COUNT; i++) a[i] = b[i] + s * c[i];
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int size, rank;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  double *a = malloc(3 * COUNT * sizeof *a), best = 1e30;
  if (!a) MPI_Abort(MPI_COMM_WORLD, 1);
  for (size_t i = 0; i < 3 * (size_t)COUNT; i++) a[i] = 1.0;
  for (int pass = 0; pass < PASSES; pass++) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    triad(a, a + COUNT, a + 2 * (size_t)COUNT, 0.5 + pass);
    double seconds = MPI_Wtime() - start;
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (seconds < best) best = seconds;
  }
  double check = a[COUNT / 2];
  free(a);
  if (rank == 0) printf("%.6g\n", (double)size * 24.0 * COUNT / best * 1e-9);
  MPI_Finalize();
  return check == 0.5 + PASSES - 1 + 1.0 ? 0 : 1;
}

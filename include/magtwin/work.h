/* The energies of a series of states, and the work done on each node between one state and the next. */
#ifndef MAGTWIN_WORK_H
#define MAGTWIN_WORK_H

#include "magtwin/input.h"
#include "magtwin/micromagnetics.h"

/* Of n states.  Slab: nodes [start, start+count) of the mesh file are on this rank (mt_slab). */
typedef struct {
  int n;
  bool uses[MT_NTERMS];
  double volume; /* nm3, of all that is not air */
  double *term;  /* [n][MT_NTERMS] J/m3 of that volume; owned */
  double *B;     /* [n][3] T, applied; owned */
  double *J;     /* [n][3] T, mean polarization; owned */
  int64_t nodes, start, count;
  double *node_volume; /* [count] nm3 of the magnet; owned */
  /* Work against all forces but the applied field, J/m3 x nm3: from state s to s+1 node i takes up
   * -mu0 Ms V (m_b - m_a).(H_a + H_b)/2 = (m_b - m_a).(g_a + g_b)/2, g the derivative of the energy.  Its sum over the
   * nodes is the change of the energy, exactly for terms that are quadratic in m.  [n-1][count]; owned */
  double *work;
} MtWork;

/* The states in the files [n], on the mesh and with the materials and the stray field that the input has.  key: names
 * the files, for messages.  MT_ERR_INPUT: a file that is no state, or of another mesh.  Collective.  Free with
 * mt_work_free. */
PetscErrorCode mt_work_compute(MPI_Comm comm, const MtInput *in, const char *mesh, const char *key, int n,
                               const char *const *file, MtWork *w);
/* A zeroed struct is fine. */
void mt_work_free(MtWork *w);

/* Means over each grain of a state, J/m3 of its volume, in the state's own applied field: anisotropy; Zeeman, -J.B/mu0;
 * stray field, -J.B_d/mu0 (without the 1/2 of the whole body's energy: what it costs to add a little polarization). */
typedef struct {
  int n;                                        /* grains of the mesh */
  double B[3];                                  /* T, applied */
  double *volume, *anisotropy, *zeeman, *stray; /* [n] nm3, J/m3; the same on every rank; owned */
} MtGrainEnergies;
/* Of the state in the file `path`, which the key names, with the materials and the stray field that the input has.
 * MT_ERR_INPUT also for a grain without polarization.  Collective.  Free with mt_grain_energies_free, after an error
 * too. */
PetscErrorCode mt_grain_energies(MPI_Comm comm, const MtInput *in, const char *mesh, const char *key, const char *path,
                                 MtGrainEnergies *e);
void mt_grain_energies_free(MtGrainEnergies *e);

#endif

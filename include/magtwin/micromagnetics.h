/* Micromagnetics on the distributed mesh: materials, energy, minimizer, hysteresis.
 * |m| = 1 at nodes; constants and crystal axes per element; box scheme.  Fields are mu0 H in T; energies J/m3 x nm3
 * inside, J/m3 outside. */
#ifndef MAGTWIN_MICROMAGNETICS_H
#define MAGTWIN_MICROMAGNETICS_H

#include "magtwin/fem.h"
#include "magtwin/input.h"
#include "magtwin/json.h"

extern const MtKey mt_materials_keys[]; /* section materials */
extern const MtKey mt_library_keys[];   /* of the file materials.library */
extern const MtKey mt_demag_keys[];     /* sections field, minimizer, demagnetizing, checkpoint, output.states..., and
                                         * petsc_options */

typedef struct {
  char name[64];
  double A;  /* J/m */
  double Js; /* T; 0: nonmagnetic, carries no m */
  double K1,
      K2; /* J/m3: e = K1 sin^2 + K2 sin^4 + K3 sin^6 of the angle to the easy axis; K1 < 0: an easy plane or cone */
  double alpha; /* Gilbert damping; dynamics only */
  double K3;    /* J/m3 */
  /* J/m3, cubic: Kc1 (a1^2 a2^2 + a2^2 a3^2 + a3^2 a1^2) + Kc2 a1^2 a2^2 a3^2, a = m in the crystal's axes */
  double Kc1, Kc2;
  /* J/m2: Ks (1 - (m.n)^2), n the normal, on its faces to the air; and on those to other regions of the magnet */
  double Ks, Ks_inner;
  double D;                    /* J/m2: bulk Dzyaloshinskii-Moriya, D m.curl m */
  double Di;                   /* J/m2: interfacial, Di ((m.n) div m - (m.grad)(m.n)), n: dmi_normal */
  double dmi_normal[3];        /* unit; of materials.dmi_normal */
  double B1, B2;               /* J/m3: magneto-elastic, per strain */
  double lambda100, lambda111; /* 1: magnetostriction, for given stress */
} MtMaterial;                  /* what is not named in an initializer is 0 and costs nothing */

/* The materials of the library file, and which one each region of the mesh has: section materials, the kind of the
 * region first, then the list materials.assign, later entries win.  Air is nonmagnetic.  *per_region [regions->n] is
 * freed with free().  MT_ERR_INPUT with file:line:column for an unknown material or region, or anisotropy in a region
 * without an easy axis, or cubic anisotropy where the mesh file has no orientations.  Collective. */
PetscErrorCode mt_materials_assign(MPI_Comm comm, const MtInput *in, const MtRegions *regions, MtMaterial **per_region);
/* What can be said before there is a mesh: every material named is in the library.  MT_ERR_INPUT with the place.
 * Collective. */
PetscErrorCode mt_materials_check(MPI_Comm comm, const MtInput *in);

/* The two exchange lengths of a material, nm: sqrt(2 A mu0)/Js = sqrt(2 A/(mu0 Ms^2)), and sqrt(A/K) with K as in
 * mt_site_bloch (the Bloch parameter), 0: no anisotropy.  The smaller one is the largest edge that resolves walls and
 * what the stray field bends: C. Andreas, S. Gliga, R. Hertel, J. Magn. Magn. Mater. 362 (2014) 7. */
typedef struct {
  double exchange, bloch, least;
  char material[64];
} MtLengths;
/* Those of the magnetic material with the smallest one, of all that the section materials names for regions.
 * MT_ERR_INPUT: none is magnetic.  Collective. */
PetscErrorCode mt_materials_lengths(MPI_Comm comm, const MtInput *in, MtLengths *lengths);

/* Constants by composition: a nodal field of the mesh, as magtwin evolve writes it, and tables that say what it stands
 * for (src/micromagnetics/composition.c).  NULL where the input has none, and then nothing changes. */
typedef struct MtComposition MtComposition;
typedef struct MtEnergy MtEnergy;
/* Section materials.composition.  *c is the caller's, also after an error.  MT_ERR_INPUT if the file is of another
 * mesh, a table does not fit a region, or an element's composition is outside of its table (with place and value).
 * Collective. */
PetscErrorCode mt_composition_read(const MtMesh *mesh, const MtInput *in, const MtMaterial *material,
                                   MtComposition **c);
void mt_composition_free(MtComposition **c); /* *c NULL is fine.  Not collective. */
/* What can be said without a mesh: tables, and with `file` that it is there.  MT_ERR_INPUT with the place.
 * Collective. */
PetscErrorCode mt_composition_check(MPI_Comm comm, const MtInput *in, bool file);
/* The material of the local tet t: that of its region, or *own with the constants of its composition.  Not
 * collective. */
const MtMaterial *mt_composition_at(const MtComposition *c, const MtMesh *mesh, const MtMaterial *material, PetscInt t,
                                    MtMaterial *own);
/* That of a region with the largest value (without sign) of every constant that its table has: what the region may
 * need.  Not collective, the same on every rank. */
const MtMaterial *mt_composition_most(const MtComposition *c, const MtMaterial *material, int region, MtMaterial *own);
/* That of an energy, NULL: none.  Not collective. */
const MtComposition *mt_energy_composition(const MtEnergy *e);
/* Object "composition" of the results: file, time, range and means of the constants; nothing without.  Collective. */
PetscErrorCode mt_composition_results(const MtEnergy *e, const MtMaterial *material, MtJson *json);

/* Energy of a state and its derivative.  Terms, discretization and sources: src/micromagnetics/energy.c. */
typedef enum {
  MT_TERM_EXCHANGE,
  MT_TERM_ANISOTROPY,
  MT_TERM_ZEEMAN,
  MT_TERM_DEMAG,
  MT_TERM_SURFACE, /* from here on: only where a material or the mesh has it */
  MT_TERM_DMI,
  MT_TERM_ELASTIC,
  MT_TERM_INTERFACE,
  MT_NTERMS
} MtTerm;
typedef struct {
  double term[MT_NTERMS]; /* J/m3 x nm3 = 1e-27 J */
  double total;
} MtEnergyValues;
/* demag_modes < 0: no demagnetizing field.  material: one per region, copied; mesh: kept, must outlive e.  Magnetic
 * nodes are those of tets with Js > 0; nothing else carries m or exchange.  MT_ERR_INPUT if nothing is magnetic, or if
 * the mesh has no sphere around it and demag_modes >= 0.  Collective. */
PetscErrorCode mt_energy_create(const MtMesh *mesh, const MtMaterial *material, int demag_modes, MtEnergy **e);
/* Coupling of grains that touch and have nodes of their own there: -J m_i.m_j per area of the shared face. */
typedef struct {
  char pair[64];   /* "3-7", the smaller first, or a pattern with * and ? */
  double J;        /* J/m2; NaN: from the next two */
  double factor;   /* of the bulk: J = factor 2 A/distance, A = 2 A1 A2/(A1 + A2) */
  double distance; /* nm, of the two planes of atoms */
} MtInterface;
/* What an energy needs besides materials; zeroed: nothing. */
typedef struct {
  int ninterfaces;
  MtInterface *interface;     /* [ninterfaces] later ones win; every pair of a mesh with split grains must be named */
  double *strain;             /* [6 nt_local] xx yy zz yz xz xy in the sample frame, 1; NULL: none */
  double *stress;             /* [6 nt_local] the same in Pa */
  bool exact;                 /* K1 is integrated over elements with linear m, not by the box scheme */
  MtComposition *composition; /* NULL: none; not freed with the extras: the energy takes it */
} MtEnergyExtras;
/* What the input says of them: materials.interfaces; materials.strain and materials.stress, files "magtwin-elements" 1
 * with /strain or /stress [nt,6] by tet id.  MT_ERR_INPUT if a file does not fit the mesh or holds what is no number.
 * Free with mt_energy_extras_free.  Collective. */
PetscErrorCode mt_energy_extras_read(const MtMesh *mesh, const MtInput *in, MtEnergyExtras *extras);
PetscErrorCode mt_energy_extras_free(MtEnergyExtras *extras);
/* The same with extras, which are not needed afterwards; their composition becomes the energy's.  Collective. */
PetscErrorCode mt_energy_create_with(const MtMesh *mesh, const MtMaterial *material, int demag_modes,
                                     const MtEnergyExtras *extras, MtEnergy **e);
/* The same with the extras that the input asks for: what a run calls.  Collective. */
PetscErrorCode mt_energy_open(const MtMesh *mesh, const MtInput *in, const MtMaterial *material, int demag_modes,
                              MtEnergy **e);
/* Is the term part of this energy?  The first four always are.  Not collective, the same on every rank. */
bool mt_energy_uses(const MtEnergy *e, MtTerm term);
/* Sets *e to NULL; NULL is fine.  Collective. */
PetscErrorCode mt_energy_destroy(MtEnergy **e);
/* The magnetic nodes, owned by e; m is a Vec of 3 n (bs 3).  Not collective. */
const MtNodes *mt_energy_nodes(const MtEnergy *e);
/* Demagnetizing factors of the meshed body (all that is not air, uniformly polarized) -> N {xx, xy, xz, yy, yz, zz}, by
 * three solves in the mesh's own discretization.  MT_ERR_INPUT without demagnetizing field.  Collective. */
PetscErrorCode mt_energy_body_factors(MtEnergy *e, double N[6]);
/* From now on the body, with the factors `body`, counts as a cut-out of a sample with the factors `sample` (0: in a
 * closed circuit): the mean of the demagnetizing field is the sample's (src/micromagnetics/energy_mean.c).  Not
 * collective. */
PetscErrorCode mt_energy_embed(MtEnergy *e, const double body[6], const double sample[6]);
/* A vector for m or g, the caller's.  Collective. */
PetscErrorCode mt_energy_create_vec(const MtEnergy *e, Vec *m);
/* E(m) and g = dE/dm (J/m3 x nm3; not projected) in the applied field B [3] (T).  demag_rtol/atol as in
 * mt_poisson_solve; the potential is kept as the next start.  Collective. */
PetscErrorCode mt_energy_eval(MtEnergy *e, Vec m, const double B[3], double demag_rtol, MtEnergyValues *E, Vec g);
/* The potential the next demagnetizing solve starts from (rows of the mesh; owned by e; NULL without demagnetizing
 * field).  The caller may read it and write it: with m, it is all that one evaluation leaves to the next, so that a run
 * restarted from both gives the same bits.  Not collective. */
PetscErrorCode mt_energy_potential(MtEnergy *e, Vec *u);
/* One term alone (tests, output), the demagnetizing one solved to 1e-10.  g: its derivative, may be NULL.  Collective.
 */
PetscErrorCode mt_energy_term(MtEnergy *e, MtTerm term, Vec m, const double B[3], double *E, Vec g);
/* Largest torque mu0 |m x H| = mu0 |m x g| / (Js V) over the nodes, in T.  Collective. */
PetscErrorCode mt_energy_torque(MtEnergy *e, Vec m, Vec g, double *torque);
/* The same, with the file id of the node that has it (the smallest of several).  Collective. */
PetscErrorCode mt_energy_worst(MtEnergy *e, Vec m, Vec g, double *torque, int64_t *vid);
/* Mean polarization along d, J.d in T, per volume of the whole magnet: of everything that is not air, with nonmagnetic
 * GB. Collective. */
PetscErrorCode mt_energy_polarization(MtEnergy *e, Vec m, const double d[3], double *J);
double mt_energy_saturation(const MtEnergy *e);        /* the same with all moments parallel, T.  Not collective. */
double mt_energy_volume(const MtEnergy *e);            /* of everything that is not air, nm3.  Not collective. */
int64_t mt_energy_demag_iterations(const MtEnergy *e); /* conjugate-gradient iterations so far.  Not collective. */
/* MT_ERR_FAIL that names the node, its region and the field where m or g is not finite.  Collective. */
PetscErrorCode mt_energy_not_finite(MtEnergy *e, Vec m, Vec g, const double B[3]);

/* Stability of the equilibrium m in the applied field B (T): the smallest eigenvalue of the energy's Hessian on the
 * tangent planes, as a stiffness in T (mass: moment/mu0); negative: unstable.  mode (rows of m): the tangent field that
 * belongs to it, its largest node 1; by it a nucleus is drawn.  products: of the Hessian, one demagnetizing solve each.
 * The potential is left as that of m. Collective.  MT_ERR_FAIL if not found (docs/numerics.md). */
/* guess (rows of m, need not be tangent; may be `mode`): noise is added to it and the search begins there; it finds the
 * same, sooner the better the guess is.  NULL: noise alone. */
PetscErrorCode mt_stability_eigenvalue(MtEnergy *e, Vec m, const double B[3], Vec guess, double *lambda, Vec mode,
                                       int *products);
/* The same where it is to decide: below 0.1 T as exact, beyond with potentials to 1e-2 and a residual of the larger of
 * 1 mT and 0.5 % of it (its error is the square of that over the gap to the next). */
PetscErrorCode mt_stability_look(MtEnergy *e, Vec m, const double B[3], Vec guess, double *lambda, Vec mode,
                                 int *products);
/* The same for the `count` smallest ones, at most 8, ascending -> lambda [count]; NaN for those not found besides the
 * first.  mode is that of the first.  A saddle has one negative. */
PetscErrorCode mt_stability_lowest(MtEnergy *e, Vec m, const double B[3], int count, double *lambda, Vec mode,
                                   int *products);

/* Energy minimization at a fixed applied field: BFGS with the last pair over the local Hessian, norm-preserving Cayley
 * update (docs/numerics.md). */
typedef struct {
  double torque;        /* T: stop when the largest |m x H| mu0 falls below */
  int max_iterations;   /* per field; reaching it is reported, not fatal */
  double max_turn;      /* rad: largest rotation of a node in one step */
  double demag_rtol;    /* demagnetizing solve at convergence; looser far from it */
  int inner_iterations; /* cap of the preconditioner's conjugate gradients */
  double inner_rtol;    /* and the relative residual at which they stop */
  double give_up;       /* times torque: a state with more is no state of a curve (mt_minimizer_judge) */
} MtMinimizerOptions;
typedef struct {
  int iterations, evaluations; /* of the minimizer; energy evaluations */
  int products;                /* of the Hessian, for stability; none by the minimizer itself */
  int64_t demag_iterations, inner_iterations;
  double start_torque; /* T, at the start */
  double torque;       /* T, at the end */
  int64_t worst_node;  /* file id of the node with the largest torque */
  bool definite;       /* no negative curvature was seen, by noise at the end, or it was known before: it is stable */
  double stiffness;    /* T: no curvature of the end is below, as far as noise saw; 0: nothing known */
  bool converged;      /* torque below the limit */
  bool stagnated;      /* not converged, and no step lowers the energy any more as far as rounding lets see */
  MtEnergyValues energy;
} MtMinimizerReport;
/* Called after every accepted iteration, collectively; m is the current state.  Set *stop to end early (signals). */
typedef PetscErrorCode (*MtMinimizerMonitor)(void *ctx, int iteration, Vec m, double torque, bool *stop);
typedef struct MtMinimizer MtMinimizer;
/* e is kept and must outlive *min; opt is copied.  Collective. */
PetscErrorCode mt_minimizer_create(MtEnergy *e, const MtMinimizerOptions *opt, MtMinimizer **min);
/* ctx is handed to the monitor as it is; monitor NULL: none.  Not collective. */
PetscErrorCode mt_minimizer_set_monitor(MtMinimizer *min, MtMinimizerMonitor monitor, void *ctx);
/* What is known of the next run, of that alone.  relaxed: it may be already, and is looked at with the
 * potential as exact as its end needs.  stable: its end need not be looked at for negative curvature.  Not
 * collective. */
PetscErrorCode mt_minimizer_expect(MtMinimizer *min, bool relaxed, bool stable);
/* Every run depends on m, B and mt_energy_potential, and the call above, alone: nothing is carried over from an earlier
 * field (restart to the bit). */
/* m: start in, state out.  Ends converged, stagnated, at max_iterations, or when the monitor says so: see the report.
 * A state without torque is kept even where it is not stable (a magnet exactly along the field): tilt the field.
 * MT_ERR_FAIL with node, region and field if something is not finite.  Collective. */
PetscErrorCode mt_minimizer_run(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report);
/* Sets *min to NULL; NULL is fine.  Collective. */
/* MT_ERR_FAIL with torque, node, place, region and what can be done where a run ended with more than opt->give_up times
 * the torque asked for.  Collective. */
PetscErrorCode mt_minimizer_judge(MtMinimizer *min, const MtMinimizerReport *report);
/* The same by the path of steepest descent in time (gradient flow, minimizing movements; src/micromagnetics/flow.c):
 * which of several end states is reached does not depend on the steps, as it does with mt_minimizer_run.  For states
 * that are not stable; torque, max_iterations and demag_rtol hold.  Collective. */
PetscErrorCode mt_minimizer_flow(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report);
/* d: the direction of the last step of the run before, tangent to its end, owned by min; NULL if there was no step.
 * Near an equilibrium it lies along the softest modes.  Not collective. */
PetscErrorCode mt_minimizer_direction(const MtMinimizer *min, Vec *d);
PetscErrorCode mt_minimizer_destroy(MtMinimizer **min);

/* The rules between the keys of mt_demag_keys (field path, steps): MT_ERR_INPUT with file:line:column.  To be called by
 * every subcommand that takes these keys, before anything is written.  Not collective (the same on every rank). */
PetscErrorCode mt_demag_check(const MtInput *in);

/* Hands petsc_options, a key of mt_demag_keys, to PETSc.  To be called before anything is written, by every subcommand
 * that has the keys: MT_ERR_INPUT for an option that belongs to no solver of this program; those that PETSc does not
 * know are refused by mt_hysteresis_run once its solvers stand, before the first field.  Not collective (the same on
 * every rank). */
PetscErrorCode mt_petsc_options_set(const MtInput *in);

/* The whole demagnetization run on the mesh file at mesh_path: field path, states, curve.csv, switching-field map,
 * checkpoint and restart, results in json (objects "counts" and "results").  *stopped: ended on a signal after a
 * checkpoint.  Collective. */
PetscErrorCode mt_hysteresis_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder,
                                 bool resume, MtJson *json, bool *stopped);

#endif

/* Minimum-energy path between two states, and the saddle on it (path_method.c has method and sources).
 *
 * A path is a row of images m_0 ... m_{n-1}, dealt to the groups of a team.  Its arc length is the root of the
 * moment-weighted mean of the squared angles between neighbours, in rad.  Everything here is collective on the team's
 * world. */
#ifndef MT_MICROMAGNETICS_PATH_METHOD_H
#define MT_MICROMAGNETICS_PATH_METHOD_H

#include "preconditioner.h"
#include "team.h"

typedef struct {
  double torque;        /* T: of the saddle, all components */
  double path_torque;   /* T: of the other images, across the path */
  double max_turn;      /* rad: largest rotation of a node in one round */
  double demag_rtol;    /* at convergence; looser far from it */
  int inner_iterations; /* of the preconditioner */
  double inner_rtol;
  int max_rounds;
} MtPathOptions;

/* All that a round leaves to the next besides m and u of the images; doubles only, for checkpoints. */
typedef struct {
  double rounds;  /* accepted */
  double shift;   /* T, added to the preconditioner */
  double climber; /* image that climbs; -1: none yet */
  double open;    /* 1: the path was cut behind the saddle, its last image is no minimum */
  double cuts;    /* rounds at which it was last cut */
  double worst;   /* T, largest torque over its limit in the last round, times the limit of the saddle */
  double best;    /* the smallest of these so far, and the rounds since */
  double idle;
  double height, calm;              /* J/m3 nm3, of the saddle, and the rounds in which it has kept it without torque */
  double evaluations, inner, demag; /* totals of all groups: energies, inner iterations, iterations of the potential */
} MtPathProgress;
enum { MT_PATH_PROGRESS = sizeof(MtPathProgress) / sizeof(double) };

typedef struct {
  Vec m, u;    /* state and potential (NULL without demagnetizing field) */
  Vec g, step; /* dE/dm; force, then the step */
} MtPathImage;

typedef struct {
  const MtTeam *team; /* not owned, as energy */
  MtEnergy *energy;
  MtPathOptions opt;
  double B[3]; /* T */
  int n, start, end;
  MtPathImage *image;       /* [n]; vectors NULL outside [start, end) */
  Vec in_work;              /* not owned: m of the own image in work, or that failed; else NULL */
  Vec before, after;        /* m of the neighbours start-1 and end */
  Vec tangent, ridge, work; /* at the image in work: unit tangent, the covector of what is along it */
  MtPrecond pc;
  MtEnergyValues *E; /* [n] */
  double *s;         /* [n] rad, arc length */
  double *turn;      /* [n] rad, largest angle of a node from the image before */
  double *torque;    /* [n] T, of the last round */
  double *shift;     /* [n] T, of an own image in this round, besides that of all */
  MtPathProgress now;
} MtPath;

typedef enum {
  MT_PATH_GOES_ON,
  MT_PATH_CONVERGED,
  MT_PATH_STAGNATED,
  MT_PATH_MAX_ROUNDS,
  MT_PATH_NO_BARRIER,
  MT_PATH_SADDLE /* the saddle is found and keeps its height, the path beside it still moves */
} MtPathEnd;
static inline bool mt_path_found(int end) {
  return end == MT_PATH_CONVERGED || end == MT_PATH_SADDLE;
}

PetscErrorCode mt_path_create(const MtTeam *team, MtEnergy *e, int n, const MtPathOptions *opt, MtPath *path);
PetscErrorCode mt_path_destroy(MtPath *path);
/* m of the images are there, the ends relaxed: evaluates those and forgets the last run. */
PetscErrorCode mt_path_begin(MtPath *path, const double B[3]);
/* Energies, tangents, torques; *end says whether and how the path is done, else one round is made. */
PetscErrorCode mt_path_round(MtPath *path, MtPathEnd *end);
/* Energies of all images with the potential as exact as it gets, and arc lengths. */
PetscErrorCode mt_path_measure(MtPath *path);
/* Is the open end that of the path the rounds began with, cut at another field?  Without a top it may then be on the
 * near side of the saddle, which says nothing about a barrier. */
bool mt_path_inherited(const MtPath *path);
/* The highest image strictly between the ends and above both neighbours; -1: none. */
int mt_path_top(const MtPath *path);

/* Between the files of the method. */
PetscErrorCode mt_path_neighbours(MtPath *path); /* fills before and after */
Vec mt_path_m(const MtPath *path, int i);        /* own or a neighbour's */
PetscErrorCode mt_path_lengths(MtPath *path);    /* s and turn */
/* Images at equal arc lengths again, on either side of the climber; the path ends at the arc length `length`. */
PetscErrorCode mt_path_spread(MtPath *path, double length);
/* Force and torque of every own image, tangents by upwinding; and the steps made from them. */
PetscErrorCode mt_path_forces(MtPath *path);
PetscErrorCode mt_path_move(MtPath *path);

#endif

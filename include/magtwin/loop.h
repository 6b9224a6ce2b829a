/* The field path of a hysteresis run and what is read off its curve.  Plain C, no MPI; fields are mu0 H in T. */
#ifndef MAGTWIN_LOOP_H
#define MAGTWIN_LOOP_H

#include "magtwin/input.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A straight line in field space. */
typedef struct {
  double from[3], to[3]; /* T */
  double along[3];       /* unit direction along which the segment's m and field are reported */
  double length;         /* T, > 0 */
  double zero;           /* T from the start at which H = 0; -1: the line does not pass through zero inside */
  int nhalts;            /* further points that are always hit ... */
  double *halt;          /* [nhalts] ... T from the start, ascending; owned, NULL if none */
  double step;           /* T, > 0 */
  double resolution;     /* T: adaptive steps are not made smaller */
  double dm_max;         /* change of m that makes an adaptive step roll back */
  bool adaptive;
  bool every_event; /* adaptive: an event rolls back however little it changes m */
} MtSegment;

typedef struct {
  int n;
  MtSegment *segment;  /* [n], owned */
  double start[3];     /* T, the first field */
  double direction[3]; /* unit, of field.start */
  double length;       /* T, all segments */
} MtFieldPath;

/* Makes the line from -> to; how it is walked is the caller's. */
void mt_segment_line(MtSegment *s, const double from[3], const double to[3], const double along[3]);
/* MT_ERR_INPUT at the key where every_event could roll nothing back.  Not collective. */
PetscErrorCode mt_segment_check_events(const MtInput *in, const MtSegment *s, const char *key);
/* The field at a point of it, t in T from its start. */
void mt_segment_point(const MtSegment *s, double t, double B[3]);
/* Rounded to 1e-12 T: fields of a path are written as they were asked for (1.7, not 1.7000000000000002). */
double mt_picotesla(double B);
/* Section field -> path; MT_ERR_INPUT with file:line:column of the key.  Not collective. */
PetscErrorCode mt_field_path_read(const MtInput *in, MtFieldPath *path);
/* A zeroed struct is fine. */
void mt_field_path_free(MtFieldPath *path);

/* What branches off the path of the input. */
typedef enum {
  MT_BRANCH_NONE,     /* nothing: one branch */
  MT_BRANCH_REVERSAL, /* curves that start from states of the first one (field.reversal) */
  MT_BRANCH_ANGLE     /* the path at several angles (field.angles), each from its own start */
} MtBranchKind;
typedef struct {
  MtFieldPath path;
  double axis[3]; /* unit, of the starting field with its sign: what Br, Hc and the coercive state refer to */
  double angle;   /* deg from field.direction */
  double from;    /* T, of a reversal curve: its field along the segment's direction ... */
  int segment;    /* ... which is on this segment of the first branch ... */
  double at;      /* ... so far from its start (T) */
} MtBranch;
typedef struct {
  MtBranchKind kind;
  int n;
  MtBranch *branch; /* [n], owned */
  double length;    /* T, all branches */
} MtFieldPlan;
/* Section field -> all the curves of the run; MT_ERR_INPUT with file:line:column of the key.  Not collective. */
PetscErrorCode mt_field_plan_read(const MtInput *in, MtFieldPlan *plan);
/* A zeroed struct is fine. */
void mt_field_plan_free(MtFieldPlan *plan);

/* Where a run is on its path: all that the choice of the next field depends on (stored in checkpoints). */
typedef struct {
  double segment; /* index; numbers are doubles so that the struct is an array of them */
  double s;       /* T from the start of the segment, accepted; -1: the first field has not been relaxed yet */
  double trial;   /* T from the start of the segment, being tried */
  double h;       /* T, size of the next adaptive step */
  double jump;    /* T from the start of the segment: a step that ended there was rolled back; -1: none */
} MtStepper;

typedef enum { MT_STEP_ACCEPT, MT_STEP_ROLLBACK } MtStepVerdict;

/* To the first field of the path. */
void mt_stepper_begin(const MtFieldPath *path, MtStepper *st);
/* Chooses the next field to try; false at the end of the path.  H = 0 and the ends of segments are always hit. */
bool mt_stepper_next(const MtFieldPath *path, MtStepper *st, double B[3]);
/* True when the step being tried may still be rolled back (a larger change than dm_max makes it so). */
bool mt_stepper_may_retry(const MtFieldPath *path, const MtStepper *st);
/* Accepts the step tried, or rolls it back and makes the next one smaller; dm: change of m along the segment's
 * direction. */
MtStepVerdict mt_stepper_judge(const MtFieldPath *path, MtStepper *st, double dm);
/* Fraction of the path behind the accepted point, 0..1. */
double mt_stepper_fraction(const MtFieldPath *path, const MtStepper *st);
/* The same of all branches, at a place on one of them. */
double mt_field_plan_fraction(const MtFieldPlan *plan, int branch, const MtStepper *st);

/* One line of curve.csv; doubles only, so that a row is an array of MT_CURVE_COLUMNS of them. */
typedef struct {
  double step, branch, segment;
  double B_along;    /* T, along the segment's direction */
  double B[3];       /* T */
  double J;          /* T, mean polarization along the segment's direction */
  double m;          /* J over that of the saturated magnet */
  double mean[3];    /* mean polarization over that of the saturated magnet */
  double energy[5];  /* J/m3 of all that is not air: total, exchange, anisotropy, zeeman, demag */
  double torque;     /* T, largest */
  double eigenvalue; /* T, smallest of the Hessian (mt_stability_eigenvalue); NaN: not computed */
  double iterations, evaluations, demag_iterations; /* rolled-back trials of this step included */
  double event;                                     /* 1: m fell or rose by more than output.event_drop */
  double more[4]; /* J/m3: surface, dmi, elastic, interface; columns only where the run has such a term */
} MtCurveRow;
enum {
  MT_CURVE_COLUMNS = offsetof(MtCurveRow, more) / sizeof(double), /* that every run has */
  MT_CURVE_MORE = 4
};

typedef struct {
  int n, capacity;
  unsigned more;   /* bit k: more[k] is a column */
  MtCurveRow *row; /* owned */
} MtCurve;
/* Appends a copy of the row; MT_ERR_FAIL when memory runs out. */
PetscErrorCode mt_curve_add(MtCurve *curve, const MtCurveRow *row);
void mt_curve_free(MtCurve *curve);
/* Header with units, and one row, with the columns `more` of MtCurve, %.17g; errors stay in the stream (ferror).
 * A column `converged`, 1 where the torque is below `limit` (T), else 0, is made of the row: it is none of its numbers.
 */
void mt_curve_print_header(FILE *f, unsigned more);
void mt_curve_print_row(FILE *f, unsigned more, double limit, const MtCurveRow *row);

/* Figures of merit of a demagnetization curve.  NaN: not reached by the curve. */
typedef struct {
  double Br;         /* T */
  double Hc;         /* T, mu0 H where J = 0, positive */
  double Hk;         /* T, mu0 H where J = 0.9 Br, positive */
  double squareness; /* Hk/Hc */
  double BHmax;      /* kJ/m3 */
} MtLoopFigures;
/* n points of a falling branch in order: field H (T) along an axis and polarization J (T) along it; J is linear between
 * points. N: demagnetizing factor; the curve is read at the least Hint = H - N J so far (a jump is vertical).
 * N = 0: as it is.  Fills `f`. */
void mt_loop_figures(int n, const double *H, const double *J, double N, MtLoopFigures *f);
/* The longest run of rows with falling field: [*first, *first + return value). */
int mt_loop_branch(const MtCurve *curve, const double axis[3], int *first);
/* The rows of one branch, which follow each other: a view of the curve. */
MtCurve mt_curve_branch(const MtCurve *curve, int branch);

/* Magnetometric demagnetizing factors of a prism with edges L[3] along x, y, z (they add up to 1).
 * Aharoni, J. Appl. Phys. 83 (1998) 3432, eq. 1. */
void mt_prism_factors(const double L[3], double N[3]);

#endif

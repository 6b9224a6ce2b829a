/* The space a campaign searches: variables, linear constraints, points chosen beforehand, and ways to spread points.
 *
 * A point is an array of nvars values: numbers for real and integer variables, the index of the value for categorical
 * ones.  Nothing here is collective; the same on every rank.
 */
#ifndef MAGTWIN_SPACE_H
#define MAGTWIN_SPACE_H

#include "magtwin/random.h"
#include <petscsys.h>
#include <stdbool.h>

typedef enum { MT_VAR_REAL, MT_VAR_INTEGER, MT_VAR_CATEGORICAL } MtVarType;

typedef struct {
  char *name;
  MtVarType type;
  double min, max; /* inclusive; of categorical: 0 and nvalues - 1 */
  bool log;        /* spread evenly in the logarithm */
  int nvalues;     /* categorical, else 0 */
  char **value;    /* [nvalues] */
} MtVariable;

typedef struct {
  char *text;   /* as given */
  double *coef; /* [nvars]; sum_i coef_i x_i <= bound */
  double bound;
} MtLinear;

typedef struct {
  int nvars, nlinear;
  MtVariable *var;  /* [nvars] owned, with all below */
  MtLinear *linear; /* [nlinear] */
  int npool;        /* points to choose from; 0: the whole space */
  double *pool;     /* [npool, nvars] */
} MtSpace;

/* Adds a variable; names are copied.  values NULL unless categorical. */
void mt_space_add(MtSpace *s, const char *name, MtVarType type, double min, double max, bool log, int nvalues,
                  const char *const *values);
/* "2*thickness - Js <= 5" with the names of s, also >=; after all variables.  false: *why says what is wrong with it
 * (points into static text or buf). */
bool mt_space_constrain(MtSpace *s, const char *text, char why[200]);
/* The points of a table (csv, names in its first line; every variable has a column, others are left out) as the only
 * ones.  MT_ERR_INPUT with file:line.  Collective. */
PetscErrorCode mt_space_read_pool(MPI_Comm comm, MtSpace *s, const char *path);
/* A space without real variables and with at most `limit` points becomes the list of those that satisfy its
 * constraints: then its end is known.  Nothing happens to others. */
void mt_space_enumerate(MtSpace *s, int limit);
void mt_space_free(MtSpace *s);

/* The number of the variable of that name, -1 if there is none. */
int mt_space_find(const MtSpace *s, const char *name);
/* Text of a value as it is written in a database or handed to a command; returns buf or the name of a category. */
const char *mt_space_text(const MtVariable *v, double x, char buf[32]);
/* A value from its text.  false: why. */
bool mt_space_value(const MtVariable *v, const char *text, double *x, char why[200]);
/* Does the point lie in all ranges and satisfy the constraints (to 1e-9 of their size)?  why may be NULL. */
bool mt_space_contains(const MtSpace *s, const double *x, char why[200]);

/* The unit cube of the surrogate: one coordinate a real or integer variable, one a category. */
int mt_space_dim(const MtSpace *s);
void mt_space_encode(const MtSpace *s, const double *x, double *u);
/* The point nearest to u: integers rounded, the largest coordinate of a category. */
void mt_space_decode(const MtSpace *s, const double *u, double *x);

/* Point `index` of Sobol's sequence in `dim` <= MT_SOBOL_DIM dimensions, shifted digit by digit with `seed`: [0,
 * 1)^dim. Direction numbers: S. Joe, F. Y. Kuo, SIAM J. Sci. Comput. 30, 2635 (2008). */
enum { MT_SOBOL_DIM = 21 };
void mt_sobol(int dim, uint64_t seed, uint32_t index, double *u);
/* n points of a Latin hypercube, each in its own slice of every dimension: u [n, dim]. */
void mt_latin(int dim, int n, uint64_t seed, double *u);
/* A point of the space from numbers in [0, 1), one a variable. */
void mt_space_spread(const MtSpace *s, const double *u, double *x);

#endif

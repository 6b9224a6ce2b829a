/* Formulas of place and time in inputs: "a = cos(.1*x); .5 + .01*a^2".
 *
 * Numbers, pi, the variables x y z t, + - * / ^ (right to left, before the sign), brackets, the functions abs acos asin
 * atan atan2 cos cosh exp floor log max min sin sinh sqrt step tan tanh (step: 0 below 0, else 1), and names given a
 * value before: each "name = expression;" ends with a semicolon, the last expression is the value.  Plain C, not
 * collective. */
#ifndef MAGTWIN_FORMULA_H
#define MAGTWIN_FORMULA_H

#include <stdbool.h>

typedef enum { MT_VAR_X, MT_VAR_Y, MT_VAR_Z, MT_VAR_T, MT_NVARS } MtVariable;
typedef struct MtFormula MtFormula; /* opaque */

/* NULL: why [200] says what is wrong and at which character.  The caller frees it. */
MtFormula *mt_formula_read(const char *text, char why[200]);
/* Sets *f to NULL; NULL is fine. */
void mt_formula_free(MtFormula **f);
/* Its value, NaN or inf where it has none. */
double mt_formula_value(const MtFormula *f, const double variable[MT_NVARS]);
/* Does the variable stand in it? */
bool mt_formula_uses(const MtFormula *f, MtVariable v);

#endif

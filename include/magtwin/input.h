/* The input language: YAML (libyaml) against a strict schema.
 *
 * A schema is a list of tables of MtKey, one table per module, put together by the subcommand.  The same tables check a
 * file, fill the defaults and print the help.  All errors of a file are found before any is reported:
 *
 *     run.yaml:12:14: mesh.gb.thickness: must be > 0 nm, is -3 nm
 *     run.yaml:15:3: unknown key mesh.thicknes; did you mean mesh.thickness?
 *
 * Values may carry a unit ("3 nm", "0.12 um", "-480 kA/m"); without one they are in the canonical unit.
 * Lengths of a mesh may also be in lex, a length of the materials, which mt_input_resolve turns into nm.
 * Keys of nested maps are joined by dots; a list of maps is written field.segments[].to in the schema.
 */
#ifndef MAGTWIN_INPUT_H
#define MAGTWIN_INPUT_H

#include "magtwin/units.h"
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  MT_KEY_BOOL,
  MT_KEY_INT,
  MT_KEY_REAL,
  MT_KEY_STRING,
  MT_KEY_CHOICE,  /* one of `choices`, separated by | */
  MT_KEY_PATH,    /* file or pattern, relative to the working directory, that must exist; no default */
  MT_KEY_NEWPATH, /* file or folder that may be made */
  MT_KEY_VEC3,    /* list of 3 numbers, each with the range and unit of the key */
  MT_KEY_REALS,   /* list of numbers */
  MT_KEY_STRINGS, /* list of strings */
  MT_KEY_LIST,    /* list of maps; its keys follow as path[].key */
} MtKeyType;

typedef struct {
  const char *path;
  MtKeyType type;
  MtDimension dim;
  const char *def;     /* default as in YAML; NULL: required; "": optional without one (mt_input_has is false) */
  double min, max;     /* inclusive range in the canonical unit (of each number; of the length of STRINGS and LIST);
                        * both 0: no range; INFINITY: open end */
  const char *choices; /* MT_KEY_CHOICE; else NULL */
  const char *when;    /* "grains.source=ebsd|labels": counts only then (else refused, not required); or NULL */
  const char *help;    /* one or two sentences; no unit, default or range: those are printed from the fields above */
  bool exclusive_min;  /* the minimum itself is not allowed (thickness > 0) */
} MtKey;

typedef struct MtInput MtInput; /* opaque; the same content on every rank */

/* Reads `path` on rank 0, applies the overrides ("mesh.size=2 nm"), checks against the tables, shares the result.
 * `tables` ends with NULL; each table ends with a key whose path is NULL.
 * On bad input: MT_ERR_INPUT with all errors of the file in one message.  Collective on comm.  Free with
 * mt_input_destroy. */
PetscErrorCode mt_input_read(MPI_Comm comm, const char *path, int noverrides, char *const *overrides,
                             const MtKey *const *tables, MtInput **input);
/* The same for a program that needs only some sections: those not named in `needed` may be absent as a whole and then
 * have no values (mt_input_has is false).  "materials field grains|mesh.file": grains is needed unless mesh.file is
 * given; of several behind | one is enough, keys or sections.  "output.folder topology.files|topology.diagrams": that
 * key, and one of these two, must be given. */
PetscErrorCode mt_input_read_for(MPI_Comm comm, const char *path, int noverrides, char *const *overrides,
                                 const MtKey *const *tables, const char *needed, MtInput **input);
/* One section of a file alone, which the tables know; the others are not looked at: what a run before kept of its
 * input. Collective. */
PetscErrorCode mt_input_read_section(MPI_Comm comm, const char *path, const char *section, const MtKey *const *tables,
                                     MtInput **input);
/* Sets *input to NULL; NULL is fine.  Not collective. */
void mt_input_destroy(MtInput **input);
/* The same values once more, for a run with other numbers; the caller's.  And one of them set: "mesh.size",
 * "field.segments[2].rate" or number 3 of a list, "phasefield.polynomial[3]", in the canonical unit; its range is not
 * looked at.  Naming what has no value is a bug of the program and aborts.  Not collective. */
MtInput *mt_input_copy(const MtInput *in);
void mt_input_set_real(MtInput *in, const char *path, double value);

/* Values by path, "mesh.size", or with an index "field.segments[2].to" (printf-like).  Asking for a key that the schema
 * does not have, or with another type, is a bug of the program and aborts.  Texts are owned by in.  Not collective. */
bool mt_input_has(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
bool mt_input_bool(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
int64_t mt_input_int(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
double mt_input_real(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
const char *mt_input_string(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
void mt_input_vec3(const MtInput *in, double v[3], const char *path, ...) __attribute__((format(printf, 3, 4)));
/* The length of a list; entry i of a list of numbers or of strings, 0 <= i < that length. */
int mt_input_count(const MtInput *in, const char *path, ...) __attribute__((format(printf, 2, 3)));
double mt_input_real_at(const MtInput *in, int i, const char *path, ...) __attribute__((format(printf, 3, 4)));
const char *mt_input_string_at(const MtInput *in, int i, const char *path, ...) __attribute__((format(printf, 3, 4)));

/* An error that a module finds later in a value (a rule between keys): recorded with file:line:column of the key.
 * Returns MT_ERR_INPUT.  Not collective (call it on all ranks alike). */
PetscErrorCode mt_input_error(const MtInput *in, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Value i of those given in lex ("1.5 lex"): its key, and the number as given; NULL: there are no more.  Not
 * collective. */
const char *mt_input_in_lex(const MtInput *in, int i, double *number);
/* Turns all of them into nm, also in the canonical text: 1 lex is `lex` nm.  To be called once, before such a value is
 * asked for.  MT_ERR_INPUT, with file:line:column, where one is out of its range.  Not collective (call it on all ranks
 * alike). */
PetscErrorCode mt_input_resolve(MtInput *in, double lex);

/* The input with all defaults and overrides filled in, as canonical YAML (stable order).  Owned by in.  Not collective.
 */
const char *mt_input_canonical(const MtInput *in);
/* The canonical text of the named top-level sections ("grains mesh"): what a mesh file keeps to know whether it belongs
 * to an input.  The caller frees it with free().  Not collective. */
char *mt_input_section(const MtInput *in, const char *sections);
/* The name of the file it was read from.  Owned by in. */
const char *mt_input_path(const MtInput *in);

/* The candidate nearest to a misspelt word, NULL if none is near; the distance (insertions, deletions, exchanges, swaps
 * of neighbours) and the largest one that counts as near.  Of equally near ones that which begins alike for longest.
 * candidates [n]; the result is one of them.  Not collective. */
const char *mt_suggest(const char *word, int n, const char *const *candidates);
int mt_edit_distance(const char *a, const char *b);
int mt_suggest_limit(const char *word);

/* Prints the documentation of the keys as text on rank 0's stdout: path, type, unit, default, range, help.  sections:
 * of which sections, as "title grains|mesh.file output", NULL: all.  Not collective. */
void mt_input_help(const MtKey *const *tables, const char *sections);

#endif

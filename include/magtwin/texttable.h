/* Tables as text, read line by line: cells between commas, semicolons, tabulators or blanks, the first of these that a
 * line has; blanks and quotes around a cell go ("" in quotes is a quote); empty lines, lines
 * that begin with # and what follows a # between blanks are left out. */
#ifndef MAGTWIN_TEXTTABLE_H
#define MAGTWIN_TEXTTABLE_H

#include <petscsys.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
  const char *path; /* the caller's */
  FILE *file;
  int64_t line; /* of the file, that was read last; from 1 */
  int n;        /* its cells */
  char **cell;  /* [n] they change with the next line; owned */
  char *text;   /* what they lie in; owned */
  size_t room;
  int capacity;
} MtTextTable;

/* A table read line by line.  None is collective.
 * MT_ERR_INPUT with the system's reason.  Close it in any case. */
PetscErrorCode mt_text_open(const char *path, MtTextTable *t);
void mt_text_close(MtTextTable *t);
/* The next line that holds something; false at the end of the file. */
bool mt_text_next(MtTextTable *t);
void mt_text_rewind(MtTextTable *t); /* to before the first line */
/* Is the whole cell a number (inf and nan count)?  *value is it. */
bool mt_text_number(const char *cell, double *value);
/* The cell of the line read last that is called name, from 0; -1: there is none. */
int mt_text_column(const MtTextTable *t, const char *name);
/* The same; where there is none MT_ERR_INPUT with place and the name that was perhaps meant. */
PetscErrorCode mt_text_need_column(const MtTextTable *t, const char *name, int *column);

/* A whole table of numbers with names in its first line. */
typedef struct {
  int rows, columns;
  char **name;   /* [columns] they lie in name[0]; owned */
  double *value; /* [rows][columns] NAN: no finite number stands there; owned */
} MtNumbers;
/* The same on every rank.  MT_ERR_INPUT names file and line.  Collective. */
PetscErrorCode mt_numbers_read(MPI_Comm comm, const char *path, MtNumbers *t);
int mt_numbers_column(const MtNumbers *t, const char *name); /* -1: there is none */
void mt_numbers_free(MtNumbers *t);                          /* a zeroed struct is fine */

#endif

/* What a folder of many runs was begun with: kept there as text, and refused when it has changed, so that the results
 * in it stay those of one question. */
#ifndef MAGTWIN_KEPT_H
#define MAGTWIN_KEPT_H

#include <petscsys.h>
#include <stdbool.h>

/* The whole file, "" if there is none; the caller frees.  Not collective. */
char *mt_kept_file(const char *path);
/* Keeps `text` as folder/name, or compares it with what is kept there: MT_ERR_INPUT with the first line that differs
 * and what to do.  of: "a sweep"; what: "another base input"; source: where the text comes from now, a file or "the
 * input".  An empty text that is not kept yet is not kept.  One process at a time; rank 0. */
PetscErrorCode mt_kept_same(const char *folder, const char *name, const char *text, const char *of, const char *what,
                            const char *source);
/* Is there another text?  Rank 0. */
bool mt_kept_differs(const char *folder, const char *name, const char *text);
/* Forgets it, where nothing depends on it yet.  Rank 0. */
void mt_kept_forget(const char *folder, const char *name);

#endif

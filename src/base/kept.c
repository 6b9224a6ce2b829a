/* What a folder of many runs was begun with (kept.h). */
#include "magtwin/kept.h"
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *mt_kept_file(const char *path) {
  char *text = mt_file_text(path);
  return text ? text : mt_calloc(1, 1);
}

static char *path_of(const char *folder, const char *name) {
  char *inside = mt_file_join(folder, "/"), *path = mt_file_join(inside, name);
  free(inside);
  return path;
}

bool mt_kept_differs(const char *folder, const char *name, const char *text) {
  char *path = path_of(folder, name), *old = mt_kept_file(path);
  const bool differs = old[0] && strcmp(old, text) != 0;
  free(path);
  free(old);
  return differs;
}

void mt_kept_forget(const char *folder, const char *name) {
  char *path = path_of(folder, name);
  unlink(path);
  free(path);
}

/* The line that begins at `at`, in quotes, cut to be shown; or that there is none. */
static void show_line(const char *at, char line[80]) {
  snprintf(line, 80, *at ? "\"%.*s\"" : "no more", (int)strcspn(at, "\r\n"), at);
}

/* Where two texts part. */
static PetscErrorCode refuse(const char *folder, const char *path, const char *old, const char *text, const char *of,
                             const char *what, const char *source) {
  const char *a = old, *b = text;
  char was[80], is[80];
  int number = 1;
  for (const char *p = old, *q = text; *p && *p == *q; p++, q++)
    if (*p == '\n') a = p + 1, b = q + 1, number++;
  show_line(a, was);
  show_line(b, is);
  return mt_error(MT_ERR_INPUT,
                  "%s holds %s with %s: choose another output.folder, or undo the change (line %d of %s is %s, now %s "
                  "says %s)",
                  folder, of, what, number, path, was, source, is);
}

PetscErrorCode mt_kept_same(const char *folder, const char *name, const char *text, const char *of, const char *what,
                            const char *source) {
  char *path = path_of(folder, name), *old = mt_kept_file(path);
  PetscErrorCode rc = 0;
  if (!old[0] && text[0])
    rc = mt_file_write(path, text);
  else if (strcmp(old, text) != 0)
    rc = refuse(folder, path, old, text, of, what, source);
  free(path);
  free(old);
  return rc;
}

/* The errors of an input: collected, sorted by place, reported as one. */
#include "input_internal.h"
#include "magtwin/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format_list(const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *text = malloc((size_t)n + 1);
  if (!text) abort();
  vsnprintf(text, (size_t)n + 1, format, args);
  return text;
}

char *mt_format(const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = format_list(format, args);
  va_end(args);
  return text;
}

void mt_input_note(MtInput *in, MtPlace place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = format_list(format, args);
  va_end(args);
  in->error = mt_grow(in->error, in->nerrors, sizeof *in->error);
  in->error[in->nerrors++] = (MtInputError){place, text};
}

static char *place_text(const MtInput *in, MtPlace place) {
  if (place.origin >= 0) return mt_format("command line: %s", in->override[place.origin]);
  if (place.line > 0) return mt_format("%s:%d:%d", in->path, place.line, place.col);
  return mt_copy(in->path);
}

/* The file by line and column, then what stands nowhere in it, then the command line. */
static int compare(const void *pa, const void *pb) {
  const MtInputError *a = pa, *b = pb;
  int ka = a->place.origin >= 0 ? 2 + a->place.origin : a->place.line == 0,
      kb = b->place.origin >= 0 ? 2 + b->place.origin : b->place.line == 0;
  if (ka != kb) return ka - kb;
  if (a->place.line != b->place.line) return a->place.line - b->place.line;
  if (a->place.col != b->place.col) return a->place.col - b->place.col;
  return strcmp(a->text, b->text);
}

PetscErrorCode mt_input_errors(MtInput *in) {
  if (in->nerrors == 0) return 0;
  qsort(in->error, (size_t)in->nerrors, sizeof *in->error, compare);
  char *all = in->nerrors == 1 ? mt_copy("1 error in the input") : mt_format("%d errors in the input", in->nerrors);
  for (int i = 0; i < in->nerrors; i++) {
    char *place = place_text(in, in->error[i].place), *more = mt_format("%s\n%s: %s", all, place, in->error[i].text);
    free(place);
    free(all);
    all = more;
  }
  PetscErrorCode rc = mt_error(MT_ERR_INPUT, "%s", all);
  free(all);
  return rc;
}

PetscErrorCode mt_input_error(const MtInput *in, const char *path, const char *format, ...) {
  const MtEntry *e = mt_input_find(in, path);
  char *place = place_text(in, e ? e->place : (MtPlace){0, 0, MT_FROM_FILE});
  va_list args;
  va_start(args, format);
  char *text = format_list(format, args);
  va_end(args);
  PetscErrorCode rc = mt_error(MT_ERR_INPUT, "1 error in the input\n%s: %s: %s", place, path, text);
  free(place);
  free(text);
  return rc;
}

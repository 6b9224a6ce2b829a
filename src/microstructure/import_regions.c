/* What the volumes of a foreign mesh are, by their names. */
#include "import.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  MtRegionKind kind;
  int32_t grains[4]; /* as the name says, -1: none */
} Meaning;

/* "gb 3-7", "junction 3-7-9-11 #5": a kind and up to four grains; false: another name. */
static bool parse(const char *name, Meaning *m) {
  for (int k = 0; k < MT_REGION_NKINDS; k++) {
    const char *kind = mt_region_kind_name((MtRegionKind)k), *p = name + strlen(kind);
    if (strncmp(name, kind, strlen(kind)) != 0 || (*p && *p != ' ')) continue;
    *m = (Meaning){(MtRegionKind)k, {-1, -1, -1, -1}};
    for (int i = 0; i < 4 && *p && isdigit((unsigned char)p[1]); i++) {
      char *end;
      m->grains[i] = (int32_t)strtol(p + 1, &end, 10);
      p = end;
      if (*p != '-') break;
    }
    return !mt_region_is_grain(m->kind) || m->grains[0] >= 0;
  }
  return false;
}

static int compare_numbers(const void *a, const void *b) {
  const int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
  return (p > q) - (p < q);
}

/* Grains that names speak of, ascending, each once. */
static int numbers_named(int n, const Meaning *m, const bool *known, int32_t *number) {
  int all = 0, kept = 0;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 4 && known[i]; k++)
      if (m[i].grains[k] >= 0) number[all++] = m[i].grains[k];
  qsort(number, (size_t)all, sizeof *number, compare_numbers);
  for (int i = 0; i < all; i++)
    if (!kept || number[kept - 1] != number[i]) number[kept++] = number[i];
  return kept;
}

/* Names of their own become grains after those that are named as such. */
static int number_grains(int n, Meaning *m, const bool *known) {
  int32_t *number = mt_malloc(4 * (size_t)n * sizeof *number);
  int count = numbers_named(n, m, known, number);
  for (int i = 0; i < n; i++) {
    if (!known[i]) m[i] = (Meaning){MT_REGION_GRAIN, {count++, -1, -1, -1}};
    for (int k = 0; k < 4 && known[i]; k++) {
      if (m[i].grains[k] < 0) continue;
      const int32_t *at = bsearch(&m[i].grains[k], number, (size_t)count, sizeof *number, compare_numbers);
      if (at) m[i].grains[k] = (int32_t)(at - number);
    }
  }
  free(number);
  return count;
}

static char *name_of(const char *name, bool known, const Meaning *m) {
  char text[64];
  snprintf(text, sizeof text, "grain %d", m->grains[0]);
  const char *from = known && !mt_region_is_grain(m->kind) ? name : text;
  if (known && m->kind == MT_REGION_SURFACE) snprintf(text, sizeof text, "surface %d", m->grains[0]);
  return strcpy(mt_malloc(strlen(from) + 1), from);
}

/* Volumes that mean the same are one region; the air is the last -> where [n]: region of each volume. */
static void make_table(int n, char *const *name, const Meaning *m, const bool *known, MtRegions *r, int32_t *where) {
  const size_t room = (size_t)n + 1; /* also for air that the file does not have */
  int count = 0;
  r->kind = mt_malloc(room * sizeof *r->kind);
  r->grains = mt_malloc(4 * room * sizeof *r->grains);
  r->name = mt_malloc(room * sizeof *r->name);
  r->volume = mt_calloc(room, sizeof *r->volume);
  for (int last = 0; last < 2; last++)
    for (int i = 0; i < n; i++) {
      if ((m[i].kind == MT_REGION_AIR) != last) continue;
      char *own = name_of(name[i], known[i], &m[i]);
      int k = 0;
      while (k < count && strcmp(r->name[k], own) != 0) k++;
      where[i] = k;
      if (k < count) {
        free(own);
        continue;
      }
      r->kind[k] = m[i].kind, r->name[k] = own;
      memcpy(r->grains + 4 * k, m[i].grains, sizeof m[i].grains);
      count++;
    }
  r->n = count;
}

static void tell(int n, char *const *name, const Meaning *m, const bool *known) {
  int own = 0;
  for (int i = 0; i < n; i++) own += !known[i];
  if (!own) return;
  mt_log("grains: %d of %d volumes have names of their own, or none, and are taken for grains", own, n);
  for (int i = 0, told = 0; i < n && told < 10; i++)
    if (!known[i] && ++told) mt_log("  volume %d \"%s\" is grain %d", i + 1, name[i], m[i].grains[0]);
  if (own > 10) mt_log("  and so on");
}

PetscErrorCode mt_import_regions(const char *path, MtImported *f, MtRegions *r, bool *air) {
  Meaning *m = mt_malloc((size_t)f->n * sizeof *m);
  bool *known = mt_malloc((size_t)f->n * sizeof *known);
  int32_t *where = mt_malloc((size_t)f->n * sizeof *where);
  *air = false;
  *r = (MtRegions){0};
  for (int i = 0; i < f->n; i++) known[i] = parse(f->name[i], &m[i]);
  r->ngrains = number_grains(f->n, m, known);
  make_table(f->n, f->name, m, known, r, where);
  for (int i = 0; i < f->n; i++) *air = *air || m[i].kind == MT_REGION_AIR;
  for (int64_t t = 0; t < f->m.nt; t++) f->m.region[t] = where[f->m.region[t]];
  tell(f->n, f->name, m, known);
  free(m);
  free(known);
  free(where);
  return r->ngrains ? 0 : mt_error(MT_ERR_INPUT, "%s: none of its volumes is a grain", path);
}

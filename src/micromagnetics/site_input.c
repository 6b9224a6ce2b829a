/* Is the input that of the checkpoint, or one that only asks for more of the same run?  Canonical texts are compared
 * line by line: "section:", "  key: value", "  list: [1, 2]", or "  list:" with items "    - key: value" below. */
#include "site.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *text; /* after the line */
  const char *line;
  int n;         /* its length, -1: the end */
  char path[96]; /* "section.key" of the line or of what it is a part of */
} Reader;

static bool begins(const Reader *r, const char *what) {
  return r->n >= (int)strlen(what) && strncmp(r->line, what, strlen(what)) == 0;
}

static void advance(Reader *r) {
  r->line = r->text;
  r->n = *r->text ? (int)strcspn(r->text, "\n") : -1;
  if (r->n < 0) return;
  r->text += r->n + (r->text[r->n] == '\n');
  const int dot = (int)strcspn(r->path, ".");
  if (!begins(r, "  "))
    snprintf(r->path, sizeof r->path, "%.*s", (int)strcspn(r->line, ":\n"), r->line);
  else if (!begins(r, "    "))
    snprintf(r->path + dot, sizeof r->path - (size_t)dot, ".%.*s", (int)strcspn(r->line + 2, ":\n"), r->line + 2);
}

static bool same_line(const Reader *a, const Reader *b) {
  return a->n == b->n && (a->n < 0 || strncmp(a->line, b->line, (size_t)a->n) == 0);
}

/* Is the path one of the words? */
static bool named(const char *words, const char *path) {
  const size_t n = strlen(path);
  for (const char *at = words; at && (at = strstr(at, path)); at += n)
    if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
  return false;
}

/* "  list: [1, 2]" against "  list: [1, 2, 3]". */
static bool longer_line(const Reader *then, const Reader *now) {
  const int n = then->n - 1;
  return n > 0 && then->line[n] == ']' && now->n > n && strncmp(then->line, now->line, (size_t)n) == 0 &&
         now->line[n] == ',';
}

static void skip_open(Reader *r, const char *open) {
  while (r->n >= 0 && named(open, r->path)) advance(r);
}

/* Items of a list that `then` has come to the end of. */
static bool skip_items(const Reader *then, Reader *now) {
  if (!begins(now, "    - ") || begins(then, "    ")) return false;
  while (begins(now, "    ")) advance(now);
  return true;
}

bool mt_site_continues(const char *then, const char *now, const char *open, const char *longer) {
  Reader a = {.text = then}, b = {.text = now};
  advance(&a);
  advance(&b);
  for (;;) {
    skip_open(&a, open);
    skip_open(&b, open);
    if (a.n < 0 && b.n < 0) return true;
    const bool list = b.n >= 0 && named(longer, b.path);
    if (same_line(&a, &b) || (list && longer_line(&a, &b))) {
      advance(&a);
      advance(&b);
    } else if (!list || !skip_items(&a, &b)) {
      return false;
    }
  }
}

void mt_site_first_difference(const char *then, const char *now, char a[256], char b[256]) {
  Reader p = {.text = then}, q = {.text = now};
  do {
    advance(&p);
    advance(&q);
  } while (p.n >= 0 && same_line(&p, &q));
  snprintf(a, 256, "%.*s", p.n < 0 ? 0 : p.n, p.n < 0 ? "" : p.line);
  snprintf(b, 256, "%.*s", q.n < 0 ? 0 : q.n, q.n < 0 ? "" : q.line);
}

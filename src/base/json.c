/* A JSON text under construction (RFC 8259), indented by two spaces. */
#include "magtwin/json.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

struct MtJson {
  char *text;
  size_t size, capacity;
  bool line;             /* without line breaks */
  int depth;             /* open objects and arrays */
  char close[MAX_DEPTH]; /* what closes each */
  bool empty[MAX_DEPTH];
};

static void put(MtJson *j, const char *s, size_t n) {
  if (j->size + n + 1 > j->capacity) {
    j->capacity = 2 * (j->size + n + 1);
    j->text = realloc(j->text, j->capacity);
    if (!j->text) abort();
  }
  memcpy(j->text + j->size, s, n);
  j->size += n;
  j->text[j->size] = 0;
}

static void puts_(MtJson *j, const char *s) {
  put(j, s, strlen(s));
}

static void put_line(MtJson *j, int depth) {
  if (j->line) return;
  puts_(j, "\n");
  for (int i = 0; i < depth; i++) puts_(j, "  ");
}

static void put_quoted(MtJson *j, const char *s) {
  puts_(j, "\"");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    char escape[8] = {'\\', (char)c, 0};
    if (c == '\n')
      escape[1] = 'n';
    else if (c == '\t')
      escape[1] = 't';
    else if (c < 0x20)
      snprintf(escape, sizeof escape, "\\u%04x", c);
    if (c == '"' || c == '\\' || c < 0x20)
      puts_(j, escape);
    else
      put(j, s, 1);
  }
  puts_(j, "\"");
}

/* Comma, line and key in front of a value. */
static void lead(MtJson *j, const char *key) {
  bool *empty = &j->empty[j->depth - 1];
  if (!*empty) puts_(j, j->line ? ", " : ",");
  *empty = false;
  put_line(j, j->depth);
  if (!key || j->close[j->depth - 1] == ']') return;
  put_quoted(j, key);
  puts_(j, ": ");
}

static void open_(MtJson *j, char open, char close) {
  if (j->depth == MAX_DEPTH) abort();
  put(j, &open, 1);
  j->close[j->depth] = close;
  j->empty[j->depth++] = true;
}

MtJson *mt_json_new(void) {
  MtJson *j = calloc(1, sizeof *j);
  if (!j) abort();
  open_(j, '{', '}');
  return j;
}

MtJson *mt_json_new_line(void) {
  MtJson *j = mt_json_new();
  j->line = true;
  return j;
}

void mt_json_object(MtJson *j, const char *key) {
  lead(j, key);
  open_(j, '{', '}');
}

void mt_json_array(MtJson *j, const char *key) {
  lead(j, key);
  open_(j, '[', ']');
}

void mt_json_end(MtJson *j) {
  if (!j->depth) return;
  j->depth--;
  if (!j->empty[j->depth]) put_line(j, j->depth);
  put(j, &j->close[j->depth], 1);
}

void mt_json_string(MtJson *j, const char *key, const char *value) {
  lead(j, key);
  put_quoted(j, value);
}

const char *mt_real_text(double value, char buf[32]) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(buf, 32, "%.*g", digits, value);
    if (strtod(buf, NULL) == value) break;
  }
  return buf;
}

static void put_real(MtJson *j, double value) {
  char buf[32];
  puts_(j, isfinite(value) ? mt_real_text(value, buf) : "null");
}

void mt_json_real(MtJson *j, const char *key, double value) {
  lead(j, key);
  put_real(j, value);
}

void mt_json_int(MtJson *j, const char *key, int64_t value) {
  char buf[32];
  snprintf(buf, sizeof buf, "%lld", (long long)value);
  lead(j, key);
  puts_(j, buf);
}

void mt_json_bool(MtJson *j, const char *key, int value) {
  lead(j, key);
  puts_(j, value ? "true" : "false");
}

void mt_json_reals(MtJson *j, const char *key, int n, const double *values) {
  lead(j, key);
  puts_(j, "[");
  for (int i = 0; i < n; i++) {
    if (i) puts_(j, ", ");
    put_real(j, values[i]);
  }
  puts_(j, "]");
}

void mt_json_quantity(MtJson *j, const char *key, double value, const char *unit) {
  lead(j, key);
  puts_(j, "{\"value\": ");
  put_real(j, value);
  puts_(j, ", \"unit\": ");
  put_quoted(j, unit);
  puts_(j, "}");
}

const char *mt_json_text(MtJson *j) {
  if (j->depth) {
    while (j->depth) mt_json_end(j);
    puts_(j, "\n");
  }
  return j->text;
}

void mt_json_free(MtJson **j) {
  if (!*j) return;
  free((*j)->text);
  free(*j);
  *j = NULL;
}

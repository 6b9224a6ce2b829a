/* A scalar or list of the tree -> the value of a key, in the canonical unit, checked against type, unit and range. */
#include "input_internal.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void mt_entry_free(MtEntry *e) {
  for (int i = 0; e->string && i < e->n; i++) free(e->string[i]);
  free(e->string);
  free(e->number);
  free(e->in_lex);
  free(e->path);
}

static bool is_null(const MtNode *node) {
  return node->kind == MT_NODE_SCALAR && !node->quoted &&
         (!node->text[0] || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

static const char *kind_name(const MtNode *node) {
  if (node->kind == MT_NODE_LIST) return "a list";
  if (node->kind == MT_NODE_MAP) return "a section";
  return is_null(node) ? "nothing" : "a single value";
}

static bool expect(MtInput *in, const MtEntry *e, const MtNode *node, MtNodeKind kind) {
  if (node->kind == kind && !is_null(node)) return true;
  mt_input_note(in, node->place, "%s: must be a %s, is %s", e->path, mt_key_type_name(e->key->type), kind_name(node));
  return false;
}

static bool out_of_range(const MtKey *key, double v) {
  return mt_key_has_range(key) && (v < key->min || v > key->max || (key->exclusive_min && v == key->min));
}

bool mt_value_in_range(MtInput *in, const MtEntry *e, MtPlace place, double v, const char *text) {
  char range[128];
  if (!out_of_range(e->key, v)) return true;
  mt_input_note(in, place, "%s: must be %s, is %s", e->path, mt_key_range(e->key, range), text);
  return false;
}

static bool check_unit(MtInput *in, const MtEntry *e, const MtNode *node, const char *unit, double *factor) {
  *factor = 1;
  if (!unit[0]) return true;
  *factor = mt_unit_factor(e->key->dim, unit);
  if (*factor != 0) return true;
  if (unit[0] == ',')
    mt_input_note(in, node->place, "%s: \"%s\" is not a number; decimals are written with a point", e->path,
                  node->text);
  else if (e->key->dim == MT_DIM_NONE)
    mt_input_note(in, node->place, "%s: takes a number without a unit, is \"%s\"", e->path, node->text);
  else
    mt_input_note(in, node->place, "%s: \"%s\" is not a unit it can have (accepted: %s), is \"%s\"", e->path, unit,
                  mt_unit_accepted(e->key->dim), node->text);
  return false;
}

static bool starts_number(const char *s) {
  s += *s == '+' || *s == '-';
  s += *s == '.';
  return *s >= '0' && *s <= '9';
}

static bool is_not_finite(const char *s) {
  static const char *const words[] = {"nan", ".nan", "inf", ".inf", "-inf", "-.inf", "+.inf", "infinity"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    size_t n = 0;
    while (words[i][n] && (s[n] | 32) == (words[i][n] | 32)) n++;
    if (!words[i][n] && (!s[n] || s[n] == ' ')) return true;
  }
  return false;
}

/* v: one of e->number.  Its range is looked at when the length is known; what can be said now is its sign. */
static bool keep_in_lex(MtInput *in, MtEntry *e, const MtNode *node, const double *v) {
  if (!e->in_lex) e->in_lex = mt_calloc((size_t)e->n, sizeof *e->in_lex);
  e->in_lex[v - e->number] = true;
  return *v >= 0 || mt_value_in_range(in, e, node->place, *v, node->text);
}

static bool to_real(MtInput *in, MtEntry *e, const MtNode *node, double *v) {
  if (!expect(in, e, node, MT_NODE_SCALAR)) return false;
  char *end = node->text;
  double factor;
  errno = 0;
  *v = starts_number(node->text) ? strtod(node->text, &end) : 0;
  if ((end > node->text && !isfinite(*v)) || is_not_finite(node->text)) {
    mt_input_note(in, node->place, "%s: must be a finite number, is %s", e->path, node->text);
    return false;
  }
  if (end == node->text) {
    mt_input_note(in, node->place, "%s: must be a number, is \"%s\"", e->path, node->text);
    return false;
  }
  end += strspn(end, " ");
  if (mt_unit_of_material(e->key->dim, end)) return keep_in_lex(in, e, node, v);
  if (!check_unit(in, e, node, end, &factor)) return false;
  *v *= factor;
  return mt_value_in_range(in, e, node->place, *v, node->text);
}

static bool to_int(MtInput *in, MtEntry *e, const MtNode *node) {
  char *end;
  double v;
  if (!to_real(in, e, node, &v)) return false;
  errno = 0;
  e->integer = strtoll(node->text, &end, 10);
  if (!*end && !errno) return true;
  if (v == floor(v) && fabs(v) < 9007199254740992.0) { /* 1e6 */
    e->integer = (int64_t)v;
    return true;
  }
  mt_input_note(in, node->place, "%s: must be a whole number, is %s", e->path, node->text);
  return false;
}

static bool to_bool(MtInput *in, MtEntry *e, const MtNode *node) {
  if (!expect(in, e, node, MT_NODE_SCALAR)) return false;
  e->boolean = !strcmp(node->text, "true");
  if (e->boolean || !strcmp(node->text, "false")) return true;
  mt_input_note(in, node->place, "%s: must be true or false, is \"%s\"", e->path, node->text);
  return false;
}

static char *choices_in_words(const char *choices) {
  char *words = mt_copy("");
  for (const char *s = choices; *s;) {
    size_t n = strcspn(s, "|");
    char *more = mt_format("%s%s%.*s", words, words[0] ? ", " : "", (int)n, s);
    free(words);
    words = more;
    s += n + (s[n] == '|');
  }
  return words;
}

/* The choice that equals `text` (exact) or is nearest to it; copied, NULL if none. */
static char *pick_choice(const char *choices, const char *text, bool exact) {
  int best = exact ? 1 : mt_suggest_limit(text) + 1;
  char *found = NULL;
  for (const char *s = choices; *s;) {
    size_t n = strcspn(s, "|");
    char *one = mt_format("%.*s", (int)n, s);
    int d = mt_edit_distance(text, one);
    if (d < best) {
      free(found);
      found = one;
      best = d;
    } else {
      free(one);
    }
    s += n + (s[n] == '|');
  }
  return found;
}

static bool check_choice(MtInput *in, const MtEntry *e, const MtNode *node) {
  char *found = pick_choice(e->key->choices, node->text, true);
  if (found) {
    free(found);
    return true;
  }
  char *words = choices_in_words(e->key->choices), *near = pick_choice(e->key->choices, node->text, false);
  mt_input_note(in, node->place, "%s: must be one of %s; is \"%s\"%s%s%s", e->path, words, node->text,
                near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
  free(words);
  free(near);
  return false;
}

static bool check_path(MtInput *in, const MtEntry *e, const MtNode *node) {
  glob_t matches;
  if (in->trusted) return true;
  int rc = glob(node->text, GLOB_NOSORT, NULL, &matches);
  if (rc == 0) globfree(&matches);
  if (rc == 0) return true;
  bool pattern = strpbrk(node->text, "*?[") != NULL;
  mt_input_note(in, node->place, pattern ? "%s: no file matches %s" : "%s: there is no file %s", e->path, node->text);
  return false;
}

static bool to_string(MtInput *in, MtEntry *e, const MtNode *node, char **out) {
  MtKeyType type = e->key->type;
  if (!expect(in, e, node, MT_NODE_SCALAR)) return false;
  if (type == MT_KEY_CHOICE && !check_choice(in, e, node)) return false;
  if ((type == MT_KEY_PATH || type == MT_KEY_NEWPATH) && !node->text[0]) {
    mt_input_note(in, node->place, "%s: is an empty name", e->path);
    return false;
  }
  if (type == MT_KEY_PATH && !check_path(in, e, node)) return false;
  *out = mt_copy(node->text);
  return true;
}

static bool check_length(MtInput *in, const MtEntry *e, const MtNode *node) {
  char range[128];
  bool by_range = e->key->type == MT_KEY_LIST || e->key->type == MT_KEY_STRINGS;
  if (e->key->type == MT_KEY_VEC3 && node->n != 3) {
    mt_input_note(in, node->place, "%s: must be a list of 3 numbers, has %d", e->path, node->n);
    return false;
  }
  if (by_range && out_of_range(e->key, node->n)) {
    mt_input_note(in, node->place, "%s: number of entries must be %s, is %d", e->path, mt_key_range(e->key, range),
                  node->n);
    return false;
  }
  return true;
}

static bool to_list(MtInput *in, MtEntry *e, const MtNode *node) {
  bool good = expect(in, e, node, MT_NODE_LIST) && check_length(in, e, node);
  if (!good) return false;
  bool texts = e->key->type == MT_KEY_STRINGS;
  if (texts)
    e->string = mt_calloc((size_t)node->n + 1, sizeof *e->string);
  else
    e->number = mt_calloc((size_t)node->n + 1, sizeof *e->number);
  e->n = node->n;
  for (int i = 0; i < node->n && e->key->type != MT_KEY_LIST; i++)
    good =
        (texts ? to_string(in, e, node->item[i], &e->string[i]) : to_real(in, e, node->item[i], &e->number[i])) && good;
  return good;
}

bool mt_value_convert(MtInput *in, MtEntry *e, const MtNode *node) {
  e->place = node->place;
  e->n = 1;
  switch (e->key->type) {
  case MT_KEY_BOOL:
    return to_bool(in, e, node);
  case MT_KEY_INT:
    return to_int(in, e, node);
  case MT_KEY_REAL:
    e->number = mt_calloc(1, sizeof *e->number);
    return to_real(in, e, node, e->number);
  case MT_KEY_VEC3:
  case MT_KEY_REALS:
  case MT_KEY_STRINGS:
  case MT_KEY_LIST:
    return to_list(in, e, node);
  case MT_KEY_STRING:
  case MT_KEY_CHOICE:
  case MT_KEY_PATH:
  case MT_KEY_NEWPATH:
    break;
  }
  e->string = mt_calloc(1, sizeof *e->string);
  return to_string(in, e, node, e->string);
}

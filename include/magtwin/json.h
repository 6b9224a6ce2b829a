/* JSON: a text under construction, keys in the order given, and values read from a text.  Not collective; cheap enough
 * for every rank. */
#ifndef MAGTWIN_JSON_H
#define MAGTWIN_JSON_H

#include <stdbool.h>
#include <stdint.h>

typedef struct MtJson MtJson;

/* Starts with an open object; the caller frees it.  Here and below memory that runs out ends the program. */
MtJson *mt_json_new(void);
/* The same, on one line. */
MtJson *mt_json_new_line(void);
/* Opens an object or an array under key; key is NULL inside an array, here and below.  At most 32 may be open. */
void mt_json_object(MtJson *j, const char *key);
void mt_json_array(MtJson *j, const char *key);
void mt_json_end(MtJson *j); /* closes the innermost object or array */
void mt_json_string(MtJson *j, const char *key, const char *value);
/* The shortest text that reads back the same; NaN and inf become null. */
void mt_json_real(MtJson *j, const char *key, double value);
void mt_json_int(MtJson *j, const char *key, int64_t value);
void mt_json_bool(MtJson *j, const char *key, int value);
/* values [n]; written as mt_json_real does. */
void mt_json_reals(MtJson *j, const char *key, int n, const double *values);
/* {"value": v, "unit": "T"} under key */
void mt_json_quantity(MtJson *j, const char *key, double value, const char *unit);
/* Closes what is open; the text is owned by j. */
const char *mt_json_text(MtJson *j);
void mt_json_free(MtJson **j);

/* A value read from a text (RFC 8259; numbers as doubles). */
typedef enum { MT_JSON_NULL, MT_JSON_BOOL, MT_JSON_NUMBER, MT_JSON_STRING, MT_JSON_ARRAY, MT_JSON_OBJECT } MtJsonKind;
typedef struct MtJsonValue {
  MtJsonKind kind;
  double number;            /* number; bool: 0 or 1 */
  char *text;               /* string; else NULL */
  int n;                    /* array, object: */
  char **key;               /* [n] of an object; else NULL */
  struct MtJsonValue *item; /* [n] */
} MtJsonValue;
/* The one value that text holds; NULL: why [200] says where it is wrong.  Keys given twice and nesting beyond 32 are
 * errors.  Free with mt_json_value_free. */
MtJsonValue *mt_json_read(const char *text, char why[200]);
void mt_json_value_free(MtJsonValue **v); /* sets *v to NULL; NULL is fine */
/* The value of a key of an object, NULL if there is none; of a dotted path, in which a number stands for an entry of an
 * array: "results.events.0.field". */
const MtJsonValue *mt_json_member(const MtJsonValue *v, const char *key);
const MtJsonValue *mt_json_find(const MtJsonValue *v, const char *path);
/* A number, or the value of {"value": .., "unit": ..}; false if it is neither. */
bool mt_json_number(const MtJsonValue *v, double *number);

/* The shortest of %.15g, %.16g, %.17g that reads back as the same number; returns buf. */
const char *mt_real_text(double value, char buf[32]);

#endif

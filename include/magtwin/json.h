/* A JSON text under construction, indented, keys in the order given.  Not collective; cheap enough for every rank. */
#ifndef MAGTWIN_JSON_H
#define MAGTWIN_JSON_H

#include <stdint.h>

typedef struct MtJson MtJson;

/* Starts with an open object; the caller frees it.  Here and below memory that runs out ends the program. */
MtJson *mt_json_new(void);
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

/* The shortest of %.15g, %.16g, %.17g that reads back as the same number; returns buf. */
const char *mt_real_text(double value, char buf[32]);

#endif

/* "did you mean": optimal string alignment distance (Damerau-Levenshtein with adjacent transpositions; Boytsov 2011,
 * section 2.2). */
#include "magtwin/input.h"
#include <string.h>

enum { LONGEST = 120 };

static int min3(int a, int b, int c) {
  int m = a < b ? a : b;
  return m < c ? m : c;
}

int mt_edit_distance(const char *a, const char *b) {
  int na = (int)strlen(a), nb = (int)strlen(b), d[3][LONGEST + 1];
  if (na > LONGEST || nb > LONGEST) return LONGEST;
  for (int j = 0; j <= nb; j++) d[0][j] = j;
  for (int i = 1; i <= na; i++) {
    int *row = d[i % 3], *up = d[(i + 2) % 3], *upup = d[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && upup[j - 2] + 1 < row[j])
        row[j] = upup[j - 2] + 1;
    }
  }
  return d[na % 3][nb];
}

int mt_suggest_limit(const char *word) {
  int n = (int)strlen(word);
  return n < 3 ? 1 : n < 9 ? 2 : n / 4 + 1;
}

static int common_start(const char *a, const char *b) {
  int n = 0;
  while (a[n] && a[n] == b[n]) n++;
  return n;
}

/* Of equally near ones that which begins alike for longest. */
const char *mt_suggest(const char *word, int n, const char *const *candidates) {
  int best = mt_suggest_limit(word) + 1;
  const char *found = NULL;
  for (int i = 0; i < n; i++) {
    int d = mt_edit_distance(word, candidates[i]);
    if (d < best || (found && d == best && common_start(word, candidates[i]) > common_start(word, found))) {
      best = d;
      found = candidates[i];
    }
  }
  return found;
}

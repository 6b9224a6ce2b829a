/* |value - expected| <= tolerance, with the numbers printed when not. */
#ifndef TEST_NEAR_H
#define TEST_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_near(value, expected, tolerance)                                                                        \
  assert_near_at((value), (expected), (tolerance), #value, __FILE__, __LINE__)
static inline void assert_near_at(double value, double expected, double tolerance, const char *what, const char *file,
                                  int line) {
  if (fabs(value - expected) <= tolerance) return;
  print_error("%s is %.12g, not %.12g within %g\n", what, value, expected, tolerance);
  _fail(file, line);
}

#endif

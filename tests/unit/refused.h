/* What is bad input is refused with a message that says so. */
#ifndef TEST_REFUSED_H
#define TEST_REFUSED_H

#include "magtwin/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The call ends with MT_ERR_INPUT, and its message holds the words; the message is printed when not, and cleared. */
#define assert_refused(call, words) assert_refused_at((call), (words), #call, __FILE__, __LINE__)
static inline void assert_refused_at(PetscErrorCode rc, const char *words, const char *what, const char *file,
                                     int line) {
  if (rc != MT_ERR_INPUT || !strstr(mt_error_message(), words)) {
    print_error("%s ends with %d and \"%s\", which does not say \"%s\"\n", what, (int)rc, mt_error_message(), words);
    _fail(file, line);
  }
  mt_error_clear();
}

#endif

/* The end of a run that has no memory left. */
#include "magtwin/memory.h"
#include "magtwin/error.h"

_Noreturn void mt_memory_end(size_t bytes) {
  mt_error(MT_ERR_FAIL, "out of memory: %.3g MB more are needed on this rank; use more nodes or a coarser mesh",
           (double)bytes / 1048576);
  exit(mt_error_report(MT_ERR_FAIL));
}

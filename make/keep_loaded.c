/* Linked into sanitizer builds only: libraries' plug-ins stay loaded to the end, so that a leak report can name where
 * it came from (and make/lsan.supp can tell theirs from ours). */
int dlclose(void *handle);
int dlclose(void *handle) {
  (void)handle;
  return 0;
}

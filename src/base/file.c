/* Plain files and folders: a file appears whole or not at all (temporary, fsync, rename, fsync of the folder). */
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

char *mt_file_join(const char *a, const char *b) {
  size_t na = strlen(a), nb = strlen(b);
  char *s = malloc(na + nb + 1);
  if (!s) abort();
  memcpy(s, a, na);
  memcpy(s + na, b, nb + 1);
  return s;
}

static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return mt_file_join(".", "");
  char *folder = mt_file_join(path, "");
  folder[slash == path ? 1 : slash - path] = 0;
  return folder;
}

PetscErrorCode mt_file_failed(const char *path, const char *what, int err) {
  if (mt_errno_code(err) == MT_ERR_INPUT || err == EIO)
    return mt_error(mt_errno_code(err), "cannot %s %s: %s", what, path, strerror(err));
  char *folder = folder_of(path);
  struct statvfs fs;
  double left = statvfs(folder, &fs) ? 0 : (double)fs.f_bavail * (double)fs.f_frsize / 1e6;
  free(folder);
  return mt_error(MT_ERR_DISK, "cannot %s %s: %s (%.1f MB free there)", what, path, strerror(err), left);
}

PetscErrorCode mt_file_sync(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return mt_file_failed(path, "open", errno);
  /* some file systems refuse to sync a folder or a read-only descriptor: nothing is lost by going on */
  int failed = fsync(fd) && errno != EINVAL && errno != EBADF, err = errno;
  close(fd);
  return failed ? mt_file_failed(path, "sync", err) : 0;
}

PetscErrorCode mt_file_replace(const char *from, const char *to) {
  if (rename(from, to)) return mt_file_failed(to, "write", errno);
  char *folder = folder_of(to);
  PetscErrorCode rc = mt_file_sync(folder);
  free(folder);
  return rc;
}

static PetscErrorCode write_all(int fd, const char *path, const char *text) {
  size_t left = strlen(text);
  while (left) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return mt_file_failed(path, "write", n < 0 ? errno : ENOSPC);
    text += n;
    left -= (size_t)n;
  }
  return fsync(fd) && errno != EINVAL ? mt_file_failed(path, "sync", errno) : 0;
}

PetscErrorCode mt_file_write(const char *path, const char *text) {
  char *tmp = mt_file_join(path, ".tmp");
  PetscErrorCode rc = 0;
  int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) rc = mt_file_failed(path, "write", errno);
  if (!rc) rc = write_all(fd, path, text);
  if (fd >= 0 && close(fd) && !rc) rc = mt_file_failed(path, "write", errno);
  if (!rc) rc = mt_file_replace(tmp, path);
  if (rc && fd >= 0) unlink(tmp);
  free(tmp);
  return rc;
}

char *mt_file_text(const char *path) {
  enum { PIECE = 65536 };
  FILE *f = fopen(path, "r");
  char *text = NULL;
  size_t n = 0, got = f ? PIECE : 0;
  while (got == PIECE) {
    text = mt_realloc(text, n + PIECE + 1);
    got = fread(text + n, 1, PIECE, f);
    n += got;
    text[n] = 0;
  }
  if (f) fclose(f);
  return text;
}

static PetscErrorCode make_one(const char *path) {
  struct stat st;
  if (!mkdir(path, 0777)) return 0;
  int err = errno;
  if (!stat(path, &st) && S_ISDIR(st.st_mode)) return 0;
  if (err == EEXIST) return mt_error(MT_ERR_INPUT, "cannot make the folder %s: a file is in its place", path);
  return mt_file_failed(path, "make the folder", err);
}

PetscErrorCode mt_folder_make(const char *path) {
  char *part = mt_file_join(path, "");
  PetscErrorCode rc = path[0] ? 0 : mt_error(MT_ERR_INPUT, "the name of a folder is empty");
  for (char *s = part + 1; !rc && part[0] && *s; s++) {
    if (*s != '/') continue;
    *s = 0;
    rc = make_one(part);
    *s = '/';
  }
  if (!rc) rc = make_one(part);
  free(part);
  return rc;
}

/* Other programs, started by rank 0: their output in files, a record of how they ended that outlives us, and a lock
 * that says whether they still run.  Locks of files for the folders that several processes share.
 */
#ifndef MAGTWIN_PROCESS_H
#define MAGTWIN_PROCESS_H

#include <petscsys.h>
#include <stdbool.h>
#include <sys/types.h>

/* A command that works in a folder of its own.  The folder keeps: output.txt, errors.txt; exit_code, when it has ended
 * by itself, with the time; running.lock, locked while it or anything it started lives. */
typedef struct {
  pid_t pid;    /* leader of its process group; 0: not ours (of a process before us) */
  int code;     /* exit code of one that was ours, 128 + signal; -1: not known */
  char *folder; /* owned */
} MtProcess;

typedef enum {
  MT_PROCESS_NONE,    /* never started here, or ended without a record (killed) */
  MT_PROCESS_RUNNING, /* somebody holds the lock */
  MT_PROCESS_ENDED,   /* exit_code is there */
} MtProcessState;

/* Starts `command` by /bin/sh, in the working directory, with its files in `folder`, which must exist.  The environment
 * is ours without what the MPI launcher and MPI itself put there, so that it may be an MPI program.  An exit_code of an
 * earlier run there is removed.  MT_ERR_INPUT with the system's reason.  Rank 0; free with mt_process_free. */
PetscErrorCode mt_process_start(const char *command, const char *folder, MtProcess *p);
/* What runs in a folder already, started by another process. */
void mt_process_adopt(const char *folder, MtProcess *p);
/* Does it still run?  Never waits. */
bool mt_process_runs(MtProcess *p);
/* Hands a signal to the process group; nothing happens to one that is not ours. */
void mt_process_signal(const MtProcess *p, int signal_number);
void mt_process_free(MtProcess *p);
/* What a folder tells; *code: the exit code, 128 + signal for one that ended so. */
MtProcessState mt_process_state(const char *folder, int *code);
/* When it ended, seconds since 1970; NaN where there is no record. */
double mt_process_ended(const char *folder);
/* The last line of a file in the folder that is not empty, at most 400 characters, "" if there is none; the caller
 * frees.
 */
char *mt_process_last_line(const char *folder, const char *name);

/* Runs a command of a few seconds to its end and gives its exit code, < 0 where it cannot be started; *text: all that
 * it wrote, without the last line's end; the caller frees.  Its environment is that of mt_process_start, and not that
 * of the job of SLURM that we are.  Rank 0. */
int mt_process_ask(const char *command, char **text);

/* Appends word to a command line, in single quotes.  text is malloc'ed and may move. */
void mt_command_add(char **text, const char *word);
/* The path of this program. */
const char *mt_program_path(void);

/* An exclusive lock on a file, made if missing: held until mt_lock_free or the end of the process.  wait false: *locked
 * false when another process has it, *owner then who ("" unknown): what it wrote there.  Rank 0.  MT_ERR_INPUT where
 * the file cannot be opened or the file system has no locks. */
typedef struct {
  int fd; /* -1: none */
} MtLock;
PetscErrorCode mt_lock_take(const char *path, bool wait, MtLock *lock, bool *locked, char owner[200]);
void mt_lock_free(MtLock *lock);

/* Ranks that have nothing to do wait here for rank 0, asleep: n values of rank 0 -> all.  Collective. */
PetscErrorCode mt_wait_root(MPI_Comm comm, int n, int *value);

#endif

/* A campaign of evaluations around the optimizer: its input, its shared database, and what can be done with it.
 *
 * The database is `database.jsonl` in the folder of the results: one event a line, only ever appended to, synced to the
 * disk, readable by people.
 *
 *     {"event": "campaign", "format": 1, "space": "...", ...}         the first line
 *     {"event": "suggested", "id": 1, "by": "magtwin", "how": "spread", "x": {"thickness": 3, "phase": "wet"}, ...}
 *     {"event": "started", "id": 1, ...}
 *     {"event": "told", "id": 1, "by": "magtwin", "status": "done", "y": {"Hc": 1.61}, "cost": 12.5, ...}
 *     {"event": "told", "id": 2, "by": "anna", "status": "failed", "reason": "did not sinter", ...}
 *
 * A last line without its end (a kill while it was written) does not count and is cut off by the next writer.  Any
 * other line that makes no sense is refused with file and line, and nothing is written.  Several processes and people
 * may append: each writes under the lock of `database.lock`.
 */
#ifndef MAGTWIN_CAMPAIGN_H
#define MAGTWIN_CAMPAIGN_H

#include "magtwin/input.h"
#include "magtwin/json.h"

extern const MtKey mt_optimize_keys[];

typedef struct MtCampaign MtCampaign; /* opaque */

/* Space, goals and settings of section optimize; folder: of the results (copied).  MT_ERR_INPUT for a rule between
 * keys. Collective; free with mt_campaign_destroy. */
PetscErrorCode mt_campaign_create(MPI_Comm comm, const MtInput *in, const char *folder, MtCampaign **c);
void mt_campaign_destroy(MtCampaign **c);

/* Would this run of `magtwin subcommand` be accepted?  MT_ERR_INPUT with the reason if not.  Collective. */
typedef PetscErrorCode (*MtRunCheck)(const char *subcommand, char *input, int noverrides, char **overrides);
/* Asks that for the smallest and the largest values of all variables, before anything is written.  Collective. */
PetscErrorCode mt_campaign_check_runs(MtCampaign *c, MtRunCheck check);

/* Evaluates until the number of evaluations asked for is told, several at a time, continuing what the database and the
 * folders of the evaluations hold; *stopped: by a signal.  What is asked must be what the folder was begun with, its
 * base.yaml and evaluation.txt: else MT_ERR_INPUT with the line.  Results go to json, the table to trials.csv.
 * MT_ERR_INPUT where another process runs the campaign, MT_ERR_FAIL when all of the first evaluations fail. Collective.
 */
PetscErrorCode mt_campaign_run(MPI_Comm comm, MtCampaign *c, MtJson *json, bool *stopped);
/* How magtwin optimize was called, for the jobs that run with optimize.jobs slurm: input file and overrides, copied. */
void mt_campaign_called(MtCampaign *c, int nwords, const char *const *words);
/* Evaluates suggestion `number` alone, unless it has ended, and gives its exit code: 0 ended well, 1 failed,
 * MT_EXIT_RESUBMIT stopped; for a job.  Writes nothing to the database: the campaign tells.  Collective; rank 0 works.
 */
PetscErrorCode mt_campaign_evaluate(MPI_Comm comm, MtCampaign *c, int number, int *code);
/* Proposes `count` points more, adds them to the database and prints them.  Collective. */
PetscErrorCode mt_campaign_suggest(MPI_Comm comm, MtCampaign *c, int count);
/* Adds what a person says: "7 Hc=1.3", "7 failed=reason", a new point "thickness=3 Js=0.5 Hc=1.3", or without a result
 * to propose it; also cost=.. and by=name.  MT_ERR_INPUT for anything else.  Collective. */
PetscErrorCode mt_campaign_tell(MPI_Comm comm, MtCampaign *c, int nwords, char *const *words);
int mt_campaign_done(const MtCampaign *c); /* evaluations that are done, as read last; not collective */
/* Writes model.json: what the model of the trials expects, along every variable and over pairs of them, for figures.
 * MT_ERR_FAIL with fewer than two evaluations done.  Collective. */
PetscErrorCode mt_campaign_model(MPI_Comm comm, MtCampaign *c);
/* Prints counts, the best or the front, and what is under way.  Collective. */
PetscErrorCode mt_campaign_status(MPI_Comm comm, MtCampaign *c);

#endif

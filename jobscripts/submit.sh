#!/usr/bin/env bash
# Submits a run, a sweep or a campaign, and its figures behind it.  For the login node.
#
#   jobscripts/submit.sh demag    out/my    my.yaml [key=value ...]
#   jobscripts/submit.sh sweep    out/sweep sweep.yaml [key=value ...]
#   jobscripts/submit.sh optimize out/opt   campaign.yaml [key=value ...]
#
# FOLDER is given to the run as output.folder.  A sweep is submitted as the array of its points that are not done: the same command
# again submits what is missing or failed.  Prints the numbers of both jobs.
#
# Knobs of the environment, besides those of chain.slurm, sweep.slurm, optimize.slurm and post.slurm (MAGTWIN and MAGTWIN_LAUNCH first of all):
#   MAGTWIN_SBATCH        options of sbatch for the job, "--ntasks=64 --time=12:00:00 --partition=long"   (none)
#   MAGTWIN_SBATCH_POST   options of sbatch for the figures                                               (none)
set -eu
if [ $# -lt 3 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
what=$1 folder=$2 input=$3
shift 3
# MAGTWIN, the one in PATH, of an installation, or of this checkout
for magtwin in "${MAGTWIN:-}" "$(command -v magtwin || true)" "$here/../../../bin/magtwin" "$here/../build/magtwin"; do
  [ ! -x "$magtwin" ] || break
done
export MAGTWIN=$magtwin
mkdir -p "$folder"
case $what in
  sweep)
    "$magtwin" sweep "$input" "$@" "output.folder=$folder" ${MAGTWIN_LAUNCH:+"sweep.launcher=$MAGTWIN_LAUNCH"} slurm
    job=$(sbatch --parsable ${MAGTWIN_SBATCH:-} "$folder/sweep.slurm")
    # some points may fail: the figures show the others
    post=$(sbatch --parsable --dependency="afterany:${job%%;*}" ${MAGTWIN_SBATCH_POST:-} "$here/post.slurm" "$folder" sweep "$input" "$@" "output.folder=$folder")
    ;;
  optimize)
    job=$(sbatch --parsable ${MAGTWIN_SBATCH:-} "$here/optimize.slurm" "$input" "$@" "output.folder=$folder")
    post=$(sbatch --parsable --dependency="afterok:${job%%;*}" --kill-on-invalid-dep=yes ${MAGTWIN_SBATCH_POST:-} "$here/post.slurm" "$folder")
    ;;
  *)
    job=$(sbatch --parsable ${MAGTWIN_SBATCH:-} "$here/chain.slurm" "$what" "$input" "$@" "output.folder=$folder")
    post=$(sbatch --parsable --dependency="afterok:${job%%;*}" --kill-on-invalid-dep=yes ${MAGTWIN_SBATCH_POST:-} "$here/post.slurm" "$folder")
    ;;
esac
echo "job ${job%%;*}, figures ${post%%;*}"

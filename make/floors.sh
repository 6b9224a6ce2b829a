#!/usr/bin/env bash
# Nothing calls up: base < {optimize < sweep, mesh < {pca, fem} < {micromagnetics, microstructure < tomography, phasefield < inversion, topology}} < cli; and Gmsh stays inside src/microstructure.
# The floor of a header is that of the folder that implements it.  Prints each offending include; exit code 1 if there is one.
set -u
cd "$(dirname "$0")/.." || exit 2

# The public headers of each floor; a header that stands nowhere is an error, so that a new one finds its floor.
declare -A floor=(
  [error]=base [file]=base [files]=base [formula]=base [h5]=base [image]=base [input]=base [jobs]=base [json]=base [kept]=base [log]=base [memory]=base [npy]=base [process]=base [random]=base [run]=base [texttable]=base [units]=base
  [mesh]=mesh
  [fem]=fem [multigrid]=fem
  [barrier]=micromagnetics [dynamics]=micromagnetics [llg]=micromagnetics [loop]=micromagnetics [measured]=micromagnetics [micromagnetics]=micromagnetics [work]=micromagnetics
  [cells]=microstructure [microstructure]=microstructure
  [tomography]=tomography
  [adjoint]=phasefield [diffusion]=phasefield [elastic]=phasefield [evolve]=phasefield [graingrowth]=phasefield [kks]=phasefield [phasefield]=phasefield [temperature]=phasefield
  [invert]=inversion
  [analysed]=topology [topology]=topology
  [texture]=texture
  [exchange]=spectra [peaks]=spectra [unmix]=spectra
  [pca]=pca
  [landscape]=landscape
  [campaign]=optimize [evaluation]=optimize [gp]=optimize [optimize]=optimize [space]=optimize
  [sweep]=sweep
)
# What each floor may include besides its own.
declare -A below=(
  [base]=""
  [mesh]="base"
  [fem]="base mesh"
  [micromagnetics]="base mesh fem"
  [microstructure]="base mesh fem"
  [tomography]="base mesh microstructure"
  [phasefield]="base mesh fem"
  [inversion]="base mesh fem phasefield"
  [topology]="base mesh fem"
  [texture]="base optimize topology"
  [spectra]="base topology"
  [pca]="base mesh"
  [landscape]="base mesh fem micromagnetics topology pca"
  [optimize]="base"
  [sweep]="base optimize"
  [cli]="base mesh fem micromagnetics microstructure phasefield inversion tomography topology texture spectra pca landscape optimize sweep"
)
bad=0
complain() { echo "$1"; bad=1; }

# check FILE FLOOR: every include of the file lies on its own floor or below
check() {
  local line header target
  while read -r line; do
    header=${line#*\"} header=${header%%\"*}
    case $header in
      magtwin/*)
        header=${header#magtwin/} target=${floor[${header%.h}]:-}
        [ -n "$target" ] || { complain "$1: magtwin/$header has no floor in make/floors.sh"; continue; } ;;
      */*) target=$(cut -d/ -f1 <<<"${header#../}") ;;
      *) continue ;; # beside the file itself
    esac
    [[ " $2 ${below[$2]} " == *" $target "* ]] || complain "$1: a file of $2 includes $line, which belongs to $target"
  done < <(grep -hE '^ *# *include *"' "$1")
}

for file in src/*/*.c src/*/*.h; do
  folder=${file#src/} folder=${folder%%/*}
  [ -n "${below[$folder]+set}" ] || { complain "$file: the folder has no floor in make/floors.sh"; continue; }
  check "$file" "$folder"
  [ "$folder" = microstructure ] || ! grep -q 'include *[<"]gmsh' "$file" || complain "$file: Gmsh outside src/microstructure"
done
for file in include/magtwin/*.h; do
  name=$(basename "$file" .h)
  check "$file" "${floor[$name]:-cli}"
  ! grep -q 'include *[<"]gmsh' "$file" || complain "$file: Gmsh in a public header"
done
exit $bad

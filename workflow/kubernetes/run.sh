#!/usr/bin/env bash
# What the Job of job.yaml runs, in the image: the study of PROFILE by CORES processes, its results on CLAIM, then its book too.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${CLAIM:?names the folder where the claim is mounted}"
export FER_RESULTS=$CLAIM/results
if [ -d "$CLAIM/weights" ]; then export FER_WEIGHTS=$CLAIM/weights; fi
mkdir -p "$FER_RESULTS"
fer run --profile "${PROFILE:-licensed}" --cores "${CORES:-1}"
rm -rf "$CLAIM/.book"
cp -r _build/html "$CLAIM/.book"
rm -rf "$CLAIM/book"
mv "$CLAIM/.book" "$CLAIM/book"

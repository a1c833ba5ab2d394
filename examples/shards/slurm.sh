#!/bin/sh
# Measures models on many machines with a Slurm array: one shard a task, then one merge.
#
#   sbatch --array=1-8 examples/shards/slurm.sh my-recordings/ --model faster-whisper:base --out /shared/runs
#   earwitness merge /shared/runs --out /shared/runs        # when all tasks are done
#
# A task that is run again continues its own record: --resume is added once the record exists. Data, weights and engines
# have to be on every node, or on a disk that all of them share. Fetch them once before:
# earwitness engines install NAME; earwitness models pull ID.
#SBATCH --job-name=earwitness
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

shard="${SLURM_ARRAY_TASK_ID:?Submit this with sbatch --array=1-N}/${SLURM_ARRAY_TASK_COUNT:?}"
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    # Slurm stopped this very task and started it again. When nothing was begun before, it starts from the beginning.
    earwitness run "$@" --shard "$shard" --resume && exit 0
    [ $? -eq 2 ] || exit 1
fi
exec earwitness run "$@" --shard "$shard"

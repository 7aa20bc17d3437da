#!/usr/bin/env bash
# A benchmark as a SLURM array: every task runs one shard, all into the same folder.
#
#   sbatch --array=1-8 scripts/bench_array.sh --size 100 200 500 1000 \
#       --method auto pyvrp hgs vroom ortools --budget 0.25 0.5 1 2 5 10 --out /shared/bench
#   nco bench merge /shared/bench --out /shared/bench/report
#
# Tasks that were ended early are submitted again with the same options and go on where they
# stopped; some of them alone with the number of all: NCO_SHARDS=8 sbatch --array=3,7 ...
# All nodes need the same kind of processor (--constraint): merging refuses others.
# `nco` must be on the PATH (activate its environment before sbatch).
#SBATCH --job-name=nco-bench
#SBATCH --cpus-per-task=1
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --output=nco-bench-%A-%a.log
set -euo pipefail

task="${SLURM_ARRAY_TASK_ID:?submit with sbatch --array=1-N}"
count="${NCO_SHARDS:-$SLURM_ARRAY_TASK_COUNT}"
# --array=3,7 has two tasks, but which of how many shards they are it does not say.
if [ -z "${NCO_SHARDS:-}" ] && [ "$SLURM_ARRAY_TASK_MIN-$SLURM_ARRAY_TASK_MAX" != "1-$count" ]; then
    echo "set NCO_SHARDS to the number of all shards, or submit with --array=1-N" >&2
    exit 2
fi
exec nco bench solvers --shard "$task/$count" "$@"

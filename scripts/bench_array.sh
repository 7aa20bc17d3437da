#!/usr/bin/env bash
# A benchmark as a SLURM array: every task runs one shard, all into the same folder.
#
#   sbatch --array=1-8 scripts/bench_array.sh --size 100 200 500 1000 \
#       --method auto pyvrp hgs vroom ortools --budget 0.25 0.5 1 2 5 10 --out /shared/bench
#   nco bench merge /shared/bench --out /shared/bench/report
#
# Tasks that were ended early are submitted again with the same options and go on where they
# stopped. All nodes need the same kind of processor (--constraint): merging refuses others.
# `nco` must be on the PATH (activate its environment before sbatch).
#SBATCH --job-name=nco-bench
#SBATCH --cpus-per-task=1
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --output=nco-bench-%A-%a.log
set -euo pipefail

shard="${SLURM_ARRAY_TASK_ID:?submit with sbatch --array=1-N}/${SLURM_ARRAY_TASK_COUNT}"
exec nco bench solvers --shard "$shard" "$@"

#!/bin/sh
# Measures with N processes at once on this machine, and merges: for accuracy, since they slow each other down.
#
#   examples/shards/parallel.sh 4 my-recordings/ --model faster-whisper:base
#
# On several machines, GNU parallel does the same (the data and the folder of records are on a shared disk):
#
#   parallel --sshlogin node1,node2 --workdir . earwitness run my-recordings/ -m faster-whisper:base --shard {}/8 ::: $(seq 8)
set -eu

count="${1:?Say how many shards, then DATA and the options of earwitness run}"
shift
# xargs puts the number in place of I; each process has cores of its own when threads are told: --set threads=N.
seq "$count" | xargs -P "$count" -I I earwitness run "$@" --shard "I/$count"
exec earwitness merge runs

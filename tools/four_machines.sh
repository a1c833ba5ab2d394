#!/usr/bin/env bash
# Runs the commands of docs/tutorial-four-machines.md on a stand-in: machines that are namespaces of this one.
#
#   tools/four_machines.sh [--clips 16] [--machines 4] [--out four-machines]
#
# Each machine has a network, a home, a /tmp and a cache of its own, and a cable to one switch. They share processor,
# memory and installed programs, so no time in the output is that of four machines. In the middle of the run the cable of
# the last machine is cut; then the driver is killed, and the run is continued. At the end of it, or after any error, all
# processes, namespaces and files are removed, but for FOLDER/transcript.txt. Every step has a time limit.
#
# It needs root, iproute2, the extras cluster, faster-whisper and pocketsphinx, and, in the cache of Earwitness, the corpus
# telephony-en and the weights of three models.
set -euo pipefail

clips=16 machines=4 out=four-machines
while [ $# -gt 0 ]; do
  case "$1" in
    --clips) clips="$2" ;;
    --machines) machines="$2" ;;
    --out) out="$2" ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift 2
done
root=$(cd "$(dirname "$0")/.." && pwd)
cache="${EARWITNESS_CACHE:-$HOME/.cache/earwitness}"
export PATH="$root/.venv/bin:$PATH" COLUMNS=100
if [ "$(id -u)" -ne 0 ] || ! command -v ip ray earwitness >/dev/null; then
  echo "This needs root, iproute2, Ray and Earwitness." >&2
  exit 2
fi
mkdir -p "$out"
work=$(mktemp -d /var/tmp/four-machines.XXXXXX)
models=(-m faster-whisper:tiny.en -m faster-whisper:base -m pocketsphinx:en-us)
head=10.88.0.1 ray=ray://10.88.0.1:6379
# A cut cable is noticed after seconds; by default Ray takes up to a minute.
export RAY_health_check_initial_delay_ms=1000 RAY_health_check_period_ms=500
export RAY_health_check_timeout_ms=1000 RAY_health_check_failure_threshold=4
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 PYTHONUNBUFFERED=1

cleanup() {
  for name in $(seq -f 'four-%g' "$machines") four-switch; do
    ip netns pids "$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
  done
  sleep 1
  for name in $(seq -f 'four-%g' "$machines") four-switch; do
    ip netns delete "$name" 2>/dev/null || true
  done
  rm -rf "$work"
}

# start N COMMAND...: becomes a command on machine N, in its home. It sees neither other machines nor this one's cache.
start() {
  local n="$1"
  shift
  # shellcheck disable=SC2016 # the inner shell expands these
  exec ip netns exec "four-$n" unshare -m sh -c '
    mount --bind "$1/machine-$3" /tmp && mount -t tmpfs none "$1" && mount -t tmpfs none "$2" || exit 1
    export HOME="/tmp/home-$3" EARWITNESS_CACHE="/tmp/home-$3/cache"
    cd "$HOME" && shift 3 && exec "$@"' sh "$work" "$cache" "$n" "$@"
}

# typed N COMMAND...: shows a command, runs it on machine N, and says how long it took.
typed() {
  local n="$1" began=$SECONDS code=0
  shift
  printf '\nmachine-%s$ %s\n' "$n" "$*"
  (start "$n" timeout 300 "$@") || code=$?
  printf '[exit %s, %s s]\n' "$code" $((SECONDS - began))
  return "$code"
}

waiting() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "Gave up waiting for: $*"
      exit 1
    fi
    sleep 0.5
  done
}

home() { echo "$work/machine-$1/home-$1"; }
n_lines() { find "$(home 1)/runs" -name '*.clips.jsonl' -exec cat {} + 2>/dev/null | wc -l; }
has_lines() { [ "$(n_lines)" -ge "$1" ]; }
is_up() { grep -q 'Ray runtime started' "$work/ray-$1.log"; }
# True when the node was missed, or when there is no driver any more.
is_missed() { grep -Eq 'given out again|takes no part' "$work/driver.log" || ! kill -0 "$driver" 2>/dev/null; }
is_far() { has_lines "$1" || ! kill -0 "$driver" 2>/dev/null; }

build() {
  ip netns add four-switch
  ip -n four-switch link add switch type bridge
  ip -n four-switch link set switch up
  for n in $(seq "$machines"); do
    ip netns add "four-$n"
    ip link add "port$n" netns four-switch type veth peer name eth0 netns "four-$n"
    ip -n four-switch link set "port$n" master switch up
    ip -n "four-$n" address add "10.88.0.$n/24" dev eth0
    ip -n "four-$n" link set eth0 up
    ip -n "four-$n" link set lo up
    mkdir -p "$(home "$n")/cache/weights" "$(home "$n")/.ray"
    for each in faster-whisper-tiny.en faster-whisper-base pocketsphinx-en-us; do
      # Links where they can be, since nothing writes into weights; the copy of another disk otherwise.
      cp -al "$cache/weights/$each" "$(home "$n")/cache/weights/" 2>/dev/null ||
        cp -a "$cache/weights/$each" "$(home "$n")/cache/weights/"
    done
    for each in "$cache"/speech/silero-*; do
      mkdir -p "$(home "$n")/cache/speech"
      cp -a "$each" "$(home "$n")/cache/speech/"
    done
  done
  # The audio is on machine 1 alone.
  python - "$cache/corpora/telephony-en" "$(home 1)" "$clips" <<'PY'
import json, random, shutil, sys
from pathlib import Path

corpus, home, n = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
rows = [json.loads(line) for line in (corpus / "manifest.jsonl").open(encoding="utf-8")]
speech = [row for row in rows if row["kind"] == "speech"]
(home / "calls").mkdir()
with (home / "calls.jsonl").open("w", encoding="utf-8") as file:
    for row in random.Random(1).sample(speech, n):
        name = f"calls/{row['id'].replace('/', '-')}.wav"
        shutil.copy(corpus / row["audio_filepath"], home / name)
        file.write(json.dumps({"audio_filepath": name, "text": row["text"], "id": row["id"], "lang": "en"}) + "\n")
PY
}

join() {
  local size=(--num-cpus 1 --object-store-memory 83886080 --block)
  printf '\nmachine-1$ ray get-auth-token --generate\n'
  (start 1 timeout 60 ray get-auth-token --generate >/dev/null 2>&1)
  printf 'machine-1$ RAY_AUTH_MODE=token ray start --head --node-ip-address %s\n' "$head"
  (start 1 ray start --head --node-ip-address "$head" --port 6379 --include-dashboard false "${size[@]}") \
    >"$work/ray-1.log" 2>&1 &
  waiting 120 is_up 1
  for n in $(seq 2 "$machines"); do
    cp "$(home 1)/.ray/auth_token" "$(home "$n")/.ray/auth_token"
    printf 'machine-%s$ RAY_AUTH_MODE=token ray start --address %s:6379\n' "$n" "$head"
    (start "$n" ray start --address "$head:6379" --node-ip-address "10.88.0.$n" "${size[@]}") >"$work/ray-$n.log" 2>&1 &
  done
  for n in $(seq 2 "$machines"); do
    waiting 180 is_up "$n"
  done
  echo "[$machines machines after $((SECONDS - began)) s]"
}

# The run: the last machine loses its cable, the driver is killed, and the same record is continued.
run_with_losses() {
  local began=$SECONDS all=$((3 * clips))
  printf '\nmachine-1$ earwitness run calls.jsonl %s --language en --on %s --whole-nodes\n' "${models[*]}" "$ray"
  start 1 earwitness run calls.jsonl "${models[@]}" --language en --on "$ray" --whole-nodes >>"$work/driver.log" 2>&1 &
  driver=$!
  waiting 240 is_far $((all / 8))
  ip -n four-switch link set "port$machines" down
  echo "[the cable of machine $machines is cut after $((SECONDS - began)) s, with $(n_lines) of $all results]" >>"$work/driver.log"
  waiting 120 is_missed
  echo "[noticed after $((SECONDS - began)) s]" >>"$work/driver.log"
  waiting 240 is_far $((all / 2))
  kill -KILL "$driver" 2>/dev/null || echo "[the driver was done before it could be killed]"
  wait "$driver" || true
  cat "$work/driver.log"
  echo "[the driver is killed after $((SECONDS - began)) s, with $(n_lines) of $all results]"
  typed 1 earwitness run --resume --on "$ray" --whole-nodes
}

shards() {
  for n in 2 3; do
    cp -a "$(home 1)/calls" "$(home 1)/calls.jsonl" "$(home "$n")/"
  done
  local began=$SECONDS second
  typed 2 earwitness run calls.jsonl "${models[@]}" --language en --shard 1/2 --out shards >"$work/shard-1.log" 2>&1 &
  second=$!
  typed 3 earwitness run calls.jsonl "${models[@]}" --language en --shard 2/2 --out shards >"$work/shard-2.log" 2>&1
  wait "$second"
  cat "$work/shard-1.log" "$work/shard-2.log"
  echo "[both after $((SECONDS - began)) s]"
  # Into folders of their own: records that began in the same second on two machines have one name.
  for n in 2 3; do
    cp -a "$(home "$n")/shards" "$(home 1)/shards-$n"
  done
  typed 1 earwitness merge shards-2 shards-3 --out merged
}

# What the records say: the same texts by shards and by the cluster, and 100 hours by the model of --plan.
figures() {
  python - "$(home 1)" <<'PY'
import sys
from pathlib import Path

from earwitness.cluster.forecast import ForecastWork, cost_of, forecast
from earwitness.records import store

home = Path(sys.argv[1])


def of(folder):
    runs = [(path, store.read_run(path)) for path in store.find_records([home / folder])]
    return {run.model.id: (path, run) for path, run in runs if run.dataset.shard is None}


def texts(path):
    return {line.clip.id: line.hypothesis.transcript and line.hypothesis.transcript.text for line in store.read_clips(path)}


print("\nThe cluster's record beside that of shards:")
cluster, parts = of("runs"), of("merged")
for model, (path, run) in cluster.items():
    if model in parts:
        one, other = texts(path), texts(parts[model][0])
        same = sum(one[clip] == other[clip] for clip in one)
        print(f"{model}: {same} of {len(one)} texts are the same; WER {run.score('wer').value:.4f} and "
              f"{parts[model][1].score('wer').value:.4f}; machines {[machine.name for machine in run.machines]}")
costs = {}
print("\nFrom the trial on machine 1:")
for model, (path, run) in of("trial").items():
    lines = store.read_clips(path)
    cost = costs[model] = cost_of(run, lines, str(path))
    print(f"{model}: RTF {run.speed.rtf:.3f}; starts in {cost.start_s:.1f} s; {cost.clip_s:.3f} s a clip and "
          f"{cost.audio_factor:.3f} s a second of audio")
    durations = [line.hypothesis.audio_s for line in lines]
print("\nArithmetic, not run: 100 h by the model of --plan, with whole nodes that are each like this machine:")
for what, clips in (("prompts like those", durations * round(360_000 / sum(durations))), ("clips of 10 s", [10.0] * 36_000)):
    for n in (1, 2, 4):
        nodes = tuple(f"node {i}" for i in range(n))
        found = forecast([ForecastWork(m, tuple(clips), c, nodes) for m, c in costs.items()], whole_nodes=True)
        print(f"{what} ({len(clips):,}), {n} nodes: {found.makespan_s / 3600:.1f} h, busy {100 * found.busy:.0f} %")
PY
}

trap cleanup EXIT
trap 'exit 130' INT TERM
{
  began=$SECONDS
  build
  join
  typed 1 earwitness run calls.jsonl "${models[@]}" --language en --limit 8 --out trial
  typed 1 earwitness cluster --on "$ray" "${models[@]}"
  typed 1 earwitness run calls.jsonl "${models[@]}" --language en --on "$ray" --whole-nodes --plan --out trial
  run_with_losses
  typed 1 earwitness compare runs
  typed 1 earwitness decide runs || echo "[no model may be served]"
  shards
  typed 1 earwitness transcribe calls --decision runs/decision.json --on "$ray" --out texts --to txt --to srt ||
    typed 1 earwitness transcribe calls --model faster-whisper:base --language en --on "$ray" --out texts --to txt
  figures
  echo "[all of it: $((SECONDS - began)) s]"
} > >(tee "$out/transcript.txt") 2>&1

#!/bin/sh
# Prints what an analysis costs beside parsing the same bytes, in the same build and the same run.
#
# Parsing means: the crate `yaml` building trees with spans of the same files. Runs are interleaved A B A B on one thread; the
# ratio is that of the medians of CPU time (user and system) of whole processes. Inputs: the example, and what KUBESTRIDE_CORPUS
# holds if it is set.
set -eu
cd "$(dirname "$0")/.."
runs=${RUNS:-7}
cargo build --quiet --profile dist -p kubestride
cargo build --quiet --profile dist -p kubestride-yaml --example parse
cargo build --quiet --profile dist -p kubestride-tmt --example read_xml
export RAYON_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# CPU seconds of one process, repeated inside so that clock ticks do not matter.
cpu() {
    python3 - "$@" <<'PYTHON'
import os, subprocess, sys
repeat, command = int(sys.argv[1]), sys.argv[2:]
before = os.times()
for _ in range(repeat):
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
after = os.times()
print(((after.children_user - before.children_user) + (after.children_system - before.children_system)) / repeat)
PYTHON
}

# What an analysis costs beside a command that only reads the same bytes.
#   compare NAME INPUT REPETITIONS WORD COMMAND...
compare() {
    name=$1 input=$2 repeat=$3 word=$4
    shift 4
    : > "$work/a"; : > "$work/b"
    i=0
    while [ "$i" -lt "$runs" ]; do
        cpu "$repeat" ./target/dist/kubestride analyze "$input" -q -o "$work/x.html" >> "$work/a"
        cpu "$repeat" "$@" >> "$work/b"
        i=$((i + 1))
    done
    python3 - "$name" "$word" "$work/a" "$work/b" <<'PYTHON'
import statistics, sys
name, word, a, b = sys.argv[1:]
a = sorted(float(x) for x in open(a)); b = sorted(float(x) for x in open(b))
ma, mb = statistics.median(a), statistics.median(b)
print(f"{name}: analysis to HTML {ma*1000:.1f} ms CPU ({a[0]*1000:.1f}-{a[-1]*1000:.1f}), "
      f"{word} {mb*1000:.1f} ms ({b[0]*1000:.1f}-{b[-1]*1000:.1f}), ratio {ma/mb:.2f}")
PYTHON
    /usr/bin/time -f "$name: peak memory %M KB" ./target/dist/kubestride analyze "$input" -q -o "$work/x.html" > /dev/null
}

measure() {
    name=$1 folder=$2 repeat=$3
    find "$folder" -type f \( -name '*.yaml' -o -name '*.yml' \) | sort > "$work/files"
    # shellcheck disable=SC2046 # one argument a file
    compare "$name" "$folder" "$repeat" parsing ./target/dist/examples/parse $(cat "$work/files")
}

measure online-shop examples/online-shop 20
if [ -n "${KUBESTRIDE_CORPUS:-}" ]; then
    measure online-boutique "$KUBESTRIDE_CORPUS/truth/online-boutique/manifests" 20
    measure kubeflow "$KUBESTRIDE_CORPUS/corpus/kubeflow" 5
else
    echo "KUBESTRIDE_CORPUS is not set: the corpora were left out"
fi

# A model of Threat Modeling Tool, beside quick-xml reading the same bytes.
model() {
    compare "$1" "$2" "$3" quick-xml ./target/dist/examples/read_xml "$2"
}
./target/dist/kubestride convert examples/online-shop "$work/shop.tm7" 2> /dev/null
model online-shop.tm7 "$work/shop.tm7" 20
if [ -n "${KUBESTRIDE_CORPUS:-}" ]; then
    largest=$(find "$KUBESTRIDE_CORPUS/corpus/tm7" -name '*.tm7' -size -1500k -exec ls -S {} + | head -1)
    model "$(basename "$largest")" "$largest" 20
fi

# The layout of nested models, beside writing the same drawings.
cargo run --quiet --profile dist -p kubestride-diagram --example layout_speed

# What an object costs in a cluster of 1,000 and of 10,000 workloads: how it grows with size.
cargo build --quiet --profile dist -p kubestride-gen
./target/dist/kubestride-gen --objects 3600 > "$work/small.yaml"
./target/dist/kubestride-gen --objects 36000 > "$work/large.yaml"
: > "$work/a"; : > "$work/b"
i=0
while [ "$i" -lt "$runs" ]; do
    cpu 5 ./target/dist/kubestride analyze "$work/small.yaml" -q -o "$work/x.flows.tsv" >> "$work/a"
    cpu 1 ./target/dist/kubestride analyze "$work/large.yaml" -q -o "$work/x.flows.tsv" >> "$work/b"
    i=$((i + 1))
done
python3 - "$work/small.yaml" "$work/large.yaml" "$work/a" "$work/b" <<'PYTHON'
import statistics, sys
small, large, a, b = sys.argv[1:]
objects = [open(path).read().count("\nkind: ") for path in (small, large)]
times = [statistics.median(float(x) for x in open(path)) for path in (a, b)]
each = [t / n * 1e6 for t, n in zip(times, objects)]
print(f"generated: {objects[0]} objects {times[0]*1000:.0f} ms CPU, {objects[1]} objects {times[1]*1000:.0f} ms, "
      f"cost of one object {each[0]:.1f} and {each[1]:.1f} us, ratio {each[1]/each[0]:.2f}")
PYTHON
/usr/bin/time -f "generated, large: peak memory %M KB" ./target/dist/kubestride analyze "$work/large.yaml" -q -o "$work/x.flows.tsv" > /dev/null

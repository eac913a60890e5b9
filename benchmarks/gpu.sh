#!/bin/sh
# The GPU evidence of the classifiers, in parts of less than ten minutes each.
#
#     sh benchmarks/gpu.sh DATA [STORE]        one part: call it again until it says "all finished"
#
# DATA holds the images; STORE keeps every finished epoch (runs/against_twin by default) and must come along from one
# call to the next, on the same kind of device.  Exit code 75: there is more to do.  0: all is finished.  Results are
# benchmarks/results/gpu/against_twin_*.json, of what is finished so far.
# MINUTES is for one part; a run stops at the end of an epoch, which takes up to a minute, and starting takes another.
set -eu
DATA=${1:?"usage: sh benchmarks/gpu.sh DATA [STORE]"}
STORE=${2:-runs/against_twin}
MINUTES=${MINUTES:-7}
PYTHON=${PYTHON:-.venv/bin/python}
HERE=$(dirname "$0")

part() {
    code=0
    "$PYTHON" "$HERE/against_twin.py" "$@" --folder "$DATA" --store "$STORE" \
        --output "$HERE/results/gpu" --minutes "$MINUTES" || code=$?
    # After unfinished work, or a fault, the next part is another call's.
    [ "$code" -eq 0 ] || exit "$code"
}

part mnist_vgg4_nudged --rules centred backprop --seeds 0 1 2 3 4
part cifar10_vgg6_nudged --rules centred backprop --seeds 0 1 2 --target 0.9
part cifar10_vgg5 --rules centred backprop --seeds 0 1 2 --target 0.85
part cifar10_resnet18 --rules centred backprop --seeds 0 1 2 --target 0.85
part cifar10_vgg6_nudged --rules centred random forward equal backprop --seeds 0 --epochs 20 --target 0.85 --label cifar10_signs
echo "all finished"

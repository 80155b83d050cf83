#!/bin/sh
# usage: chat.sh CHECKPOINT [MODEL.so]
set -eu
checkpoint=$1
model=${2:-model.so}
llama-compile "$checkpoint" -o "$model" --quantize=int8
llama-weights inspect "$model"
exec llama-generate "$model" --chat

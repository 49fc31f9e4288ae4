#!/bin/sh
# Makes the traces of this folder again, byte by byte. Usage: make.sh DIRECTORY-OF-THE-RECORDINGS [OUTPUT-DIRECTORY]
# Needs gzip, zstd, awk, sha256sum and a built kvabench (npm run build).
set -eu
recordings=$1
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here}
kvabench="node $here/../../dist/cli/main.js"

unpack() {
  case $1 in
    *.gz) gzip -dc "$1" ;;
    *.zst) zstd -dcq "$1" ;;
  esac
}

# make_trace NAME FILE FIRST LAST EVENTS: the file's header (12 lines) and its lines FIRST to LAST become NAME.arrow.
make_trace() {
  unpack "$recordings/$2" | awk -v first="$3" -v last="$4" 'NR <= 12 || (NR >= first && NR <= last)' |
    $kvabench trace import - --out "$out/$1.arrow" --force --format ftrace --name "$1" \
      --source-name "$2, header and lines $3..$4" \
      --licence "kvabench's own recording" \
      --capture "source: $2 (sha256 $(sha256sum "$recordings/$2" | first_word))" \
      --capture "window: header and lines $3..$4" \
      --capture "machine: qemu-system-x86_64 7.2 (TCG, -icount shift=0,sleep=off), q35, 2 vCPUs; Debian 12, linux-image-6.12.117+deb12-amd64, no_hash_pointers" \
      --capture "recorded: trace_clock mono; events $5 enabled in /sys/kernel/tracing/events, tracing_on, then cat /sys/kernel/tracing/trace; no event lost"
}

first_word() { awk '{ print $1 }'; }

kva='vmalloc:{alloc_vmap_area,free_vmap_area_noflush,purge_vmap_area_lazy} sched:sched_process_{fork,exit,free} task:task_newtask module:module_{load,free}, kprobes p:kstack/kstack_alloc wake_up_new_task pid=p->pid tgid=p->tgid stack=p->stack:x64 refs=p->stack_refcount.refs.counter and p:kstack/kstack_free put_task_stack pid=tsk->pid tgid=tsk->tgid stack=tsk->stack:x64 refs=tsk->stack_refcount.refs.counter'
kmem='kmem:{kmalloc,kfree,kmem_cache_alloc,kmem_cache_free}'

make_trace linux612-forkstorm linux612-forkstorm-kva.ftrace.txt.gz 120001 168000 "$kva"
make_trace linux612-mixed linux612-mixed-kva.ftrace.txt.gz 13 52000 "$kva"
make_trace linux612-net-kmem linux612-net-kmem.ftrace.txt.zst 500001 540000 "$kmem"

#!/bin/sh
# Records allocations with ftrace. Usage, as root: linux-ftrace.sh kva|kmem|pages|all OUTPUT.gz COMMAND [ARGUMENT...]
# Writes OUTPUT.gz, and OUTPUT.meta.tar.gz with the state of the allocators before and after.
set -eu
[ $# -ge 3 ] || { echo "usage: $0 kva|kmem|pages|all OUTPUT.gz COMMAND [ARGUMENT...]" >&2; exit 1; }
events=$1 output=$2
shift 2
T=/sys/kernel/tracing
[ -e $T/trace ] || mount -t tracefs tracefs $T
meta=$(mktemp -d)

enable() { for event in "$@"; do echo 1 > "$T/events/$event/enable" || echo "no event $event" >&2; done; }
snapshot() {
  for file in vmallocinfo slabinfo meminfo buddyinfo vmstat; do cat "/proc/$file" > "$meta/$file.$1"; done
}
kva() {
  if [ -d $T/events/vmalloc ]; then
    enable vmalloc/alloc_vmap_area vmalloc/free_vmap_area_noflush vmalloc/purge_vmap_area_lazy
    # Stacks by task; the arguments are named through BTF (Linux 6.9 and later). The last reference frees.
    echo 'p:kstack/kstack_alloc wake_up_new_task pid=p->pid tgid=p->tgid stack=p->stack:x64 refs=p->stack_refcount.refs.counter' >> $T/kprobe_events &&
      echo 'p:kstack/kstack_free put_task_stack pid=tsk->pid tgid=tsk->tgid stack=tsk->stack:x64 refs=tsk->stack_refcount.refs.counter' >> $T/kprobe_events &&
      echo 'refs==1' > $T/events/kstack/kstack_free/filter && enable kstack/kstack_alloc kstack/kstack_free
  else
    # Before the vmalloc tracepoints (Linux 6.1, x86-64): registers at the entry, the area at the return.
    echo 'p:kva/alloc alloc_vmap_area size=%di:u64 align=%si:u64 vstart=%dx:x64 vend=%cx:x64' >> $T/kprobe_events
    echo 'r128:kva/alloc_ret alloc_vmap_area va=$retval:x64 va_start=+0($retval):x64 va_end=+8($retval):x64' >> $T/kprobe_events
    echo 'p:kva/free free_vmap_area_noflush va_start=+0(%di):x64 va_end=+8(%di):x64' >> $T/kprobe_events
    echo 'p:kva/purge __purge_vmap_area_lazy start=%di:x64 end=%si:x64' >> $T/kprobe_events
    enable kva/alloc kva/alloc_ret kva/free kva/purge
  fi
  enable sched/sched_process_fork sched/sched_process_exit
}

echo 0 > $T/tracing_on
echo 0 > $T/events/enable
echo nop > $T/current_tracer
echo mono > $T/trace_clock
echo "${BUFFER_KB:-100000}" > $T/buffer_size_kb
echo 1 > $T/options/nohash-ptr 2> /dev/null || true
case $events in kva | all) kva ;; esac
case $events in kmem | all) enable kmem/kmalloc kmem/kfree kmem/kmem_cache_alloc kmem/kmem_cache_free ;; esac
case $events in pages | all) enable kmem/mm_page_alloc kmem/mm_page_free ;; esac

snapshot before
echo > $T/trace
echo 1 > $T/tracing_on
"$@" || echo "the command failed" >&2
echo 0 > $T/tracing_on
snapshot after
# Stopped first, so that writing it down is not in it.
gzip < $T/trace > "$output"
for cpu in $T/per_cpu/cpu*; do echo "== ${cpu##*/}"; cat "$cpu/stats"; done > "$meta/cpu_stats"
uname -a > "$meta/uname"
tar -czf "${output%.gz}.meta.tar.gz" -C "$meta" .
echo 0 > $T/events/enable
rm -r "$meta"
grep -h overrun "$T"/per_cpu/cpu*/stats | sort | uniq -c

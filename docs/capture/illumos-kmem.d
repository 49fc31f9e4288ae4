#!/usr/sbin/dtrace -s
/*
 * Prints allocations of the illumos kernel as the table that `kvabench trace import --format csv` reads.
 * dtrace -b 256m -s illumos-kmem.d > trace.csv ; then sort by time: { head -1 trace.csv; tail -n +2 trace.csv | sort -t, -k3n; }
 * Entries are remembered by thread, so that the result of each call finds its size.
 */
#pragma D option quiet
#pragma D option switchrate=10hz

BEGIN { printf("op,object,time,cpu,cls,size,address\n"); }

fbt::kmem_alloc:entry, fbt::kmem_zalloc:entry { self->bytes = arg0; }
fbt::kmem_alloc:return, fbt::kmem_zalloc:return
/self->bytes && arg1/
{ printf("alloc,0x%x,%d,%d,kmem,%d,0x%x\n", arg1 & 0x1fffffffffffff, timestamp, cpu, self->bytes, arg1); self->bytes = 0; }
fbt::kmem_free:entry
/arg0/
{ printf("free,0x%x,%d,%d,kmem,,\n", arg0 & 0x1fffffffffffff, timestamp, cpu); }

fbt::segkp_get:entry { self->stack = arg1; }
fbt::segkp_get:return
/self->stack && arg1/
{ printf("alloc,0x%x,%d,%d,kstack,%d,0x%x\n", arg1 & 0x1fffffffffffff, timestamp, cpu, self->stack, arg1); self->stack = 0; }
fbt::segkp_release:entry
{ printf("free,0x%x,%d,%d,kstack,,\n", arg1 & 0x1fffffffffffff, timestamp, cpu); }

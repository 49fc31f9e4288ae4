#!/usr/sbin/dtrace -s
/*
 * Prints allocations of malloc(9) and of kernel address space on FreeBSD as the table that
 * `kvabench trace import --format csv` reads. Sort it by time as in illumos-kmem.d.
 */
#pragma D option quiet
#pragma D option switchrate=10hz

BEGIN { printf("op,object,time,cpu,cls,size,address\n"); }

fbt::malloc:entry { self->bytes = arg0; }
fbt::malloc:return
/self->bytes && arg1/
{ printf("alloc,0x%x,%d,%d,malloc,%d,0x%x\n", arg1 & 0x1fffffffffffff, timestamp, cpu, self->bytes, arg1); self->bytes = 0; }
fbt::free:entry
/arg0/
{ printf("free,0x%x,%d,%d,malloc,,\n", arg0 & 0x1fffffffffffff, timestamp, cpu); }

fbt::kva_alloc:entry { self->range = arg0; }
fbt::kva_alloc:return
/self->range && arg1/
{ printf("alloc,0x%x,%d,%d,va,%d,0x%x\n", arg1 & 0x1fffffffffffff, timestamp, cpu, self->range, arg1); self->range = 0; }
fbt::kva_free:entry
{ printf("free,0x%x,%d,%d,va,,\n", arg0 & 0x1fffffffffffff, timestamp, cpu); }

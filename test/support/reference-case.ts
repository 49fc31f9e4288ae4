import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ArenaDescription, type CaseOperation, hex, ReferenceSystem } from './reference-system.js';

const OPS_HEADER = 'seq,op,arena,id,size,align,phase,nocross,minaddr,maxaddr,flags,result';

/** A case to be: its arenas, and the operations, which may depend on the results of those before. */
export interface CaseScript {
  readonly name: string;
  readonly arenas: readonly ArenaDescription[];
  readonly cpus?: number;
  readonly autoReap?: boolean;
  /** Operations between two checkpoints; default 1. */
  readonly checkpointEvery?: number;
  /** The operations one by one; each `yield` gives the text of the result. */
  readonly operations: () => Generator<CaseOperation, void, string>;
}

export function arenaOf(given: Partial<ArenaDescription> & { name: string }): ArenaDescription {
  return {
    base: '0x0',
    size: 0,
    quantum: 4096,
    source: null,
    qcache_max: 0,
    flags: '',
    import_gran: 0,
    import: given.source === undefined ? 'none' : 'vmem',
    ...given,
  };
}

export function operationOf(given: Partial<CaseOperation> & Pick<CaseOperation, 'op'>): CaseOperation {
  return {
    arena: '',
    id: -1,
    size: 0n,
    align: 0n,
    phase: 0n,
    nocross: 0n,
    min: 0n,
    max: 0n,
    flags: '',
    ...given,
  };
}

/** Runs `use` with a directory that is removed afterwards. */
export function withTemporaryDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'kvabench-'));
  const remove = () => rmSync(directory, { recursive: true });
  let result: T;
  try {
    result = use(directory);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) return result.finally(remove) as T;
  remove();
  return result;
}

/**
 * Plays a script against the slow reference and writes the golden case below `parent`, in the form of
 * golden/FORMAT.md and with the tables of the shipped cases, but for slabs.csv.gz, whose addresses of slab structures no reference knows.
 * Returns its directory.
 */
export function writeReferenceCase(parent: string, script: CaseScript): string {
  const directory = join(parent, script.name);
  mkdirSync(directory);
  const system = new ReferenceSystem({
    arenas: script.arenas,
    ...(script.cpus !== undefined && { cpus: script.cpus }),
    ...(script.autoReap !== undefined && { autoReap: script.autoReap }),
  });
  const tables = play(system, script);
  const write = (file: string, header: string, rows: readonly string[]) => {
    const text = [header, ...rows, ''].join('\n');
    writeFileSync(join(directory, file), file.endsWith('.gz') ? gzipSync(text, { level: 1 }) : text);
  };
  writeFileSync(
    join(directory, 'case.json'),
    JSON.stringify(description(script, tables.ops.length), null, 1),
  );
  write('ops.csv.gz', OPS_HEADER, tables.ops);
  write('checkpoints.csv', tables.arenaHeader, tables.arenaRows);
  write('segments.csv.gz', 'arena,type,start,size', system.segmentRows());
  write('freelists.csv.gz', 'arena,index,start,size', system.freeListRows());
  if (system.caches.length > 0) {
    write('qcache.csv', tables.cacheHeader, tables.cacheRows);
  }
  return directory;
}

function description({ name, arenas, cpus, autoReap }: CaseScript, operations: number) {
  return {
    oracle: 'illumos-vmem',
    case: name,
    exercises: 'generated: expected results come from the slow reference of the tests',
    ncpus: cpus ?? 1,
    builtin_arenas: [],
    arenas,
    nops: operations,
    slab_tie: 'slab_base',
    auto_reap: autoReap === true,
  };
}

/** Plays the script to its end and collects what the tables say on the way. */
function play(system: ReferenceSystem, { operations, checkpointEvery = 1 }: CaseScript) {
  const ops: string[] = [];
  const arenaRows: string[] = [];
  const cacheRows: string[] = [];
  const record = () => {
    arenaRows.push(...system.arenas.map((arena) => Object.values(system.arenaRow(arena)).join(',')));
    cacheRows.push(...system.caches.map((entry) => Object.values(system.cacheRow(entry)).join(',')));
  };
  record();
  const source = operations();
  let step = source.next();
  while (step.done !== true) {
    const result = system.execute(step.value);
    ops.push(operationLine(system.seq, step.value, result));
    step = source.next(result);
    if (step.done === true || system.seq % checkpointEvery === 0) record();
  }
  const header = (row: Readonly<Record<string, string>> | undefined) => Object.keys(row ?? {}).join(',');
  return {
    ops,
    arenaHeader: header(system.arenaRow(system.arenas[0]!)),
    arenaRows,
    cacheHeader: system.caches.length > 0 ? header(system.cacheRow(system.caches[0]!)) : '',
    cacheRows,
  };
}

function operationLine(seq: number, operation: CaseOperation, result: string): string {
  const { op, arena, id, size, align, phase, nocross, min, max, flags } = operation;
  const number = (value: bigint) => (value === 0n ? '' : String(value));
  const address = (value: bigint) => (value === 0n ? '' : hex(value));
  const length = op === 'cpu' ? String(size) : number(size);
  const name = id < 0 ? '' : String(id);
  const constraint = [number(align), number(phase), number(nocross), address(min), address(max)];
  return [seq, op, arena, name, length, ...constraint, flags, result].join(',');
}

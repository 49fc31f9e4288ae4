import type { ArenaFigures, ArenaView, CacheFigures, TagVisitor } from '../arena/view.js';
import type { Bytes } from '../core/units.js';
import type { Blame } from './blame.js';

/** Every figure that a view has. */
export const FIGURES: readonly (keyof ArenaFigures)[] = [
  'totalBytes',
  'inUseBytes',
  'importBytes',
  'spanTags',
  'freeTags',
  'allocTags',
  'allocs',
  'frees',
  'fails',
  'waits',
  'lookups',
  'searches',
  'splits',
  'merges',
  'imports',
  'releases',
  'hashBuckets',
  'reachBytes',
];

/** An arena of a file of the user's: whatever it throws becomes one message that names the file. */
export class GuardedArena implements ArenaView {
  readonly name: string;
  readonly source: string | null;
  readonly quantum: Bytes;
  readonly walkFree?: (visit: (size: Bytes) => void) => void;

  /** @throws InputError naming the part that is missing or wrong. */
  constructor(
    readonly arena: ArenaView,
    private readonly blame: Blame,
  ) {
    const { name, source, quantum } = arena;
    if (typeof name !== 'string' || name === '') throw blame.wrong('arenas: name', name, 'a name');
    if (source !== null && typeof source !== 'string') {
      throw blame.wrong(
        `${this.field(name)}: source`,
        source,
        'the name of the arena that it imports from, or null',
      );
    }
    if (!(Number.isInteger(quantum) && quantum >= 1)) {
      throw blame.wrong(`${this.field(name)}: quantum`, quantum, 'an integer from 1 up');
    }
    for (const method of ['largestFree', 'freeBytes', 'metadataBytes', 'walk', 'check'] as const) {
      if (typeof arena[method] === 'function') continue;
      throw blame.wrong(`${this.field(name)}: ${method}`, arena[method], 'a function');
    }
    if (!Array.isArray(arena.caches))
      throw blame.wrong(`${this.field(name)}: caches`, arena.caches, 'a list');
    this.name = name;
    this.source = source;
    this.quantum = quantum;
    if (typeof arena.walkFree === 'function') {
      this.walkFree = (visit) => this.ask('walkFree', () => arena.walkFree!(visit));
    }
    this.requireFigures();
  }

  get figures(): ArenaFigures {
    return this.ask('figures', () => this.arena.figures);
  }

  get caches(): readonly CacheFigures[] {
    return this.ask('caches', () => this.arena.caches);
  }

  largestFree(): Bytes {
    return this.askBytes('largestFree', () => this.arena.largestFree());
  }

  freeBytes(): Bytes {
    return this.askBytes('freeBytes', () => this.arena.freeBytes());
  }

  metadataBytes(): Bytes {
    return this.askBytes('metadataBytes', () => this.arena.metadataBytes());
  }

  walk(visit: TagVisitor): void {
    this.ask('walk', () => this.arena.walk(visit));
  }

  check(): void {
    this.ask('check', () => this.arena.check());
    this.requireFigures();
  }

  /** @throws InputError for a figure that is missing or no number from 0 up. */
  private requireFigures(): void {
    const { figures } = this;
    for (const name of FIGURES) {
      const value: unknown = figures?.[name];
      if (isAmount(value)) continue;
      throw this.blame.wrong(`${this.field(this.name)}: figures.${name}`, value, 'an integer from 0 up');
    }
  }

  private askBytes(method: string, action: () => Bytes): Bytes {
    const bytes = this.ask(method, action);
    if (isAmount(bytes)) return bytes;
    throw this.blame.wrong(`${this.field(this.name)}: ${method}`, bytes, 'an integer from 0 up');
  }

  private ask<T>(method: string, action: () => T): T {
    return this.blame.attempt(() => `${this.field(this.name)}: ${method}`, action);
  }

  private field(name: string): string {
    return `arena '${name}'`;
  }
}

function isAmount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

import type { ExtentFigures, ExtentView, StackFigures, StackView } from '../arena/view.js';
import { REQUEST_CLASS_NAMES } from '../core/request.js';
import type { Blame } from './blame.js';

/** Every figure that a view of stacks has; as a record, so that the compiler misses none. */
const STACK_FIGURES: Readonly<Record<keyof StackFigures, true>> = {
  objects: true,
  objectBytes: true,
  trieNodes: true,
  indexSpan: true,
  indexHoles: true,
  reservations: true,
  fullReservations: true,
  partialReservations: true,
  reservedPages: true,
  residentStacks: true,
  contiguousStacks: true,
  residentPages: true,
  pageRuns: true,
  longestRun: true,
  swapWrites: true,
  swapPagesWritten: true,
  swapReads: true,
  swapBlocks: true,
  swapMetadataBlocks: true,
  swapTrieNodes: true,
  swapMetadataBytes: true,
  objectLocks: true,
  creations: true,
  cacheHits: true,
  stackBytes: true,
};

const EXTENT_FIGURES: Readonly<Record<keyof ExtentFigures, true>> = {
  extents: true,
  whole: true,
  withStacks: true,
  withOthers: true,
};

/** The stacks of a file of the user's: what it throws or leaves out becomes one message that names the file. */
export class GuardedStacks implements StackView {
  /** @throws InputError unless it has the method of a StackView. */
  constructor(
    private readonly view: StackView,
    private readonly blame: Blame,
  ) {
    requireMethod(view, 'stackFigures', 'stacks', blame);
  }

  stackFigures(): StackFigures {
    const what = 'stacks: stackFigures';
    const figures = this.blame.attempt(
      () => what,
      () => this.view.stackFigures(),
    );
    requireFigures(figures, STACK_FIGURES, what, this.blame);
    return figures;
  }
}

/** The same for extents. */
export class GuardedExtents implements ExtentView {
  /** @throws InputError unless it has the method of an ExtentView. */
  constructor(
    private readonly view: ExtentView,
    private readonly blame: Blame,
  ) {
    requireMethod(view, 'extentFigures', 'extents', blame);
  }

  extentFigures(cls: number): ExtentFigures {
    const what = `extents: extentFigures of ${REQUEST_CLASS_NAMES[cls]}`;
    const figures = this.blame.attempt(
      () => what,
      () => this.view.extentFigures(cls),
    );
    requireFigures(figures, EXTENT_FIGURES, what, this.blame);
    return figures;
  }
}

function requireMethod(view: object, method: string, field: string, blame: Blame): void {
  const value: unknown = (view as Record<string, unknown> | null)?.[method];
  if (typeof value !== 'function') throw blame.wrong(`create: ${field}.${method}`, value, 'a function');
}

/** @throws InputError for a figure that is missing or no integer from 0 up. */
function requireFigures(figures: object, names: object, what: string, blame: Blame): void {
  for (const name of Object.keys(names)) {
    const value: unknown = (figures as Record<string, unknown> | null | undefined)?.[name];
    if (Number.isInteger(value) && (value as number) >= 0) continue;
    throw blame.wrong(`${what}: ${name}`, value, 'an integer from 0 up');
  }
}

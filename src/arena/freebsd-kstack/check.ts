import { InvariantError } from '../../core/errors.js';
import type { KernelStacks } from './kernel-stacks.js';
import { ownerListing } from './owner-listing.js';
import { NO_FRAME, Owner, Queue } from './page-frames.js';
import { StackState } from './stack-table.js';

/** Frames of a dump. */
const LISTED = 64;

/**
 * Checks that every page of a stack that is in memory is resident under its index and wired, that no page belongs to two
 * stacks, and that no other frame is held for one.
 * @throws InvariantError with the owners of the first frames.
 */
export function checkStacks(kernel: KernelStacks): void {
  const { stacks, memory } = kernel;
  const { frames, objects } = memory;
  const seen = new Uint8Array(frames.count);
  for (let stack = 0; stack < stacks.rows; stack++) {
    if (stacks.state[stack] === StackState.none) continue;
    for (let index = 0; index < stacks.pages[stack]!; index++) {
      const frame = objects.find(stacks.object[stack]!, stacks.pindex[stack]! + index);
      const problem = problemOf(kernel, stack, frame, seen);
      if (problem !== '') fail(kernel, `stack ${stack}, page ${index}: ${problem}`);
    }
  }
  let owned = 0;
  let found = 0;
  for (let frame = 0; frame < frames.count; frame++) {
    if (frames.owner[frame] === Owner.kernelStack) owned++;
    found += seen[frame]!;
  }
  if (owned !== found) fail(kernel, `${owned} frames are of stacks, which have ${found}`);
}

function problemOf({ stacks, memory }: KernelStacks, stack: number, frame: number, seen: Uint8Array): string {
  const { frames } = memory;
  const isSwapped = stacks.isSwapped[stack] === 1;
  if (frame === NO_FRAME) return isSwapped ? '' : 'it is not in memory';
  if (seen[frame] === 1) return `frame ${frame} is of two pages`;
  seen[frame] = 1;
  if (frames.owner[frame] !== Owner.kernelStack) return `frame ${frame} is not of a stack`;
  if (!isSwapped && frames.queue[frame] !== Queue.none) return `frame ${frame} is on a queue`;
  return '';
}

function fail(kernel: KernelStacks, problem: string): never {
  const last = Math.min(LISTED, kernel.memory.frames.count);
  throw new InvariantError(`kernel stacks: ${problem}`, ownerListing(kernel, 0, last));
}

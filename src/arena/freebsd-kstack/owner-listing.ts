import { PAGE_BYTES } from './abi.js';
import type { KernelStacks } from './kernel-stacks.js';
import { OWNER_NAMES } from './page-frames.js';

/** Physical pages and what they are used for, a line each, as a review of 2020 listed them; frames `from` to `to`. */
export function ownerListing({ memory }: KernelStacks, from: number, to: number): string {
  const { owner } = memory.frames;
  const lines: string[] = [];
  for (let frame = from; frame < to; frame++) {
    if (owner[frame] === 0) continue;
    lines.push(`0x${(frame * PAGE_BYTES).toString(16).padStart(9, '0')}: ${OWNER_NAMES[owner[frame]!]}`);
  }
  return lines.join('\n');
}

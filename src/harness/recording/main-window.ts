import { PAGE_BYTES } from '../../arena/linux-vmap/abi.js';
import { LOWEST_KERNEL_ADDRESS } from '../../arena/linux-vmap/nodes.js';
import { AddressSpace } from '../../core/address.js';
import { InputError } from '../../core/errors.js';
import { TIB } from '../../core/units.js';
import { MODULE_SPACE_START } from '../../trace/importer.js';
import type { AreaWindow, KvaRecording } from '../../trace/kva-recording.js';

/** No other window of x86-64 is as large as the main range, VMALLOC_START to VMALLOC_END. */
const LEAST_MAIN_BYTES = TIB;

/** Row of the main range among the windows of a recording. @throws InputError if there is none that the model covers. */
export function mainWindowOf({ windows, file }: KvaRecording): number {
  const below = windows.find(({ from }) => from < LOWEST_KERNEL_ADDRESS);
  if (below !== undefined)
    throw new InputError(`asks for addresses from ${AddressSpace.canonical.format(below.from)}`, {
      file,
      allowed: 'windows in the kernel half of 4-level page tables',
    });
  const main = windows.findIndex(({ from, to }) => to - from >= LEAST_MAIN_BYTES);
  if (main >= 0) return main;
  throw new InputError('has no request for the main range, so that its bounds are unknown', {
    file,
    allowed: 'a recording with at least one vmalloc or thread stack',
  });
}

/**
 * Holds the snapshot against the main range, which the kernel puts elsewhere at each boot.
 * @throws InputError if most of its areas below the modules lie outside, or one is not of whole kernel pages.
 */
export function checkSnapshot({ initial, initialFile }: KvaRecording, { from, to }: AreaWindow): void {
  const odd = initial.find(({ start, size }) => !(start >= LOWEST_KERNEL_ADDRESS && size % PAGE_BYTES === 0));
  const general = initial.filter(({ start }) => start < MODULE_SPACE_START);
  const inside = general.filter(({ start }) => start >= from && start < to);
  if (odd === undefined && 2 * inside.length >= general.length) return;
  const problem =
    odd === undefined
      ? `has ${inside.length} of ${general.length} areas in the recording's main range`
      : `has no range of whole kernel pages at ${AddressSpace.canonical.format(odd.start)}`;
  throw new InputError(problem, {
    file: initialFile,
    allowed: '/proc/vmallocinfo of the same boot as the recording',
  });
}

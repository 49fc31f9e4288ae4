import { Type } from '@sinclair/typebox';
import type { Address } from '../core/address.js';
import { InputError } from '../core/errors.js';
import { type Bytes, GIB, TIB } from '../core/units.js';
import type { Parameters } from './contract.js';
import { parseBase } from './placement.js';

/** Page of amd64. */
export const PAGE: Bytes = 4096;

/** Unmapped bytes below each stack (KSTACK_GUARD_PAGES). */
export const GUARD_BYTES: Bytes = PAGE;

/** Most pages that a stack may have (KSTACK_MAX_PAGES). */
export const MOST_STACK_PAGES = 32;

/** Pages of a stack unless a thread asks for others. */
export const STACK_PAGES_PARAMETER = Type.Integer({
  minimum: 1,
  maximum: MOST_STACK_PAGES,
  default: 4,
  description: 'pages of a stack of default size, without its guard page (kern.kstack_pages)',
});

/** Parameters of every FreeBSD backend that serves address space. */
export const FREEBSD_PARAMETERS = {
  kernel_base: Type.Union([Type.String(), Type.Number()], {
    default: '0xfffffe0000000000',
    description: 'first address of kernel_map (default: VM_MIN_KERNEL_ADDRESS of amd64)',
  }),
  kernel_size: Type.Number({
    format: 'bytes',
    default: 2 * TIB - 2 * GIB,
    description: 'bytes of kernel_map, a multiple of 2 MiB (default: up to the kernel text of amd64)',
  }),
  kstack_pages: STACK_PAGES_PARAMETER,
} as const;

const SUPERPAGE = 2 ** 21;
const LEAST_BYTES = 64 * 2 ** 20;

/**
 * The range of kernel_map; `limit` is exclusive.
 * @throws InputError naming the parameter that is wrong and what it may be.
 */
export function freebsdRange(parameters: Parameters): { readonly base: Address; readonly limit: Address } {
  const bytes = Number(parameters.kernel_size);
  if (!(Number.isSafeInteger(bytes) && bytes >= LEAST_BYTES && bytes % SUPERPAGE === 0)) {
    throw new InputError(`${parameters.kernel_size} bytes are no kernel_map`, {
      field: 'kernel_size',
      allowed: `a multiple of ${SUPERPAGE}, at least ${LEAST_BYTES}`,
    });
  }
  const base = parseBase(parameters.kernel_base as string | number, bytes, SUPERPAGE, 'kernel_base');
  return { base, limit: base + bytes };
}

/** Bytes of a stack of default size, without its guard page. */
export function stackBytesOf(parameters: Parameters): Bytes {
  return Number(parameters.kstack_pages) * PAGE;
}

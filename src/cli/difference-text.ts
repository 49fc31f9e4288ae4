import { TAG_TYPE_NAMES, TagType } from '../arena/view.js';
import { type Address, AddressSpace, NO_ADDRESS } from '../core/address.js';
import { REQUEST_CLASS_NAMES, REQUEST_OP_NAMES, RequestOp } from '../core/request.js';
import { visibleText } from '../core/visible-text.js';
import type { ArenaExcerpt, ExcerptTag } from '../harness/arena-excerpt.js';
import type { LockstepRequest, LockstepResult } from '../harness/lockstep.js';
import type { CellPlan } from '../harness/plan.js';

type Pair = readonly [CellPlan, CellPlan];

/** What `kvabench diff` found, for people. */
export function differenceText(cells: Pair, relative: boolean, result: LockstepResult): string {
  const [a, b] = labels(cells);
  const heading = `${cells[0].workload.label}, seed ${cells[0].seed}: ${a} against ${b}`;
  const { difference, allocations, compared, requests } = result;
  const measure = relative ? 'distances from the first object of its class' : 'addresses';
  if (difference === undefined) {
    const same = `the same ${measure} for all ${compared} allocations that both serve`;
    return `${heading}\n${same} (${allocations} allocations, ${requests} requests)\n`;
  }
  const { history, allocation } = difference;
  const last = history.at(-1)!;
  const width = Math.max(a.length, b.length);
  const lines = [
    heading,
    `first difference: allocation ${allocation} (request ${last.request}) at ${last.timeNs} ns, comparing ${measure}`,
    `  ${requestText(last)}`,
    `  ${a.padEnd(width)}  ${addressText(last.answers[0])}`,
    `  ${b.padEnd(width)}  ${addressText(last.answers[1])}`,
    ...historyLines(history),
    ...difference.arenas.flatMap((arenas, index) =>
      arenas.flatMap((arena) => excerptLines(arena, index, cells)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same as plain data, for --json: addresses are text, null where the request was refused. */
export function differenceData(cells: Pair, relative: boolean, result: LockstepResult): object {
  const { difference, ...counts } = result;
  return {
    workload: cells[0].workload.label,
    seed: cells[0].seed,
    backends: labels(cells),
    compare: relative ? 'distances' : 'addresses',
    same: difference === undefined,
    ...counts,
    ...(difference === undefined
      ? {}
      : {
          difference: {
            allocation: difference.allocation,
            ...requestData(difference.history.at(-1)!),
            history: difference.history.slice(0, -1).map(requestData),
            arenas: difference.arenas.map((arenas) => arenas.map(excerptData)),
          },
        }),
  };
}

function labels([a, b]: Pair): readonly [string, string] {
  return [a.backend.label, b.backend.label];
}

function addressText(address: Address): string {
  return address === NO_ADDRESS ? 'refused' : AddressSpace.canonical.format(address);
}

function requestText({ op, cls, size, object, cpu, site }: LockstepRequest): string {
  const parts: string[] = [REQUEST_OP_NAMES[op]!];
  if (op === RequestOp.alloc) parts.push(REQUEST_CLASS_NAMES[cls]!);
  if (size > 0) parts.push(`${size} bytes`);
  if (object >= 0) parts.push(`object ${object}`);
  parts.push(`CPU ${cpu}`);
  if (site !== '') parts.push(`from ${visibleText(site)}`);
  return parts.join(' ');
}

function historyLines(history: readonly LockstepRequest[]): string[] {
  if (history.length === 1) return ['no requests before it'];
  const earlier = history.slice(0, -1).map((request) => {
    const [a, b] = request.answers.map(addressText);
    const answer = request.op !== RequestOp.alloc ? '' : ` -> ${a === b ? a : `${a}, ${b}`}`;
    return `  ${request.request} ${requestText(request)}${answer}`;
  });
  return ['requests before it:', ...earlier];
}

function excerptLines({ arena, tags, near }: ArenaExcerpt, backend: number, cells: Pair): string[] {
  const names = labels(cells);
  const lines = [`${names[backend]}: arena ${arena}, ${tags} tags`];
  for (const [position, tag] of near.entries()) {
    const before = near[position - 1]?.index ?? -1;
    if (tag.index > before + 1) lines.push('  …');
    lines.push(tagLine(tag, names));
  }
  if (near.length > 0 && near.at(-1)!.index < tags - 1) lines.push('  …');
  return lines;
}

function tagLine({ type, start, size, holds }: ExcerptTag, names: readonly [string, string]): string {
  const indent = type === TagType.span ? '  ' : '    ';
  const answer = holds.length === 0 ? '' : `  <- ${holds.map((index) => names[index]).join(' and ')}`;
  return `${indent}${TAG_TYPE_NAMES[type]} ${AddressSpace.canonical.format(start)} ${size}${answer}`;
}

function requestData({
  request,
  timeNs,
  op,
  object,
  cls,
  size,
  cpu,
  site,
  answers,
}: LockstepRequest): object {
  const isAlloc = op === RequestOp.alloc;
  return {
    request,
    timeNs,
    op: REQUEST_OP_NAMES[op],
    class: isAlloc ? REQUEST_CLASS_NAMES[cls] : null,
    object: object < 0 ? null : object,
    size,
    cpu,
    site: site === '' ? null : site,
    answers: isAlloc ? answers.map(addressData) : null,
  };
}

function addressData(address: Address): string | null {
  return address === NO_ADDRESS ? null : AddressSpace.canonical.format(address);
}

function excerptData({ arena, tags, near }: ArenaExcerpt): object {
  return {
    arena,
    tags,
    near: near.map(({ index, type, start, size, holds }) => ({
      index,
      type: TAG_TYPE_NAMES[type],
      start: AddressSpace.canonical.format(start),
      size,
      answerOf: holds,
    })),
  };
}

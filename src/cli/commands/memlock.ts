import { createReadStream } from 'node:fs';
import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { attemptIo } from '../../core/files.js';
import { unknownName } from '../../core/suggest.js';
import { readDomain } from '../../memlock/domain-xml.js';
import {
  ARCHITECTURES,
  alignedForStart,
  type GuestDefinition,
  isPpc64,
  PLAIN_GUEST,
  requireDefinition,
} from '../../memlock/guest-definition.js';
import { memlockLimit } from '../../memlock/memlock-limit.js';
import { parseMemory } from '../../memlock/memory-units.js';
import { type GuestEvent, ProcessLimit, requireDeviceEvent } from '../../memlock/process-limit.js';
import { findRuleSet, LATEST_RULES, RULE_SETS, type RuleSet } from '../../memlock/rule-sets.js';
import type { Command } from '../command.js';
import { ExitCode, type Io } from '../io.js';
import { type MemlockAnswer, memlockJson, memlockText, type ProcessState } from '../memlock-tables.js';
import { integerOption, repeated, singleOption } from '../option-values.js';
import { textWidth } from '../text-output.js';
import { inputPath } from './trace-import.js';

type Args = Readonly<Record<string, unknown>>;

/** What only the flags say where there is no XML. */
const GUEST_OPTIONS = [
  'memory',
  'max-memory',
  'hard-limit',
  'dimm',
  'locked',
  'arch',
  'virt',
  'viommu',
  'device',
] as const;

/** Devices by the names of the option, and what they count as. */
const DEVICES = {
  vfio: 'pciVfio',
  mdev: 'mdev',
  nvme: 'nvmeDisks',
  vdpa: 'vdpaInterfaces',
  'vdpa-disk': 'vdpaDisks',
} as const;

const MOST_DEVICES = 4096;
const MOST_BYTES = 16 * 1024 * 1024;

/** `kvabench memlock [xml]`: the locked-memory limit that libvirt sets for a guest, by release. */
export const memlockCommand: Command = {
  usage: 'memlock [xml]',
  summary: "Compute libvirt's locked-memory limit (RLIMIT_MEMLOCK) of a guest, by release, with every term",
  options: declareOptions,
  run: async (args, io) => {
    const described = args.xml === undefined ? guestFromFlags(args) : await guestFromXml(args, io);
    const guest = alignedForStart(withHostFacts(described, args));
    const named = repeated(args.rules)?.map(findRuleSet);
    const events =
      repeated(args.events)
        ?.flatMap((text) => text.split(','))
        .map(parseEvent) ?? [];
    const initial = singleOption(args, 'default-limit', (text) => bytesOf(text, 'default-limit')) ?? 65_536n;
    const answers = (named ?? RULE_SETS).map((rules) => answer(guest, rules, events, initial));
    const detailed = named === undefined && events.length === 0 ? latestOf(answers) : answers;
    const text =
      args.json === true
        ? JSON.stringify(
            memlockJson(guest, answers),
            (_key, value) => (typeof value === 'bigint' ? String(value) : value),
            2,
          )
        : memlockText(guest, answers, detailed, textWidth(io)).trimEnd();
    io.stdout.write(`${text}\n`);
    return ExitCode.done;
  },
};

function declareOptions(yargs: Argv): Argv {
  const length = { type: 'string', requiresArg: true } as const;
  return yargs
    .positional('xml', { type: 'string', describe: 'libvirt domain definition; - reads standard input' })
    .option('memory', {
      ...length,
      describe: 'memory with all DIMMs, in units of libvirt such as 8GiB; KiB without',
    })
    .option('dimm', { ...length, describe: 'size of a DIMM within that memory; may be repeated' })
    .option('max-memory', { ...length, describe: 'maxMemory; default: none' })
    .option('hard-limit', { ...length, describe: 'memtune/hard_limit; default: none' })
    .option('locked', { type: 'boolean', describe: 'memoryBacking/locked' })
    .option('arch', { ...length, describe: `${ARCHITECTURES.join(', ')}; default: x86_64` })
    .option('virt', { ...length, describe: 'kvm or qemu; default: kvm' })
    .option('viommu', { type: 'boolean', describe: 'the guest has an IOMMU' })
    .option('device', {
      ...length,
      describe: `${Object.keys(DEVICES).join(', ')}, with =N for several; may be repeated`,
    })
    .option('phbs', { ...length, describe: 'PCI host bridges (ppc64); default: as libvirt adds them' })
    .option('nvlink2', { type: 'boolean', describe: 'a passed-through GPU has an NVLink2 bridge (ppc64)' })
    .option('rules', {
      ...length,
      describe: 'rule set, release of libvirt or today; may be repeated; default: all',
    })
    .option('events', {
      ...length,
      describe: 'what happens then, for example attach_pci,attach_dimm=2GiB,detach_pci; :late fails late',
    })
    .option('default-limit', {
      ...length,
      describe: 'limit of the process before libvirt sets one; default: 64KiB',
    })
    .option('json', { type: 'boolean', describe: 'print JSON' });
}

function latestOf(answers: readonly MemlockAnswer[]): MemlockAnswer[] {
  return answers.filter(({ rules }) => rules === LATEST_RULES);
}

function answer(
  guest: GuestDefinition,
  rules: RuleSet,
  events: readonly NamedEvent[],
  initial: bigint,
): MemlockAnswer {
  const limit = memlockLimit(guest, rules);
  if (events.length === 0) return { rules, limit, states: [] };
  const process = new ProcessLimit(guest, rules, initial);
  const stateAfter = (event: string): ProcessState => {
    return { event, limit: process.limit, needed: process.needed, original: process.original };
  };
  const states = [stateAfter('launch')];
  for (const { text, event } of events) {
    process.apply(event);
    states.push(stateAfter(text));
  }
  return { rules, limit, states };
}

interface NamedEvent {
  readonly text: string;
  readonly event: GuestEvent;
}

/** @throws InputError for what is no event. */
function parseEvent(text: string): NamedEvent {
  const [rest, ...flags] = text.trim().split(':') as [string, ...string[]];
  const [kind, size] = rest.split('=') as [string, string?];
  const isLate = flags.length === 1 && flags[0] === 'late' && kind.startsWith('attach');
  if (flags.length > 0 && !isLate) {
    throw new InputError(`'${text}' is not acceptable`, {
      field: '--events',
      allowed: 'an attach with :late, or without',
    });
  }
  if (kind === 'attach_dimm' || kind === 'detach_dimm') {
    return { text, event: { kind, size: parseMemory(size ?? '', { field: `--events ${kind}` }), isLate } };
  }
  if (size !== undefined) throw new InputError(`'${text}': only DIMMs have sizes`, { field: '--events' });
  return { text, event: { kind: requireDeviceEvent(kind), isLate } };
}

function guestFromFlags(args: Args): GuestDefinition {
  const memory = singleOption(args, 'memory', (text) => parseMemory(text, { field: '--memory' }));
  if (memory === undefined) {
    throw new InputError('no guest', {
      field: 'memlock',
      allowed: 'a domain XML file, or --memory and other options',
    });
  }
  const dimms = repeated(args.dimm)?.map((text) => parseMemory(text, { field: '--dimm' })) ?? [];
  const guest: GuestDefinition = {
    ...PLAIN_GUEST,
    arch: singleOption(args, 'arch', (text) => oneOf('arch', text, ARCHITECTURES)) ?? 'x86_64',
    isKvm: singleOption(args, 'virt', (text) => oneOf('virt', text, ['kvm', 'qemu'])) !== 'qemu',
    initial: memory - dimms.reduce((sum, dimm) => sum + dimm, 0n),
    dimms,
    maxMemory: singleOption(args, 'max-memory', (text) => parseMemory(text, { field: '--max-memory' })) ?? 0n,
    hardLimit: singleOption(args, 'hard-limit', (text) => parseMemory(text, { field: '--hard-limit' })),
    isLocked: args.locked === true,
    hasViommu: args.viommu === true,
    ...deviceCounts(repeated(args.device) ?? []),
  };
  requireDefinition(guest);
  return { ...guest, phbs: isPpc64(guest) ? 1 + guest.pciVfio : 0 };
}

function deviceCounts(texts: readonly string[]): Partial<GuestDefinition> {
  const counts: Record<string, number> = {};
  for (const text of texts) {
    const [name, count] = text.split('=') as [string, string?];
    const names = Object.keys(DEVICES) as (keyof typeof DEVICES)[];
    const found = names.find((known) => known === name);
    if (found === undefined) throw unknownName('device', name, names, { field: '--device' });
    const more = count === undefined ? 1 : integerOption(`device ${name}`, count, 0, MOST_DEVICES);
    counts[DEVICES[found]] = (counts[DEVICES[found]] ?? 0) + more;
  }
  return counts;
}

async function guestFromXml(args: Args, io: Io): Promise<GuestDefinition> {
  const doubled = GUEST_OPTIONS.find((option) => args[option] !== undefined);
  if (doubled !== undefined) {
    throw new InputError('not with a domain XML', { field: `--${doubled}`, allowed: 'one of the two' });
  }
  const path = inputPath(String(args.xml), io);
  return readDomain(await textOf(path, io), path === '-' ? 'standard input' : path);
}

/** @throws InputError where it cannot be read, is too long, or is not UTF-8. */
async function textOf(path: string, io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const source = path === '-' ? io.stdin : createReadStream(path);
  try {
    for await (const chunk of source) {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > MOST_BYTES)
        throw new InputError('too long', { file: path, allowed: `at most ${MOST_BYTES} bytes` });
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    return attemptIo('cannot read', path, () => {
      throw error;
    });
  }
}

/** What only the host, not the definition, can tell. */
function withHostFacts(guest: GuestDefinition, args: Args): GuestDefinition {
  const phbs = singleOption(args, 'phbs', (text) => integerOption('phbs', text, 1, MOST_DEVICES));
  const isForeign = !isPpc64(guest) && (phbs !== undefined || args.nvlink2 === true);
  if (isForeign)
    throw new InputError('only of ppc64', { field: phbs === undefined ? '--nvlink2' : '--phbs' });
  return { ...guest, phbs: phbs ?? guest.phbs, hasNvlink2: args.nvlink2 === true };
}

function bytesOf(text: string, option: string): bigint {
  return parseMemory(text, { field: `--${option}` }) << 10n;
}

function oneOf<T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw unknownName(option, text, allowed, { field: `--${option}` });
}

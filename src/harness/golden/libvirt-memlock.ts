import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { InputError } from '../../core/errors.js';
import { readDomain } from '../../memlock/domain-xml.js';
import {
  ARCHITECTURES,
  type GuestDefinition,
  PLAIN_GUEST,
  totalMemory,
} from '../../memlock/guest-definition.js';
import { memlockLimit } from '../../memlock/memlock-limit.js';
import { type GuestEvent, ProcessLimit } from '../../memlock/process-limit.js';
import { findRuleSet, RULE_SETS } from '../../memlock/rule-sets.js';
import { checkedJson, isVectorFile, type RowCheck, type RowOracle } from './row-oracle.js';

const Count = Type.Integer({ minimum: 0 });
const Kib = Type.Integer({ minimum: 0, maximum: 2 ** 53 });

const Facts = Type.Object({
  arch: Type.Union(ARCHITECTURES.map((arch) => Type.Literal(arch))),
  virt: Type.Union([Type.Literal('kvm'), Type.Literal('qemu')]),
  memory_kib: Kib,
  max_memory_kib: Kib,
  hard_limit_kib: Type.Union([Kib, Type.Null()]),
  locked: Type.Boolean(),
  viommu: Type.Boolean(),
  pci_vfio: Count,
  mdev: Count,
  nvlink2: Type.Optional(Type.Boolean()),
  nvme_disks: Count,
  vdpa_nets: Count,
  vdpa_disks: Count,
  phbs: Count,
});
type Facts = Static<typeof Facts>;

const Case = Type.Object({
  name: Type.String(),
  xml: Type.Optional(Type.String()),
  era: Type.Optional(Type.String()),
  expected_bytes: Type.String(),
  facts: Facts,
});
type Case = Static<typeof Case>;

const CasesFile = Type.Object({ cases: Type.Array(Case), derived_cases: Type.Array(Case) });

const Event = Type.Array(Type.Union([Type.String(), Type.Integer()]), { minItems: 1, maxItems: 3 });
const State = Type.Object({ limit: Type.String(), needed: Type.String(), orig: Type.String() });
const Sequence = Type.Object({
  name: Type.String(),
  start: Facts,
  process_default_limit: Type.Integer(),
  events: Type.Array(Type.Union([Type.Literal('launch'), Event])),
  eras: Type.Record(Type.String(), Type.Array(State)),
});
type Sequence = Static<typeof Sequence>;

const LifecycleFile = Type.Object({ sequences: Type.Array(Sequence) });

/** The first rules under which libvirt's own test cases have the values of today. */
const PEER_CASES_SINCE = '3.6.0';

/** Locked-memory limits of libvirt: values by rule set, and life cycles of a process. */
export const libvirtMemlockOracle: RowOracle = {
  name: 'libvirt-memlock',
  unit: 'rows',
  claims: (path) => isVectorFile(path, 'libvirt-memlock', ['cases.json', 'lifecycle.json']),
  caseName: (path) => basename(path, '.json'),
  rows: (path) => (basename(path) === 'cases.json' ? caseRows(path) : lifecycleRows(path)),
};

function* caseRows(path: string): Generator<RowCheck> {
  const { cases, derived_cases: derived } = checkedJson(CasesFile, path);
  const since = RULE_SETS.slice(RULE_SETS.indexOf(findRuleSet(PEER_CASES_SINCE)));
  for (const one of cases) {
    const guest = guestOf(one.facts);
    for (const { name } of since) yield limitRow(one, name, guest);
    const xml = one.xml === undefined ? '' : join(dirname(path), one.xml);
    if (xml === '' || !existsSync(xml)) continue;
    const read = readDomain(readFileSync(xml, 'utf8'), xml);
    const label = `${one.name}, from its XML`;
    yield { label, wanted: factsOf(guest), got: factsOf(read) };
    yield { ...limitRow(one, 'today', read), label };
  }
  for (const one of derived) yield limitRow(one, one.era ?? 'today', guestOf(one.facts));
}

function limitRow({ name, expected_bytes: wanted }: Case, rules: string, guest: GuestDefinition): RowCheck {
  const limit = memlockLimit(guest, findRuleSet(rules));
  return {
    label: `${name}, rules ${rules}`,
    wanted: { bytes: wanted },
    got: { bytes: String(limit.bytes) },
    context: () => limit.terms.map((term) => `${term.name} ${term.kib} KiB = ${term.formula}`).join('\n'),
  };
}

function* lifecycleRows(path: string): Generator<RowCheck> {
  for (const sequence of checkedJson(LifecycleFile, path).sequences) {
    for (const [era, states] of Object.entries(sequence.eras))
      yield* sequenceRows(sequence, era, states, path);
  }
}

function* sequenceRows(
  sequence: Sequence,
  era: string,
  states: readonly Static<typeof State>[],
  path: string,
): Generator<RowCheck> {
  const guest = guestOf(sequence.start);
  const process = new ProcessLimit(guest, findRuleSet(era), BigInt(sequence.process_default_limit));
  for (const [index, event] of sequence.events.entries()) {
    if (event !== 'launch') process.apply(eventOf(event, path));
    const label = `${sequence.name}, rules ${era}, event ${index} ${event}`;
    const got = {
      limit: String(process.limit),
      needed: String(process.needed),
      orig: String(process.original),
    };
    const wanted = states[index];
    if (wanted === undefined)
      throw new InputError(`no state after event ${index}`, { file: path, field: label });
    yield { label, wanted, got };
  }
}

function eventOf(event: Static<typeof Event>, file: string): GuestEvent {
  const kind = String(event[0]);
  const isLate = event.includes('late');
  if (kind === 'attach_dimm' || kind === 'detach_dimm') return { kind, size: BigInt(event[1] ?? 0), isLate };
  const devices = ['attach_pci', 'detach_pci', 'attach_mdev', 'detach_mdev'] as const;
  const device = devices.find((name) => name === kind);
  if (device !== undefined) return { kind: device, isLate };
  throw new InputError(`unknown event '${kind}'`, { file, field: 'events', allowed: devices.join(', ') });
}

function guestOf(facts: Facts): GuestDefinition {
  return {
    ...PLAIN_GUEST,
    arch: facts.arch,
    isKvm: facts.virt === 'kvm',
    initial: BigInt(facts.memory_kib),
    maxMemory: BigInt(facts.max_memory_kib),
    hardLimit: facts.hard_limit_kib === null ? undefined : BigInt(facts.hard_limit_kib),
    isLocked: facts.locked,
    hasViommu: facts.viommu,
    pciVfio: facts.pci_vfio,
    mdev: facts.mdev,
    hasNvlink2: facts.nvlink2 ?? false,
    nvmeDisks: facts.nvme_disks,
    vdpaInterfaces: facts.vdpa_nets,
    vdpaDisks: facts.vdpa_disks,
    phbs: facts.phbs,
  };
}

function factsOf(guest: GuestDefinition): Record<string, string> {
  const total = totalMemory(guest);
  return Object.fromEntries(
    Object.entries({ ...guest, total }).map(([name, value]) => [name, String(value)]),
  );
}

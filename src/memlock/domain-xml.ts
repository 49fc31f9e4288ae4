import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';
import {
  ARCHITECTURES,
  type Architecture,
  type GuestDefinition,
  isPpc64,
  type Kib,
  PLAIN_GUEST,
  requireDefinition,
} from './guest-definition.js';
import { scaledKib } from './memory-units.js';
import { elementAt, elementsAt, parseXml, type XmlElement } from './xml-tree.js';

/** Types of domains that QEMU runs. */
const VIRT_TYPES = ['kvm', 'qemu'];

/**
 * Reads what the limits depend on from a libvirt domain definition. Sizes are as written: see alignedForStart.
 * What the XML cannot tell is decided as libvirt's post-parse does without a host to ask: each PCI device of the
 * host that is passed to a pseries guest is an IOMMU group, with a host bridge of its own, unless bridges are given.
 * No NVLink2 bridge is seen, for that takes looking at the host.
 * @throws InputError with file and line where it is malformed or libvirt would refuse it.
 */
export function readDomain(text: string, file: string): GuestDefinition {
  const domain = parseXml(text, file);
  if (domain.name !== 'domain') {
    throw new InputError(`<${domain.name}>`, { file, line: domain.line, allowed: 'a <domain>' });
  }
  return new DomainReader(domain, file).read();
}

class DomainReader {
  constructor(
    private readonly domain: XmlElement,
    private readonly file: string,
  ) {}

  read(): GuestDefinition {
    const { domain } = this;
    const hostdevs = elementsAt(domain, 'devices', 'hostdev').filter(usesVfio);
    const interfaces = elementsAt(domain, 'devices', 'interface');
    const passed = interfaces.filter(({ attributes }) => attributes.type === 'hostdev').filter(usesVfio);
    const pci = [...hostdevs.filter(({ attributes }) => attributes.type === 'pci'), ...passed];
    const disks = elementsAt(domain, 'devices', 'disk');
    const guest: GuestDefinition = {
      ...PLAIN_GUEST,
      ...this.memory(),
      arch: this.architecture(),
      isKvm: this.isKvm(),
      hardLimit: this.lengthOf(elementAt(domain, 'memtune', 'hard_limit')),
      isLocked: elementAt(domain, 'memoryBacking', 'locked') !== undefined,
      hasViommu: elementAt(domain, 'devices', 'iommu') !== undefined,
      pciVfio: pci.length,
      mdev: hostdevs.filter(({ attributes }) => attributes.type === 'mdev').length,
      nvmeDisks: disks.filter((disk) => chainTypes(disk).includes('nvme')).length,
      vdpaInterfaces: interfaces.filter(({ attributes }) => attributes.type === 'vdpa').length,
      vdpaDisks: disks.flatMap(chainTypes).filter((type) => type === 'vhostvdpa').length,
    };
    const complete = { ...guest, phbs: isPpc64(guest) ? this.hostBridges(pci) : 0 };
    requireDefinition(complete, this.file);
    return complete;
  }

  private architecture(): Architecture {
    const type = elementAt(this.domain, 'os', 'type');
    const arch = type?.attributes.arch;
    const place = { file: this.file, line: (type ?? this.domain).line, field: 'os/type/@arch' };
    if (arch === undefined) {
      throw new InputError('no architecture', { ...place, allowed: ARCHITECTURES.join(', ') });
    }
    const found = ARCHITECTURES.find((known) => known === arch);
    if (found === undefined) throw unknownName('architecture', arch, ARCHITECTURES, place);
    return found;
  }

  private isKvm(): boolean {
    const type = this.domain.attributes.type ?? '';
    if (VIRT_TYPES.includes(type)) return type === 'kvm';
    throw new InputError(`type '${type}'`, {
      file: this.file,
      line: this.domain.line,
      field: 'domain/@type',
      allowed: VIRT_TYPES.join(', '),
    });
  }

  /** `<memory>` includes the DIMMs; where it is absent, the NUMA cells are the memory at boot. */
  private memory(): Pick<GuestDefinition, 'initial' | 'dimms' | 'maxMemory'> {
    const { domain } = this;
    const sizes = elementsAt(domain, 'devices', 'memory');
    const dimms = sizes.map((dimm) => this.requireLength(elementAt(dimm, 'target', 'size'), dimm));
    const plugged = dimms.reduce((sum, dimm) => sum + dimm, 0n);
    const total = this.lengthOf(elementAt(domain, 'memory'));
    const cells = elementsAt(domain, 'cpu', 'numa', 'cell').map((cell) => this.cellMemory(cell));
    const initial = total === undefined ? cells.reduce((sum, cell) => sum + cell, 0n) : total - plugged;
    return { initial, dimms, maxMemory: this.lengthOf(elementAt(domain, 'maxMemory')) ?? 0n };
  }

  private cellMemory(cell: XmlElement): Kib {
    const { memory, unit } = cell.attributes;
    if (memory === undefined) return 0n;
    return scaledKib(memory, unit, { file: this.file, line: cell.line, field: 'cell/@memory' });
  }

  private lengthOf(element: XmlElement | undefined): Kib | undefined {
    if (element === undefined) return undefined;
    const place = { file: this.file, line: element.line, field: element.name };
    return scaledKib(element.text, element.attributes.unit, place);
  }

  private requireLength(element: XmlElement | undefined, within: XmlElement): Kib {
    const length = this.lengthOf(element);
    if (length !== undefined) return length;
    throw new InputError('no size', { file: this.file, line: within.line, field: 'memory/target/size' });
  }

  private hostBridges(pci: readonly XmlElement[]): number {
    const given = elementsAt(this.domain, 'devices', 'controller').filter(
      ({ attributes }) => attributes.type === 'pci' && attributes.model === 'pci-root',
    );
    if (given.length > 0) return given.length;
    return 1 + new Set(pci.map(hostAddress)).size;
  }
}

/** Passed through with VFIO: the only way there is today, but older definitions may name others. */
function usesVfio(device: XmlElement): boolean {
  const { attributes } = device;
  if (device.name === 'hostdev' && attributes.mode !== undefined && attributes.mode !== 'subsystem')
    return false;
  return (elementAt(device, 'driver')?.attributes.name ?? 'vfio') === 'vfio';
}

/** Types of the sources of a disk and its backing chain, and of what it is mirrored to. */
function chainTypes(disk: XmlElement): string[] {
  const below = [...elementsAt(disk, 'backingStore'), ...elementsAt(disk, 'mirror')];
  return [disk.attributes.type ?? 'file', ...below.flatMap(chainTypes)];
}

/** The device of the host that a PCI device is; functions of one device share an IOMMU group here. */
function hostAddress(device: XmlElement): string {
  const { domain = '0', bus = '0', slot = '0' } = elementAt(device, 'source', 'address')?.attributes ?? {};
  return [domain, bus, slot].map(Number).join(':');
}

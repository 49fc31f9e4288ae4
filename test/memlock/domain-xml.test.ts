import { describe, expect, it } from 'vitest';
import { readDomain } from '../../src/memlock/domain-xml.js';
import { inputErrorOf } from '../support/input-error.js';

/** A domain with these elements inside, and those in its devices. */
function domain(inside: string, devices = '', arch = 'x86_64'): string {
  return `<domain type='kvm'>
  <os><type arch='${arch}'>hvm</type></os>
  ${inside}
  <devices>${devices}</devices>
</domain>`;
}

const MEMORY = "<memory unit='GiB'>2</memory>";
const hostdev = (slot: string, functionNumber = '0x0') =>
  `<hostdev mode='subsystem' type='pci'><source><address domain='0x0' bus='0x3' slot='${slot}' function='${functionNumber}'/></source></hostdev>`;

const read = (text: string) => readDomain(text, 'guest.xml');

describe('a domain definition', () => {
  it('memory includes the DIMMs; sizes round up to KiB', () => {
    const dimm = "<memory model='dimm'><target><size unit='MiB'>512</size></target></memory>";
    const guest = read(domain(`${MEMORY}<maxMemory unit='bytes'>8589934593</maxMemory>`, dimm));
    expect([guest.initial, guest.dimms, guest.maxMemory]).toEqual([
      (2n << 20n) - (512n << 10n),
      [512n << 10n],
      (8n << 20n) + 1n,
    ]);
  });

  it('NUMA cells are the memory where there is no other', () => {
    const cells = "<cpu><numa><cell memory='1' unit='GiB'/><cell memory='1024'/></numa></cpu>";
    expect(read(domain(cells)).initial).toBe((1n << 20n) + 1024n);
  });

  it('counts devices that are passed through', () => {
    const guest = read(
      domain(
        `${MEMORY}<memtune><hard_limit>5</hard_limit></memtune><memoryBacking><locked/></memoryBacking>`,
        `${hostdev('0x1')}
         <hostdev mode='subsystem' type='mdev'/><hostdev mode='subsystem' type='usb'/>
         <hostdev mode='subsystem' type='pci'><driver name='kvm'/></hostdev>
         <hostdev mode='capabilities' type='pci'/>
         <interface type='hostdev'/><interface type='vdpa'/><interface type='network'/>
         <disk type='nvme'/>
         <disk type='file'><backingStore type='nvme'><backingStore type='vhostvdpa'/></backingStore></disk>
         <disk type='vhostvdpa'/><disk type='block'/>
         <iommu model='intel'/>`,
      ),
    );
    expect(guest).toMatchObject({
      pciVfio: 2,
      mdev: 1,
      nvmeDisks: 2,
      vdpaInterfaces: 1,
      vdpaDisks: 2,
      hasViommu: true,
      isLocked: true,
      hardLimit: 5n,
      phbs: 0,
    });
  });

  it('on pseries each device of the host gets a host bridge, its functions one', () => {
    const devices = hostdev('0x1') + hostdev('0x1', '0x1') + hostdev('0x2');
    expect(read(domain(MEMORY, devices, 'ppc64le')).phbs).toBe(3);
    const given = "<controller type='pci' model='pci-root'/><controller type='pci' model='pci-bridge'/>";
    expect(read(domain(MEMORY, devices + given, 'ppc64le')).phbs).toBe(1);
  });

  it('text may be split by comments and sections', () => {
    expect(read(domain('<memory>10<!-- -->2<![CDATA[4]]></memory>')).initial).toBe(1024n);
  });
});

describe('what is refused, with its place', () => {
  it.each([
    ['no XML', 'hello', 'guest.xml:1:'],
    ['nothing', '', 'guest.xml:1:1: malformed XML (document must contain a root element'],
    ['another document', '<network/>', 'guest.xml:1: <network> (allowed: a <domain>)'],
    ['an end that is missing', domain(MEMORY).replace('</devices>', ''), 'malformed XML'],
    ['half a document', domain(MEMORY).slice(0, 80), 'malformed XML'],
    ['entities of its own', `<!DOCTYPE d [<!ENTITY a "&b;">]>${domain(MEMORY)}`, 'a document type'],
    ['an entity that is unknown', domain('<memory>&lots;</memory>'), 'malformed XML (undefined entity'],
    ['too long a text', domain(`<memory>${' '.repeat(5_000_000)}1</memory>`), 'allowed: at most 4194304'],
    ['too deep a tree', '<domain>'.repeat(70), 'elements nest too deep'],
    ['an unknown unit', domain("<memory unit='GX'>2</memory>"), "guest.xml:3: memory: unknown unit 'GX'"],
    ['more than 2^63 bytes', domain("<memory unit='EiB'>8</memory>"), 'guest.xml:3: memory: '],
    ['no number', domain('<memory>lots</memory>'), "guest.xml:3: memory: 'lots' is not a length"],
    ['no memory', domain(''), 'guest.xml: memory: no memory at boot'],
    [
      'DIMMs larger than the memory',
      domain(MEMORY, "<memory><target><size unit='GiB'>3</size></target></memory>"),
      'no memory at boot',
    ],
    ['a DIMM without a size', domain(MEMORY, '<memory/>'), 'guest.xml:4: memory/target/size: no size'],
    [
      'less maxMemory than memory',
      domain(`${MEMORY}<maxMemory>1</maxMemory>`),
      'maxMemory: maxMemory 1 KiB is less',
    ],
    [
      'an unknown architecture',
      domain(MEMORY, '', 'x86_46'),
      "guest.xml:2: os/type/@arch: unknown architecture 'x86_46'; did you mean 'x86_64'?",
    ],
    ['no architecture', "<domain type='kvm'><memory>1</memory></domain>", 'os/type/@arch: no architecture'],
    ['another hypervisor', domain(MEMORY).replace("'kvm'", "'xen'"), "domain/@type: type 'xen'"],
  ])('%s', (_what, text, message) => {
    expect(inputErrorOf(() => read(text))).toContain(message);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const XML = `<domain type='kvm'>
  <memory unit='GiB'>8</memory>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <hostdev mode='subsystem' type='pci'/><hostdev mode='subsystem' type='pci'/><iommu model='intel'/>
  </devices>
</domain>`;

describe('kvabench memlock', () => {
  it('shows the limit of every rule set, and the terms of today', async () => {
    const { stdout, exitCode } = await runCli([
      'memlock',
      '--memory',
      '8GiB',
      '--device',
      'vfio=2',
      '--viommu',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n7\.2\.0 +9663676416 \(9 GiB\) +passed-through devices/);
    expect(stdout).toMatch(
      /\nrules 9\.4\.0: 18253611008 \(17 GiB\)\n +memory +16777216 +KiB = 2 × 8388608\n/,
    );
  });

  it('answers the same from XML in a file or on standard input', async () => {
    const file = join(temporaryFolder(), 'guest.xml');
    writeFileSync(file, XML);
    const flags = await runCli(['memlock', '--memory', '8GiB', '--device', 'vfio=2', '--viommu']);
    expect(await runCli(['memlock', file])).toEqual(flags);
    expect(await runCli(['memlock', '-'], XML)).toEqual(flags);
  });

  it('follows the limit through events', async () => {
    const { stdout } = await runCli(
      'memlock --memory 8GiB --arch ppc64le --max-memory 32GiB --rules 7.2.0 --events attach_pci,detach_pci'.split(
        ' ',
      ),
      '',
      undefined,
      { COLUMNS: '120' },
    );
    expect(stdout).toMatch(/ detach_pci +8896118784 \(8\.29 GiB\) +281018368 .* 8615100416 \(8\.02 GiB\)\n$/);
  });

  it('prints JSON with integers as text', async () => {
    const { stdout } = await runCli([
      'memlock',
      '--memory',
      '1GiB',
      '--locked',
      '--rules',
      'today',
      '--json',
    ]);
    const { answers } = JSON.parse(stdout) as { answers: { bytes: string; isUnlimited: boolean }[] };
    expect(answers).toMatchObject([{ bytes: '9007199254740991', isUnlimited: true }]);
  });

  it('tells of arithmetic that wraps, and of what was not read', async () => {
    const wraps = await runCli(['memlock', '--memory', '7EiB', '--device', 'vdpa=2000', '--rules', '8.7.0']);
    expect(wraps.exitCode).toBe(0);
    expect(wraps.stdout).toContain('OVERFLOW: KiB to bytes: 16140901064496931405824 wraps to 1073741824');
    expect(wraps.stdout).toContain('doubtful: its code was not read');
  });

  it.each([
    ['no guest', [], 'memlock: no guest'],
    ['no file', ['none.xml'], 'none.xml: cannot read'],
    ['both', ['guest.xml', '--memory', '1GiB'], '--memory: not with a domain XML'],
    ['an unknown unit', ['--memory', '1GX'], "--memory: unknown unit 'GX'"],
    ['an unknown architecture', ['--memory', '1GiB', '--arch', 'vax'], "--arch: unknown arch 'vax'"],
    ['an unknown device', ['--memory', '1GiB', '--device', 'isa'], "--device: unknown device 'isa'"],
    [
      'no number of devices',
      ['--memory', '1GiB', '--device', 'vfio=x'],
      "--device vfio: 'x' is not acceptable",
    ],
    ['unknown rules', ['--memory', '1GiB', '--rules', 'now'], "--rules: unknown rule set 'now'"],
    ['an unknown event', ['--memory', '1GiB', '--events', 'attach_pc'], "did you mean 'attach_pci'?"],
    [
      'a DIMM without a size',
      ['--memory', '1GiB', '--events', 'attach_dimm'],
      "--events attach_dimm: '' is not a length",
    ],
    ['a size of a device', ['--memory', '1GiB', '--events', 'attach_pci=1'], 'only DIMMs have sizes'],
    [
      'a late detach',
      ['--memory', '1GiB', '--events', 'detach_pci:late'],
      'an attach with :late, or without',
    ],
    ['a detach of nothing', ['--memory', '1GiB', '--events', 'detach_pci'], 'nothing of pciVfio is attached'],
    ['host bridges of x86', ['--memory', '1GiB', '--phbs', '2'], '--phbs: only of ppc64'],
    ['too little maxMemory', ['--memory', '2GiB', '--max-memory', '1GiB'], 'maxMemory 1048576 KiB is less'],
  ])('refuses %s', async (_what, options, message) => {
    const { stderr, stdout, exitCode } = await runCli(['memlock', ...options]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('refuses what is not UTF-8', async () => {
    const file = join(temporaryFolder(), 'guest.xml');
    writeFileSync(file, Buffer.from([0x3c, 0xff, 0xfe]));
    const { stderr, exitCode } = await runCli(['memlock', file]);
    expect([exitCode, stderr.includes('cannot read')]).toEqual([1, true]);
  });
});

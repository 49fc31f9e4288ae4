import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('kvabench layout', () => {
  it('prints segments from above, with base, size and rule', async () => {
    const { stdout, exitCode } = await runCli(['layout', 'illumos-amd64', '--physmem', '512G']);
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('illumos-amd64, after-12608, 512 GiB of RAM');
    expect(lines[2]).toMatch(/^text, debugger +0xfffffffffb800000/);
    expect(stdout).toMatch(/\nsegkvmm +0xfffffb8460000000 +2 TiB +4·RAM/);
    expect(stdout).toMatch(/\nsegkpm +0xfffffb0000000000 +512 GiB/);
  });

  it('sweeps by doublings and marks what does not fit', async () => {
    const { stdout, exitCode } = await runCli(['layout', 'illumos-amd64', '--sweep', '8T..24T']);
    expect(exitCode).toBe(0);
    const marks = stdout
      .split('\n')
      .slice(2, 5)
      .map((line) => line.trim().split(/ {2,}/).slice(0, 2));
    expect(marks).toEqual([
      ['8 TiB', '0xffffbe8000000000'],
      ['16 TiB', '0xffff808000000000'],
      ['!', '24 TiB'],
    ]);
    expect(stdout).toContain(
      '24 TiB: does not fit: heap would need 32680473264128 bytes more than there are',
    );
  });

  it('says no, with everything that is wrong, to a layout that does not fit', async () => {
    const { stdout, exitCode } = await runCli(['layout', 'illumos-amd64', '--physmem', '24T']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('DOES NOT FIT: heap would need');
    expect(stdout).toContain('OVERLAP: segzio and core heap share');
  });

  it('prints JSON and CSV of the same segments', async () => {
    const command = ['layout', 'illumos-i86', '--physmem', '4G', '--segkp', 'static'];
    const json = JSON.parse((await runCli([...command, '--json'])).stdout) as {
      sound: boolean;
      segments: { name: string; base: string; size: string }[];
    };
    const rows = parse((await runCli([...command, '--csv'])).stdout, { columns: true }) as Record<
      string,
      string
    >[];
    expect(json.sound).toBe(true);
    expect(rows.map(({ segment, base, size }) => [segment, base, size])).toEqual(
      json.segments.map(({ name, base, size }) => [name, base, size]),
    );
    expect(json.segments.map(({ name }) => name)).toContain('segkp');
  });

  it('prints sizes below zero and formulas without what spreadsheets need to be told', async () => {
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--sweep', '24T..24T', '--csv']);
    const rows = parse(stdout, { columns: true }) as Record<string, string>[];
    expect(rows.find(({ segment }) => segment === 'heap')!.size).toBe('-32680473264128');
    const quoted = await runCli([
      'layout',
      'illumos-amd64',
      '--physmem',
      '1T',
      '--revision',
      'quoted',
      '--csv',
    ]);
    expect(quoted.stdout).toContain(',"−(4·RAM), to 512 GiB, unbounded",');
  });

  it('keeps the text of a picture within it', async () => {
    const options = ['--revision', 'after-12608', '--svg'];
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--physmem', '24T', ...options]);
    const width = Number(/ width="(\d+)"/.exec(stdout)![1]);
    const texts = [...stdout.matchAll(/<text x="(\d+)" [^>]*?>([^<]*)</g)].filter(
      ([tag]) => !tag.includes('anchor'),
    );
    expect(texts.length).toBeGreaterThan(40);
    // A character of a monospaced font is 0.6 of its size wide: 12, or 16 in the title.
    for (const [tag, x, content] of texts) {
      const em = tag.includes('font-size="16"') ? 16 : 12;
      const end = Number(x) + content!.length * 0.61 * em;
      expect([content, end <= width]).toEqual([content, true]);
    }
  });

  it('says in a picture what its heights are, where it ends and what the hole of 48-bit addresses is', async () => {
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--physmem', '512G', '--svg']);
    expect(Number(/ width="(\d+)"/.exec(stdout)![1])).toBeLessThanOrEqual(1000);
    const words = [
      'logarithm',
      '0xffffffffffffffff',
      'no addresses',
      'not canonical',
      '16.0 EiB',
      '>unused<',
    ];
    for (const word of words) expect([word, stdout.includes(word)]).toEqual([word, true]);
    const small = await runCli(['layout', 'illumos-i86', '--physmem', '4G', '--svg']);
    expect(small.stdout).not.toContain('>unused<');
    expect(small.stdout).toContain('>0xffffffff<');
  });

  it('breaks a rule that is long into lines', async () => {
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--physmem', '24T', '--svg']);
    expect(stdout).toContain('>SEGKPM_BASE − 8·(RAM − 256 GiB), to 512 GiB;</text>');
    expect(stdout).toContain('>0xffff3f0000000000 bounded</text>');
  });

  it('writes a picture whole, in well-formed XML, with every segment', async () => {
    const out = join(temporaryFolder(), 'layout.svg');
    const { stdout } = await runCli(['layout', 'illumos-amd64', '--physmem', '24T', '--svg', '--out', out]);
    expect(stdout).toBe('');
    const svg = readFileSync(out, 'utf8');
    const parser = new SaxesParser();
    parser.on('error', (error) => {
      throw error;
    });
    parser.write(svg).close();
    for (const word of ['segkvmm', 'red zone', 'does not fit: heap', '0xffff810000000000']) {
      expect([word, svg.includes(word)]).toEqual([word, true]);
    }
  });

  it.each([
    ['no RAM at all', [], '--physmem: how much RAM?'],
    ['what is no length', ['--physmem', 'much'], "--physmem: 'much' is not a length"],
    ['an unknown revision', ['--physmem', '1T', '--revision', 'next'], "--revision: 'next' is unknown"],
    [
      'an option of the other platform',
      ['--physmem', '1T', '--segkp', 'heap'],
      '--segkp: not for illumos-amd64',
    ],
    ['two forms', ['--physmem', '1T', '--json', '--csv'], '--csv: more than one form of output'],
    ['a sweep as a picture', ['--sweep', '1G..2G', '--svg'], '--svg: not with --sweep'],
    ['a sweep that falls', ['--sweep', '2G..1G'], "--sweep: '2G..1G' is no ascending range"],
    ['a sweep of one end', ['--sweep', '2G'], "--sweep: '2G' is no range"],
    ['a sweep and a size', ['--sweep', '1G..2G', '--physmem', '1G'], '--sweep: not with --physmem'],
    ['RAM given twice', ['--physmem', '1G', '--physmem', '2G'], '--physmem: given more than once'],
    ['part of a page', ['--physmem', '4097'], 'physmem: 4097 bytes cannot be laid out'],
  ])('refuses %s', async (_what, options, message) => {
    const { stderr, stdout, exitCode } = await runCli(['layout', 'illumos-amd64', ...options]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each([
    ['an unknown machine', ['vax', '--physmem', '1G'], 'illumos-amd64'],
    [
      'amd64 options on i86',
      ['illumos-i86', '--physmem', '1G', '--revision', 'quoted'],
      '--revision: not for illumos-i86',
    ],
    [
      'a size of a segkp without one',
      ['illumos-i86', '--physmem', '1G', '--segkp-size', '1M'],
      '--segkp-size: ',
    ],
  ])('refuses %s', async (_what, options, message) => {
    const { stderr, exitCode } = await runCli(['layout', ...options]);
    expect([exitCode, stderr.includes(message)]).toEqual([1, true]);
  });
});

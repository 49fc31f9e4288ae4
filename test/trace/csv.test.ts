import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AddressSpace } from '../../src/core/address.js';
import { RequestClass } from '../../src/core/request.js';
import { openTrace } from '../../src/trace/arrow-reader.js';
import { readTraceCsv, writeTraceCsv } from '../../src/trace/trace-csv.js';
import { eventsOf, importInto, temporaryFolder } from './support.js';

const folder = temporaryFolder();
const importText = (text: string) => importInto(folder.path('t.arrow'), { text });

describe('csv importer', () => {
  it('reads all columns in any order, behind comments', async () => {
    const { trace, skipped } = await importText(
      [
        '# made by hand',
        'object,op,time,cpu,cls,size,align,site,address',
        '7,alloc,1000,1,va,20480,16384,f+0x1,0xffffd0f540000000',
        '0x10,0,1500,0,0,64,,,',
        '7,free,2000,1,,,,,',
        '99,free,2000,1,kstack,,,,',
        '7,reclaim,2100,0,,,,,',
        '7,alloc,x,0,,1,,,',
        '7,alloc,1,0',
        '7,alloc,2500,0,nonsense,1,,,',
        '7,alloc,2500,0,kmem,0,,,',
        'c',
      ].join('\r\n'),
    );
    expect(trace.metadata.provenance.importer).toBe('csv 1');
    const [area, object, free] = eventsOf(trace);
    expect(area).toMatchObject({
      timeNs: 0,
      cpu: 1,
      cls: RequestClass.va,
      size: 20480,
      constraint: 0,
      site: 0,
    });
    expect(trace.constraints.align[0]).toBe(16384);
    expect(AddressSpace.canonical.format(area!.address)).toBe('0xffffd0f540000000');
    expect(object).toMatchObject({ timeNs: 500, cls: RequestClass.kmem, size: 64, site: -1, address: -1 });
    expect(free).toMatchObject({ op: 1, object: area!.object, cls: RequestClass.va });
    expect(skipped).toEqual({
      'cut-last-line': 1,
      'free-of-unknown/kstack': 1,
      'not-imported:reclaim': 1,
      'unparsed-line': 4,
    });
  });

  it('gives back names that spreadsheets would run, and no cell of the text begins with one', async () => {
    const site = 'f;=cmd|x;+1; @a;-b;c';
    const { trace } = await importText(`op,object,size,site\nalloc,1,8,${site}\n`);
    const csv = folder.path('t.csv');
    await writeTraceCsv(trace, csv, true);
    const text = readFileSync(csv, 'utf8');
    expect(text.split(/[,;\n]/).filter((cell) => /^\s*[=+@]|^\s*-\D/.test(cell))).toEqual([]);
    const again = folder.path('again.arrow');
    await readTraceCsv(csv, Readable.from([]), again, { overwrite: true });
    expect(openTrace(again).metadata.sites).toEqual([site]);
  });

  it('counts rows as time where there is none, and takes seconds with a fraction', async () => {
    const rows = 'op,object,size\nalloc,1,8\nalloc,2,8\n';
    expect(eventsOf((await importText(rows)).trace).map(({ timeNs }) => timeNs)).toEqual([0, 1]);
    const stamped = 'op,object,size,time\nalloc,1,8,10.5\nalloc,2,8,10.500001\n';
    expect(eventsOf((await importText(stamped)).trace).map(({ timeNs }) => timeNs)).toEqual([0, 1000]);
  });

  it.each([
    [
      'op,object,size,colour\n',
      /standard input:1: column 'colour' is unknown or there twice.*allowed: op, object/,
    ],
    ['op,object,op\n', /column 'op' is unknown or there twice/],
  ])('refuses the header %j', async (text, message) => {
    await expect(importText(text)).rejects.toThrow(message);
  });
});

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The root of a container writes to any folder: a path that leads through a file is refused to everybody. */
it.each([
  ['import', 'events.csv', 'events.csv/out.arrow'],
  ['import', 'events.csv/none', 'out.arrow'],
  ['convert', 'events.csv', 'events.csv/out.arrow'],
  ['convert', 'events.csv/none', 'out.arrow'],
])('trace %s %s --out %s is refused with one message that names the path', async (command, input, output) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'events.csv'), 'op,object,size\nalloc,1,4096\n');
  const result = await runCli(['trace', command, join(folder, input), '--out', join(folder, output)]);
  expect(result).toMatchObject({ exitCode: 1, stdout: '' });
  expect(result.stderr).toMatch(/^kvabench: .*events\.csv\/(none|out\.arrow): .*not a directory\n$/);
  expect(readdirSync(folder)).toEqual(['events.csv']);
});

it.each(['import', 'convert'])('trace %s refuses two places to write to', async (command) => {
  const folder = temporaryFolder();
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('events.csv'), 'op,object,size\nalloc,1,4096\n');
  const outs = ['--out', path('a.arrow'), '--out', path('b.arrow')];
  const { exitCode, stderr } = await runCli(['trace', command, path('events.csv'), ...outs]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'kvabench: --out: given more than once\n' });
  expect(readdirSync(folder)).toEqual(['events.csv']);
});

import { readFileSync } from 'node:fs';

/** Version of the program, from package.json. */
export function toolVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

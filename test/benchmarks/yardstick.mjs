// How many times the kernel's own C code our models take, on this machine and now: times kvabench bench and the native
// yardstick in turn and divides by the factors that its YARDSTICK.md gives. Needs gcc and the material beside the
// repository. Usage: npm run build && node test/benchmarks/yardstick.mjs ../shared [rounds] [case…]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const [shared = '../shared', rounds = '5', ...named] = process.argv.slice(2);
const cases = named.length > 0 ? named : [
  'speed-1m-instantfit',
  'speed-1m-qcache',
  'speed-1m-q16',
  'speed-1m-noq',
  'speed-300k',
  'million-kmem',
  'kstack-kva',
  'long-8cpu',
];
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const golden = join(shared, 'golden');

const factors = new Map(
  [...readFileSync(join(shared, 'bench/YARDSTICK.md'), 'utf8').matchAll(/^\| [^|]+ \| ([^|]+) \|[^|]+\| ([\d.]+) \|$/gm)].map(
    ([, name, factor]) => [name, Number(factor)],
  ),
);

// The C code of Linux's vmap has no row there; the factor wanted is 150 ns where the yardstick takes 56.
factors.set('long-8cpu', 150 / 56);

const yardstick = join(mkdtempSync(join(tmpdir(), 'yardstick-')), 'yardstick');
execFileSync('gcc', ['-O2', '-o', yardstick, join(shared, 'bench/yardstick.c')]);
const operations = gunzipSync(readFileSync(join(golden, 'illumos-vmem/speed-1m-instantfit/ops.csv.gz')));

function yardstickNs() {
  const argv = ['0xfffffe0000000000', '17179869184', '4096', '5'];
  const text = execFileSync(yardstick, argv, { input: operations, encoding: 'utf8' });
  return Number(/([\d.]+) ns\/op/.exec(text)[1]);
}

/** Directory of a case, whichever oracle it is of. */
function directoryOf(name) {
  return readdirSync(golden).map((oracle) => join(golden, oracle, name)).find((path) => existsSync(path)) ?? name;
}

function modelNs(name) {
  const argv = [main, 'bench', directoryOf(name), '--json', '--repeat', '7'];
  return JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' })).nsPerOp;
}

for (const name of cases) {
  const ratios = [];
  for (let round = 0; round < Number(rounds); round++) ratios.push(modelNs(name) / yardstickNs() / factors.get(name));
  ratios.sort((a, b) => a - b);
  const [low, middle, high] = [ratios[0], ratios[ratios.length >> 1], ratios.at(-1)].map((ratio) => ratio.toFixed(2));
  process.stdout.write(`${name}: ${middle} times the kernel's C code, or what is wanted (${low}–${high}, ${ratios.length} rounds)\n`);
}

// What the order of the cells does to their times: times a suite under two permutations, in separate runs, and prints per
// timed cell the ratio of the two medians, and the largest. It holds the drift of the machine between the runs too.
// Usage: npm run build && node test/benchmarks/order-bias.mjs [argument of kvabench run …]; default: first-look
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';

const given = process.argv.slice(2);
const suite = given.length > 0 ? given : ['first-look'];
const SEEDS = ['1', '2'];
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(os.tmpdir(), 'order-bias-'));

/** Medians of a run by timed cell, for each clock. */
function medians(seed) {
  const out = join(folder, seed);
  const argv = [main, 'run', ...suite, '--timing', '--timing-seed', seed, '--out', out];
  process.stdout.write(`seed ${seed}: load ${os.loadavg()[0].toFixed(2)} on ${os.cpus().length} processors before\n`);
  const { status } = spawnSync(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
  const rows = parse(readFileSync(join(out, 'timing-summary.csv'), 'utf8'), { columns: true });
  return new Map(
    rows.map(({ workload, backend, seed, metrics, clock, ns_per_event, relative_half_width }) => [
      `${clock} ${workload} ${backend} ${seed} ${metrics}`,
      { clock, ns: Number(ns_per_event), width: Number(relative_half_width) },
    ]),
  );
}

const [first, second] = SEEDS.map(medians);
rmSync(folder, { recursive: true, force: true });
for (const clock of ['cpu', 'wall']) {
  let largest = 1;
  for (const [name, one] of first) {
    if (one.clock !== clock) continue;
    const other = second.get(name);
    const ratio = Math.max(one.ns, other.ns) / Math.min(one.ns, other.ns);
    largest = Math.max(largest, ratio);
    const widths = [one, other].map(({ width }) => `±${(100 * width).toFixed(1)} %`).join(' and ');
    process.stdout.write(`${name}: ${one.ns.toFixed(1)} and ${other.ns.toFixed(1)} ns/event (${widths}), ratio ${ratio.toFixed(3)}\n`);
  }
  process.stdout.write(`largest ratio of medians by ${clock} time: ${largest.toFixed(3)}\n`);
}

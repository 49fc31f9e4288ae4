// What the order of the cells does to their times. Two fixed permutations of the timed cells of a suite take turns, round by
// round, so that both see the same drift of the machine; the medians of all rounds are printed per cell with their
// ratio, and the largest ratio.
// Usage: npm run build && node test/benchmarks/order-bias.mjs [rounds [argument of kvabench run …]]; default: 5 first-look
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { median } from '../../dist/harness/statistics.js';

const [rounds = '5', ...given] = process.argv.slice(2);
const suite = given.length > 0 ? given : ['first-look'];
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(os.tmpdir(), 'order-bias-'));

/** Measured replays of one round in the permutation of `seed`; exact cells are run once and kept. */
function timeRound(seed) {
  const settings = ['--timing', '--timing-rounds', '1', '--timing-seed', String(seed), '--resume', '--out', folder];
  const { status } = spawnSync(process.execPath, [main, 'run', ...suite, ...settings], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  const rows = parse(readFileSync(join(folder, 'timing.csv'), 'utf8'), { columns: true });
  return rows.filter(({ warm_up }) => warm_up === '0');
}

const permutations = [[], []];
for (let round = 0; round < Number(rounds); round++) {
  process.stdout.write(`round ${round}: load ${os.loadavg()[0].toFixed(2)} on ${os.cpus().length} processors\n`);
  // Which of the two comes first changes too.
  for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) permutations[index].push(...timeRound(index + 1));
}
rmSync(folder, { recursive: true, force: true });

const nameOf = ({ workload, backend, seed, metrics }) => `${workload}, ${backend}, seed ${seed}, metrics ${metrics}`;
for (const clock of ['cpu_ns', 'wall_ns']) {
  const names = [...new Set(permutations[0].map(nameOf))].sort();
  const ratios = names.map((name) => {
    const [one, other] = permutations.map((rows) => {
      const times = rows.filter((row) => nameOf(row) === name).map((row) => row[clock] / row.events);
      return median(times.sort((a, b) => a - b));
    });
    const ratio = Math.max(one, other) / Math.min(one, other);
    process.stdout.write(`${clock} ${name}: ${one.toFixed(1)} and ${other.toFixed(1)} per event, ratio ${ratio.toFixed(3)}\n`);
    return ratio;
  });
  process.stdout.write(`${clock}: largest ratio of medians ${Math.max(...ratios).toFixed(3)}\n`);
}

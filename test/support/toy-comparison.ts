import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommandWith } from '../../src/cli/commands/run.js';
import type { Component } from '../../src/harness/component.js';
import type { Measure } from '../../src/harness/timing/launch.js';
import { runCli } from './run-cli.js';
import { temporaryFolder } from './temporary-folder.js';
import { measured, toyTimedCells } from './timing.js';
import { TOYS } from './toy.js';
import { toyComponent } from './toy-suite.js';

/** A toy backend under a label of the caller's, so that two folders can hold different figures of one name. */
export function labelled(label: string, text: string): Component {
  return { ...toyComponent('backend', text), label };
}

/**
 * The folder of a toy run with times: `times` are the CPU nanoseconds per event of each process, a row per process, of the
 * first backend without recording; everything else takes 1000.
 */
export async function timedToys(times: readonly (readonly number[])[]): Promise<string> {
  const folder = temporaryFolder();
  const suite = join(folder, 'toys.yaml');
  writeFileSync(
    suite,
    'name: toys\nworkloads: [toy-load]\nbackends: [toy-fit, {backend: toy-fit, name: "toy-fit:size=32KiB", size: 32KiB}]\nsamples: 8\n',
  );
  const cells = toyTimedCells();
  let process = 0;
  const measure: Measure = async ({ plan, metrics }) => {
    const cell = cells.find((one) => one.plan.id === plan.id && one.metrics === metrics)!;
    const isFirst = plan.backend.label === 'toy-fit' && !metrics;
    const chosen = isFirst ? times[process++]! : [1000, 1000];
    return measured(cell, 5000, ...chosen.map((time) => time * 400));
  };
  const out = join(folder, 'out');
  const argv = ['run', suite, '--out', out, '--timing', '--timing-rounds', String(times.length)];
  const { exitCode, stderr } = await runCli(argv, '', [runCommandWith(TOYS, measure)]);
  if (exitCode !== 0) throw new Error(stderr);
  return out;
}

import type { Argv } from 'yargs';
import { InputError } from '../../core/errors.js';
import { parseBytes } from '../../core/units.js';
import { AMD64_REVISIONS, type Amd64Revision, amd64Layout } from '../../layout/illumos-amd64.js';
import { I86_SEGKP, type I86Segkp, i86Layout } from '../../layout/illumos-i86.js';
import { isSound, type Layout } from '../../layout/layout.js';
import { layoutSvg } from '../../layout/layout-svg.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { layoutCsv, layoutJson, layoutTable, shortSize, sweepTable } from '../layout-tables.js';
import { singleOption } from '../option-values.js';
import { writeText } from '../text-output.js';

type Args = Readonly<Record<string, unknown>>;

const PLATFORMS = ['illumos-amd64', 'illumos-i86'] as const;
/** Options that only one platform knows. */
const ONLY_AMD64 = ['revision', 'physmax', 'plat-dr', 'segkvmm-size'] as const;
const ONLY_I86 = ['segkp', 'kernelbase', 'pae'] as const;

/** `kvabench layout PLATFORM`: where a kernel puts its segments, and whether they fit. */
export const layoutCommand: Command = {
  usage: 'layout <platform>',
  summary: 'Compute the kernel address-space layout of a machine: segments, sizes, rules, what does not fit',
  options: declareOptions,
  run: (args, io) => {
    const form = outputForm(args);
    const sweep = singleOption(args, 'sweep', sweepSizes);
    if (sweep !== undefined && args.physmem !== undefined) {
      throw new InputError('not with --physmem', { field: '--sweep', allowed: 'one of the two' });
    }
    const layouts = (sweep ?? [requirePhysmem(args)]).map((physmem) => layoutOf(args, physmem));
    writeText(args, io, ({ width }) => render(layouts, form, sweep !== undefined, width));
    return sweep !== undefined || isSound(layouts[0]!) ? ExitCode.done : ExitCode.checkFailed;
  },
};

function declareOptions(yargs: Argv): Argv {
  const length = { type: 'string', requiresArg: true } as const;
  return yargs
    .positional('platform', {
      type: 'string',
      choices: PLATFORMS,
      demandOption: true,
      describe: 'kernel and machine',
    })
    .option('physmem', { ...length, describe: 'RAM that the kernel can use, for example 512G' })
    .option('sweep', { ...length, describe: 'a line for each doubling of RAM, for example 1G..16T' })
    .option('revision', {
      ...length,
      describe: `rules of amd64: ${AMD64_REVISIONS.join(', ')}; default: the last`,
    })
    .option('physmax', { ...length, describe: 'end of the highest page of RAM (amd64); default: physmem' })
    .option('plat-dr', {
      ...length,
      describe: '2^(physical address bits) where the platform announces memory DR (amd64)',
    })
    .option('segkvmm-size', { ...length, describe: 'tuned size of segkvmm (amd64); default: 4 × physmem' })
    .option('segkp-size', {
      ...length,
      describe: 'size of segkp; default: 2G on amd64, 200M where static on i86',
    })
    .option('segkp', {
      ...length,
      describe: 'thread stacks from the heap or a static segment (i86); default: heap',
    })
    .option('kernelbase', { ...length, describe: 'kernelbase as set in eeprom (i86)' })
    .option('pae', { type: 'boolean', describe: 'large pages of 2 MiB and up to 64 GiB (i86); default: yes' })
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .option('csv', { type: 'boolean', describe: 'print CSV, a row per segment' })
    .option('svg', { type: 'boolean', describe: 'print a picture (one layout)' })
    .option('out', { ...length, describe: 'file to write instead of printing' });
}

const FORMS = ['json', 'csv', 'svg'] as const;
type Form = (typeof FORMS)[number] | 'table';

function outputForm(args: Args): Form {
  const chosen = FORMS.filter((form) => args[form] === true);
  if (chosen.length > 1) {
    throw new InputError('more than one form of output', {
      field: `--${chosen[1]}`,
      allowed: 'one of --json, --csv, --svg',
    });
  }
  if (chosen[0] === 'svg' && args.sweep !== undefined) {
    throw new InputError('not with --sweep', { field: '--svg', allowed: 'one layout' });
  }
  return chosen[0] ?? 'table';
}

function render(layouts: readonly Layout[], form: Form, isSweep: boolean, width: number): string {
  const [first] = layouts as readonly [Layout];
  switch (form) {
    case 'json':
      return `${JSON.stringify(isSweep ? layouts.map(layoutJson) : layoutJson(first), null, 2)}\n`;
    case 'csv':
      return layoutCsv(layouts);
    case 'svg':
      return layoutSvg(first, shortSize);
    case 'table':
      return isSweep ? sweepTable(layouts, width) : layoutTable(first, width);
  }
}

function layoutOf(args: Args, physmem: bigint): Layout {
  const isAmd64 = args.platform === 'illumos-amd64';
  const foreign = (isAmd64 ? ONLY_I86 : ONLY_AMD64).find((option) => args[option] !== undefined);
  if (foreign !== undefined) throw new InputError(`not for ${args.platform}`, { field: `--${foreign}` });
  const segkpSize = lengthOption(args, 'segkp-size');
  const common = { physmem, ...(segkpSize === undefined ? {} : { segkpSize }) };
  return isAmd64 ? amd64(args, common) : i86(args, common);
}

interface CommonMachine {
  readonly physmem: bigint;
  readonly segkpSize?: bigint;
}

function amd64(args: Args, machine: CommonMachine): Layout {
  const physmax = lengthOption(args, 'physmax');
  const platformDr = lengthOption(args, 'plat-dr');
  const segkvmmSize = lengthOption(args, 'segkvmm-size');
  const revision = singleOption(args, 'revision', (text) => choice('revision', text, AMD64_REVISIONS));
  return amd64Layout(
    {
      ...machine,
      ...(physmax === undefined ? {} : { physmax }),
      ...(platformDr === undefined ? {} : { platformDr }),
      ...(segkvmmSize === undefined ? {} : { segkvmmSize }),
    },
    revision ?? ('after-12608' satisfies Amd64Revision),
  );
}

function i86(args: Args, machine: CommonMachine): Layout {
  const segkp: I86Segkp = singleOption(args, 'segkp', (text) => choice('segkp', text, I86_SEGKP)) ?? 'heap';
  if (segkp === 'heap' && machine.segkpSize !== undefined) {
    throw new InputError('segkp has no size of its own', {
      field: '--segkp-size',
      allowed: 'with --segkp static',
    });
  }
  const kernelbase = lengthOption(args, 'kernelbase');
  const pae = args.pae as boolean | undefined;
  return i86Layout({
    ...machine,
    segkp,
    ...(kernelbase === undefined ? {} : { kernelbase }),
    ...(pae === undefined ? {} : { pae }),
  });
}

function requirePhysmem(args: Args): bigint {
  const physmem = lengthOption(args, 'physmem');
  if (physmem !== undefined) return physmem;
  throw new InputError('how much RAM?', {
    field: '--physmem',
    allowed: 'a length such as 512G, or --sweep 1G..16T',
  });
}

function lengthOption(args: Args, option: string): bigint | undefined {
  return singleOption(args, option, (text) => BigInt(parseBytes(text, { field: `--${option}` })));
}

function choice<T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new InputError(`'${text}' is unknown`, { field: `--${option}`, allowed: allowed.join(', ') });
}

/** Sizes from the first to the last, doubling; the last is always among them. @throws InputError */
function sweepSizes(text: string): bigint[] {
  const place = { field: '--sweep', allowed: 'from..to such as 1G..16T' };
  const ends = text.split('..');
  if (ends.length !== 2) throw new InputError(`'${text}' is no range`, place);
  const [from, to] = ends.map((end) => BigInt(parseBytes(end, place))) as [bigint, bigint];
  if (from < 1n || to < from) throw new InputError(`'${text}' is no ascending range`, place);
  const sizes: bigint[] = [];
  for (let size = from; size < to; size *= 2n) sizes.push(size);
  return [...sizes, to];
}

import type { TSchema } from '@sinclair/typebox';
import { formatBytes, formatDuration } from '../../core/units.js';
import { type ShippedFile, shippedSuites, shippedTraces, shippedWorkloads } from '../../harness/catalogue.js';
import { type Definition, REGISTRIES, type Registries } from '../../harness/registries.js';
import { describeSchema } from '../../harness/schema-check.js';
import { PROBES } from '../../probe/registry.js';
import { wrapWords } from '../../report/wrap-words.js';
import type { Command } from '../command.js';
import { ExitCode } from '../io.js';
import { textWidth } from '../text-output.js';

/** One thing that can be named on the command line or in a suite. */
interface Listed {
  readonly name: string;
  readonly summary: string;
  /** Parameters of a workload or backend, columns of a probe. */
  readonly details: readonly Detail[];
  readonly path?: string;
}

interface Detail {
  readonly name: string;
  readonly description: string;
  readonly default?: unknown;
  readonly allowed?: string;
}

const SECTIONS = ['backends', 'workloads', 'suites', 'probes', 'traces'] as const;
type Section = (typeof SECTIONS)[number];

/** `kvabench list [what]`: names that commands and suites understand. */
export const listCommand: Command = listCommandWith(REGISTRIES);

/** The command over registries of the caller's. */
export function listCommandWith(registries: Registries): Command {
  return {
    usage: 'list [what]',
    summary: 'List backends, workloads, suites, probes and traces; one kind with its details',
    options: (yargs) =>
      yargs
        .positional('what', { type: 'string', choices: SECTIONS, describe: 'kind to list with its details' })
        .option('json', { type: 'boolean', describe: 'print JSON' }),
    run: (args, io) => {
      const chosen = args.what === undefined ? SECTIONS : [args.what as Section];
      const sections = chosen.map((section) => [section, listed(section, registries)] as const);
      const text =
        args.json === true
          ? JSON.stringify(Object.fromEntries(sections), null, 2)
          : sections
              .map(([section, items]) => sectionText(section, items, chosen.length === 1, textWidth(io)))
              .join('\n\n');
      io.stdout.write(`${text}\n`);
      return ExitCode.done;
    },
  };
}

function listed(section: Section, registries: Registries): Listed[] {
  switch (section) {
    case 'backends':
      return registries.backends.map(fromDefinition);
    case 'workloads':
      return [...registries.workloads.map(fromDefinition), ...shippedWorkloads().map(fromFile)];
    case 'suites':
      return shippedSuites().map(fromFile);
    case 'traces':
      return shippedTraces().map(fromFile);
    case 'probes':
      return PROBES.map(({ name, columns }) => ({
        name,
        summary: columns.map((column) => column.name).join(' '),
        details: columns.map((column) => ({ name: column.name, description: column.description })),
      }));
  }
}

function fromDefinition({ name, summary, parameters }: Definition): Listed {
  const details = Object.entries(parameters.properties).map(([key, schema]) => parameterDetail(key, schema));
  return { name, summary, details };
}

function parameterDetail(name: string, schema: TSchema): Detail {
  const detail = { name, description: schema.description ?? '', allowed: describeSchema(schema) };
  return schema.default === undefined ? detail : { ...detail, default: schema.default };
}

function fromFile({ name, path }: ShippedFile): Listed {
  return { name, summary: path, details: [], path };
}

function sectionText(section: Section, items: readonly Listed[], detailed: boolean, width: number): string {
  if (items.length === 0) return `${section}: none`;
  const longest = Math.max(...items.map(({ name }) => name.length));
  const lines = items.flatMap(({ name, summary, details, path }) => {
    const begin = `  ${name.padEnd(longest)}  `;
    const rest = detailed && section === 'probes' ? '' : summary;
    // A path is copied, so it stays whole.
    const texts = path === undefined ? wrapWords(rest, width - begin.length) : [path];
    return [
      `${begin}${texts[0] ?? ''}`.trimEnd(),
      ...texts.slice(1).map((text) => ' '.repeat(begin.length) + text),
      ...(detailed ? details.flatMap((detail) => detailLines(detail, width)) : []),
    ];
  });
  return `${section}:\n${lines.join('\n')}`;
}

function detailLines(detail: Detail, width: number): string[] {
  const value = detail.default === undefined ? '' : `=${defaultText(detail)}`;
  const allowed = detail.allowed === undefined ? '' : ` (${detail.allowed})`;
  const text = `${detail.name}${value}  ${detail.description}${allowed}`;
  return wrapWords(text, width - 6).map((line, index) => (index === 0 ? `    ${line}` : `      ${line}`));
}

function defaultText({ default: value, allowed }: Detail): string {
  if (typeof value !== 'number' || allowed === undefined) return String(value);
  if (allowed.startsWith('a length')) return formatBytes(value).replace(' ', '');
  return allowed.startsWith('a duration') ? formatDuration(value) : String(value);
}

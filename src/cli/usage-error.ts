import type { Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';

type DetailedArguments = Exclude<Argv['parsed'], false>;

const MISSING_POSITIONAL = /^Not enough non-option arguments: got (\d+)/;
const MISSING_OPTION = /^Missing required arguments?: (.+)$/m;
const MISSING_VALUE = /^Not enough arguments following: (.+)$/;
const EXCLUSIVE = /^Arguments (\S+) and (\S+) are mutually exclusive$/;
const UNEXPECTED_VALUE = /^Argument unexpected for: (.+)$/;
const UNKNOWN_ARGUMENT = /^Unknown arguments?: (.+)$/s;
const BAD_CHOICE = /Argument: (\S+), Given: (.+), Choices: (.+)$/m;

/**
 * What yargs says of a command line in one line of ours: what is wrong, the nearest name, what is allowed. An unknown
 * option goes first, because it may be why something else seems to be missing.
 * @param synopsis the command with its positionals, for example `kvabench report <dir>`
 */
export function usageError(message: string, yargs: Argv, synopsis: string): InputError {
  const options = optionsOf(yargs, synopsis);
  const unknown = unknownOption(yargs, synopsis);
  if (unknown !== undefined) return unknownName('option', dashed(unknown), options);
  const extra = UNKNOWN_ARGUMENT.exec(message)?.[1];
  if (extra !== undefined) return new InputError(`unknown argument: ${extra}; usage: ${synopsis}`);
  return (
    missing(message, synopsis) ?? badValue(message) ?? badChoice(message, synopsis) ?? new InputError(message)
  );
}

/** A positional or option that must be given; undefined where the message is about another thing. */
function missing(message: string, synopsis: string): InputError | undefined {
  const given = MISSING_POSITIONAL.exec(message)?.[1];
  if (given !== undefined) {
    const positional = synopsis.match(/<[^>]+>/g)?.[Number(given)] ?? 'an argument';
    return new InputError(`missing ${positional}; usage: ${synopsis}`);
  }
  const options = MISSING_OPTION.exec(message)?.[1]?.split(', ').map(dashed);
  if (options === undefined) return undefined;
  const wanted = options.map((option) => `${option} <${option.replace(/^-+/, '')}>`);
  return new InputError(`missing ${options.join(', ')}; usage: ${synopsis} ${wanted.join(' ')}`);
}

/** An option without its value, with one that it does not take, or beside one that excludes it. */
function badValue(message: string): InputError | undefined {
  const valueless = MISSING_VALUE.exec(message)?.[1];
  if (valueless !== undefined) return new InputError('needs a value', { field: dashed(valueless) });
  const valued = UNEXPECTED_VALUE.exec(message)?.[1];
  if (valued !== undefined) return new InputError('takes no value', { field: dashed(valued) });
  const [, one, other] = EXCLUSIVE.exec(message) ?? [];
  if (one === undefined) return undefined;
  return new InputError(`not together with ${dashed(other!)}`, { field: dashed(one) });
}

/** A value that is not among an option's or positional's choices; undefined where the message is about another thing. */
function badChoice(message: string, synopsis: string): InputError | undefined {
  const [, name, given, choices] = BAD_CHOICE.exec(message) ?? [];
  if (name === undefined) return undefined;
  const field = positionalsOf(synopsis).includes(name) ? `<${name}>` : dashed(name);
  return unknownName('value', String(listed(given!)[0]), listed(choices!).map(String), { field });
}

/** yargs lists values as JSON has them. */
function listed(values: string): readonly unknown[] {
  return JSON.parse(`[${values}]`) as unknown[];
}

/** The first option of the command line that nothing declares. */
function unknownOption(yargs: Argv, synopsis: string): string | undefined {
  if (yargs.parsed === false) return undefined;
  const { argv, aliases } = yargs.parsed;
  const declared = new Set(['_', '$0', '--', ...positionalsOf(synopsis), ...declaredNames(yargs.parsed)]);
  return Object.keys(argv).find((name) => ![name, ...(aliases[name] ?? [])].some((one) => declared.has(one)));
}

/** Long names of the options. */
function optionsOf(yargs: Argv, synopsis: string): readonly string[] {
  if (yargs.parsed === false) return [];
  const positionals = positionalsOf(synopsis);
  return declaredNames(yargs.parsed)
    .filter((name) => name.length > 1 && !positionals.includes(name))
    .map(dashed);
}

/** Names without the spellings that yargs adds to them, and to those that it does not know. */
function declaredNames({ aliases, newAliases }: DetailedArguments): readonly string[] {
  return Object.keys(aliases).filter((name) => newAliases[name] !== true);
}

function positionalsOf(synopsis: string): readonly string[] {
  return [...synopsis.matchAll(/[<[]([^\]>.]+)/g)].map(([, name]) => name!);
}

function dashed(option: string): string {
  return option.length === 1 ? `-${option}` : `--${option}`;
}

/** What yargs hands a check of the command line, besides the values; its own type is of something else. */
interface DeclaredOptions {
  readonly array: readonly string[];
  readonly boolean: readonly string[];
  readonly string: readonly string[];
}

/**
 * Refuses what yargs lets through and no command expects: an option that is `''`, and a flag with a value that is neither
 * true nor false. A positional may be empty, for that is what yargs makes of a lone `-`.
 * @param argv the command line as it was written, for yargs makes false of the value of a flag
 * @throws InputError
 */
export function requireValues(
  argv: readonly string[],
  args: Readonly<Record<string, unknown>>,
  declared: object,
  synopsis: string,
): true {
  const { array, boolean, string } = declared as DeclaredOptions;
  for (const text of argv) {
    const [, flag, value] = /^--([^=]+)=(.*)$/s.exec(text) ?? [];
    if (flag !== undefined && boolean.includes(flag) && !/^(true|false)$/.test(value!)) {
      throw new InputError(`'${value}' is not acceptable`, { field: dashed(flag), allowed: 'no value' });
    }
  }
  const positionals = positionalsOf(synopsis);
  const isEmpty = (option: string): boolean =>
    array.includes(option) && Array.isArray(args[option])
      ? args[option].length === 0 || args[option].includes('')
      : [args[option]].flat().includes('');
  const empty = string.find((option) => !positionals.includes(option) && isEmpty(option));
  if (empty !== undefined) throw new InputError('needs a value', { field: dashed(empty) });
  return true;
}

/**
 * The command line without `--`, of which what follows is no option. yargs would drop that.
 * @throws InputError for a name behind it that begins with a dash
 */
export function positionalsAfterDashes(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  if (end < 0) return argv;
  const names = argv.slice(end + 1);
  const dashedName = names.find((name) => name.startsWith('-') && name !== '-');
  if (dashedName === undefined) return [...argv.slice(0, end), ...names];
  throw new InputError(`'${dashedName}' begins with a dash`, { allowed: `./${dashedName}` });
}

import type { Argv } from 'yargs';
import { InputError } from '../core/errors.js';
import { unknownName } from '../core/suggest.js';

type DetailedArguments = Exclude<Argv['parsed'], false>;

const MISSING_POSITIONAL = /^Not enough non-option arguments: got (\d+)/;
const MISSING_VALUE = /^Not enough arguments following: (.+)$/;
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
  const given = MISSING_POSITIONAL.exec(message)?.[1];
  if (given !== undefined) {
    const missing = synopsis.match(/<[^>]+>/g)?.[Number(given)] ?? 'an argument';
    return new InputError(`missing ${missing}; usage: ${synopsis}`);
  }
  const valueless = MISSING_VALUE.exec(message)?.[1];
  if (valueless !== undefined) return new InputError('needs a value', { field: dashed(valueless) });
  const extra = UNKNOWN_ARGUMENT.exec(message)?.[1];
  if (extra !== undefined) return new InputError(`unknown argument: ${extra}; usage: ${synopsis}`);
  return badChoice(message, synopsis) ?? new InputError(message);
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

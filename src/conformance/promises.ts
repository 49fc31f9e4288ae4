import type { BackendDefinition, Parameters } from '../backend/contract.js';
import { InputError } from '../core/errors.js';
import { Client } from './client.js';
import { CONTRACT } from './contract-tests.js';
import { Counterexample, holdsForBackend } from './properties.js';

/** What a backend is held to, and how hard. */
export interface PromiseOptions {
  /** Those that are left out have their defaults. */
  readonly parameters: Parameters;
  /** Of all random histories. */
  readonly seed: number;
  /** Random histories that the last promise tries. */
  readonly histories: number;
}

/** Something that every backend keeps. */
export interface BackendPromise {
  readonly name: string;
  /** @throws any error where the promise is broken. */
  run(definition: BackendDefinition, options: PromiseOptions): void;
}

/** Every promise: those of the contract, then that of random histories. */
export const PROMISES: readonly BackendPromise[] = [
  ...CONTRACT.map(({ name, run }) => ({
    name,
    run: (definition: BackendDefinition, { parameters, seed }: PromiseOptions) =>
      run((rows = []) => new Client(definition, parameters, rows, seed)),
  })),
  {
    name: 'random histories find no live range given out again, no broken constraint and no wrong figure',
    run: holdsForBackend,
  },
];

/** Whether a promise was kept, and if not, why. */
export interface Verdict {
  readonly promise: string;
  readonly kept: boolean;
  /** '' where it was kept. */
  readonly reason: string;
  /** Why that is right all the same, where the definition names it as an exception; '' otherwise. */
  readonly exception: string;
  /** The shortest history that breaks it, the last operation being the one that does; empty where there is none. */
  readonly operations: readonly string[];
}

/** Holds a backend to a promise. Whatever is thrown breaks it: the caller has no other way to judge the backend. */
export function judge(
  { name, run }: BackendPromise,
  definition: BackendDefinition,
  options: PromiseOptions,
): Verdict {
  try {
    run(definition, options);
    return { promise: name, kept: true, reason: '', exception: '', operations: [] };
  } catch (error) {
    const operations = error instanceof Counterexample ? error.operations : [];
    const exception = definition.exceptions?.find(({ promise }) => promise === name)?.reason ?? '';
    return { ...brokenPromise(name, reasonOf(error), operations), exception };
  }
}

/** The verdict on a promise that was not kept. */
export function brokenPromise(promise: string, reason: string, operations: readonly string[] = []): Verdict {
  return { promise, kept: false, reason, exception: '', operations };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)} was thrown`;
  const isOurs = error instanceof InputError || error instanceof Counterexample;
  return isOurs || error.name === 'AssertionError' ? error.message : `${error.name}: ${error.message}`;
}

/** A mutant that no longer fits the code that it breaks: the table of mutants needs an update. */
export class StaleMutantError extends Error {
  override readonly name = 'StaleMutantError';
}

/** Undoes a change. */
export type Undo = () => void;

function define(prototype: object, name: PropertyKey, change: (own: PropertyDescriptor) => object): Undo {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  if (own === undefined) throw new StaleMutantError(`there is no ${String(name)} to break`);
  Object.defineProperty(prototype, name, { ...own, ...change(own) });
  return () => {
    Object.defineProperty(prototype, name, own);
  };
}

/** Replaces a public method for all instances of a class; `wrap` gets the original. */
export function replaceMethod<T extends object, K extends keyof T>(
  type: { readonly prototype: T },
  name: K,
  wrap: (original: T[K]) => T[K],
): Undo {
  return define(type.prototype, name, (own) => ({ value: wrap(own.value as T[K]) }));
}

/** The same for a private method, whose signature the caller states. */
export function replaceHidden<Method>(
  type: { readonly prototype: object },
  name: string,
  wrap: (original: Method) => Method,
): Undo {
  return define(type.prototype, name, (own) => ({ value: wrap(own.value as Method) }));
}

export function replaceGetter<T extends object, K extends keyof T>(
  type: { readonly prototype: T },
  name: K,
  get: (this: T) => T[K],
): Undo {
  return define(type.prototype, name, () => ({ get }));
}

/** The private members of an object, all of which must be there. */
export function insides<Members extends object>(object: object, names: readonly (keyof Members)[]): Members {
  for (const name of names) {
    if (!(name in object)) throw new StaleMutantError(`there is no ${String(name)} inside`);
  }
  return object as Members;
}

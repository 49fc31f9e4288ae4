import { expect, it } from 'vitest';

/**
 * Declares the tests that a text has the phrases with figures that tables give, and no other figure.
 * @param phrases functions whose names say what the phrases are
 * @param given patterns of numbers that are no results
 */
export function figuresAreOfTables(
  text: string,
  phrases: readonly (() => readonly string[])[],
  given: readonly string[],
): void {
  it.each(phrases.map((each) => [each.name, each] as const))(
    '%s have the figures of the tables',
    (_name, each) => {
      for (const phrase of each()) expect(text).toContain(phrase);
    },
  );

  it('has no other figure', () => {
    let rest = text;
    for (const phrase of phrases.flatMap((each) => each())) rest = rest.replaceAll(phrase, '');
    for (const pattern of given) rest = rest.replace(new RegExp(pattern, 'g'), '');
    expect(rest.match(/.{0,30}\d.{0,30}/g) ?? []).toEqual([]);
  });
}

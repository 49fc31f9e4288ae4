import { expect } from 'vitest';
import { type ArenaView, TagType } from '../../src/arena/view.js';
import { type Address, NO_ADDRESS } from '../../src/core/address.js';
import type { Constraint } from '../../src/core/request.js';
import type { Bytes } from '../../src/core/units.js';

/** An arena model as pictures drive it; sizes and addresses in bytes. */
export interface PictureSubject {
  readonly view: ArenaView;
  readonly base: Address;
  /** Allocates exactly [start, start + size). */
  place(start: Address, size: Bytes): void;
  alloc(size: Bytes, constraint?: Constraint): Address;
  free(address: Address, size: Bytes): void;
}

/** An offset in quanta from the base of the picture. */
export interface At {
  readonly quanta: number;
}

export function at(quanta: number): At {
  return { quanta };
}

/**
 * Draws the arena, one character per quantum: each span in brackets, allocated segments as runs of letters (the n-th
 * segment gets the n-th letter, so that neighbours differ), free ones as dots, and a free segment directly behind
 * another free one as commas.
 */
export function draw(view: ArenaView): string {
  let text = '';
  let letters = 0;
  let spanEnd = 0;
  view.walk((type, start, size) => {
    const quanta = Math.ceil(size / view.quantum);
    if (type === TagType.span) {
      text += '[';
      spanEnd = start + size;
      return;
    }
    if (type === TagType.alloc) text += String.fromCharCode(97 + (letters++ % 26)).repeat(quanta);
    else text += (text.endsWith('.') ? ',' : '.').repeat(quanta);
    if (start + quanta * view.quantum >= spanEnd) text += ']';
  });
  return text;
}

/** Renames the runs of a hand-drawn picture as `draw` names them; any character but `[].,` draws a segment. */
function canonical(drawing: string): string {
  let letters = 0;
  return drawing.replace(/([^[\].,])\1*/g, (run) =>
    String.fromCharCode(97 + (letters++ % 26)).repeat(run.length),
  );
}

/** Operations on a state that was drawn, each checked; in quanta. Begin one with `picture`. */
export class Picture {
  constructor(private readonly subject: PictureSubject) {}

  /** Allocates and expects the answer. */
  alloc(quanta: number, expected: At, constraint?: Constraint): this {
    const { base, view } = this.subject;
    const address = this.subject.alloc(quanta * view.quantum, constraint);
    expect(address === NO_ADDRESS ? 'nothing' : (address - base) / view.quantum).toBe(expected.quanta);
    return this.checked();
  }

  /** Allocates and expects to be refused. */
  refuse(quanta: number, constraint?: Constraint): this {
    expect(this.subject.alloc(quanta * this.subject.view.quantum, constraint)).toBe(NO_ADDRESS);
    return this.checked();
  }

  free(from: At, quanta: number): this {
    const { base, view } = this.subject;
    this.subject.free(base + from.quanta * view.quantum, quanta * view.quantum);
    return this.checked();
  }

  /** Compares the state with a drawing. */
  expect(drawing: string): this {
    expect(draw(this.subject.view)).toBe(canonical(drawing));
    return this;
  }

  private checked(): this {
    this.subject.view.check();
    return this;
  }
}

/**
 * A model in the state that is drawn, for example `[##..#...]`: one span, runs of one character are allocations, dots
 * are free. `make` builds an empty model of that many quanta.
 */
export function picture(make: (quanta: number) => PictureSubject, drawing: string): Picture {
  const inside = /^\[([^[\]]+)\]$/.exec(drawing)?.[1];
  if (inside === undefined) throw new Error(`a picture begins with one span in brackets, not ${drawing}`);
  const subject = make(inside.length);
  const { quantum } = subject.view;
  for (const run of inside.matchAll(/([^.])\1*/g)) {
    subject.place(subject.base + run.index * quantum, run[0].length * quantum);
  }
  return new Picture(subject).expect(drawing);
}

import {
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import { InputError, type InputPlace } from '../core/errors.js';

/** Keys and indices from the root of a document to a part of it. */
export type YamlPath = readonly (string | number)[];

/** A YAML document that remembers where each of its parts was written. */
export class YamlSource {
  readonly value: unknown;
  private readonly root: ParsedNode | null;
  private readonly file: string;
  private readonly lines = new LineCounter();

  /** @throws InputError with line and column for text that is no YAML, a duplicate key or an unknown tag. */
  constructor(text: string, file: string) {
    this.file = file;
    const document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw new InputError(readable(problem.message), this.at(problem.pos[0]));
    this.root = document.contents;
    try {
      this.value = document.toJS();
    } catch (error) {
      // Aliases of nothing, and so many that the document would fill the memory; parts within parts without end.
      if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
      throw new InputError(readable(error.message), this.at(0));
    }
  }

  /** Where the part at `path` stands; for a part that is not there, the nearest one around it. */
  place(path: YamlPath): InputPlace {
    return this.locate(path, false);
  }

  /** Where the key that ends `path` stands. */
  keyPlace(path: YamlPath): InputPlace {
    return this.locate(path, true);
  }

  private locate(path: YamlPath, wantKey: boolean): InputPlace {
    let node: unknown = this.root;
    let offset = isNode(node) ? start(node) : 0;
    for (const [depth, key] of path.entries()) {
      const last = depth === path.length - 1;
      const step: unknown = wantKey && last ? keyNode(node, key) : valueNode(node, key);
      if (!isNode(step)) break;
      offset = start(step);
      node = step;
    }
    return this.at(offset);
  }

  private at(offset: number): InputPlace {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** What the parser says; of lists in lists without end, it reports its own end. */
function readable(message: string): string {
  return /call stack/.test(message) ? 'nests too deep' : message;
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}

function valueNode(node: unknown, key: string | number): unknown {
  if (isMap(node)) return node.get(key, true);
  return isNode(node) && 'items' in node ? (node.items as readonly unknown[])[Number(key)] : undefined;
}

function keyNode(node: unknown, key: string | number): unknown {
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  return pair?.key;
}

import { SaxesParser } from 'saxes';
import { InputError, InvariantError } from '../core/errors.js';

/** An element with what is in it; text is that directly inside, joined. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** Line of the file where its start tag ends, from 1. */
  readonly line: number;
}

/** An element while its end has not been read. */
interface GrowingElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

/** libvirt accepts no longer text over its own protocol. */
const MOST_CHARACTERS = 4 * 1024 * 1024;
const DEEPEST = 64;

/**
 * Reads an XML document without a document type: so there are no entities but those of XML itself, and nothing to
 * expand or to fetch.
 * @throws InputError with file, line and column where it is malformed, too long, too deep, or has a document type.
 */
export function parseXml(text: string, file: string): XmlElement {
  if (text.length > MOST_CHARACTERS) {
    throw new InputError(`${text.length} characters`, { file, allowed: `at most ${MOST_CHARACTERS}` });
  }
  const parser = new SaxesParser();
  const place = () => ({ file, line: parser.line, column: parser.column + 1 });
  const open: GrowingElement[] = [];
  let root: XmlElement | undefined;
  parser.on('error', (error) => {
    throw new InputError(`malformed XML (${error.message.replace(/^\d+:\d+: /, '')})`, place());
  });
  parser.on('doctype', () => {
    throw new InputError('a document type, which may define entities', { ...place(), allowed: 'none' });
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === DEEPEST) {
      throw new InputError('elements nest too deep', { ...place(), allowed: `${DEEPEST} levels` });
    }
    open.push({ name, attributes, children: [], text: '', line: parser.line });
  });
  const append = (content: string) => {
    const innermost = open.at(-1);
    if (innermost !== undefined) innermost.text += content;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    const closed = open.pop()!;
    const above = open.at(-1);
    if (above === undefined) root = closed;
    else above.children.push(closed);
  });
  parser.write(text).close();
  if (root === undefined) throw new InvariantError('a well-formed document without an element');
  return root;
}

/** Elements at the end of a path of names below `element`, in document order. */
export function elementsAt(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

/** The first of them. */
export function elementAt(element: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  return elementsAt(element, ...path)[0];
}
